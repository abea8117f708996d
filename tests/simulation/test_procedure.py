"""The whole calibration keeps its promises, over all categories together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.simulation.studies import (
    ALPHA,
    DELTA,
    Truth,
    broken_promises,
    called_unusable,
    certified_at_twice_the_need,
    controlled_risks,
    plug_in_broken,
)

pytestmark = pytest.mark.simulation
LOST = {"risk": "lost_answer", "at_most": 0.10, "confidence": 0.90}
SHORT = {"depth": 12}  # candidates a query: enough for the promises, and quick
MISS = {"risk": "miss", "at_most": 0.20, "confidence": 0.90}


@pytest.fixture(scope="module")
def truth() -> Truth:
    """One large sample of the population without negative queries."""
    return Truth.of(np.random.default_rng(0), **SHORT)


@pytest.mark.parametrize("goal", [LOST, MISS], ids=["lost answers", "misses"])
def test_all_promises_of_a_policy_hold_together(goal: dict[str, Any], truth: Truth) -> None:
    """In at least 90 % of the runs no category's promise, nor the mixture's, is broken."""
    rate = broken_promises(goal, 60, np.random.default_rng(2), truth, **SHORT)

    assert rate.certified > 0.5
    assert rate.share <= DELTA + 3 * rate.error


def test_two_promises_that_pull_apart_hold_together() -> None:
    """Lost answers and false answers are both below their limits in at least 90 % of the runs."""
    population = {"negative": 0.4, "separation": 5.0, **SHORT}
    truth = Truth.of(np.random.default_rng(0), **population)
    goal = [LOST, {"risk": "false_answer", "at_most": 0.40}]
    rate = broken_promises(goal, 40, np.random.default_rng(3), truth, **population)

    assert rate.certified > 0.5
    assert rate.share <= DELTA + 3 * rate.error


def test_the_plug_in_threshold_breaks_its_limit_about_half_the_time(truth: Truth) -> None:
    """What certification is for, and a check that this simulation can see a broken promise."""
    assert plug_in_broken(100, 60, np.random.default_rng(4), truth, **SHORT).share > 0.3


@pytest.mark.parametrize("loss", ["lost_answer", "miss"])
def test_conformal_risk_control_keeps_the_mean_risk_but_not_every_run(loss: str, truth: Truth) -> None:
    """Its promise is an average: single calibrations exceed the limit often."""
    risks = controlled_risks(loss, 60, 200, np.random.default_rng(5), truth, **SHORT)
    error = risks.std(ddof=1) / np.sqrt(len(risks))

    assert risks.mean() <= ALPHA + 3 * error
    assert (risks > ALPHA).mean() > 0.15


@pytest.mark.parametrize("goal", [LOST, {"maximise": "F1"}], ids=["promise", "estimate"])
def test_scores_without_information_end_unusable(goal: dict[str, Any]) -> None:
    """In at least 95 % of the runs no threshold is recommended."""
    assert called_unusable(goal, 60, 60, np.random.default_rng(6)).share >= 0.95


@pytest.mark.parametrize("goal", [LOST, MISS], ids=["0/1 losses", "fractional losses"])
def test_twice_the_queries_needed_suffice(goal: dict[str, Any]) -> None:
    """A pilot of 15 queries says how many more it takes; with twice as many a filter is certified in 80 %."""
    assert certified_at_twice_the_need(goal, 15, 40, np.random.default_rng(7)).share >= 0.80
