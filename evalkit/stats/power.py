"""What a number of queries can show: the smallest detectable difference, and how many queries one needs."""

from __future__ import annotations

import math
from statistics import NormalDist

ALPHA = 0.05
POWER = 0.80
DIFFERENCES = (0.01, 0.02, 0.05)  # what people ask about: how many queries would show that much?


def queries_needed(deviation: float, difference: float, alpha: float = ALPHA) -> int | None:
    """Return how many queries a two-sided paired test at `alpha` needs to find `difference` with `POWER`.

    `deviation` is the standard deviation of the per-query differences, observed or from earlier runs: an
    estimate, so the answer is one too. None where it is unknown (NaN, or 0: queries that all tie do not say
    how others would spread) or the difference is 0.

    n = (z[1 - alpha/2] + z[power])^2 s^2 / d^2 + z[1 - alpha/2]^2 / 2: Guenther, American Statistician 35,
    1981; for retrieval Sakai, Information Retrieval Journal 19, 2016.

    >>> queries_needed(deviation=0.125, difference=0.05)
    51
    """
    if math.isnan(deviation) or not deviation or not difference:
        return None
    z, both = _quantiles(alpha)
    return math.ceil((both * deviation / difference) ** 2 + z**2 / 2)


def detectable_difference(deviation: float, n: float, alpha: float = ALPHA) -> float:
    """Return the smallest true difference that a two-sided paired test of `n` queries finds with `POWER`.

    The inverse of `queries_needed`; NaN where `n` is too small for the approximation or `deviation` unknown.

    >>> round(detectable_difference(deviation=0.125, n=200), 3)
    0.025
    """
    z, both = _quantiles(alpha)
    effective = n - z**2 / 2
    return both * deviation / math.sqrt(effective) if effective > 0 and deviation else math.nan


def _quantiles(alpha: float) -> tuple[float, float]:
    z = NormalDist().inv_cdf(1 - alpha / 2)
    return z, z + NormalDist().inv_cdf(POWER)
