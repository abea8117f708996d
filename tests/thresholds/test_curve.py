"""Tests of the sweep over thresholds, against keeping documents one threshold at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from evalkit.thresholds import curve as curves
from evalkit.thresholds.curve import curve_of
from evalkit.thresholds.goals import CRITERIA, LOSSES, make
from tests.populations import judged

shapes = st.tuples(st.integers(1, 5), st.integers(1, 6))
tables = shapes.flatmap(
    lambda shape: st.tuples(
        arrays.arrays(float, shape, elements=st.sampled_from([0.1, 0.2, 0.5, 0.5000001, 0.9, np.nan])),
        arrays.arrays(int, shape, elements=st.integers(-1, 3)),
    )
)


@given(tables)
@settings(max_examples=60)
def test_every_threshold_keeps_what_it_would_keep_alone(table: tuple[np.ndarray, np.ndarray]) -> None:
    """The table of kept and relevant kept documents equals a count at each threshold, ties merged."""
    scores, grades = table
    if not (grades >= 0).any(axis=1).all():
        grades[:, 0] = 0
    curve = curve_of(judged(scores, grades))
    expected_kept = np.array([[(row >= t).sum() for t in curve.thresholds] for row in scores])
    expected_relevant = np.array(
        [
            [((row >= t) & (g >= 1)).sum() for t in curve.thresholds]
            for row, g in zip(scores, grades, strict=True)
        ]
    )

    assert curve.states.kept[curve.index].tolist() == expected_kept.tolist()
    assert curve.states.relevant[curve.index].tolist() == expected_relevant.tolist()


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_the_sorted_sweep_agrees_with_the_table(name: str) -> None:
    """For every loss the one-pass sums equal the column sums of the table."""
    rng = np.random.default_rng(5)
    scores = rng.integers(0, 12, (20, 9)) / 12
    curve = curve_of(judged(scores, rng.integers(0, 3, (20, 9))))
    values = make(LOSSES, name, {"at_most": 0.2}).of(curve.states)
    thresholds, sums = curve.sums(values)

    assert thresholds.tolist() == curve.thresholds.tolist()
    assert sums == pytest.approx(values[curve.index].sum(axis=0), abs=1e-12)


def test_thinned_thresholds_keep_the_lowest_and_the_one_that_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the table would be too large, a sample of the scores stands for all and still counts right."""
    monkeypatch.setattr(curves, "CELLS", 0)
    monkeypatch.setattr(curves, "FEWEST", 7)
    scores = np.random.default_rng(1).random((10, 20))
    curve = curve_of(judged(scores, np.ones((10, 20), int)))

    assert len(curve.thresholds) == 8
    assert curve.states.kept[curve.index[:, 0]].tolist() == [20] * 10
    assert curve.states.kept[curve.index[:, -1]].tolist() == [0] * 10
    assert curve.states.kept[curve.index].tolist() == [
        [int((row >= t).sum()) for t in curve.thresholds] for row in scores
    ]


@pytest.mark.parametrize("name", ["precision", "recall", "F1", "micro_F1", "micro_precision", "cost"])
def test_the_optimum_lies_on_a_decisive_threshold(name: str) -> None:
    """Leaving out the thresholds that only let junk in loses no optimum."""
    rng = np.random.default_rng(3)
    curve = curve_of(judged(rng.random((30, 12)), (rng.random((30, 12)) < 0.15).astype(int)))

    def best(on: curves.Curve) -> float:
        above, below = (part[on.index].sum(axis=0) for part in make(CRITERIA, name, {}).of(on.states))
        return float(np.max(np.divide(above, below, out=np.full(len(above), -np.inf), where=below > 0)))

    assert best(curve.decisive()) == best(curve)
    assert len(curve.decisive().thresholds) < len(curve.thresholds)


def test_keep_top_1_never_shows_nothing() -> None:
    """With that behaviour the kept list of the highest threshold is the best candidate."""
    scores, grades = np.array([[0.2, 0.8], [0.6, 0.1]]), np.array([[0, 1], [0, 1]])
    curve = curve_of(judged(scores, grades)).keep_top_1()

    assert curve.states.kept[curve.index[:, -1]].tolist() == [1, 1]
    assert curve.states.relevant[curve.index[:, -1]].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("reading", "relevant", "total"),
    [
        ("irrelevant", [0, 1, 1], [1, 1, 1]),
        ("worst", [0, 1, 1], [2, 2, 1]),
        ("best", [0, 1, 2], [1, 1, 2]),
    ],
)
def test_unjudged_documents_are_read_as_asked(reading: str, relevant: list[int], total: list[int]) -> None:
    """At its worst an unjudged document is junk while it is kept and an answer once it is dropped."""
    curve = curve_of(judged(np.array([[0.9, 0.4]]), np.array([[1, -1]])), unjudged=reading)  # type: ignore[arg-type]

    assert curve.states.relevant.tolist() == relevant
    assert curve.states.total.tolist() == total


def test_condensed_lists_leave_unjudged_documents_out() -> None:
    """Only judged candidates are counted."""
    curve = curve_of(judged(np.array([[0.9, 0.4, 0.2]]), np.array([[1, -1, 0]])), unjudged="condensed")

    assert curve.states.kept.tolist() == [0, 1, 2]
    assert curve.thresholds[:-1].tolist() == [0.2, 0.9]
