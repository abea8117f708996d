"""The best threshold for a criterion, on all queries at once or on many reweightings of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from evalkit.records import Bools, Floats, ScoreSpace
from evalkit.thresholds.curve import CELLS, FEWEST, Curve
from evalkit.thresholds.goals import Criterion

REPLICATES = 2_000  # bootstrap resamples behind an interval
MOST = 1024  # thresholds in a table of contenders
POISSON = 10_000  # queries
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
        """Tabulate `criterion` over the thresholds of `curve`."""
        index, counts = curve.index, ~curve.failed[:, None]
        numerator, denominator = (part[index] * counts for part in criterion.of(curve.states))
        return cls(curve.thresholds, numerator, denominator)

    @cached_property
    def _flat(self) -> bool:
        """Whether the denominator is the same at every threshold, as that of a mean over queries."""
        return bool((self.denominator == self.denominator[:, :1]).all())

    def best(self, weights: Floats) -> tuple[Floats, Floats]:
        """Return, for each row of `weights` (replicates x queries), the best threshold and its value.

        Of equally good thresholds the lowest; the value is NaN where the criterion is undefined everywhere.
        """
        rows = max(1, BLOCK // len(self.thresholds))
        blocks = [self._best(weights[start : start + rows]) for start in range(0, len(weights), rows)]
        return np.concatenate([block[0] for block in blocks]), np.concatenate([block[1] for block in blocks])

    def _best(self, weights: Floats) -> tuple[Floats, Floats]:
        below = weights @ (self.denominator[:, :1] if self._flat else self.denominator)
        above = weights @ self.numerator
        with np.errstate(invalid="ignore", divide="ignore"):
            values = np.where(below > 0, above / below, -np.inf)
        column = values.argmax(axis=1)
        value = values[np.arange(len(values)), column]
        return self.thresholds[column], np.where(np.isfinite(value), value, np.nan)


def contenders(curve: Curve, criterion: Criterion) -> Curve:
    """Return the curve on the thresholds that can be best for a criterion on some resample of the queries.

    These are the decisive ones. Where they are too many for a table, those whose value on all queries is
    within ten standard errors of the optimum are kept, and thinned evenly by rank; the optimum itself stays.
    """
    decisive = curve.decisive()
    most = max(FEWEST, min(MOST, CELLS // max(curve.n, 1)))
    if len(decisive.thresholds) <= most:
        return decisive
    numerator, denominator = (part.astype(np.float64) for part in criterion.of(curve.states))
    (thresholds, above), (_, below) = curve.sums(numerator), curve.sums(denominator)
    values = np.divide(above, below, out=np.full(len(above), -np.inf), where=below > 0)
    best = int(values.argmax())
    states = curve.at(float(thresholds[best]))
    influence = (numerator[states] - values[best] * denominator[states]) / below[best]
    error = float(np.sqrt((influence**2).sum()))
    near = np.flatnonzero(values >= values[best] - 10 * error)
    if len(near) > most:
        near = np.unique(np.append(near[np.linspace(0, len(near) - 1, most).astype(np.int64)], best))
    return replace(curve, thresholds=thresholds[near])


def resample(training: Bools, rng: np.random.Generator, replicates: int) -> Iterator[Floats]:
    """Yield blocks (some replicates x queries) of counts: queries drawn with replacement from `training`.

    From `POISSON` queries on, counts are drawn independently (Poisson with mean 1, to 16 bits): the same in
    the limit, and quick.
    """
    n, chosen = len(training), np.flatnonzero(training)
    rows = max(1, BLOCK // max(n, 1))
    for start in range(0, replicates, rows):
        block = min(rows, replicates - start)
        if len(chosen) >= POISSON:
            yield _POISSON_COUNTS[rng.integers(2**16, size=(block, n), dtype=np.uint16)] * training
            continue
        drawn = chosen[rng.integers(len(chosen), size=(block, len(chosen)))] if len(chosen) else chosen
        cells = (drawn + np.arange(block)[:, None] * n).ravel() if len(chosen) else drawn
        yield np.bincount(cells, minlength=block * n).reshape(block, n).astype(np.float64)


def _poisson_counts() -> Floats:
    """Return the Poisson(1) count of each 16-bit number, by inversion."""
    mass = np.exp(-1.0) / np.cumprod([1.0, *range(1, 9)])
    return np.searchsorted(mass.cumsum(), (np.arange(2**16) + 0.5) / 2**16).astype(np.float64)


_POISSON_COUNTS = _poisson_counts()


def snapped(score: Floats, thresholds: Floats) -> Floats:
    """Return scores with those that rounding moved off a threshold put back on it.

    A threshold that goes to the real line and back must still keep the document that it was the score of.
    """
    above = np.clip(np.searchsorted(thresholds, score), 1, max(len(thresholds) - 1, 1))
    near = np.stack([thresholds[above - 1], thresholds[np.minimum(above, len(thresholds) - 1)]])
    gap = np.abs(near - score)
    closest = np.take_along_axis(near, gap.argmin(axis=0)[None], axis=0)[0]
    return np.where(gap.min(axis=0) <= 1e-12 * np.maximum(np.abs(score), 1e-3), closest, score)


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
    blocks = resample(training, rng, replicates)
    return scale.real(np.concatenate([table.best(weights)[0] for weights in blocks]))


def percentiles(values: Floats, level: float = 0.95) -> tuple[float, float]:
    """Return the equal-tailed percentile interval of bootstrap replicates; NaN replicates are left out."""
    defined = values[~np.isnan(values)]
    if not len(defined):
        return math.nan, math.nan
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
