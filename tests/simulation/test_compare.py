"""The promises of comparisons, kept on simulated rankings."""

from __future__ import annotations

import numpy as np
import pytest

from evalkit.records import Floats
from tests.simulation import comparison
from tests.simulation.rankings import MEASURES, differences, sharper

pytestmark = pytest.mark.simulation
RUNS = 2_000


@pytest.fixture(scope="module")
def gain() -> Floats:
    """Differences between a sharper ranker and another."""
    return differences(comparison.POPULATION, 0.3, np.random.default_rng(20))


@pytest.fixture(scope="module")
def equal() -> Floats:
    """Differences between equal rankers."""
    return differences(comparison.POPULATION, 0.0, np.random.default_rng(21))


@pytest.mark.parametrize("n", comparison.SIZES)
@pytest.mark.parametrize("measure", ["nDCG@10", "RR@10", "P@5"])
def test_intervals_of_differences_cover(gain: Floats, measure: str, n: int) -> None:
    """The 95 % intervals of differences hold the truth in 93 to 97 % of samples."""
    rng = np.random.default_rng(n)
    found = comparison.t_coverage(gain[:, MEASURES.index(measure)], n, 10 * RUNS, rng)

    assert 0.93 <= found.all.share <= 0.97
    assert found.thin.share == 1 or 0.93 <= found.not_thin.share <= 0.98


@pytest.mark.parametrize("n", comparison.SIZES)
@pytest.mark.parametrize("measure", ["nDCG@10", "RR@10", "P@5"])
def test_intervals_of_means_cover(measure: str, n: int) -> None:
    """The 95 % intervals of means hold the truth in 93 to 97 % of samples."""
    values = sharper(comparison.POPULATION, np.random.default_rng(22))
    rng = np.random.default_rng(n)
    found = comparison.bca_coverage(values[:, MEASURES.index(measure)], n, RUNS, rng)

    assert 0.93 <= found.share <= 0.97


@pytest.mark.parametrize("n", comparison.SIZES)
@pytest.mark.parametrize("measure", MEASURES)
def test_equal_systems_rarely_differ(equal: Floats, measure: str, n: int) -> None:
    """The randomisation test at .05 alarms on equal systems in at most 5 % of samples, plus 3 errors."""
    rng = np.random.default_rng(n)
    found, _ = comparison.false_positives(equal[:, MEASURES.index(measure)], n, RUNS, rng)

    assert found.share <= found.most(0.05)


def test_the_whole_family_rarely_errs() -> None:
    """Of families of 60 comparisons of equal systems, at most 5 % show any difference, plus 3 errors."""
    found = comparison.false_families(60, systems=3, categories=4, runs=150, rng=np.random.default_rng(1))

    assert found.share <= found.most(0.05)


@pytest.mark.parametrize("n", comparison.SIZES)
def test_a_detectable_difference_is_detected(gain: Floats, n: int) -> None:
    """A difference of the size said to be detectable is found about 80 times of 100."""
    found = comparison.power_at_detectable(gain[:, 0], n, RUNS, np.random.default_rng(n))

    assert 0.76 <= found.share <= 0.86


def test_categories_of_one_population_rarely_differ(equal: Floats) -> None:
    """With 30 queries a category the test of heterogeneity keeps its level."""
    found, _ = comparison.false_heterogeneity(equal[:, 0], 30, 8, RUNS, np.random.default_rng(3))

    assert found.share <= found.most(0.05)
