"""Intervals by resampling queries."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from evalkit.records import Floats, Interval
from evalkit.stats.resample import LEVEL, bca, bootstrap_means, mean_intervals
from evalkit.stats.units import Units


def mean_interval(values: Floats, seed: int, level: float = LEVEL) -> Interval:
    """Return the interval of one column alone."""
    return mean_intervals(values[:, None], seed, level)[0]


@pytest.mark.parametrize("n", [5, 30, 400])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_bca_is_scipys_on_the_same_resamples(n: int, level: float) -> None:
    """With an equal generator, and so equal resamples, the interval is that of scipy.stats.bootstrap."""
    values = np.random.default_rng(n).gamma(0.7, size=n) - 0.5
    own = mean_interval(values, 9, level)
    theirs = stats.bootstrap(
        (values,),
        np.mean,
        n_resamples=10_000,
        confidence_level=level,
        rng=np.random.default_rng(9),
        method="BCa",
    ).confidence_interval

    assert (own.low, own.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_clustered_bca_is_scipys_for_a_ratio() -> None:
    """Clusters of unequal size are resampled whole: the mean is a ratio of sums, as SciPy resamples pairs."""
    rng = np.random.default_rng(3)
    clusters = rng.integers(0, 25, 80)
    units = Units.of(rng.normal(0.1, 1, (80, 1)) + (clusters % 5)[:, None] / 5, clusters)
    low, high = bca(units, 4)
    theirs = stats.bootstrap(
        (units.totals[:, 0], units.sizes),
        lambda total, size, axis: total.sum(axis=axis) / size.sum(axis=axis),
        n_resamples=10_000,
        paired=True,
        rng=np.random.default_rng(4),
    ).confidence_interval

    assert (low[0], high[0]) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize("counts", [[2, 1, -1, 0, 3, 1, -1, 2], [-1, 1, 1, 2, 0, -1, 2, 0, 0, -1, 0, 3]])
def test_an_interval_does_not_hang_on_rounding(counts: list[int]) -> None:
    """Differences of tenths or thirds have the interval of whole ones: replicates that tie still do."""
    whole = mean_interval(np.array(counts, np.float64), 7)

    for parts in (10, 3):
        one = mean_interval(np.array(counts) / parts, 7)
        assert (one.low * parts, one.high * parts) == pytest.approx((whole.low, whole.high), abs=1e-9)


def test_an_interval_does_not_depend_on_its_neighbours() -> None:
    """A column's interval is the same alone and beside columns with other gaps."""
    table = np.random.default_rng(1).random((40, 3))
    table[:7, 1] = np.nan
    together = mean_intervals(table, seed=5)

    for column, interval in enumerate(together):
        alone = mean_interval(table[:, column], 5)
        assert (alone.low, alone.high) == pytest.approx((interval.low, interval.high), abs=1e-12)
    assert [interval.n for interval in together] == [40, 33, 40]


def test_clusters_widen_the_interval_of_what_they_share() -> None:
    """Each query asked four times over is no more evidence than once: the interval stays that wide."""
    once = np.random.default_rng(2).normal(size=(30, 1))
    alone = mean_intervals(once, seed=1)[0]
    four_times = mean_intervals(np.repeat(once, 4, axis=0), seed=1, clusters=np.repeat(np.arange(30), 4))[0]

    assert (four_times.low, four_times.high) == pytest.approx((alone.low, alone.high))
    assert four_times.n == 120


def test_many_queries_need_no_resampling() -> None:
    """Above 2,000 queries the interval is Student's t: BCa differs from it by less than 2 % of its width."""
    values = np.random.default_rng(7).beta(5, 1, 2001)
    interval = mean_interval(values, 1)
    low, high = (ends[0] for ends in bca(Units.of(values[:, None]), 1))

    assert interval.method == "Student's t"
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.02 * (high - low))


@pytest.mark.parametrize("values", [[], [0.5], [np.nan, 0.5]])
def test_fewer_than_two_queries_have_no_interval(values: list[float]) -> None:
    """One query says nothing about spread: the interval is undefined, not narrow."""
    interval = mean_interval(np.array(values), 0)

    assert interval.method == "undefined"
    assert np.isnan([interval.low, interval.high]).all()


def test_equal_values_are_called_constant() -> None:
    """Where no query differs from another there is a point, and the method says why."""
    interval = mean_interval(np.full(20, 0.1), 0)

    assert (interval.low, interval.high, interval.method) == (interval.point, interval.point, "constant")


def test_many_rows_are_resampled_in_blocks() -> None:
    """Blocks draw the same resamples as one pass would: means agree with indexing by the same draws."""
    values = np.random.default_rng(6).random((3000, 2))
    drawn = np.random.default_rng(8).integers(0, 3000, (300, 3000))

    means = bootstrap_means(Units.of(values), 8, 300)

    np.testing.assert_allclose(means, values[drawn].mean(axis=1), rtol=1e-12)
