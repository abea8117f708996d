"""Tests of calibration: what each goal makes of scores whose truth is known."""

from __future__ import annotations

from typing import Any

import numpy as np

from evalkit.records import Judged
from evalkit.thresholds.calibrate import Calibration, calibrate
from evalkit.thresholds.goals import Goal
from tests.populations import DOMAIN, draw

LOST = {"risk": "lost_answer", "at_most": 0.10, "confidence": 0.90, "then": "precision"}


def run(judged: Judged, goal: Any, **options: Any) -> Calibration:
    """Calibrate with the test domain and a fixed seed."""
    return calibrate(judged, Goal.parse(goal), **{"domain": DOMAIN, "seed": 1, **options})


def drawn(sizes: list[int], seed: int = 0, **options: Any) -> Judged:
    """Draw a population with a seed."""
    return draw(sizes, np.random.default_rng(seed), **options)


def test_a_category_with_evidence_is_certified_with_its_promise() -> None:
    """The promise says the risk, the limit, the confidence, the bound and the number of queries."""
    entry = run(drawn([120, 150]), LOST).policy.categories["c0"]

    assert entry.status == "certified"
    assert entry.promise is not None
    assert (entry.promise.risk, entry.promise.at_most, entry.promise.confidence) == ("lost_answer", 0.1, 0.9)
    assert entry.promise.n == 120
    assert entry.promise.upper_bound <= 0.1
    assert entry.needs_queries == 0


def test_a_category_with_few_queries_falls_back_and_says_what_is_missing() -> None:
    """The overall promise holds for the mixture of all queries: the scope and the note say so."""
    entry = run(drawn([12, 200]), LOST).policy.categories["c0"]

    assert entry.status == "fallback"
    assert entry.source == "overall"
    assert entry.promise is not None
    assert entry.promise.scope == "overall"
    assert entry.needs_queries
    assert "not inside c0" in " ".join(entry.notes)


def test_two_promises_that_no_threshold_keeps_are_a_result() -> None:
    """The entry is unusable and says how far each risk could be certified."""
    goal = [LOST | {"then": "F1"}, {"risk": "false_answer", "at_most": 0.05}]
    entry = run(drawn([300], negative=0.3, separation=1.5), goal).policy.default

    assert entry.status == "unusable"
    assert entry.threshold is None
    assert "no threshold does both" in entry.notes[0]


def test_only_certificates_that_were_given_are_counted() -> None:
    """Where no threshold could be certified the policy says so, instead of what holds together."""
    impossible = run(drawn([200, 200], separation=0.0), LOST | {"at_most": 0.01}).policy

    assert impossible.default.status == "unusable"
    assert impossible.family == "no certificate could be given with 90 % confidence"


def test_an_estimate_promises_nothing_and_has_intervals() -> None:
    """The optimum of a criterion comes with the interval of the threshold and of what it achieves."""
    entry = run(drawn([40, 40]), {"maximise": "F1"}).policy.categories["c1"]

    assert entry.status == "estimated"
    assert entry.promise is None
    assert entry.estimates["threshold"].low < entry.threshold < entry.estimates["threshold"].high
    assert entry.estimates["F1"].low < entry.estimates["F1"].point < entry.estimates["F1"].high


def test_categories_of_one_or_two_queries_are_listed_not_fitted() -> None:
    """They take the overall threshold."""
    policy = run(drawn([60, 2]), {"maximise": "F1"}).policy

    assert policy.categories["c1"].status == "fallback"
    assert policy.categories["c1"].threshold == policy.default.threshold


def test_scores_that_do_not_separate_are_unusable() -> None:
    """Where relevant documents score like all others no threshold is recommended."""
    for goal in (LOST, {"maximise": "F1"}):
        entry = run(drawn([150], separation=0.0), goal).policy.default

        assert entry.status == "unusable"
        assert "not shown to separate" in entry.notes[0]


def test_a_cut_that_keeps_nearly_everything_is_said_to_be_no_filter() -> None:
    """A promise that costs nothing filters nothing."""
    judged = drawn([150], separation=1.5, relevant=(1, 1), query_effect=2.0)
    entry = run(judged, {"risk": "lost_answer", "at_most": 0.016, "confidence": 0.9}).policy.default

    assert entry.status == "certified"
    assert entry.notes[0].startswith("no filter")


def test_failed_queries_count_as_lost_for_a_promise() -> None:
    """The certified bound is computed as if each failed query had lost its answer."""
    judged = drawn([100])
    failed = judged.query_ids[:30]

    assert run(judged, LOST).policy.default.status == "certified"
    assert run(judged, LOST, failed=failed).policy.default.status == "unusable"


def test_failed_queries_are_left_out_of_estimates_and_told() -> None:
    """An estimate is about queries that were scored."""
    judged = drawn([50])
    calibration = run(judged, {"maximise": "F1"}, failed=judged.query_ids[:10])

    assert calibration.policy.default.n_queries == 40
    assert any("10 queries have no scores" in finding.what for finding in calibration.findings)


def test_the_same_seed_gives_the_same_policy() -> None:
    """Nothing depends on anything but the data, the goal and the seed."""
    judged = drawn([30, 40])

    for goal in (LOST, {"maximise": "micro_F2"}, {"method": "borderline_mean"}):
        assert run(judged, goal).policy == run(judged, goal).policy


def test_a_joint_confidence_costs_boldness_and_the_policy_says_which_it_is() -> None:
    """Jointly certified thresholds spend less error on each category, so that they are no bolder."""
    judged = drawn([200, 200])
    joint, each = (run(judged, LOST | {"family": family}).policy for family in ("joint", "each"))

    assert "hold together" in joint.family
    assert "on its own" in each.family
    assert all(joint.categories[name].threshold < each.categories[name].threshold for name in ("c0", "c1"))


def test_the_borderline_recipe_comes_with_an_interval_and_its_error_rates() -> None:
    """Cohere's mean of borderline scores, and what it would really lose."""
    judged = drawn([60])
    entry = run(judged, {"method": "borderline_mean"}).policy.default
    rows = judged.judged & (judged.grade == 1)
    query = np.repeat(np.arange(60), np.diff(judged.offsets))[rows]
    means = np.bincount(query, judged.score[rows]) / np.bincount(query)

    assert abs(entry.threshold - means.mean()) < 0.01
    assert entry.estimates["threshold"].low < entry.threshold < entry.estimates["threshold"].high
    assert entry.estimates["lost_answer"].point > 0.1
    assert entry.promise is None


def test_keeping_the_best_anyway_changes_what_is_promised() -> None:
    """With keep_top_1 an answer is lost only where the best candidate is none either: bolder cuts hold."""
    judged = drawn([150])
    plain, eager = (
        run(judged, LOST | {"empty_result": behaviour}).policy for behaviour in ("none", "keep_top_1")
    )

    assert eager.empty_result == "keep_top_1"
    assert eager.default.threshold > plain.default.threshold


def test_a_small_category_falls_back_on_its_parent_first() -> None:
    """The promise of the parent holds for the parent's mixture."""
    judged = drawn([100, 8, 100], names=["hr/leave", "hr/pay", "it"])
    entry = run(judged, LOST).policy.categories["hr/pay"]

    assert (entry.status, entry.source) == ("fallback", "hr")
    assert entry.promise is not None
    assert entry.promise.scope == "hr"


def test_without_a_fallback_a_small_category_is_unusable() -> None:
    """A chain of none is declared, and kept to."""
    entry = run(drawn([8, 100]), LOST | {"fallback": "none"}).policy.categories["c0"]

    assert (entry.status, entry.threshold) == ("unusable", None)


def test_a_query_of_two_categories_counts_in_both() -> None:
    """Written with a bar, it is evidence for each."""
    judged = drawn([60, 60], names=["a", "a|b"])
    policy = run(judged, LOST).policy

    assert (policy.categories["a"].n_queries, policy.categories["b"].n_queries) == (120, 60)
