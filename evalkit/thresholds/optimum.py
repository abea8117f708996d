"""The best threshold for a criterion, on all queries at once or on many reweightings of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from evalkit.records import Bools, Floats, ScoreSpace
from evalkit.thresholds.curve import Curve
from evalkit.thresholds.goals import Criterion

REPLICATES = 2_000  # bootstrap resamples behind an interval
BLOCK = 8_000_000  # cells of replicates x thresholds held at a time


@dataclass(frozen=True)
class Scale:
    """Where thresholds are averaged: log-odds for scores in [0, 1], the scores themselves elsewhere."""

    space: ScoreSpace

    def real(self, score: Floats) -> Floats:
        """Return scores on the real line."""
        if self.space != "unit":
            return np.asarray(score, dtype=np.float64)
        inside = np.clip(score, 1e-9, 1 - 1e-9)
        return np.asarray(np.log(inside / (1 - inside)))

    def score(self, real: Floats) -> Floats:
        """Return the scores of points on the real line."""
        return np.asarray(real if self.space != "unit" else 1 / (1 + np.exp(-np.asarray(real))))


@dataclass(frozen=True, eq=False)
class Table:
    """A criterion's numerator and denominator, queries x thresholds; failed queries count for nothing."""

    thresholds: Floats
    numerator: Floats
    denominator: Floats

    @classmethod
    def of(cls, curve: Curve, criterion: Criterion) -> Table:
        """Tabulate `criterion` over `curve`."""
        numerator, denominator = criterion.of(curve.states)
        counts = ~curve.failed[:, None]
        return cls(curve.thresholds, numerator[curve.index] * counts, denominator[curve.index] * counts)

    def best(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return, for each row of `weights` (replicates x queries), the best threshold and its value.

        Of equally good thresholds the lowest; the value is NaN where the criterion is undefined everywhere.
        """
        rows = max(1, BLOCK // len(self.thresholds))
        blocks = [self._best(weights[start : start + rows]) for start in range(0, len(weights), rows)]
        return np.concatenate([block[0] for block in blocks]), np.concatenate([block[1] for block in blocks])

    def _best(self, weights: Floats) -> tuple[Floats, Floats]:
        flat = (self.denominator == self.denominator[:, :1]).all()
        below = weights @ (self.denominator[:, :1] if flat else self.denominator)
        above = weights @ self.numerator
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where(below > 0, above / below, -np.inf)
        column = values.argmax(axis=1)
        value = values[np.arange(len(values)), column]
        return self.thresholds[column], np.where(np.isfinite(value), value, np.nan)


def resample(training: Bools, rng: np.random.Generator, replicates: int) -> Floats:
    """Return weights (replicates x queries) of queries drawn with replacement from those in `training`."""
    n = int(training.sum())
    weights = np.zeros((replicates, len(training)))
    if n:
        weights[:, training] = rng.multinomial(n, np.full(n, 1 / n), size=replicates)
    return weights


class Choice(Protocol):
    """What chooses a threshold from weighted queries: a criterion's table, or a recipe."""

    def best(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return, for each row of `weights` (replicates x queries), a threshold and its value."""
        ...


def bagged(
    table: Choice, scale: Scale, training: Bools, rng: np.random.Generator, replicates: int = REPLICATES
) -> Floats:
    """Return the best threshold of each of `replicates` resamples of the queries, on the real line.

    Their mean is steadier than the best threshold of the sample itself, which jumps from one observed score
    to another with a single query; their spread is the threshold's uncertainty.
    """
    return scale.real(table.best(resample(training, rng, replicates))[0])


def percentiles(values: Floats, level: float = 0.95) -> tuple[float, float]:
    """Return the equal-tailed percentile interval of bootstrap replicates; NaN replicates are left out."""
    defined = values[~np.isnan(values)]
    if not len(defined):
        return math.nan, math.nan
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
