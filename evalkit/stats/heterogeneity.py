"""Whether groups differ more than chance allows: Cochran's Q, its small-sample form, and I squared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.records import Bools, Floats


@dataclass(frozen=True, eq=False, slots=True)
class Heterogeneity:
    """The test that all groups have one common value.

    `q` is Cochran's Q on `freedom` degrees of freedom, `p` its p-value (see `heterogeneity`), `i_squared` the
    share of the spread between groups that chance does not explain, `tau_squared` the variance between groups
    (DerSimonian and Laird). `used` marks the groups that took part; all figures are NaN with fewer than two.
    """

    q: float
    freedom: int
    p: float
    i_squared: float
    tau_squared: float
    used: Bools


def heterogeneity(estimates: Floats, variances: Floats, sizes: Floats | None = None) -> Heterogeneity:
    """Test whether `estimates` (one a group, each with its squared standard error) share one value.

    Groups whose variance is 0 or unknown are left out: their weight would be infinite. With `sizes`
    (independent units a group, at least 2) p is Welch's F, which allows for variances estimated from few
    units; without, the chi-squared of Q, right for known variances only.

    Cochran, Biometrics 10, 1954; Welch, Biometrika 38, 1951; Higgins and Thompson, Statistics in Medicine 21,
    2002; DerSimonian and Laird, Controlled Clinical Trials 7, 1986.
    """
    used = np.isfinite(estimates) & np.isfinite(variances) & (variances > 0)
    if sizes is not None:
        used &= sizes >= 2
    groups = int(used.sum())
    if groups < 2:
        return Heterogeneity(np.nan, max(groups - 1, 0), np.nan, np.nan, np.nan, used)
    value, weight = estimates[used], 1 / variances[used]
    mean = (weight * value).sum() / weight.sum()
    q = float((weight * (value - mean) ** 2).sum())
    freedom = groups - 1
    i_squared = max(0.0, 1 - freedom / q) if q > 0 else 0.0
    scale = weight.sum() - (weight**2).sum() / weight.sum()
    p = _chi_squared(q, freedom) if sizes is None else _welch(q, weight, sizes[used])
    return Heterogeneity(q, freedom, p, i_squared, max(0.0, float((q - freedom) / scale)), used)


def _chi_squared(q: float, freedom: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(freedom, q))


def _welch(q: float, weight: Floats, sizes: Floats) -> float:
    from scipy.special import fdtrc

    k = len(weight)
    looseness = float(((1 - weight / weight.sum()) ** 2 / (sizes - 1)).sum())
    f = q / (k - 1) / (1 + 2 * (k - 2) / (k**2 - 1) * looseness)
    return float(fdtrc(k - 1, (k**2 - 1) / (3 * looseness), f))
