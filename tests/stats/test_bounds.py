"""Tests of the bounds against SciPy, statsmodels, MAPIE and the published algorithm written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mapie.risk_control.methods import compute_hoeffding_bentkus_p_value, get_r_hat_plus
from scipy.stats import binom
from statsmodels.stats.proportion import proportion_confint

from evalkit.stats.bounds import (
    betting_log_capital,
    betting_p,
    betting_upper,
    binomial_lower,
    binomial_p,
    binomial_upper,
    conformal_risk,
    hoeffding_bentkus_p,
    queries_at_least,
    queries_for_betting,
    queries_for_power,
)


@pytest.mark.parametrize("n", [1, 7, 30, 200])
@pytest.mark.parametrize("alpha", [0.02, 0.1, 0.5])
def test_the_binomial_p_value_is_scipys(n: int, alpha: float) -> None:
    """P(Bin(n, alpha) <= k) for every k."""
    counts = np.arange(n + 1)

    assert binomial_p(counts, n, alpha) == pytest.approx(binom.cdf(counts, n, alpha), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("n", [1, 7, 30, 200])
def test_clopper_pearson_is_statsmodels(n: int) -> None:
    """Both bounds, at every count; all losses bound the risk by 1."""
    counts = np.arange(n + 1)
    low, high = proportion_confint(counts, n, alpha=0.1, method="beta")

    assert binomial_upper(counts, n, 0.05) == pytest.approx(high, abs=1e-9)
    assert binomial_lower(counts, n, 0.05) == pytest.approx(low, abs=1e-9)


def test_no_query_is_no_evidence() -> None:
    """Without a query every p-value and every upper bound is 1."""
    nothing = np.zeros((0, 2))

    assert binomial_p(np.zeros(2), 0, 0.1).tolist() == [1, 1]
    assert binomial_upper(np.zeros(2), 0, 0.1).tolist() == [1, 1]
    assert betting_p(nothing, 0.1, 0.1).tolist() == [1, 1]
    assert betting_upper(np.zeros(0), 0.1) == 1
    assert hoeffding_bentkus_p(np.zeros(2), 0, 0.1).tolist() == [1, 1]


def published(losses: list[float], alpha: float, delta: float) -> float:
    """The capital of the betting algorithm of Bates et al. (appendix) step by step, no arrays."""
    n, capital, most = len(losses), 1.0, 1.0
    variance_before, total, squares = 0.25, 0.5, 0.25
    for t, loss in enumerate(losses, start=1):
        bet = min(1.0, math.sqrt(2 * math.log(1 / delta) / (n * variance_before)))
        capital *= 1 - bet * (loss - alpha)
        most = max(most, capital)
        total += loss
        squares += (loss - total / (t + 1)) ** 2
        variance_before = squares / (t + 1)
    return most


@pytest.mark.parametrize("delta", [0.1, 0.0125])
@pytest.mark.parametrize("kind", ["beta", "binary", "zero"])
def test_betting_is_the_published_algorithm(kind: str, delta: float) -> None:
    """The vectorised capital equals the loop, column by column."""
    rng = np.random.default_rng(3)
    losses = {
        "beta": rng.beta(0.3, 2, (60, 5)),
        "binary": rng.integers(0, 2, (60, 5)),
        "zero": np.zeros((60, 5)),
    }
    capital = np.exp(betting_log_capital(losses[kind], 0.2, delta))
    expected = [published(column.tolist(), 0.2, delta) for column in losses[kind].T]

    assert capital == pytest.approx(expected, rel=1e-9)


def test_the_betting_bound_is_where_the_test_turns() -> None:
    """Just above the upper bound a risk is rejected, just below it is not."""
    losses = np.random.default_rng(1).beta(0.3, 2, 80)
    upper = betting_upper(losses, 0.1)

    assert betting_p(losses, upper + 1e-5, 0.1) <= 0.1
    assert betting_p(losses, upper - 1e-5, 0.1) > 0.1


@pytest.mark.parametrize("n", [20, 100])
def test_hoeffding_bentkus_agrees_with_mapie(n: int) -> None:
    """On a grid of observed risks and limits."""
    risks, alphas = np.linspace(0, 0.6, 25), np.array([0.05, 0.1, 0.3])
    expected = compute_hoeffding_bentkus_p_value(risks, n, alphas)
    own = np.stack([hoeffding_bentkus_p(risks, n, alpha) for alpha in alphas], axis=1)

    assert own == pytest.approx(np.minimum(expected, 1), rel=1e-6, abs=1e-12)


def test_conformal_risk_control_agrees_with_mapie() -> None:
    """The corrected risk at each of many thresholds."""
    losses, grid = np.random.default_rng(2).beta(0.3, 2, (40, 11)), np.linspace(0, 1, 11)
    expected = get_r_hat_plus(losses, grid, "crc", None, None, None)[1]

    assert conformal_risk(losses.mean(axis=0), 40) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [20, 100, 400])
def test_the_betting_bound_agrees_with_mapie_where_nothing_is_lost(n: int) -> None:
    """The capital then only grows, so that the sum of both halves' greatest is the greatest of all."""
    grid = np.arange(201) / 200
    expected = get_r_hat_plus(np.zeros((n, len(grid))), grid, "rcps", "wsr", 0.1, 0.25)[1][0]

    assert betting_upper(np.zeros(n), 0.1) == pytest.approx(expected, abs=5e-3)


def test_conformal_risk_control_needs_nine_queries_for_ten_percent() -> None:
    """Even with no loss it takes 1/alpha - 1 queries."""
    assert conformal_risk(np.zeros(1), 9) <= 0.1
    assert conformal_risk(np.zeros(1), 8) > 0.1


@pytest.mark.parametrize(
    ("alpha", "delta", "n"),
    [
        (0.1, 0.1, 22),
        (0.1, 0.05, 29),
        (0.1, 0.1 / 8, 42),
        (0.05, 0.1, 45),
        (0.05, 0.05, 59),
        (0.05, 0.1 / 8, 86),
    ],
)
def test_the_least_number_of_queries_is_exact(alpha: float, delta: float, n: int) -> None:
    """So many lossless queries certify the limit, one fewer does not; for the betting test no fewer do."""
    assert queries_at_least(alpha, delta) == n
    assert binomial_p(np.zeros(1), n, alpha) <= delta < binomial_p(np.zeros(1), n - 1, alpha)
    assert betting_p(np.zeros(n - 1), alpha, delta) > delta


@pytest.mark.parametrize(
    ("alpha", "risk", "delta"),
    [(0.2, 0.05, 0.1), (0.1, 0.05, 0.1), (0.1, 0.075, 0.0125), (0.05, 0.025, 0.025), (0.3, 0.0, 0.1)],
)
def test_the_number_for_power_is_the_first_that_has_it(alpha: float, risk: float, delta: float) -> None:
    """Searched for one by one with SciPy's binomial."""
    n = 1
    while True:
        most = binom.ppf(delta, n, alpha)
        most -= binom.cdf(most, n, alpha) > delta
        if most >= 0 and binom.cdf(most, n, risk) >= 0.8:
            break
        n += 1

    assert queries_for_power(alpha, delta, risk) == n


def test_no_number_of_queries_certifies_what_is_not_so() -> None:
    """A risk at its limit or above is out of reach, and so is one that is all but there."""
    assert queries_for_power(0.1, 0.1, 0.1) is None
    assert queries_for_power(0.1, 0.1, 0.0999) is None
    assert queries_for_betting(np.full(50, 0.3), 0.2, 0.1) is None


def test_the_number_for_betting_gives_about_the_power_asked_for() -> None:
    """Samples of that size from the pilot's losses are certified in at least 7 of 10 cases."""
    rng = np.random.default_rng(4)
    pilot = rng.beta(0.3, 3, 200)
    n = queries_for_betting(pilot, 0.15, 0.1)
    assert n is not None
    certified = betting_p(rng.choice(pilot, (n, 1000)), 0.15, 0.1) <= 0.1

    assert certified.mean() >= 0.7
