"""What a number of queries can show, against statsmodels' exact power."""

from __future__ import annotations

import math

import pytest
from statsmodels.stats.power import TTestPower

from evalkit.stats.power import detectable_difference, queries_needed


@pytest.mark.parametrize("difference", [0.01, 0.03, 0.1])
@pytest.mark.parametrize("alpha", [0.05, 0.001])
def test_needed_queries_are_near_the_exact_number(difference: float, alpha: float) -> None:
    """The approximation is within three queries of solving the noncentral t distribution."""
    exact = TTestPower().solve_power(difference / 0.125, alpha=alpha, power=0.8)

    assert queries_needed(0.125, difference, alpha) == pytest.approx(exact, abs=3)


def test_detecting_inverts_needing() -> None:
    """The difference that n queries can show needs n queries."""
    difference = detectable_difference(0.2, 150)

    assert queries_needed(0.2, difference) in (150, 151)


def test_unknown_spread_has_no_answer() -> None:
    """Without a standard deviation, or with a difference of 0, there is no number to give."""
    assert queries_needed(math.nan, 0.1) is None
    assert queries_needed(0.1, 0.0) is None
    assert math.isnan(detectable_difference(0.1, 1))


def test_queries_that_all_tie_say_nothing_about_others() -> None:
    """A spread of 0 is no estimate of one: it shows no difference of any size, and no number would do."""
    assert queries_needed(0.0, 0.01) is None
    assert math.isnan(detectable_difference(0.0, 50))
