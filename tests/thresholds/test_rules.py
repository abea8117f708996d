"""Tests of the cut rules beside the absolute threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evalkit.thresholds import rules
from evalkit.thresholds.goals import CRITERIA, make
from evalkit.thresholds.rules import RuleResult, compare_rules
from evalkit.thresholds.telling import winner
from tests.populations import draw, judged

F1 = make(CRITERIA, "F1", {})


def said(found: list[RuleResult], part: str = "") -> str:
    """Return the sentence on what was compared."""
    rows = [one.to_dict() for one in found]
    return winner({"criterion": "F1", "n_queries": 150, "part": part, "compared": rows})


def test_a_relative_rule_wins_where_every_query_has_its_own_level() -> None:
    """Scores that are only comparable inside a query need the query's own top score."""
    rng = np.random.default_rng(0)
    level = rng.uniform(0.05, 0.95, (150, 1))
    grades = np.tile([1, 1] + [0] * 18, (150, 1))
    scores = level * np.where(
        grades, rng.uniform(0.9, 1.0, grades.shape), rng.uniform(0.3, 0.8, grades.shape)
    )
    found = {one.rule: one for one in compare_rules(judged(scores, grades), F1, seed=1)}

    assert found["relative"].better
    assert found["relative"].value.point > 0.99
    assert "x top, F1" in said(list(found.values()))
    assert not found["absolute"].better


def test_top_k_wins_where_every_query_has_as_many_answers() -> None:
    """And the rule is told in words."""
    given = draw([150], np.random.default_rng(0), relevant=(2, 2), query_effect=2.5, separation=5.0)
    found = {one.rule: one for one in compare_rules(given, F1, seed=1)}

    assert found["top_k"].better
    assert found["top_k"].told == "the 2 best"


def test_the_absolute_rule_is_not_beaten_by_noise() -> None:
    """On a population where it is right, no other rule is called better."""
    given = draw([200], np.random.default_rng(3), query_effect=0.0, separation=3.0, relevant=(0, 8))

    found = compare_rules(given, F1, seed=1)

    assert not any(one.better for one in found)
    assert "No other" in said(found)
    assert "150 queries, each held out of choosing" in said(found)
    assert "150 queries of the calibration part, each" in said(found, "calibration")


def test_a_rule_that_is_better_is_told_as_a_goal_writes_it_and_not_for_these_queries_promises() -> None:
    """A promise on the queries that chose its rule would hold by choice, not by the bound."""
    given = draw([150], np.random.default_rng(0), relevant=(2, 2), query_effect=2.5, separation=5.0)
    found = [one for one in compare_rules(given, F1, seed=1) if one.rule in ("absolute", "absolute + top_k")]

    assert "`rule: {top_k: 2}`; a promise with it takes other queries than these." in said(found)


def test_gains_of_all_rules_hold_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """The more rules are compared, the wider the interval of each gain; that of a value is its own."""
    given = draw([60], np.random.default_rng(0))
    among = {one.rule: one for one in compare_rules(given, F1, seed=1)}["top_k"]
    monkeypatch.setattr(rules, "RULES", {name: rules.RULES[name] for name in ("absolute", "top_k")})
    alone = compare_rules(given, F1, seed=1)[1]

    assert alone.difference.point == among.difference.point
    assert among.difference.low < alone.difference.low < alone.difference.high < among.difference.high
    assert alone.value == among.value


def test_rules_on_ratios_are_left_out_for_scores_below_zero() -> None:
    """A share of a negative top score means nothing."""
    given = draw([50], np.random.default_rng(0))
    given = replace(given, score=np.log(given.score))
    zero = replace(given, score=np.maximum(given.score + 3, 0.0))

    assert "relative" in [one.rule for one in compare_rules(zero, F1, 1)]
    assert [one.rule for one in compare_rules(given, F1, 1)] == ["absolute", "top_k", "absolute + top_k"]
