"""Tests of how far from the chosen cut a promise holds as well."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from evalkit.records import Judged
from evalkit.thresholds.calibrate import calibrate
from evalkit.thresholds.entry import Entry
from evalkit.thresholds.goals import Goal
from tests.populations import DOMAIN, draw

LOST = {"risk": "lost_answer", "at_most": 0.10, "confidence": 0.90, "then": "precision"}
FALSE = {"risk": "false_answer", "at_most": 0.30, "confidence": 0.90, "then": "recall"}


def entry(judged: Judged, goal: Any) -> Entry:
    """Return the threshold of all queries together."""
    return calibrate(judged, Goal.parse(goal), by="none", domain=DOMAIN, seed=1).policy.default


def certified(judged: Judged, cut: float, negative: bool, at_most: float) -> bool:
    """Return whether SciPy's exact test certifies a cut: lost answers, or false ones of negative queries."""
    lists = [slice(start, end) for start, end in zip(judged.offsets[:-1], judged.offsets[1:], strict=True)]
    found = judged.judged & (judged.grade >= judged.relevant_from)
    kept = judged.score >= cut
    if negative:
        lost = [bool(kept[one].any()) for one in lists if not found[one].any()]
    else:
        lost = [not (kept & found)[one].any() for one in lists if found[one].any()]
    return bool(binomtest(sum(lost), len(lost), at_most, alternative="less").pvalue <= 0.1)


def test_lost_answers_are_certified_up_to_the_high_end() -> None:
    """At it the exact test passes, at the next score above it the test fails; below there is no end."""
    judged = draw([150], np.random.default_rng(0))
    found = entry(judged, LOST)
    scores = np.unique(judged.score)

    assert found.reach is not None
    assert found.reach.low is None
    assert found.reach.high is not None
    assert found.threshold is not None
    assert found.threshold <= found.reach.high
    above = scores[np.searchsorted(scores, found.reach.high) + 1]
    assert certified(judged, found.reach.high, False, 0.1)
    assert not certified(judged, above, False, 0.1)


def test_false_answers_are_certified_from_the_low_end_on() -> None:
    """At it the exact test passes, at the next score below it the test fails; above there is no end."""
    judged = draw([300], np.random.default_rng(0), negative=0.4)
    found = entry(judged, FALSE)
    scores = np.unique(judged.score)

    assert found.reach is not None
    assert found.reach.high is None
    assert found.reach.low is not None
    assert found.threshold is not None
    assert found.threshold >= found.reach.low
    below = scores[np.searchsorted(scores, found.reach.low) - 1]
    assert certified(judged, found.reach.low, True, 0.3)
    assert not certified(judged, below, True, 0.3)


def test_two_promises_leave_what_keeps_both() -> None:
    """The stretch has two ends, and the chosen cut lies between them."""
    goal = [LOST | {"at_most": 0.3}, {"risk": "false_answer", "at_most": 0.6}]
    found = entry(draw([400], np.random.default_rng(0), negative=0.4), goal)

    assert found.reach is not None
    assert found.reach.low is not None
    assert found.reach.high is not None
    assert found.threshold is not None
    assert found.reach.low <= found.threshold <= found.reach.high
    assert found.reach.low < found.reach.high


@pytest.mark.parametrize(
    "goal", [{"maximise": "F1"}, LOST | {"at_most": 0.001}], ids=["estimate", "unusable"]
)
def test_without_a_promise_there_is_no_reach(goal: Any) -> None:
    """An estimate has an interval instead, an unusable category nothing."""
    assert entry(draw([60], np.random.default_rng(0)), goal).reach is None


def test_a_fallback_has_the_reach_of_the_promise_that_it_borrows() -> None:
    """The mixture's, as the promise is the mixture's."""
    judged = draw([12, 200], np.random.default_rng(0))
    policy = calibrate(judged, Goal.parse(LOST), domain=DOMAIN, seed=1).policy

    assert policy.categories["c0"].status == "fallback"
    assert policy.categories["c0"].reach == policy.default.reach
