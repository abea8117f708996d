"""Tests of the rule that a policy carries beside its thresholds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import InputError
from evalkit.records import Judged
from evalkit.thresholds.calibrate import Calibration, calibrate
from evalkit.thresholds.curve import curve_of
from evalkit.thresholds.entry import Entry
from evalkit.thresholds.export import export
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.policy import ThresholdPolicy
from evalkit.thresholds.readings import to_judge
from evalkit.thresholds.rule import NO_RULE, Rule
from evalkit.thresholds.rules import ruled
from evalkit.thresholds.standing import standing
from evalkit.thresholds.telling import statement
from evalkit.thresholds.transfer import transfer
from tests.populations import DOMAIN, draw, judged

RESULTS = [("a", 0.9), ("b", 0.8), ("c", 0.8), ("d", 0.5), ("e", 0.2)]
LOST = {"risk": "lost_answer", "at_most": 0.2, "confidence": 0.90}


def run(given: Judged, goal: Any, **options: Any) -> Calibration:
    """Calibrate with the test domain."""
    return calibrate(given, Goal.parse(goal), **{"domain": DOMAIN, "seed": 1, **options})


def policy(rule: Rule, threshold: float | None = 0.3) -> ThresholdPolicy:
    """Return a policy of one threshold."""
    return ThresholdPolicy({"score_space": "unit"}, {}, Entry(threshold, "estimated"), {}, rule=rule)


def levels(n: int = 150) -> Judged:
    """Draw queries that each have a level of their own: a share of the top score tells what is relevant."""
    rng = np.random.default_rng(0)
    level, grades = rng.uniform(0.05, 0.95, (n, 1)), np.tile([1, 1] + [0] * 18, (n, 1))
    share = np.where(grades, rng.uniform(0.9, 1.0, grades.shape), rng.uniform(0.3, 0.8, grades.shape))
    return judged(level * share, grades)


@pytest.mark.parametrize(
    ("rule", "kept"),
    [
        (NO_RULE, "abcd"),
        (Rule(of_top=0.6), "abc"),
        (Rule(top_k=2), "ab"),  # of equal scores the earlier
        (Rule(of_top=0.95, top_k=3), "a"),
        (Rule(top_k=9), "abcd"),
    ],
)
def test_keep_asks_for_the_threshold_and_the_rule(rule: Rule, kept: str) -> None:
    """A document passes both, and results stay in their order."""
    assert "".join(name for name, _ in policy(rule).keep(RESULTS)) == kept
    assert {name for name, _ in policy(rule).keep(RESULTS[::-1][2:] + RESULTS[3:])} >= {"a"}


def test_a_category_without_a_threshold_is_not_cut_by_the_rule_either() -> None:
    """Where nothing is known nothing is filtered."""
    assert policy(Rule(top_k=1), None).keep(RESULTS) == RESULTS
    assert policy(Rule(top_k=1)).keep([]) == []


def test_a_policy_with_a_rule_is_read_as_it_was_written(tmp_path: Path) -> None:
    """And one without has no trace of it, as before there were rules."""
    for rule in (Rule(of_top=0.8), Rule(top_k=5), Rule(0.8, 5)):
        policy(rule).save(tmp_path / "t.json")
        assert ThresholdPolicy.load(tmp_path / "t.json") == policy(rule)
    assert "rule" not in policy(NO_RULE).to_dict()
    assert policy(NO_RULE).to_dict()["operator"] == ">="


def test_a_reader_that_knows_no_rules_refuses_the_file() -> None:
    """The operator is another: the threshold alone would keep more than was certified."""
    data = policy(Rule(top_k=5)).to_dict()

    assert data["operator"] != ">="
    with pytest.raises(InputError, match="operator"):
        ThresholdPolicy.from_dict({**data, "operator": ">="})
    with pytest.raises(InputError, match=r"t\.json is damaged: InputError: None is no rule"):
        ThresholdPolicy.from_dict({**data, "rule": None}, "t.json")


@pytest.mark.parametrize(
    "rule", [{}, {"top_k": 0}, {"top_k": 2.5}, {"of_top": 1.2}, {"of_top": True}, {"k": 3}, "relative", [5]]
)
def test_a_rule_that_makes_no_sense_is_told_with_one_that_does(rule: Any) -> None:
    """The message shows what a rule looks like, or what the number must be."""
    with pytest.raises(InputError, match=r"of_top|top_k"):
        Goal.parse({"maximise": "F1", "rule": rule})


@given(
    st.lists(st.floats(0.01, 1), min_size=1, max_size=12, unique=True),
    st.floats(0.05, 1),
    st.integers(1, 12),
    st.floats(0, 1),
)
def test_keep_shows_what_calibration_counted(
    scores: list[float], of_top: float, top_k: int, limit: float
) -> None:
    """On any scores: the kept list of production is the one that losses were computed on."""
    rule, scores = Rule(of_top, top_k), sorted(scores, reverse=True)
    given = judged(np.array([scores]), np.ones((1, len(scores)), dtype=int))
    kept = int(curve_of(ruled(given, rule)).at(limit)[0])

    assert len(policy(rule, limit).keep(list(enumerate(scores)))) == kept


def test_a_promise_counts_what_its_rule_loses() -> None:
    """Certified, its bound is that of both cuts; a rule that loses too much by itself is no promise's."""
    given = draw([200], np.random.default_rng(0), separation=2.0)
    plain, wide, narrow = (
        run(given, {**LOST, **rule}).policy for rule in ({}, {"rule": {"top_k": 5}}, {"rule": {"top_k": 1}})
    )
    counted = curve_of(ruled(given, Rule(top_k=5)))
    lost = counted.states.relevant[counted.at(wide.default.threshold)] == 0

    assert wide.default.promise.upper_bound >= lost.mean()
    assert wide.default.estimates["precision"].point > plain.default.estimates["precision"].point
    assert narrow.default.status == "unusable"


def test_a_share_of_the_top_always_answers_so_that_no_false_answer_can_be_promised() -> None:
    """At no threshold below the top score's is nothing kept; the threshold beside it does that."""
    given = draw([200], np.random.default_rng(0), negative=0.5, separation=6.0, query_effect=0.1)
    goal = {"risk": "false_answer", "at_most": 0.3, "confidence": 0.9, "rule": {"of_top": 0.5}}

    assert run(given, goal).policy.default.status == "certified"


def test_the_best_rule_is_taken_where_it_is_better_and_the_choice_is_told() -> None:
    """On queries with levels of their own, a share of the top score."""
    found = run(levels(), {"maximise": "F1", "rule": "best"}).policy
    alone = run(levels(), {"maximise": "F1"}).policy

    assert found.rule.of_top is not None
    assert "chosen among" in found.default.notes[0]
    assert found.default.estimates["F1"].point > alone.default.estimates["F1"].point + 0.1
    assert f"the rule: {found.rule}" in statement(found)


def test_no_rule_is_taken_where_none_is_better() -> None:
    """On a population where the threshold alone is right."""
    given = draw([200], np.random.default_rng(3), query_effect=0.0, separation=3.0, relevant=(0, 8))
    found = run(given, {"maximise": "F1", "rule": "best"}).policy

    assert not found.rule
    assert "no rule" in found.default.notes[0]


def test_a_promise_refuses_a_rule_chosen_on_its_own_queries() -> None:
    """The error would be spent more than once."""
    with pytest.raises(InputError, match="declared before"):
        Goal.parse({**LOST, "rule": "best"})


def test_a_share_of_the_top_score_needs_scores_that_are_not_negative() -> None:
    """Of a negative score it means nothing; of 0 it does no harm."""
    given, goal = draw([60], np.random.default_rng(0)), {"maximise": "F1", "rule": {"of_top": 0.5}}
    zeros = replace(given, score=np.where(given.rank > 20, 0.0, given.score))
    given = replace(given, score=np.log(given.score))

    assert run(zeros, goal).policy.default.status == "estimated"
    with pytest.raises(InputError, match="negative"):
        run(given, goal, domain=replace(DOMAIN, score_space="logit"))


def test_what_reads_a_policy_applies_its_rule() -> None:
    """Its standing on other scores, its transfer, its labelling queue and its export."""
    given = draw([150], np.random.default_rng(1), separation=3.0)
    found = run(given, {**LOST, "rule": {"top_k": 4}}).policy
    stands = standing(found, given, 1)[0]
    same = transfer(given, given, found, found, 1)
    unknown = replace(given, judged=given.rank != 6, grade=np.where(given.rank == 6, 0, given.grade))

    assert stands.observed == pytest.approx(same.categories["overall"].risks[0].before)
    assert same.categories["overall"].kept_before * given.retrieved[0] <= 4
    assert to_judge(unknown, run(unknown, {**LOST, "rule": {"top_k": 4}}).policy) == []
    assert json.loads(json.dumps(export(found)))["rule"] == {"top_k": 4}
