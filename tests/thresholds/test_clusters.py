"""Tests of queries that belong together: asking the same thing again is no further evidence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evalkit.records import Judged
from evalkit.thresholds.calibrate import Calibration, calibrate
from evalkit.thresholds.entry import Estimate
from evalkit.thresholds.goals import CRITERIA, Goal, make
from evalkit.thresholds.rules import compare_rules
from evalkit.thresholds.transfer import transfer
from tests.populations import DOMAIN, draw, judged

N = 60
TWICE = np.tile(np.arange(N), 2)  # a cluster label a query, where each is asked twice
LOST = {"risk": "lost_answer", "at_most": 0.3, "confidence": 0.90}


def asked(times: int, seed: int = 0) -> Judged:
    """Draw queries in two categories, each asked so many times in the very same words."""
    once = draw([N], np.random.default_rng(seed))
    scores, grades = once.score.reshape(N, -1), once.grade.reshape(N, -1)
    return judged(np.tile(scores, (times, 1)), np.tile(grades, (times, 1)), ["a", "b"] * (N // 2) * times)


def run(given: Judged, goal: Any, **options: Any) -> Calibration:
    """Calibrate with a fixed seed."""
    return calibrate(given, Goal.parse(goal), domain=DOMAIN, seed=1, **options)


def width(figure: Estimate) -> float:
    """Return how wide an interval is."""
    assert figure.low is not None
    assert figure.high is not None
    return figure.high - figure.low


@pytest.mark.parametrize(
    "goal", [{"maximise": "F1"}, {"maximise": "micro_F1"}, {"method": "borderline_mean"}]
)
def test_a_threshold_is_as_uncertain_as_if_each_group_had_been_asked_once(goal: dict[str, str]) -> None:
    """Threshold and interval are the same but for rounding, in each category and overall."""
    once, twice = run(asked(1), goal).policy, run(asked(2), goal, clusters=TWICE).policy

    for category in ("a", "b", None):
        assert twice.entry(category).threshold == pytest.approx(once.entry(category).threshold, rel=1e-3)
        assert twice.entry(category).estimates["threshold"].low == pytest.approx(
            once.entry(category).estimates["threshold"].low, rel=1e-3
        )


@pytest.mark.parametrize("name", ["precision", "F1", "kept", "lost_answer"])
def test_held_out_figures_are_as_uncertain_as_if_each_group_had_been_asked_once(name: str) -> None:
    """Resampled one by one, each query twice, intervals would be a root of two too narrow."""
    once = run(asked(1), {"maximise": "F1"}).policy.default.estimates[name]
    twice = run(asked(2), {"maximise": "F1"}, clusters=TWICE).policy.default.estimates[name]
    naive = run(asked(2), {"maximise": "F1"}).policy.default.estimates[name]

    assert width(twice) == pytest.approx(width(once), rel=0.1)
    assert width(naive) < 0.85 * width(once)


def test_a_promise_counts_each_group_once() -> None:
    """The bound and the number of queries behind it are those of the groups."""
    promise = run(asked(2), LOST, clusters=TWICE).policy.default.promise

    assert promise is not None
    assert promise.n == N


def test_rules_are_compared_over_groups() -> None:
    """The interval of what a rule gains is that of the groups."""
    criterion = make(CRITERIA, "F1", {})
    once = {one.rule: one for one in compare_rules(asked(1), criterion, 1)}
    twice = {one.rule: one for one in compare_rules(asked(2), criterion, 1, clusters=TWICE)}

    for rule in ("relative", "top_k"):
        assert width(twice[rule].difference) == pytest.approx(width(once[rule].difference), rel=0.15)


def test_a_transfer_counts_each_group_once() -> None:
    """Neither the old threshold's bound nor the test of non-inferiority gains by asking twice."""
    given = asked(2)
    policy = run(given, LOST, clusters=TWICE).policy
    risk = transfer(given, given, policy, policy, 1, TWICE).categories["overall"].risks[0]

    assert risk.n == N
