"""Bad input: each kind has its finding and its behaviour, and no number is invented."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evalkit.errors import DataError, InputError
from evalkit.records import Judged
from evalkit.thresholds.calibrate import Calibration, calibrate
from evalkit.thresholds.checks import inspect
from evalkit.thresholds.goals import Goal
from tests.populations import DOMAIN, draw, judged

LOST = Goal.parse({"risk": "lost_answer", "at_most": 0.10, "confidence": 0.90})
BOTH = Goal.parse(
    [
        {"risk": "lost_answer", "at_most": 0.10, "confidence": 0.90},
        {"risk": "false_answer", "at_most": 0.20},
    ]
)
F1 = Goal.parse({"maximise": "F1"})
GOALS = pytest.mark.parametrize("goal", [LOST, BOTH, F1], ids=["one promise", "two promises", "estimate"])


def run(given: Judged, goal: Goal, **options: Any) -> Calibration:
    """Calibrate with the test domain."""
    return calibrate(given, goal, **{"domain": DOMAIN, "seed": 1, **options})


def whats(calibration: Calibration) -> str:
    """Return all findings as one text."""
    return "\n".join(f"{finding.path}: {finding.what}" for finding in calibration.findings)


def spoiled(given: Judged, score: float) -> Judged:
    """Return the scores with one that cannot be."""
    scores = given.score.copy()
    scores[3] = score
    return replace(given, score=scores)


@pytest.mark.parametrize("score", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_refused(score: float) -> None:
    """NaN and infinity are told with their number."""
    with pytest.raises(DataError, match="1 score is NaN or infinite"):
        run(spoiled(draw([20], np.random.default_rng(0)), score), F1)


def test_scores_outside_their_space_are_refused() -> None:
    """Logits do not pass for scores between 0 and 1."""
    with pytest.raises(DataError, match=r"from .* to 7, but the domain says 0 to 1"):
        run(spoiled(draw([20], np.random.default_rng(0)), 7.0), F1)


@GOALS
def test_constant_scores_are_told_and_unusable(goal: Goal) -> None:
    """Where every score is the same no threshold is recommended."""
    made = run(judged(np.full((60, 10), 0.5), np.tile([1] + [0] * 9, (60, 1))), goal)

    assert "every score is 0.5" in whats(made)
    assert made.policy.default.status == "unusable"
    assert made.policy.default.threshold is None


def test_scores_cut_by_top_n_are_suspected() -> None:
    """Fewer candidates than the declared depth for every query: a threshold would be blind below them."""
    given, domain = draw([20], np.random.default_rng(0)), replace(DOMAIN, candidates="bm25@100")

    assert "top_n" in inspect(given, domain, {}, F1)[0].what


@GOALS
def test_a_category_without_any_relevant_candidate_gets_no_threshold_of_its_own(goal: Goal) -> None:
    """It is told, and takes the overall threshold where there is one."""
    scores = np.random.default_rng(1).random((80, 10))
    grades = (scores == scores.max(axis=1, keepdims=True)).astype(int)
    grades[:20] = 0
    made = run(judged(scores, grades, ["empty"] * 20 + ["full"] * 60), goal)

    assert "category 'empty': no query has a relevant candidate" in whats(made)
    assert made.policy.categories["empty"].status in ("fallback", "unusable")


def test_a_category_without_negative_queries_cannot_be_promised_no_false_answers() -> None:
    """The finding says what to add; the category is not certified by its own queries."""
    made = run(draw([100], np.random.default_rng(0)), BOTH)

    assert "category 'c0': no negative query" in whats(made)
    assert made.policy.categories["c0"].status != "certified"


@GOALS
def test_no_relevant_document_anywhere_is_a_result(goal: Goal) -> None:
    """Nothing crashes, and the policy has no threshold."""
    made = run(judged(np.random.default_rng(0).random((30, 5)), np.zeros((30, 5), int), ["a"] * 30), goal)

    assert made.policy.categories["a"].threshold is None or made.policy.categories["a"].promise is None


@GOALS
def test_a_query_without_candidates_is_no_obstacle(goal: Goal) -> None:
    """A query for which nothing was retrieved is the retriever's loss, and counted as such."""
    scores = np.random.default_rng(1).random((60, 10))
    grades = (scores == scores.max(axis=1, keepdims=True)).astype(int)
    scores[:3] = np.nan
    made = run(judged(scores, grades), goal)

    assert "3 of 60 answerable queries have no relevant candidate" in whats(made)


@GOALS
def test_all_queries_failed_is_a_finding_not_a_crash(goal: Goal) -> None:
    """Without any score there is nothing to calibrate, and the message says so."""
    with pytest.raises(DataError, match="no judged query has a candidate"):
        run(judged(np.full((4, 3), np.nan), np.ones((4, 3), int)), goal, failed=["q0", "q1", "q2", "q3"])


def test_many_ties_are_remarked() -> None:
    """Scores rounded to one decimal tie, and tied documents are kept or dropped together."""
    given = draw([40], np.random.default_rng(0))

    assert "tie with the one above" in whats(run(replace(given, score=given.score.round(1)), F1))


def test_queries_that_belong_together_count_as_one_for_a_promise() -> None:
    """Forty queries asked five times each are forty pieces of evidence, and the finding says so."""
    given = draw([200], np.random.default_rng(0))
    made = run(given, LOST, clusters=np.arange(200) % 40)
    promise = made.policy.default.promise

    assert promise is not None
    assert promise.n == 40
    assert "160 queries belong to another" in whats(made)


def test_judged_rows_alone_are_refused() -> None:
    """A threshold needs the candidates without a judgment too."""
    given = replace(draw([20], np.random.default_rng(0)), judged_rows_only=True)

    with pytest.raises(InputError, match="all candidates"):
        run(given, F1)


def test_by_is_category_or_none() -> None:
    """Another word is refused."""
    with pytest.raises(InputError, match="by 'colour'"):
        run(draw([20], np.random.default_rng(0)), F1, by="colour")


def test_a_promise_on_all_kept_pairs_asks_how_many_are_shown() -> None:
    """Over lists as long as all candidates the loss hardly moves: it is told, and what to say instead."""
    given = draw([150], np.random.default_rng(0))
    asked = {"risk": "micro_false_discovery", "at_most": 0.45, "confidence": 0.90}
    wide, narrow = (run(given, Goal.parse(goal)) for goal in (asked, {**asked, "k": 5}))

    assert "`micro_false_discovery` without `k`" in whats(wide)
    assert wide.policy.default.status == "unusable"
    assert "without `k`" not in whats(narrow)
    assert narrow.policy.default.status == "certified"
