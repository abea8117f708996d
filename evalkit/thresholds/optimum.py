"""The best threshold for a criterion, on all queries at once or on many reweightings of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt

from evalkit.records import Bools, Floats, ScoreSpace
from evalkit.thresholds.curve import CELLS, FEWEST, Curve
from evalkit.thresholds.goals import Criterion

REPLICATES = 2_000  # bootstrap resamples behind an interval
MOST = 1024  # thresholds in a table of contenders
POISSON = 10_000  # queries
BLOCK = 8_000_000  # cells of replicates x thresholds held at a time
DRAWN = 65_536  # counts of resampled queries at a time: what stays in a processor's cache
GRID = 2.0**-12  # the coarsest grid that values are rounded to; an error of 1/8192 where it is
Singles = npt.NDArray[np.float32]


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
    """A criterion's numerator and denominator, units x thresholds; failed queries count for nothing.

    A unit is a query, or several that belong together and are resampled together.

    The denominator has one column where it is the same at every threshold, as that of a mean over queries.

    In single precision, on a grid where it matters: sums of a few thousand queries are exact, so that equally
    good thresholds are equal on every machine.
    """

    thresholds: Floats
    numerator: Singles
    denominator: Singles

    @classmethod
    def of(cls, curve: Curve, criterion: Criterion) -> Table:
        """Tabulate `criterion` over the thresholds of `curve`."""
        index, counts = curve.index, ~curve.failed[:, None]
        numerator, denominator = (
            curve.by_unit(_single(part, curve.n)[index] * counts) for part in criterion.of(curve.states)
        )
        same = (denominator == denominator[:, :1]).all()
        return cls(curve.thresholds, numerator, denominator[:, :1] if same else denominator)

    def part(self, units: Bools) -> Table:
        """Return the table of some of the units."""
        return Table(self.thresholds, self.numerator[units], self.denominator[units])

    def useful(self) -> Table:
        """Return the table without thresholds that no resample of the queries makes the best.

        They are more than eight standard errors of the paired difference below the optimum. Small tables are
        left as they are.
        """
        if len(self.thresholds) <= FEWEST:
            return self
        with np.errstate(invalid="ignore", divide="ignore"):
            above, below = self.numerator.sum(axis=0), self.denominator.sum(axis=0)
            values = np.where(below > 0, above / below, -np.inf)
            influence = (self.numerator - np.where(np.isfinite(values), values, 0) * self.denominator) / below
        best = int(values.argmax())
        error = np.sqrt(((influence - influence[:, [best]]) ** 2).sum(axis=0))
        near = np.flatnonzero(~(values[best] - values > 8 * error))
        below = self.denominator if self.denominator.shape[1] == 1 else self.denominator[:, near]
        return Table(self.thresholds[near], np.ascontiguousarray(self.numerator[:, near]), below)

    def best(self, weights: Floats | Singles) -> tuple[Floats, Floats]:
        """Return, for each row of `weights` (replicates x units), the best threshold and its value.

        Of equally good thresholds the lowest; the value is NaN where the criterion is undefined everywhere.
        """
        rows = max(1, BLOCK // len(self.thresholds))
        single = weights.astype(np.float32, copy=False)
        blocks = [self._best(single[start : start + rows]) for start in range(0, len(single), rows)]
        return np.concatenate([block[0] for block in blocks]), np.concatenate([block[1] for block in blocks])

    def _best(self, weights: Singles) -> tuple[Floats, Floats]:
        values, below = weights @ self.numerator, weights @ self.denominator
        if below.min() > 0:
            values /= below
        else:
            values = np.where(below > 0, values / np.where(below > 0, below, 1), -np.inf)
        column = values.argmax(axis=1)
        value = values[np.arange(len(values)), column].astype(np.float64)
        return self.thresholds[column], np.where(np.isfinite(value), value, np.nan)


def _single(values: Floats, n: int) -> Singles:
    """Return values in single precision, rounded so that sums of `n` are exact if that costs little."""
    step = 2.0 ** (np.ceil(np.log2(max(n, 1) * np.abs(values).max(initial=1.0))) - 24)
    return (np.rint(values / step) * step if step <= GRID else values).astype(np.float32)


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


def resample(n: int, rng: np.random.Generator, replicates: int) -> Iterator[Singles]:
    """Yield blocks (some replicates x n) of counts: how often each of `n` units is drawn, with replacement.

    From `POISSON` queries on, counts are drawn independently (Poisson with mean 1, to 16 bits): the same in
    the limit, and quick.
    """
    rows = max(1, (BLOCK if n >= POISSON else DRAWN) // max(n, 1))
    for start in range(0, replicates, rows):
        block = min(rows, replicates - start)
        if n >= POISSON:
            yield _poisson_counts()[rng.integers(2**16, size=(block, n), dtype=np.uint16)]
            continue
        cells = rng.integers(max(n, 1), size=(block, n))
        cells += np.arange(block)[:, None] * n
        yield np.bincount(cells.ravel(), minlength=block * n).reshape(block, n).astype(np.float32)


@cache
def _poisson_counts() -> Singles:
    """Return the Poisson(1) count of each 16-bit number, by inversion."""
    mass = np.exp(-1.0) / np.cumprod([1.0, *range(1, 9)])
    return np.searchsorted(mass.cumsum(), (np.arange(2**16) + 0.5) / 2**16).astype(np.float32)


def snapped(score: Floats, thresholds: Floats) -> Floats:
    """Return scores with those that rounding moved off a threshold put back on it.

    A threshold that goes to the real line and back must still keep the document that it was the score of.
    """
    above = np.clip(np.searchsorted(thresholds, score), 1, max(len(thresholds) - 1, 1))
    near = np.stack([thresholds[above - 1], thresholds[np.minimum(above, len(thresholds) - 1)]])
    gap = np.abs(near - score)
    closest = np.where(gap[0] <= gap[1], near[0], near[1])
    return np.where(gap.min(axis=0) <= 1e-12 * np.maximum(np.abs(score), 1e-3), closest, score)


class Choice(Protocol):
    """What chooses a threshold from weighted units: a criterion's table, or a recipe."""

    def part(self, units: Bools) -> Choice:
        """Return what chooses from some of the units."""
        ...

    def best(self, weights: Singles) -> tuple[Floats, Floats]:
        """Return, for each row of `weights` (replicates x units), a threshold and its value."""
        ...


def bagged(
    table: Choice, scale: Scale, training: Bools, rng: np.random.Generator, replicates: int = REPLICATES
) -> Floats:
    """Return the best threshold of each of `replicates` resamples of the units, on the real line.

    Their mean is steadier than the best threshold of the sample itself, which jumps from one observed score
    to another with a single query; their spread is the threshold's uncertainty.
    """
    part = table if training.all() else table.part(training)
    blocks = resample(int(training.sum()), rng, replicates)
    return scale.real(np.concatenate([part.best(weights)[0] for weights in blocks]))


def percentiles(values: Floats, level: float = 0.95) -> tuple[float, float]:
    """Return the equal-tailed percentile interval of bootstrap replicates; NaN replicates are left out."""
    low, high = column_percentiles(values[:, None], level)
    return float(low[0]), float(high[0])


def column_percentiles(values: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the percentile interval of each column; NaN replicates are left out, NaN where no other is."""
    ends = [(1 - level) / 2, (1 + level) / 2]
    undefined = np.isnan(values)
    gaps = undefined.any(axis=0)
    found = np.full((2, values.shape[1]), np.nan)
    if not gaps.all():
        found[:, ~gaps] = np.quantile(np.ascontiguousarray(values.T[~gaps]), ends, axis=1)
    for column in np.flatnonzero(gaps & ~undefined.all(axis=0)):
        found[:, column] = np.quantile(values[~undefined[:, column], column], ends)
    return found[0], found[1]
