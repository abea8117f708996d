"""Tests of exported thresholds: other scales, fewer digits, never on the wrong side."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import InputError
from evalkit.thresholds.entry import Entry, Promise
from evalkit.thresholds.export import export, round_to, rounded
from evalkit.thresholds.policy import ThresholdPolicy
from tests.thresholds.test_policy import policy

PROMISE = Promise("miss", 0.1, 0.9, 0.09, 50)
digits = st.integers(0, 12)
scores = st.floats(0, 1)


@given(scores, digits)
def test_rounding_down_never_ends_above(threshold: float, places: int) -> None:
    """A promise about lost answers survives a lower threshold, not a higher one."""
    short = round_to(threshold, places, "lower")

    assert short <= threshold
    assert threshold - short <= 2 * 10.0**-places


@given(scores, digits)
def test_rounding_up_never_ends_below(threshold: float, places: int) -> None:
    """A promise about junk survives a higher threshold, not a lower one."""
    short = round_to(threshold, places, "higher")

    assert short >= threshold
    assert short - threshold <= 2 * 10.0**-places


def promised(safe: str) -> ThresholdPolicy:
    """Return a policy with a promise."""
    return policy(categories={"a": Entry(0.123456, "certified", PROMISE)}, safe=safe)


@pytest.mark.parametrize(("safe", "value"), [("lower", 0.12), ("higher", 0.13)])
def test_a_policy_is_rounded_to_its_safe_side(safe: str, value: float) -> None:
    """Every threshold, the default's too."""
    assert rounded(promised(safe), 2).categories["a"].threshold == value


def test_promises_that_pull_apart_are_not_rounded() -> None:
    """Neither side is safe, and the message says so."""
    with pytest.raises(InputError, match="pull apart"):
        rounded(promised("neither"), 2)


def test_elasticsearch_takes_scores_plus_one() -> None:
    """Its min_score is on the scale s + 1."""
    assert export(promised("lower"), "elasticsearch", 3)["thresholds"] == {"": 1.9, "a": 1.123}


def test_the_logit_scale_is_the_log_odds() -> None:
    """For services that return the model's raw output."""
    assert export(promised("lower"), "logit")["thresholds"]["a"] == pytest.approx(
        math.log(0.123456 / 0.876544)
    )


def test_a_category_without_threshold_is_exported_as_none() -> None:
    """Nothing is invented for it."""
    assert export(policy(None))["thresholds"]["how-to"] is None


def test_an_unknown_scale_is_told_with_the_known_ones() -> None:
    """And scores that are no probabilities have no logit."""
    with pytest.raises(InputError, match="elasticsearch"):
        export(policy(), "solr")
    with pytest.raises(InputError, match="no logit"):
        export(policy(domain={"score_space": "cosine"}), "logit")
