"""Tests of goals: what can be asked for, and how a mistake is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evalkit.errors import InputError
from evalkit.thresholds.curve import curve_of
from evalkit.thresholds.goals import CRITERIA, LOSSES, Goal, make
from tests.populations import judged

LOST = {"risk": "lost_answer", "at_most": 0.10, "confidence": 0.90}


@pytest.mark.parametrize(
    ("goal", "statement"),
    [
        (LOST, "confidence"),
        ({"risk": "miss", "at_most": 0.2}, "expectation"),
        ({"maximise": "F0.5"}, "estimate"),
        ({"maximise": "nDCG@5"}, "estimate"),
        ({"maximise": "F", "beta": 2}, "estimate"),
        ({"minimise": "cost", "lost": 5, "junk": 1}, "estimate"),
        ({"method": "borderline_mean", "grade": 1}, "estimate"),
        ([LOST, {"risk": "false_answer", "at_most": 0.2}], "confidence"),
        ({"risks": [LOST, {"risk": "false_answer", "at_most": 0.2}], "then": "F1"}, "confidence"),
        ({"risk": "cost", "at_most": 0.2, "confidence": 0.9, "lost": 3}, "confidence"),
        ({"risk": "micro_false_discovery", "at_most": 0.2, "confidence": 0.9, "k": 5}, "confidence"),
    ],
)
def test_a_goal_names_its_kind_of_statement(goal: Any, statement: str) -> None:
    """The three kinds are told apart by how the goal is written, and its text reads back the same."""
    parsed = Goal.parse(goal)

    assert parsed.statement == statement
    assert Goal.parse(parsed.text).statement == statement


@pytest.mark.parametrize(
    ("goal", "told"),
    [
        ({}, "a goal is"),
        ("F1", "is no goal"),
        ({"risk": "lost_anser", "at_most": 0.1, "confidence": 0.9}, "lost_answer"),
        ({"risk": "miss", "at_most": 10, "confidence": 0.9}, "between 0 and 1"),
        ({"risk": "miss", "confidence": 0.9}, "at_most"),
        ({"risk": "miss", "at_most": 0.1, "confidence": 1.0}, "confidence"),
        ({"risk": "miss", "at_most": 0.1, "confidence": 0.9, "then": "precison"}, "precision"),
        ({"risk": "miss", "at_most": 0.1, "confidence": 0.9, "beta": 2}, "beta"),
        ({"risk": "false_discovery", "at_most": 0.1}, "confidence"),
        ({"maximise": "F1", "confidence": 0.9}, "promises nothing"),
        ({"maximise": "cost"}, "minimise cost"),
        ({"maximise": "F1", "risk": "miss"}, "is no goal"),
        ({"method": "mean"}, "borderline_mean"),
        ([LOST, LOST], "once"),
        ([LOST, {"risk": "miss", "at_most": 0.1, "confidence": 0.8}], "disagree"),
        (LOST | {"family": "some"}, "joint"),
        (LOST | {"fallback": ["sibling"]}, "most_conservative"),
        (LOST | {"empty_result": "keep_top_3"}, "keep_top_1"),
    ],
)
def test_a_goal_that_makes_no_sense_is_told_with_what_would(goal: Any, told: str) -> None:
    """The message names the legal values."""
    with pytest.raises(InputError, match=told):
        Goal.parse(goal)


def test_the_linearised_micro_precision_crosses_its_limit_with_the_ratio() -> None:
    """Its mean is above the limit exactly where the share of junk among all kept documents is."""
    rng = np.random.default_rng(3)
    curve = curve_of(judged(rng.random((40, 10)), (rng.random((40, 10)) < 0.4).astype(int)))
    states = curve.states
    linear = make(LOSSES, "micro_false_discovery", {"at_most": 0.55}).of(states)[curve.index].mean(axis=0)
    kept, relevant = (part[curve.index].sum(axis=0) for part in (states.kept, states.relevant))
    share = np.divide(kept - relevant, kept, out=np.full(len(kept), 0.55), where=kept > 0)

    assert ((linear > 0.55 + 1e-12) == (share > 0.55 + 1e-12)).all()


def test_f_is_one_for_keeping_nothing_where_nothing_is_relevant() -> None:
    """The filter's best answer to a hopeless list is an empty one."""
    curve = curve_of(judged(np.array([[0.9, 0.1]]), np.array([[0, 0]])))
    above, below = make(CRITERIA, "F1", {}).of(curve.states)

    assert (above / below).tolist() == [1, 0, 0]
