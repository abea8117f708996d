"""Tests of probabilities of relevance, against scikit-learn and against known truth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, log_loss

from evalkit.thresholds.optimum import Scale
from evalkit.thresholds.probability import METHODS, TINY, fit, isotonic, probabilities, reliability
from tests.populations import draw


def sample(n: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return log-odds, labels drawn with exactly these odds, and query codes."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-1, 1.5, n)
    return x, rng.random(n) < 1 / (1 + np.exp(-x)), np.arange(n) // 10


def test_isotonic_is_scikit_learns() -> None:
    """The same non-decreasing map, kept off 0 and 1."""
    x, y, _ = sample()
    oracle = IsotonicRegression(out_of_bounds="clip").fit(x, y).predict(np.linspace(-9, 9, 50))

    assert isotonic(x, y)(np.linspace(-9, 9, 50)) == pytest.approx(np.clip(oracle, TINY, 1 - TINY))


@pytest.mark.parametrize("name", sorted(METHODS))
def test_each_map_finds_the_true_probabilities_and_never_falls(name: str) -> None:
    """On four thousand pairs the maps are within five points of the truth and rise with the score."""
    x, y, _ = sample()
    grid = np.linspace(-4, 2, 40)
    predicted = METHODS[name](x, y)(grid)

    assert predicted == pytest.approx(1 / (1 + np.exp(-grid)), abs=0.12 if name == "isotonic" else 0.05)
    assert (np.diff(predicted) >= -1e-12).all()


def test_a_smooth_map_is_chosen_for_smooth_truth_and_judged_as_scikit_learn_would() -> None:
    """The choice is by held-out log loss; Brier score and calibration error come with intervals."""
    x, y, query = sample()
    fitted = fit(1 / (1 + np.exp(-x)), y, query, Scale("unit"), seed=1)
    truth = 1 / (1 + np.exp(-x))

    assert fitted.method in ("logistic", "beta")
    assert fitted.log_loss[fitted.method] == pytest.approx(log_loss(y, truth), abs=0.005)
    assert fitted.brier.point == pytest.approx(brier_score_loss(y, truth), abs=0.005)
    assert fitted.brier.low < fitted.brier.point < fitted.brier.high
    assert fitted.ece.point < 0.03
    assert fitted.brier.n == 400


def test_beta_falls_back_to_one_term_where_the_curve_would_bend_back() -> None:
    """Scores that mean less at the top would give a falling piece; the map stays monotone."""
    x = np.linspace(-4, 4, 2000)
    y = np.random.default_rng(0).random(2000) < np.where(x < 1, 1 / (1 + np.exp(-x)), 0.7)

    assert (np.diff(METHODS["beta"](x, y)(np.linspace(-6, 6, 60))) >= -1e-9).all()


def test_the_reliability_diagram_counts_every_pair_once() -> None:
    """Bins are equally filled; predictions that are equal share a bin."""
    found = reliability(np.array([0.1] * 7 + [0.5, 0.6, 0.9]), np.array([0] * 7 + [1, 0, 1], dtype=bool))

    assert found.count.sum() == 10
    assert found.count[0] == 7


def test_only_groups_with_evidence_are_fitted() -> None:
    """A category of three queries gets no map of its own."""
    assert set(probabilities(draw([40, 3], np.random.default_rng(0)), Scale("unit"), 1)) == {"overall", "c0"}
