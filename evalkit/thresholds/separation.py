"""Do the scores tell relevant from irrelevant at all? Without that, any threshold is a coin."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evalkit.thresholds.curve import Curve

FEWEST = 8  # queries with a relevant candidate, for a verdict of its own
LEVEL = 0.99


@dataclass(frozen=True)
class Separation:
    """The chance that a relevant candidate outscores a random irrelevant one of any query of the group.

    `low` is its one-sided 99 % bound over `n` queries (Student's t); NaN where nothing can be said.
    """

    point: float
    low: float
    n: int

    @property
    def shown(self) -> bool | None:
        """Whether the scores are shown to separate; None where there are too few queries to tell."""
        return None if self.n < FEWEST or math.isnan(self.low) else self.low > 0.5


def separation(curve: Curve) -> Separation:
    """Measure how well scores separate across queries: what a threshold needs, unlike a ranking measure.

    One value a query (the mean over its relevant candidates, ties count half), then their mean: the query is
    the unit.
    """
    from scipy.special import stdtrit

    states = curve.states
    rows = np.flatnonzero(states.kept > 0)
    relevant = np.diff(states.relevant, prepend=0)[rows] > 0
    score, query = curve.score[rows], states.query[rows]
    junk = np.sort(score[~relevant])
    if not len(junk) or not relevant.any():
        return Separation(math.nan, math.nan, 0)
    below = np.searchsorted(junk, score[relevant], "left") + np.searchsorted(junk, score[relevant], "right")
    chance = below / (2 * len(junk))
    counts = np.bincount(query[relevant], minlength=curve.n)
    sums = np.bincount(query[relevant], weights=chance, minlength=curve.n)
    values = sums[counts > 0] / counts[counts > 0]
    n, mean = len(values), float(values.mean())
    if n < 2:
        return Separation(mean, math.nan, n)
    error = float(values.std(ddof=1)) / math.sqrt(n)
    return Separation(mean, mean - float(stdtrit(n - 1, LEVEL)) * error, n)
