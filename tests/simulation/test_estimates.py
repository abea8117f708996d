"""Recommended thresholds are near the best possible, and the figures beside them are unbiased."""

from __future__ import annotations

import numpy as np
import pytest

from tests.simulation.studies import Truth, optimism, regrets

pytestmark = pytest.mark.simulation


@pytest.fixture(scope="module")
def truth() -> Truth:
    """One large sample of the population."""
    return Truth.of(np.random.default_rng(0))


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("n", [8, 15, 30, 60])
def test_the_recommendation_has_the_least_regret_within_a_hair(n: int, spread: float, truth: Truth) -> None:
    """Within .003 of the better of separate optima and one for all, wherever categories differ or not."""
    found = regrets(n, spread, 10, np.random.default_rng(n), truth, {"maximise": "F1"})

    assert found.excess() <= 0.003


@pytest.mark.parametrize("n", [15, 60])
def test_the_cross_fitted_figure_is_unbiased_where_the_in_sample_one_is_not(n: int, truth: Truth) -> None:
    """The reported F1 was not measured on the queries that chose the threshold."""
    found = optimism(n, 0.5, 15, np.random.default_rng(n), truth)

    assert abs(found.cross_fitted) <= 0.01 + 2 * found.error
    assert found.in_sample > 0.015
    assert found.in_sample > abs(found.cross_fitted)
