"""Intervals by resampling queries: the query is the unit of inference, never the (query, document) pair."""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from evalkit.records import Floats, Interval, Ints
from evalkit.stats.products import product
from evalkit.stats.significance import t_ends
from evalkit.stats.units import ROUNDING, Units, same_gaps

REPLICATES = 10_000
LARGE = 2_000  # units, above which the mean is as good as normal and resampling only adds noise
KEPT = 16  # sets of resamples at hand: of 2,000 units each one takes 20 MB
BLOCK = 250_000  # resampled units at once: what stays in a processor's cache
LEVEL = 0.95
NORMAL = NormalDist()


def bootstrap_means(units: Units, seed: int, replicates: int = REPLICATES) -> Floats:
    """Return (replicates, columns): the means of resampled units, the same resamples for all columns.

    Counts of the units drawn times their totals is one matrix product for all systems and measures. The draws
    are those of `scipy.stats.bootstrap` with `np.random.default_rng(seed)`.
    """
    counts = _resamples(len(units.sizes), seed, replicates)
    both = np.column_stack([units.totals, units.sizes])
    sums = product(counts, both)
    return np.asarray(sums[:, :-1] / sums[:, -1:])


@lru_cache(maxsize=KEPT)
def _resamples(n: int, seed: int, replicates: int) -> npt.NDArray[np.uint8]:
    """Return (replicates, n): how often each resample holds each unit; pipelines and measures share them."""
    rng = np.random.default_rng(seed)
    counts = np.empty((replicates, n), dtype=np.uint8)  # 256 times the same of n is beyond any chance
    rows = max(1, BLOCK // n)
    for start in range(0, replicates, rows):
        size = min(rows, replicates - start)
        drawn = rng.integers(0, n, (size, n))
        drawn += np.arange(size)[:, None] * n
        counts[start : start + size] = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
    return counts


def bca(units: Units, seed: int, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return the low and high ends of each column's BCa bootstrap interval.

    NaN with fewer than two units; a point where no unit differs from the others. Efron, Better Bootstrap
    Confidence Intervals, JASA 82, 1987, with the acceleration from the jackknife over units.
    """
    low, high = units.means.copy(), units.means.copy()
    if len(units.sizes) < 2:
        low[:], high[:] = np.nan, np.nan
        return low, high
    varies = np.flatnonzero(units.residuals.any(axis=0))
    if len(varies):
        moving = Units(units.totals[:, varies], units.sizes)
        means = bootstrap_means(moving, seed)
        for place, column in enumerate(varies):
            above = means[:, place] - moving.means[place]
            above[np.abs(above) <= ROUNDING * np.abs(moving.totals[:, place]).max()] = 0.0
            levels = _levels(above, _acceleration(moving, place), level)
            low[column], high[column] = np.quantile(means[:, place], levels)
    return low, high


def intervals(units: Units, seed: int, level: float = LEVEL) -> list[Interval]:
    """Return each column's mean with its BCa interval, or Student's t for more than 2,000 units.

    `method` says which; "constant" where no unit differs from the others, "undefined" below two units.
    """
    large = len(units.sizes) > LARGE
    low, high = t_ends(units, level) if large else bca(units, seed, level)
    usual = "Student's t" if large else "bootstrap BCa"
    found = []
    for mean, start, end in zip(units.means.tolist(), low.tolist(), high.tolist(), strict=True):
        method = "constant" if start == end else usual if len(units.sizes) > 1 else "undefined"
        found.append(Interval(mean, start, end, level, method, units.queries))
    return found


def mean_intervals(
    values: Floats, seed: int, level: float = LEVEL, clusters: Ints | None = None
) -> list[Interval]:
    """Return the mean of each column of `values` (queries, columns) with its interval; as `intervals`.

    NaN (undefined) queries are left out, column by column; `clusters` labels queries that are resampled
    together. Each column's interval depends on its own values and `seed` only, whatever stands beside it.
    """
    found: dict[int, Interval] = {}
    for columns, rows in same_gaps(values):
        units = Units.of(values[np.ix_(rows, columns)], None if clusters is None else clusters[rows])
        own = intervals(units, seed, level)
        found |= dict(zip(columns.tolist(), own, strict=True))
    return [found[column] for column in range(values.shape[1])]


def _acceleration(units: Units, column: int) -> float:
    """Return the skewness term of BCa: from the jackknife, each unit left out in turn."""
    total, size = units.totals[:, column].sum(), units.sizes.sum()
    left_out = (total - units.totals[:, column]) / np.maximum(size - units.sizes, 1e-300)
    influence = left_out.mean() - left_out
    return float((influence**3).sum() / (6 * (influence**2).sum() ** 1.5))


def _levels(above: Floats, acceleration: float, level: float) -> tuple[float, float]:
    """Return the two quantile levels of the replicates that correct for bias and skewness.

    `above` has how far each replicate lies above the point; one that equals it counts half.
    """
    size = len(above)
    below = (np.count_nonzero(above < 0) + np.count_nonzero(above <= 0)) / (2 * size)
    bias = NORMAL.inv_cdf(min(max(below, 1 / size), 1 - 1 / size))

    def corrected(tail: float) -> float:
        z = bias + NORMAL.inv_cdf(tail)
        return NORMAL.cdf(bias + z / (1 - acceleration * z))

    return corrected((1 - level) / 2), corrected((1 + level) / 2)
