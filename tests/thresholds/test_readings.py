"""Tests of unjudged documents: other readings, and which documents to judge next."""

from __future__ import annotations

import numpy as np

from evalkit.records import Judged
from evalkit.thresholds.calibrate import calibrate
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.readings import to_judge
from tests.populations import DOMAIN, judged

F1 = Goal.parse({"maximise": "F1"})


def partly(share: float, seed: int = 0) -> Judged:
    """Return 60 queries with two relevant documents each; a share of the irrelevant ones is unjudged."""
    rng = np.random.default_rng(seed)
    grades = np.tile([1, 1] + [0] * 18, (60, 1))
    scores = 1 / (1 + np.exp(-(rng.normal(-2, 1, (60, 20)) + 2.5 * grades)))
    grades[(grades == 0) & (rng.random((60, 20)) < share)] = -1
    return judged(scores, grades, ["a"] * 60)


def test_with_every_candidate_judged_there_is_one_reading() -> None:
    """No other threshold, no note, nothing to judge."""
    given = partly(0.0)
    policy = calibrate(given, F1, domain=DOMAIN, seed=1).policy

    assert policy.default.readings == {}
    assert to_judge(given, policy) == []


def test_readings_that_disagree_are_noted() -> None:
    """With half of the junk unjudged the threshold depends on what it is."""
    entry = calibrate(partly(0.5), F1, domain=DOMAIN, seed=1).policy.default

    assert set(entry.readings) == {"condensed", "worst", "best"}
    assert "unjudged documents could move the threshold" in " ".join(entry.notes)


def test_the_queue_holds_unjudged_documents_between_the_thresholds_nearest_first() -> None:
    """Each could move the decision; queries take turns."""
    given = partly(0.5)
    policy = calibrate(given, F1, domain=DOMAIN, seed=1).policy
    queue = to_judge(given, policy)
    entry = policy.categories["a"]
    low = min(t for t in (entry.threshold, *entry.readings.values()) if t is not None)

    assert queue
    assert not any(given.judged[one.row] for one in queue)
    assert all(one.score >= low for one in queue)
    assert len({one.query for one in queue[:20]}) == 20


def test_judging_the_queue_settles_the_threshold() -> None:
    """When the named documents are judged the readings agree."""
    given = partly(0.3)
    policy = calibrate(given, F1, domain=DOMAIN, seed=1).policy
    known = given.judged.copy()
    known[[one.row for one in to_judge(given, policy)]] = True
    settled = calibrate(
        Judged(**{**{name: getattr(given, name) for name in Judged.__slots__}, "judged": known}),
        F1,
        domain=DOMAIN,
        seed=1,
    ).policy.default
    spread = [abs((t or 1) - settled.threshold) for t in settled.readings.values()]
    before = [abs((t or 1) - policy.default.threshold) for t in policy.default.readings.values()]

    assert max(spread) < max(before)
