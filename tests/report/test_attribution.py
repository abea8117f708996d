"""Whose loss it is, and what depth is worth."""

from __future__ import annotations

import numpy as np
import pytest

from evalkit.measures import evaluate
from evalkit.report.attribution import attribution, by_depth
from evalkit.report.ceilings import at_depth, ideal_order, perfect_order
from evalkit.report.rows import Setting
from tests.judgments import judged

RANKED = [[0, 3, None, 1], [None, 0, 2, 0], [1, 0, 0, 3], [0, 0, 0, 0]]
MISSED = [[2], [], [3, 1], [1]]
MEASURES = ["nDCG@10", "P@3", "RR@10"]


def test_the_two_parts_add_up_to_the_distance() -> None:
    """Retriever's and reranker's loss are together the distance of the mean from the perfect score."""
    run = judged(RANKED, MISSED, categories=["a", "a", "b", "b"])
    values = evaluate(run, MEASURES)
    rows = attribution({"run": run}, {"run": values}, MEASURES, Setting(1))

    assert len(rows) == 3 * 3
    for row in rows[:3]:
        mean = np.mean(values[row["measure"]])
        assert row["retriever"]["point"] + row["reranker"]["point"] == pytest.approx(row["perfect"] - mean)


def test_what_was_found_and_misplaced_is_the_rerankers_loss() -> None:
    """With every relevant document among the candidates, nothing is the retriever's fault."""
    run = judged([[0, 3, 1]] * 3)
    row = attribution({"run": run}, {"run": evaluate(run, ["nDCG@10"])}, ["nDCG@10"], Setting(1))[0]

    assert row["retriever"]["point"] == 0
    assert row["reranker"]["point"] > 0


def test_what_was_not_found_is_the_retrievers_loss() -> None:
    """With the found documents in their best order, nothing is the reranker's fault."""
    run = judged([[3, 0]] * 3, [[2]] * 3)
    row = attribution({"run": run}, {"run": evaluate(run, ["nDCG@10"])}, ["nDCG@10"], Setting(1))[0]

    assert row["retriever"]["point"] > 0
    assert row["reranker"]["point"] == 0


def test_no_order_of_the_candidates_beats_the_perfect_one() -> None:
    """The ideal is perfect, and the candidates' best order is between it and the run."""
    run = judged(RANKED, MISSED)
    actual, best, ideal = (evaluate(one, MEASURES) for one in (run, perfect_order(run), ideal_order(run)))

    assert (ideal["nDCG@10"] == 1).all()
    for name in MEASURES:
        assert (actual[name] <= best[name] + 1e-12).all()
        assert (best[name] <= ideal[name] + 1e-12).all()


def test_fewer_candidates_are_those_that_the_first_stage_found_first() -> None:
    """At depth 2 the reranked list holds the first stage's first two, in the reranker's order."""
    run = judged([[3, 0, 1, 0]])
    shorter = at_depth(run, np.array([4, 2, 1, 3]), 2)

    assert shorter.grade.tolist() == [0, 1]
    assert shorter.rank.tolist() == [1, 2]
    assert shorter.retrieved.tolist() == [2]


def test_the_gain_by_depth_is_to_the_first_stage() -> None:
    """A reranker that lifts a deep document gains only where the depth lets it see the document."""
    found_rank = np.tile([12, *range(1, 12)], 4)  # the reranker's first was found twelfth
    run = judged([[3] + [0] * 11] * 4)
    gains = {row["depth"]: row for row in by_depth(run, found_rank, ["RR@20"], 12, Setting(1))}

    assert sorted(gains) == [10, 12]
    assert gains[10]["gain"]["point"] == 0
    assert gains[12]["gain"]["point"] == pytest.approx(1 - 1 / 12)
