"""Few queries a category: thresholds drawn towards their common mean, as far as the categories agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.records import Floats


@dataclass(frozen=True, eq=False)
class Pooled:
    """Thresholds of categories (on the real line) after partial pooling, and what the pooling found.

    `own_weight` is how much of each category's own threshold stayed: 0 is the common mean `centre`, 1 no
    pooling. `q` is Cochran's heterogeneity statistic on `categories - 1` degrees of freedom with its
    `p_value`; `i_squared` the share of the spread that is not noise.
    """

    thresholds: Floats
    own_weight: Floats
    share: Floats  # of each category in the centre
    centre: float
    between: float
    q: float
    p_value: float
    i_squared: float


def shrink(thresholds: Floats, variances: Floats) -> Pooled:
    """Pool thresholds with known sampling variances by empirical Bayes.

    The variance between categories is DerSimonian and Laird's moment estimate (Controlled Clinical Trials
    1986), each category keeps between / (between + its own variance) of its threshold (Morris, JASA 1983).
    With one category nothing is pooled.
    """
    from scipy.special import chdtrc

    weights = 1 / variances
    k = len(thresholds)
    fixed = float((weights * thresholds).sum() / weights.sum())
    q = float((weights * (thresholds - fixed) ** 2).sum())
    if k < 2:
        one = np.ones(k)
        return Pooled(thresholds, one, one, fixed, 0.0, 0.0, 1.0, 0.0)
    between = max(0.0, (q - (k - 1)) / float(weights.sum() - (weights**2).sum() / weights.sum()))
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
        q,
        float(chdtrc(k - 1, q)),
        max(0.0, 1 - (k - 1) / q) if q > 0 else 0.0,
    )
