"""Measured values with what has to be said beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from evalkit.measures.evaluate import evaluate
from evalkit.measures.parse import parse
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
        if self.tied:
            told.append(
                f"order depends on equal scores in {plural(self.tied, 'query')} (try --ties averaged)"
            )
        return [f"{self.name}: {text}" for text in told]


def measured(name: str, judged: Judged, names: Sequence[str], complete: bool = True) -> Measured:
    """Return the values of measures; with `complete`, a query that the run lacks has the worst value.

    Without it such queries are left out, as trec_eval does without `-c`.

    Raises:
        InputError: as `evaluate`.
    """
    canonical = [str(parse(one)) for one in names]
    missing: Bools = judged.retrieved == 0
    keep = np.ones(len(missing), np.bool_) if complete else ~missing
    ids = tuple(one for one, kept in zip(judged.query_ids, keep.tolist(), strict=True) if kept)
    values = {one: found[keep] for one, found in evaluate(judged, canonical).items()}
    return Measured(name, ids, values, int(missing.sum()), judged.unjudged_queries, judged.tied_queries)


def _mean(name: str, values: Floats) -> Mean:
    defined = values[~np.isnan(values)]
    value = float(defined.mean()) if len(defined) else None
    return Mean(name, value, len(defined), len(values) - len(defined))
