"""Tests of differences, against SciPy and statsmodels."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from evalkit.stats.significance import holm, randomisation, t_quantile, t_test, wilcoxon
from evalkit.stats.units import Units

SHAPES = [(3, 1), (12, 4), (200, 2)]


def lumpy(n: int, columns: int) -> np.ndarray:  # type: ignore[type-arg]
    """Differences with exact ties and zeros, as retrieval has them."""
    return np.random.default_rng(n).choice([-0.5, 0.0, 0.0, 0.25, 1.0], (n, columns))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_holm_is_statsmodels(p_values: list[float]) -> None:
    """Adjusted p-values equal those of statsmodels, ties and extremes included."""
    theirs = multipletests(p_values, method="holm")[1]

    np.testing.assert_allclose(holm(np.array(p_values)), theirs, atol=1e-14)


def test_holm_does_not_count_the_undefined() -> None:
    """A comparison without a p-value stays undefined and costs the others nothing."""
    adjusted = holm(np.array([0.01, np.nan, 0.04]))

    np.testing.assert_allclose(adjusted, [0.02, np.nan, 0.04])


@pytest.mark.parametrize("shape", SHAPES)
def test_t_is_scipys(shape: tuple[int, int]) -> None:
    """The paired t-test's p-value is SciPy's."""
    values = np.random.default_rng(shape[0]).normal(0.2, 1, shape)

    np.testing.assert_allclose(t_test(Units.of(values)), stats.ttest_1samp(values, 0).pvalue, rtol=1e-12)
    assert t_quantile(0.95, shape[0] - 1) == pytest.approx(stats.t.ppf(0.975, shape[0] - 1))


@pytest.mark.parametrize("shape", SHAPES[1:])
def test_wilcoxon_is_scipys(shape: tuple[int, int]) -> None:
    """The signed-rank test's p-value is SciPy's, zeros left out."""
    values = lumpy(*shape)
    theirs = [stats.wilcoxon(column).pvalue for column in values.T]

    np.testing.assert_allclose(wilcoxon(Units.of(values)), theirs, rtol=1e-12)


def test_wilcoxons_ties_are_not_broken_by_rounding() -> None:
    """Differences of fifths have the ranks of whole ones, though .6 - .4 is not .4 - .2."""
    one, other = np.array([4, 3, 2, 4, 5, 1, 3, 2, 4, 5]), np.array([3, 2, 0, 1, 1, 2, 2, 1, 1, 4])
    fifths, whole = one / 5 - other / 5, one - other
    assert len(np.unique(np.abs(fifths))) > len(np.unique(np.abs(whole)))

    np.testing.assert_allclose(
        wilcoxon(Units.of(fifths[:, None])), stats.wilcoxon(whole.astype(float)).pvalue, rtol=1e-12
    )


def test_without_units_no_test_has_a_p_value() -> None:
    """No query, no p-value: undefined for every test, so that Holm does not count it."""
    none = Units.of(np.zeros((0, 2)))

    for p in (wilcoxon(none), t_test(none), randomisation(none, np.random.default_rng(0))):
        assert np.isnan(p).all()


def test_t_with_clusters_is_the_robust_regressions() -> None:
    """The clustered standard error is that of a regression on a constant with clustered covariance."""
    from statsmodels.regression.linear_model import OLS

    rng = np.random.default_rng(5)
    clusters = np.sort(rng.integers(0, 20, 90))
    values = rng.normal(0.3, 1, 90) + rng.normal(0, 1, 20)[clusters]
    theirs = OLS(values, np.ones(90)).fit(
        cov_type="cluster",
        cov_kwds={"groups": clusters, "use_correction": False},
        use_t=True,
    )
    units = Units.of(values[:, None], clusters)
    count = len(units.sizes)

    # statsmodels' uncorrected variance lacks the factor count / (count - 1).
    assert units.standard_errors[0] == pytest.approx(theirs.bse[0] * np.sqrt(count / (count - 1)))


def test_randomisation_approaches_the_exact_test() -> None:
    """With ten queries all 1,024 exchanges can be counted: the drawn p-value is near the counted one."""
    values = np.array([0.3, -0.1, 0.5, 0.2, 0.0, 0.4, -0.2, 0.1, 0.6, 0.05])
    sums = np.array(list(product([-1, 1], repeat=10))) @ values
    exact = np.mean(np.abs(sums) >= abs(values.sum()) - 1e-12)
    p = randomisation(Units.of(values[:, None]), np.random.default_rng(1), 40_000)[0]

    assert p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 40_000))


def test_no_p_value_is_zero() -> None:
    """However large the difference, p is at least 1 / (1 + B)."""
    p = randomisation(Units.of(np.ones((200, 1))), np.random.default_rng(0), 999)

    assert p[0] == 1 / 1000


def test_clusters_flip_together() -> None:
    """Copies of a query do not make a difference more significant."""
    values = np.random.default_rng(3).normal(0.3, 1, (25, 1))
    copies = Units.of(np.repeat(values, 6, axis=0), np.repeat(np.arange(25), 6))

    once = randomisation(Units.of(values), np.random.default_rng(1))
    assert randomisation(copies, np.random.default_rng(1)) == pytest.approx(once)


def test_where_nothing_differs_nothing_is_significant() -> None:
    """All ties: every test's p-value is 1, without a warning."""
    units = Units.of(np.zeros((9, 1)))

    assert [test[0] for test in (t_test(units), wilcoxon(units))] == [1, 1]
    assert randomisation(units, np.random.default_rng(0))[0] == 1
