"""What every risk and every criterion of the registries keeps to."""

from __future__ import annotations

import numpy as np
import pytest

from evalkit.thresholds.calibrate import calibrate
from evalkit.thresholds.curve import Curve, curve_of
from evalkit.thresholds.goals import CRITERIA, LOSSES, Goal, make
from tests.populations import DOMAIN, draw, judged


@pytest.fixture(scope="module")
def curve() -> Curve:
    """Queries with and without relevant documents, graded and unjudged candidates."""
    rng = np.random.default_rng(2)
    return curve_of(
        judged(rng.random((30, 8)), rng.integers(-1, 3, (30, 8)) * (np.arange(30) % 4 > 0)[:, None])
    )


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_loss_lies_between_0_and_1_and_grows_away_from_its_safe_end(name: str, curve: Curve) -> None:
    """Bounds need losses in [0, 1]; walks start where the loss is least."""
    loss = make(LOSSES, name, {"at_most": 0.3})
    values = loss.of(curve.states)
    means = values[curve.index].mean(axis=0)

    assert values.min() >= 0
    assert values.max() <= 1
    if loss.zero_one:
        assert set(np.unique(values)) <= {0.0, 1.0}
    if loss.safe == "lower":
        assert means[0] == means.min()
    if loss.safe == "higher":
        assert means[-1] == means.min()


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_a_risk_can_be_promised_with_confidence(name: str) -> None:
    """Every loss goes through the whole calibration, and its entry is one of the four kinds."""
    goal = Goal.parse({"risk": name, "at_most": 0.5, "confidence": 0.9})
    made = calibrate(draw([60], np.random.default_rng(0), negative=0.3), goal, domain=DOMAIN, seed=1)
    entry = made.policy.default

    assert (entry.status == "certified") == (entry.promise is not None)
    assert entry.promise is None or entry.promise.upper_bound <= 0.5


@pytest.mark.parametrize("name", sorted(CRITERIA))
def test_a_criterion_has_a_best_threshold_with_an_interval(name: str) -> None:
    """Every criterion goes through the whole calibration; costs are minimised."""
    word = "minimise" if name == "cost" else "maximise"
    made = calibrate(
        draw([60], np.random.default_rng(0), negative=0.3), Goal.parse({word: name}), domain=DOMAIN, seed=1
    )
    entry = made.policy.default

    assert entry.status == "estimated"
    assert entry.estimates["threshold"].low <= entry.threshold <= entry.estimates["threshold"].high


@pytest.mark.parametrize("name", sorted([*LOSSES, *CRITERIA]))
def test_an_entry_says_what_it_is(name: str) -> None:
    """Its docstring is one plain sentence or more: it is what the guide prints."""
    for registry in (LOSSES, CRITERIA):
        if name in registry:
            assert registry[name].__doc__
