"""The sandbox's scores: fixed per pair, and lying where the model's lie."""

from __future__ import annotations

import numpy as np
import pytest

from evalkit.sandbox.scores import EmbeddedScorer, fitted
from tests.corpora import DOCUMENTS, QUERIES

pytest.importorskip("onnxruntime")


def test_a_score_depends_on_its_pair_only() -> None:
    """A document's score is the same alone, reordered and in company."""
    scorer, query, documents = EmbeddedScorer(), QUERIES["q1"][0], list(DOCUMENTS.values())
    together = scorer.score("rerank-v3.5", query, documents)

    assert scorer.score("rerank-v3.5", query, documents[::-1]) == together[::-1]
    assert [scorer.score("rerank-v3.5", query, [document])[0] for document in documents] == together


def test_pro_runs_high_and_v35_low() -> None:
    """As recorded: all candidates of rerank-v4.0-pro above .5, most of rerank-v3.5's far below."""
    scorer, documents = EmbeddedScorer(), list(DOCUMENTS.values())
    pro = np.array([scorer.score("rerank-v4.0-pro", query, documents) for query, _ in QUERIES.values()])
    low = np.array([scorer.score("rerank-v3.5", query, documents) for query, _ in QUERIES.values()])

    assert (np.sort(pro, axis=1)[:, -3:] > 0.5).all()
    assert np.median(low) < 0.3
    assert low[0].argmax() == 0  # annual leave in Leeds answers the first query
    assert low[0].max() > 0.5


def test_embeddings_keep_their_directions() -> None:
    """The vectors are filled up to the dimension asked for, so that cosines stay."""
    rows = EmbeddedScorer().embed(["annual leave", "a broken laptop"], 1536)

    assert rows.shape == (2, 1536)
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert fitted(rows, 256).shape == (2, 256)
