"""Promises on other scores: a certificate stands on its own data, and is broken by worse ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from evalkit.records import Judged
from evalkit.thresholds.calibrate import calibrate
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.policy import ThresholdPolicy
from evalkit.thresholds.standing import standing
from tests.populations import DOMAIN, draw

LOST = {"risk": "lost_answer", "at_most": 0.1, "confidence": 0.9, "then": "precision"}
FALSE = {"risk": "false_answer", "at_most": 0.6, "confidence": 0.9, "then": "precision"}
GOALS: list[Any] = [
    LOST,
    LOST | {"family": "each"},
    {"risk": "miss", "at_most": 0.2, "confidence": 0.9, "then": "precision"},
    [LOST, FALSE],
    {"risk": "miss", "at_most": 0.2, "then": "precision"},
]


def made(goal: Any, judged: Judged, by: str = "category") -> ThresholdPolicy:
    """Calibrate `judged` for `goal`."""
    return calibrate(judged, Goal.parse(goal), by=by, domain=DOMAIN, seed=1).policy


def sample(seed: int = 1, **options: Any) -> Judged:
    """Draw three categories, the last too small for a promise of its own."""
    return draw([150, 200, 12], np.random.default_rng(seed), separation=4.0, negative=0.2, **options)


@pytest.mark.parametrize("goal", GOALS, ids=str)
def test_a_certificate_stands_on_its_own_data(goal: Any) -> None:
    """Nothing changed, so every promise of the policy stands; there is one of each category that has one."""
    judged = sample()
    policy = made(goal, judged)
    found = standing(policy, judged, 1)

    assert {one.scope for one in found} >= {
        name for name, entry in policy.categories.items() if entry.status == "certified"
    }
    assert len(found) >= 2
    assert {one.verdict for one in found} == {"stands"}


def test_a_fallback_is_the_promise_of_all_queries_and_is_told_once() -> None:
    """The category without a promise of its own adds no second test of the overall one."""
    judged = sample()
    policy = made(LOST, judged)
    scopes = [one.scope for one in standing(policy, judged, 1)]

    assert policy.categories["c2"].status == "fallback"
    assert sorted(scopes) == ["c0", "c1", "overall"]


def test_scores_that_fell_break_the_promise() -> None:
    """A model whose scores run low loses answers at the old thresholds."""
    judged = sample()
    low = replace(judged, score=judged.score / 3)
    found = standing(made(LOST, judged), low, 1)

    assert {one.verdict for one in found} == {"broken"}
    assert all(one.low > one.at_most for one in found)


def test_the_bounds_are_clopper_pearsons() -> None:
    """For 0/1 losses low and high are SciPy's one-sided exact bounds at the promise's error."""
    judged, other = sample(), sample(2)
    found = standing(made(LOST, judged, by="none"), other, 1)[0]
    lost = round(found.observed * found.n)
    low = binomtest(lost, found.n, alternative="greater").proportion_ci(0.9).low
    high = binomtest(lost, found.n, alternative="less").proportion_ci(0.9).high

    assert (found.low, found.high) == pytest.approx((low, high))


def test_a_failed_query_counts_as_lost() -> None:
    """Nobody knows what it would have shown."""
    judged = sample()
    policy = made(LOST, judged, by="none")
    lost = [judged.query_ids[i] for i in range(100)]
    before, after = standing(policy, judged, 1)[0], standing(policy, judged, 1, failed=lost)[0]

    assert after.observed > before.observed + 0.1
    assert after.verdict == "broken"


def test_an_estimate_promises_nothing() -> None:
    """A policy without a promise has nothing to stand."""
    judged = sample()

    assert standing(made({"maximise": "F1"}, judged), judged, 1) == []


def test_a_category_that_is_gone_is_undecided() -> None:
    """Without queries nothing is shown."""
    policy, judged = made(LOST, sample()), sample(names=["c0", "other", "c2"])
    gone = next(one for one in standing(policy, judged, 1) if one.scope == "c1")

    assert (gone.n, gone.verdict) == (0, "undecided")
