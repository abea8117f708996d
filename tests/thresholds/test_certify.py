"""Tests of certification: the walk, the shared error, and the pooling of estimates."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects

from evalkit.stats.bounds import binomial_p
from evalkit.thresholds.certify import certify, control, levels, risk_table
from evalkit.thresholds.curve import curve_of
from evalkit.thresholds.goals import LOSSES, Risk, make
from evalkit.thresholds.pool import shrink
from tests.populations import draw, judged


def risk(name: str, at_most: float, **options: object) -> Risk:
    """Return a risk by name."""
    return Risk(make(LOSSES, name, {"at_most": at_most, **options}), at_most)


def test_a_walk_stops_at_the_first_threshold_that_fails() -> None:
    """Thresholds beyond it stay uncertified, whatever their own p-value."""
    curve = curve_of(draw([80], np.random.default_rng(1)))
    lost = risk("lost_answer", 0.1)
    allowed = certify(curve, (lost,), 0.1, seed=1).allowed
    counts = np.rint(80 * risk_table(curve, lost, 1).means())
    passed = binomial_p(counts, 80, 0.1) <= 0.1

    assert allowed.sum() == np.argmin(passed)
    assert allowed[: allowed.sum()].all()


def test_two_walks_share_the_error() -> None:
    """Promises from both ends are each tested at half of it; from one end, both at all of it."""
    curve = curve_of(draw([80], np.random.default_rng(1), negative=0.4))

    assert certify(curve, (risk("lost_answer", 0.1), risk("false_answer", 0.5)), 0.1, 1).delta == 0.05
    assert certify(curve, (risk("lost_answer", 0.1), risk("miss", 0.3)), 0.1, 1).delta == 0.1


def test_ties_are_certified_together() -> None:
    """At a score that several documents share, all of them are kept, so no order among them matters."""
    scores = np.tile([0.9, 0.5, 0.5], (60, 1))
    grades = np.tile([0, 0, 1], (60, 1))
    curve = curve_of(judged(scores, grades))
    allowed = certify(curve, (risk("lost_answer", 0.1),), 0.1, 1).allowed

    assert curve.thresholds[allowed].tolist() == [0.5]


def test_expectation_takes_the_boldest_threshold_whose_corrected_risk_is_at_its_limit() -> None:
    """(n risk + 1) / (n + 1) <= alpha."""
    curve = curve_of(draw([50], np.random.default_rng(2)))
    miss = risk("miss", 0.2)
    allowed = control(curve, miss, 1).allowed
    corrected = (risk_table(curve, miss, 1).losses(np.arange(len(curve.thresholds))).sum(axis=0) + 1) / 51

    assert allowed.tolist() == np.logical_and.accumulate(corrected <= 0.2).tolist()


@pytest.mark.parametrize(
    ("sizes", "shared", "enough"),
    [([100, 100, 5], 1, [True, True, False]), ([5, 5], 1, [False, False]), ([43, 36], 0, [True, True])],
)
def test_the_error_is_split_between_the_categories_that_could_pass(
    sizes: list[int], shared: int, enough: list[bool]
) -> None:
    """Categories too small for any promise cost the others nothing."""
    each, found = levels([{"miss": n} for n in sizes], (risk("miss", 0.1),), 0.1, shared)

    assert found.tolist() == enough
    assert each == pytest.approx(0.1 / max(sum(enough) + shared, 1))


def test_no_more_categories_are_let_in_than_the_error_was_split_for() -> None:
    """With fewer shares each share is larger, and would let in one more than it was split for."""
    n = [30, 29]  # at delta / 2 thirty are too many to ask for, at delta one category has enough
    each, found = levels([{"miss": k} for k in n], (risk("miss", 0.1),), 0.05, 0)

    assert found.tolist() == [True, False]
    assert each == 0.05


def test_pooling_is_dersimonian_and_lairds() -> None:
    """Between-category variance, I squared and the centre equal statsmodels'."""
    rng = np.random.default_rng(6)
    thresholds, variances = rng.normal(0, 0.7, 8), rng.uniform(0.02, 0.3, 8)
    pooled, oracle = shrink(thresholds, variances), combine_effects(thresholds, variances, method_re="dl")

    assert pooled.between == pytest.approx(oracle.tau2)
    assert pooled.i_squared == pytest.approx(oracle.i2)
    assert pooled.centre == pytest.approx(oracle.mean_effect_re)


def test_thresholds_that_agree_become_one() -> None:
    """Where the spread is no larger than noise, nothing of a category's own threshold stays."""
    pooled = shrink(np.array([0.1, 0.12, 0.09]), np.full(3, 0.5))

    assert pooled.thresholds.tolist() == [pooled.centre] * 3
    assert pooled.p_value > 0.9
