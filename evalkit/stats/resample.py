"""Intervals by resampling queries: the query is the unit of inference, never the (query, document) pair."""

from __future__ import annotations

import numpy as np

from evalkit.records import Floats, Interval

REPLICATES = 10_000


def bootstrap_means(values: Floats, rng: np.random.Generator, replicates: int = REPLICATES) -> Floats:
    """Return `replicates` means of resampled queries; `values` is (n,) or (n, columns) without NaN.

    Multinomial counts times values: the same distribution as drawing indices, without the draws in memory.
    """
    n = len(values)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=replicates).astype(np.float64)
    return np.asarray(weights @ values / n)


def mean_interval(values: Floats, rng: np.random.Generator, level: float = 0.95) -> Interval:
    """Return the mean of `values` with its BCa bootstrap interval; NaN (undefined) queries are left out.

    With fewer than two defined values the interval is (NaN, NaN); where all values are equal it is a point.
    Efron, Better Bootstrap Confidence Intervals, JASA 1987.
    """
    defined = values[~np.isnan(values)]
    n = len(defined)
    point = float(defined.mean()) if n else float("nan")
    if n < 2:
        return Interval(point, float("nan"), float("nan"), level, "undefined", n)
    if np.ptp(defined) == 0:
        return Interval(point, point, point, level, "constant", n)
    means = bootstrap_means(defined, rng)
    low, high = np.quantile(means, bca_levels(defined, means, level))
    return Interval(point, float(low), float(high), level, "bootstrap BCa", n)


def bca_levels(values: Floats, means: Floats, level: float) -> tuple[float, float]:
    """Return the two quantile levels of `means` that correct for bias and skewness of a mean.

    The acceleration of a mean is skewness / (6 sqrt(n)), which is what the jackknife gives for it.
    """
    from statistics import NormalDist

    normal = NormalDist()
    point = values.mean()
    below = (np.count_nonzero(means < point) + 0.5 * np.count_nonzero(means == point)) / len(means)
    bias = normal.inv_cdf(min(max(below, 1 / len(means)), 1 - 1 / len(means)))
    centred = values - point
    acceleration = (centred**3).sum() / (6 * (centred**2).sum() ** 1.5)

    def corrected(tail: float) -> float:
        z = bias + normal.inv_cdf(tail)
        return normal.cdf(bias + z / (1 - acceleration * z))

    return corrected((1 - level) / 2), corrected((1 + level) / 2)
