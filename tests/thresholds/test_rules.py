"""Tests of the cut rules beside the absolute threshold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evalkit.thresholds.goals import CRITERIA, make
from evalkit.thresholds.rules import compare_rules
from evalkit.thresholds.telling import winner
from tests.populations import draw, judged

F1 = make(CRITERIA, "F1", {})


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
    assert "x top, F1" in winner([one.to_dict() for one in found.values()], "F1")
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
    assert winner([one.to_dict() for one in found], "F1").startswith("No other rule")


def test_rules_on_ratios_are_left_out_for_scores_below_zero() -> None:
    """A share of a negative top score means nothing."""
    given = draw([50], np.random.default_rng(0))
    given = replace(given, score=np.log(given.score))

    assert [one.rule for one in compare_rules(given, F1, 1)] == ["absolute", "top_k", "absolute + top_k"]
