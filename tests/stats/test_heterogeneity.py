"""The test that categories share one difference, against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.oneway import anova_oneway

from evalkit.stats.heterogeneity import heterogeneity

ESTIMATES = np.array([0.02, 0.10, -0.03, 0.21, 0.07])
VARIANCES = np.array([0.002, 0.004, 0.001, 0.006, 0.003])


def test_q_and_its_relatives_are_statsmodels() -> None:
    """Q, I squared and the variance between groups (DerSimonian and Laird) equal statsmodels'."""
    found = heterogeneity(ESTIMATES, VARIANCES)
    theirs = combine_effects(ESTIMATES, VARIANCES, method_re="dl")

    assert found.q == pytest.approx(theirs.q)
    assert found.i_squared == pytest.approx(theirs.i2)
    assert found.tau_squared == pytest.approx(theirs.tau2)
    assert found.p == pytest.approx(stats.chi2.sf(theirs.q, 4))


def test_with_sizes_it_is_welchs_test() -> None:
    """With the groups' sizes, p is that of Welch's analysis of variance on the values themselves."""
    rng = np.random.default_rng(4)
    groups = [rng.normal(0.1 * index, 1 + index, 8 + 3 * index) for index in range(4)]
    means = np.array([group.mean() for group in groups])
    errors = np.array([group.var(ddof=1) / len(group) for group in groups])
    found = heterogeneity(means, errors, np.array([len(group) for group in groups], dtype=float))

    assert found.p == pytest.approx(anova_oneway(groups, use_var="unequal", welch_correction=True).pvalue)


def test_groups_without_spread_are_left_out() -> None:
    """A category in which all queries tie has no weight to give; it is named, not guessed."""
    variances = np.array([0.002, 0.0, np.nan, 0.006, 0.003])
    found = heterogeneity(ESTIMATES, variances)

    assert found.used.tolist() == [True, False, False, True, True]
    assert found.freedom == 2


def test_one_group_cannot_differ() -> None:
    """With one group left there is no test."""
    assert np.isnan(heterogeneity(ESTIMATES[:1], VARIANCES[:1]).p)
