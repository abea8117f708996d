"""Tests of paired differences, and Holm's correction for many of them.

The null hypothesis is always that the systems are exchangeable on each query (randomisation, Wilcoxon) or
that the mean difference is 0 (t). Values are differences, system minus baseline, in `Units`.
"""

from __future__ import annotations

import numpy as np

from evalkit.records import Floats
from evalkit.stats.products import product
from evalkit.stats.units import Units

REPLICATES = 10_000
BLOCK = 250_000  # signs drawn at once
ROUNDING = 1e-9  # of the largest possible total: what counts as equal


def randomisation(units: Units, rng: np.random.Generator, replicates: int = REPLICATES) -> Floats:
    """Return the two-sided p-value of each column's mean under random exchange of the two systems.

    The signs of a unit's queries flip together. p = (1 + c) / (1 + B), c the number of B random flips whose
    mean is at least as far from 0: never 0, and valid at any B. 1 where no unit differs; NaN without units.
    Smucker, Allan, Carterette, CIKM 2007; Phipson and Smyth, SAGMB 9, 2010.
    """
    n, columns = units.totals.shape
    if n == 0:
        return np.full(columns, np.nan)
    total = units.totals.sum(axis=0)
    bound = np.abs(total) - ROUNDING * np.abs(units.totals).sum(axis=0)
    rows, width = max(1, BLOCK // n), (n + 7) // 8
    at_least = np.zeros(columns)
    for start in range(0, replicates, rows):
        count = min(rows, replicates - start)
        bits = np.frombuffer(rng.bytes(count * width), np.uint8).reshape(count, width)
        flips = np.unpackbits(bits, axis=1, count=n)
        sums = 2 * product(flips, units.totals) - total
        at_least += (np.abs(sums) >= bound).sum(axis=0)
    return np.asarray((1 + at_least) / (1 + replicates))


def t_test(units: Units) -> Floats:
    """Return the two-sided p-value of each column's mean by Student's t, robust to clusters.

    Without clusters it is the paired t-test. 1 where no unit differs from 0, 0 where all units differ from it
    by the same amount, NaN with fewer than two units.
    """
    return 2 * t_tail(np.abs(units.means), units.standard_errors, len(units.sizes) - 1)


def t_tail(distance: Floats, standard_error: Floats, freedom: int) -> Floats:
    """Return P(T > distance / standard_error); with a standard error of 0 it is 0, 1/2 or 1."""
    from scipy.special import stdtr

    if freedom < 1:
        return np.full(np.shape(distance), np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((distance == 0) & (standard_error == 0), 0.0, distance / standard_error)
    return np.asarray(stdtr(freedom, -ratio))


def t_quantile(level: float, freedom: int) -> float:
    """Return the t such that P(|T| <= t) = level; NaN without degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + level) / 2)) if freedom > 0 else float("nan")


def t_ends(units: Units, level: float) -> tuple[Floats, Floats]:
    """Return the low and high ends of each mean's t interval, robust to clusters; NaN below two units."""
    reach = t_quantile(level, len(units.sizes) - 1) * units.standard_errors
    return units.means - reach, units.means + reach


def wilcoxon(units: Units) -> Floats:
    """Return the two-sided p-value of Wilcoxon's signed-rank test on each column's unit means.

    Differences of 0 are left out (Wilcoxon's own treatment), ties share their mean rank; exact where SciPy
    is. 1 where no unit differs; NaN without units.
    """
    from scipy.stats import wilcoxon as test

    if not len(units.sizes):
        return np.full(units.totals.shape[1], np.nan)
    means = units.totals / units.sizes[:, None]
    largest = np.abs(means).max(axis=0)
    means = np.round(means / np.where(largest > 0, largest, 1.0), 12)  # ties are ties: .6 - .4 and .4 - .2
    return np.array([test(column).pvalue if np.any(column) else 1.0 for column in means.T])


def holm(p_values: Floats) -> Floats:
    """Return Holm's adjusted p-values: rejecting those <= alpha errs at all in at most alpha of families.

    NaN stays NaN and is not counted. Holm, Scandinavian Journal of Statistics 6, 1979.
    """
    adjusted = np.full(len(p_values), np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    factors = len(order) - np.arange(len(order))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(factors * p_values[order]))
    return adjusted
