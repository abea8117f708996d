"""Measured values with what has to be said beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from evalkit.errors import InputError
from evalkit.measures.evaluate import evaluate
from evalkit.measures.parse import specs
from evalkit.records import Bools, Floats, Judged
from evalkit.words import plural


class Mean(NamedTuple):
    """The mean of a measure over the queries that it is defined on: n of them, `undefined` others."""

    measure: str
    value: float | None
    n: int
    undefined: int


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """A run measured: one value per query and measure (NaN: undefined), means, and counts of queries."""

    name: str
    query_ids: tuple[str, ...]
    values: Mapping[str, Floats]
    missing: int  # judged queries that the run lacks
    unjudged: int  # queries of the run without any judgment
    tied: int  # queries whose order of different grades hangs on equal scores
    averaged: bool = False  # over the orders of equal scores
    strange: bool = False  # documents were returned, and none of them is judged

    @property
    def means(self) -> list[Mean]:
        """The mean of every measure."""
        return [_mean(name, values) for name, values in self.values.items()]

    @property
    def warnings(self) -> list[str]:
        """What a reader of the means should know, in sentences."""
        told = []
        if self.missing:
            told.append(f"{plural(self.missing, 'query')} of the judgments not in the run")
        if self.unjudged:
            told.append(f"{plural(self.unjudged, 'query')} of the run without judgments, left out")
        if self.strange:
            told.append("no returned document is judged: are its ids those of the judgments?")
        if self.tied and not self.averaged:
            told.append(
                f"order depends on equal scores in {plural(self.tied, 'query')} (try --ties averaged)"
            )
        return [f"{self.name}: {text}" for text in told]


def measured(name: str, judged: Judged, names: Sequence[str], complete: bool = True) -> Measured:
    """Return the values of measures; with `complete`, a query that the run lacks has the worst value.

    Without it such queries are left out, as trec_eval does without `-c`.

    Raises:
        InputError: as `evaluate` and `refuse_strange_queries`.
    """
    refuse_strange_queries(name, judged)
    canonical = [str(spec) for spec in specs(names).values()]
    missing: Bools = judged.retrieved == 0
    keep = np.ones(len(missing), np.bool_) if complete else ~missing
    ids = tuple(one for one, kept in zip(judged.query_ids, keep.tolist(), strict=True) if kept)
    values = {one: found[keep] for one, found in evaluate(judged, canonical).items()}
    return Measured(
        name,
        ids,
        values,
        missing=int(missing.sum()),
        unjudged=judged.unjudged_queries,
        tied=judged.tied_queries,
        averaged=judged.tie_first is not None,
        strange=bool(judged.retrieved.any() and not judged.judged.any()),
    )


def refuse_strange_queries(name: str, judged: Judged) -> None:
    """Refuse a run that has queries, none of them judged, as trec_eval does: its ids are not those judged.

    Raises:
        InputError: with the id of a judged query, to hold those of the run against.
    """
    if judged.unjudged_queries and not judged.retrieved.any():
        raise InputError(
            f"{name}: no query of it is judged. Check that its query ids are those of the judgments, such as "
            f"{judged.query_ids[0]!r}"
        )


def _mean(name: str, values: Floats) -> Mean:
    defined = values[~np.isnan(values)]
    value = float(defined.mean()) if len(defined) else None
    return Mean(name, value, len(defined), len(values) - len(defined))
