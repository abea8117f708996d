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
    """Each query's mean score of its borderline candidates (NaN: it has none): one choice for any weights."""

    values: Floats
    usual: float  # the mean of them all, for a part that has none of them

    @classmethod
    def of(cls, judged: Judged, goal: Goal, group: Group) -> Means:
        """Collect the scores of the candidates of the borderline grade."""
        query = np.repeat(np.arange(len(judged.query_ids)), np.diff(judged.offsets))
        row = judged.judged & (judged.grade == borderline_grade(judged, goal))
        n = len(judged.query_ids)
        with np.errstate(invalid="ignore"):
            means = np.bincount(query[row], judged.score[row], minlength=n) / np.bincount(
                query[row], minlength=n
            )
        own = means[group.curve.position]
        found = own[~np.isnan(own)]
        return cls(own, float(found.mean()) if len(found) else np.nan)

    def part(self, queries: Bools) -> Means:
        """Return the means of some of the queries."""
        return Means(self.values[queries], self.usual)

    def best(self, weights: Singles) -> tuple[Floats, Floats]:
        """Return the weighted mean for each row of `weights`; of all queries where a row has none of them."""
        defined = ~np.isnan(self.values)
        values = np.where(defined, self.values, 0.0)
        with np.errstate(invalid="ignore"):
            means = (weights @ values) / (weights @ defined)
        return np.where(np.isnan(means), self.usual, means), np.full(len(weights), np.nan)


def borderline_grade(judged: Judged, goal: Goal) -> int:
    """Return the grade that counts as borderline: the goal's, or the lowest relevant one."""
    return judged.relevant_from if goal.grade is None else goal.grade


def enough(judged: Judged, goal: Goal, group: Group) -> bool:
    """Return whether a group has borderline documents in enough queries."""
    found: Bools = ~np.isnan(Means.of(judged, goal, group).values)
    return int(found.sum()) >= FEWEST
