"""Tests of moving thresholds to another model's scores of the same pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evalkit.errors import InputError
from evalkit.records import Judged
from evalkit.thresholds.calibrate import calibrate
from evalkit.thresholds.curve import curve_of
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.policy import ThresholdPolicy
from evalkit.thresholds.transfer import Transfer, quantile_start, transfer
from tests.populations import DOMAIN, draw

LOST = Goal.parse({"risk": "lost_answer", "at_most": 0.10, "confidence": 0.90})


def policy_of(judged: Judged) -> ThresholdPolicy:
    """Calibrate for lost answers."""
    return calibrate(judged, LOST, domain=DOMAIN, seed=1).policy


def higher(judged: Judged) -> Judged:
    """Return the same order with scores as high as a newer model gives: .1 becomes .68."""
    return replace(judged, score=judged.score ** (1 / 6))


def moved(old: Judged, new: Judged) -> Transfer:
    """Move the old model's policy."""
    return transfer(old, new, policy_of(old), policy_of(new), seed=1)


def test_a_monotone_change_of_scale_flips_nothing_once_calibrated_again() -> None:
    """The same documents are kept at the new threshold, which is also where quantile matching starts."""
    old = draw([150], np.random.default_rng(0))
    found = moved(old, higher(old))
    overall = found.categories["overall"]

    assert found.flips == ()
    assert overall.new == pytest.approx(overall.old ** (1 / 6))
    assert overall.start == pytest.approx(overall.new)


def test_the_old_threshold_on_the_new_scores_is_shown_with_what_it_would_cost() -> None:
    """On a model that scores high the old threshold filters next to nothing."""
    old = draw([150], np.random.default_rng(0))
    overall = moved(old, higher(old)).categories["overall"]

    assert overall.kept_naive > 0.9 > overall.kept_before
    assert overall.risks[0].naive <= overall.risks[0].naive_upper


def test_risks_are_those_of_the_queries_that_were_held_out() -> None:
    """Where some are named: the others choose thresholds and flip, and are not counted."""
    old, mask = draw([150], np.random.default_rng(0)), np.arange(150) % 3 == 0
    new = replace(old, score=old.score**3)
    before, after = policy_of(old), policy_of(new)
    whole = transfer(old, new, before, after, seed=1)
    found = transfer(old, new, before, after, seed=1, measured=mask)
    curve = curve_of(new, np.flatnonzero(mask))
    lost = LOST.risks[0].loss.of(curve.states)[curve.at(before.default.threshold)][curve.answerable]

    assert found.categories["overall"].risks[0].n == curve.answerable.sum()
    assert found.categories["overall"].risks[0].naive == pytest.approx(lost.mean())
    assert found.flips == whole.flips
    assert found.categories["overall"].kept_before == whole.categories["overall"].kept_before


def test_a_lower_scale_under_the_old_threshold_breaks_the_promise() -> None:
    """The realised risk of the old threshold is measured, not assumed."""
    old = draw([150], np.random.default_rng(0))
    new = replace(old, score=old.score**3)

    assert moved(old, new).categories["overall"].risks[0].naive > 0.3


def test_flips_list_lost_relevant_documents_first_with_their_labels() -> None:
    """Where the new model disagrees each flipped document is named with both scores."""
    old = draw([150], np.random.default_rng(0))
    noise = np.random.default_rng(1).normal(0, 1.0, len(old.score))
    real = np.log(old.score / (1 - old.score)) + noise
    flips = moved(old, replace(old, score=1 / (1 + np.exp(-real)))).flips
    lost = [flip.was_kept and flip.grade == 1 for flip in flips]

    assert any(lost)
    assert lost == sorted(lost, reverse=True)


def test_a_model_that_is_no_worse_is_shown_to_be_so() -> None:
    """On paired losses; a much worse one is not."""
    old = draw([400], np.random.default_rng(0))
    same = moved(old, higher(old)).categories["overall"].risks[0]
    lower = replace(old, score=old.score**3)
    worse = transfer(old, lower, policy_of(old), policy_of(old), 1).categories["overall"].risks[0]

    assert same.non_inferior_p < 0.1
    assert worse.non_inferior_p > 0.5


def test_other_queries_are_refused() -> None:
    """Scores of other pairs say nothing about the move."""
    old, other = draw([30], np.random.default_rng(0)), draw([31], np.random.default_rng(0))

    with pytest.raises(InputError, match="same queries"):
        transfer(old, other, policy_of(old), policy_of(old), 1)


def test_quantile_matching_keeps_as_many_candidates() -> None:
    """To the nearest document, and only that."""
    old = curve_of(draw([50], np.random.default_rng(0)))
    new = curve_of(draw([50], np.random.default_rng(1), shifts=[1.0]))
    start = quantile_start(old, new, 0.5)
    shares = [(c.score[np.isfinite(c.score)] >= t).mean() for c, t in ((old, 0.5), (new, start))]

    assert shares[0] == pytest.approx(shares[1], abs=1 / 1500)
