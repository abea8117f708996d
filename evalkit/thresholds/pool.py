"""Few queries a category: thresholds drawn towards their common mean, as far as the categories agree."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.records import Floats
from evalkit.stats.heterogeneity import heterogeneity


@dataclass(frozen=True, eq=False)
class Pooled:
    """Thresholds of categories (on the real line) after partial pooling, and what the pooling found.

    `own_weight` is how much of each category's own threshold stayed: 0 is the common mean `centre`, 1 no
    pooling. `between` is the variance between categories, `p_value` that of Cochran's test that there is
    none, `i_squared` the share of the spread that is not noise (see `heterogeneity`).
    """

    thresholds: Floats
    own_weight: Floats
    share: Floats  # of each category in the centre
    centre: float
    between: float
    p_value: float
    i_squared: float


def shrink(thresholds: Floats, variances: Floats) -> Pooled:
    """Pool the thresholds of two or more categories, with known sampling variances, by empirical Bayes.

    Each category keeps between / (between + its own variance) of its threshold (Morris, JASA 1983).
    """
    found = heterogeneity(thresholds, variances)
    between = found.tau_squared
    share = 1 / (variances + between)
    share = share / share.sum()
    centre = float((share * thresholds).sum())
    own = between / (between + variances)
    return Pooled(
        own * thresholds + (1 - own) * centre,
        own,
        share,
        centre,
        between,
        found.p,
        found.i_squared,
    )
