"""First stages, fusion and reranking, against brute force."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from evalkit.pipelines.fuse import reciprocal_rank
from evalkit.pipelines.ports import Answer
from evalkit.pipelines.rerank import requests, reranked
from evalkit.pipelines.retrieve import bm25, candidates, cut, dense
from evalkit.records import Run

IDS = ("a", "b", "c", "d")


def run(rows: list[tuple[int, int, float]], name: str = "run") -> Run:
    """Return a run over queries q0, q1 and the documents a to d."""
    query, doc, score = zip(*rows, strict=True)
    return Run(
        name,
        pa.array(["q0", "q1"], pa.string()),
        pa.array(IDS, pa.string()),
        np.array(query, dtype=np.int32),
        np.array(doc, dtype=np.int32),
        np.array(score, dtype=np.float64),
    )


def listed(one: Run, query: int = 0) -> list[str]:
    """Return the documents of a query in the run's row order."""
    return [IDS[doc] for doc in one.doc[one.query == query].tolist()]


def test_dense_search_is_exact() -> None:
    """The nearest documents are those of a full sort of all inner products."""
    rng = np.random.default_rng(1)
    documents = rng.normal(size=(500, 16)).astype(np.float32)
    queries = rng.normal(size=(40, 16)).astype(np.float32)

    query, document, _ = dense(queries, documents, 10, {})

    best = np.argsort(-(queries @ documents.T), axis=1)[:, :10]
    assert [set(document[query == q]) for q in range(40)] == [set(row) for row in best]


def test_excluded_documents_are_replaced_by_the_next_ones() -> None:
    """A query keeps its full depth without the documents that it excludes."""
    documents = np.eye(4, dtype=np.float32)
    queries = np.array([[4, 3, 2, 1], [4, 3, 2, 1]], dtype=np.float32)
    rows = dense(queries, documents, 2, {0: frozenset({0})})
    found = candidates("dense", ["q0", "q1"], IDS, rows, 2)

    assert listed(found, 0) == ["b", "c"]
    assert listed(found, 1) == ["a", "b"]


def test_bm25_leaves_out_documents_without_a_common_word() -> None:
    """A document that shares no word is no candidate, even where depth has room."""
    rows = bm25(["red apple", "of the"], ["red car", "green apple", "blue sky", "sea"], 4, {})
    found = candidates("bm25", ["q0", "q1"], IDS, rows, 4)

    assert sorted(listed(found, 0)) == ["a", "b"]
    assert listed(found, 1) == []


def test_equal_scores_are_ordered_by_document_id_descending() -> None:
    """Ties break as in trec_eval, whatever the row order."""
    assert listed(cut(run([(0, 0, 1.0), (0, 2, 1.0), (0, 1, 1.0), (0, 3, 2.0)]), 3)) == ["d", "c", "b"]


def test_fusion_adds_reciprocal_ranks() -> None:
    """A document's score is the sum of 1 / (60 + rank) over the runs that hold it."""
    fused = reciprocal_rank([run([(0, 0, 9.0), (0, 1, 8.0)]), run([(0, 1, 0.5), (0, 2, 0.4)])], depth=3)
    score = {IDS[doc]: value for doc, value in zip(fused.doc.tolist(), fused.score.tolist(), strict=True)}

    assert score == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 62})
    assert listed(fused) == ["b", "a", "c"]


def test_a_request_holds_the_candidates_in_their_order() -> None:
    """One request a query, documents as texts in candidate order."""
    found = cut(run([(0, 1, 0.2), (0, 0, 0.9), (1, 3, 0.5)]), 5)
    asked = list(requests(found, {"q0": "first", "q1": "second"}, ["A", "B", "C", "D"]))

    assert [(one.query, one.documents) for one in asked] == [("first", ("A", "B")), ("second", ("D",))]


def test_a_failed_query_is_missing_from_the_reranked_run() -> None:
    """Scores replace scores; a query whose answer has none has no rows at all."""
    found = cut(run([(0, 1, 0.2), (0, 0, 0.9), (1, 3, 0.5)]), 5)
    answers = {"q0": Answer("q0", np.array([0.1, 0.7])), "q1": Answer("q1", None, "timeout")}
    scored = reranked("rerank", found, answers)

    assert scored.query.tolist() == [0, 0]
    assert dict(zip(scored.doc.tolist(), scored.score.tolist(), strict=True)) == {0: 0.1, 1: 0.7}
