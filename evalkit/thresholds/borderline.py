"""The vendor's recipe: the threshold is the mean score of some borderline-relevant documents.

Cohere's best practices suggest it over 30 to 50 queries. It says nothing about errors; here it comes with an
interval and with the error rates that it would really have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.records import Bools, Floats, Judged
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.groups import Group
from evalkit.thresholds.optimum import Singles

FEWEST = 2  # queries with a borderline document


@dataclass(frozen=True, eq=False)
class Means:
    """Each unit's sum of its queries' mean borderline scores, and how many queries have such a candidate."""

    sums: Floats
    counts: Floats
    usual: float  # the mean of them all, for a part that has none of them

    @classmethod
    def of(cls, judged: Judged, goal: Goal, group: Group) -> Means:
        """Collect the scores of the candidates of the borderline grade."""
        own = query_means(judged, goal, group)
        found = ~np.isnan(own)
        sums, counts = (
            group.curve.by_unit(part) for part in (np.where(found, own, 0.0), found.astype(np.float64))
        )
        return cls(sums, counts, float(own[found].mean()) if found.any() else np.nan)

    def part(self, units: Bools) -> Means:
        """Return the means of some of the units."""
        return Means(self.sums[units], self.counts[units], self.usual)

    def best(self, weights: Singles) -> tuple[Floats, Floats]:
        """Return the weighted mean for each row of `weights`; of all queries where a row has none of them."""
        with np.errstate(invalid="ignore"):
            means = (weights @ self.sums) / (weights @ self.counts)
        return np.where(np.isnan(means), self.usual, means), np.full(len(weights), np.nan)


def query_means(judged: Judged, goal: Goal, group: Group) -> Floats:
    """Return each query's mean score of its borderline candidates; NaN where it has none."""
    query = judged.query
    row = judged.judged & (judged.grade == borderline_grade(judged, goal))
    n = len(judged.query_ids)
    sums, counts = (
        np.bincount(query[row], judged.score[row], minlength=n),
        np.bincount(query[row], minlength=n),
    )
    return np.asarray(np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)[group.curve.position])


def borderline_grade(judged: Judged, goal: Goal) -> int:
    """Return the grade that counts as borderline: the goal's, or the lowest relevant one."""
    return judged.relevant_from if goal.grade is None else goal.grade


def enough(judged: Judged, goal: Goal, group: Group) -> bool:
    """Return whether a group has borderline documents in enough queries."""
    return int((~np.isnan(query_means(judged, goal, group))).sum()) >= FEWEST
