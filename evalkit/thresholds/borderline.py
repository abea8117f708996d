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

FEWEST = 2  # queries with a borderline document


@dataclass(frozen=True, eq=False)
class Means:
    """Each query's mean score of its borderline candidates (NaN: it has none): one choice for any weights."""

    values: Floats

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
        return cls(means[group.curve.position])

    def best(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return the weighted mean for each row of `weights`; of all queries where a row has none of them."""
        defined = ~np.isnan(self.values)
        values = np.where(defined, self.values, 0.0)
        with np.errstate(invalid="ignore"):
            means = (weights @ values) / (weights @ defined)
        return np.where(np.isnan(means), values.sum() / defined.sum(), means), np.full(len(weights), np.nan)


def borderline_grade(judged: Judged, goal: Goal) -> int:
    """Return the grade that counts as borderline: the goal's, or the lowest relevant one."""
    return judged.relevant_from if goal.grade is None else goal.grade


def enough(judged: Judged, goal: Goal, group: Group) -> bool:
    """Return whether a group has borderline documents in enough queries."""
    found: Bools = ~np.isnan(Means.of(judged, goal, group).values)
    return int(found.sum()) >= FEWEST
