"""Do a model's scores look like scores? Mass at the ends, ties where it matters, lists without any order."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evalkit.pipelines.retrieve import rank_order, ranks
from evalkit.records import Run

TOP = 10


@dataclass(frozen=True, slots=True)
class Sanity:
    """Counts over one pipeline's scores: rows are candidates, lists are queries with at least two of them.

    `tied_top` counts lists with two equal scores among their first ten, `all_equal` those whose scores are
    all equal: their order is the document ids'.
    """

    rows: int
    at_zero: int
    at_one: int
    outside_unit: int
    lists: int
    tied_top: int
    all_equal: int

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as plain data."""
        return asdict(self)

    def sentences(self) -> list[str]:
        """Say what is odd; empty where nothing is."""
        told = []
        for count, where in ((self.at_zero, "0"), (self.at_one, "1")):
            if count:
                told.append(
                    f"{count:,} of {self.rows:,} scores are exactly {where}: no threshold tells them apart."
                )
        if self.all_equal:
            told.append(
                f"{self.all_equal:,} of {self.lists:,} lists have one score for all candidates: no order."
            )
        if self.tied_top > self.all_equal:
            told.append(
                f"{self.tied_top:,} of {self.lists:,} lists have equal scores among their first {TOP}."
            )
        if self.outside_unit:
            told.append(
                f"{self.outside_unit:,} of {self.rows:,} scores lie outside [0, 1]: this is no 0-to-1 scale."
            )
        return told


def sanity(run: Run) -> Sanity:
    """Count what is odd in the scores of `run`."""
    order = rank_order(run)
    query, score = run.query[order], run.score[order]
    if not len(query):
        return Sanity(0, 0, 0, 0, 0, 0, 0)
    rank = ranks(query)
    equals_next = (query[1:] == query[:-1]) & (score[1:] == score[:-1])
    tied = np.unique(query[1:][equals_next & (rank[1:] <= TOP)])
    starts = np.flatnonzero(rank == 1)
    ends = np.append(starts[1:], len(query))
    several = ends - starts > 1
    flat = several & (score[starts] == score[ends - 1])  # sorted: the ends are the extremes
    return Sanity(
        rows=len(score),
        at_zero=int((score == 0).sum()),
        at_one=int((score == 1).sum()),
        outside_unit=int(((score < 0) | (score > 1)).sum()),
        lists=int(several.sum()),
        tied_top=len(tied),
        all_equal=int(flat.sum()),
    )
