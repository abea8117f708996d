"""Labelled queries counted against a goal, before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.data import splits
from evalkit.experiment.labels import labels
from tests.conftest import Cli
from tests.corpora import SUITE, write_dataset, write_suite

BOTH = [
    {"risk": "lost_answer", "at_most": 0.2, "confidence": 0.9, "family": "each"},
    {"risk": "false_answer", "at_most": 0.5},
]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Five queries: two about leave, two about IT, one of IT that nothing answers."""
    return write_suite(write_dataset(tmp_path / "small"), SUITE)


def test_each_category_is_compared_with_what_each_risk_takes(suite: Path) -> None:
    """Answerable queries for lost answers, negative ones for false answers."""
    found = {(one.category, one.risk): one for one in labels(suite, BOTH)}

    assert found["leave", "lost_answer"].has == 2
    assert found["it", "false_answer"].has == 1
    assert found["it", "lost_answer"].least == 14
    assert found["it", "lost_answer"].likely > found["it", "lost_answer"].least


def test_an_estimate_takes_no_number_of_labels(suite: Path) -> None:
    """It promises nothing."""
    assert labels(suite, {"maximise": "F1"}) == []


def test_with_a_split_only_the_queries_that_choose_are_counted(cli: Cli, suite: Path) -> None:
    """As `run` will calibrate on these alone; the table says so."""
    write_suite(suite.parent, SUITE + "thresholds: {split: calibration}\n")
    parts = {f"q{n}": splits.TEST if n in (1, 3) else splits.CALIBRATION for n in range(1, 6)}
    splits.save(suite.parent, parts)
    found = {(one.category, one.risk): one.has for one in labels(suite, BOTH)}
    told = cli("plan", suite, "--goal", "{risk: lost_answer, at_most: 0.2, confidence: 0.9}")

    assert found["leave", "lost_answer"] == found["it", "lost_answer"] == found["it", "false_answer"] == 1
    assert "Labelled queries for the goal (calibration part)" in told.out


def test_plan_prints_the_labels_of_the_goal(cli: Cli, suite: Path) -> None:
    """Beside calls and money, as labelling is what costs most."""
    told = cli("plan", suite, "--goal", "{risk: lost_answer, at_most: 0.2, confidence: 0.9}")

    assert told.code == 0, told
    assert "Labelled queries for the goal" in told.out
    assert "leave" in told.out
