"""The embedded models as providers: pointwise scores, nothing computed twice, nothing asked of others."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from evalkit.data import beir
from evalkit.errors import InputError, UnknownName
from evalkit.pipelines.ports import Request
from evalkit.providers import late, local
from evalkit.providers.base import Context, embedder, reranker
from evalkit.providers.late import FEATURES, compare, rarity
from evalkit.providers.local import Texts
from evalkit.transport.ledger import Ledger
from tests.corpora import DOCUMENTS

QUERY = "how do I reset my second factor"
EVERYDAY = Path(__file__).parents[2] / "datasets" / "everyday"


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A context with a ledger of its own."""
    return Context(Ledger(tmp_path / "ledger.sqlite"))


def scores(context: Context, documents: list[str]) -> list[float]:
    """Return the reranker's scores, in the order of the documents."""
    model = reranker("local/late-interaction", context)
    (answer,) = model.rerank([Request("q", QUERY, tuple(documents))])
    assert answer.scores is not None
    return list(answer.scores)


def test_the_right_document_scores_highest(context: Context) -> None:
    """The reranker does what it is for."""
    found = dict(zip(DOCUMENTS, scores(context, list(DOCUMENTS.values())), strict=True))

    assert max(found, key=lambda name: found[name]) == "d6"


def test_scores_lie_between_zero_and_one(context: Context) -> None:
    """The score space is the unit interval."""
    found = scores(context, [*DOCUMENTS.values(), "", QUERY])

    assert all(0 < score < 1 for score in found)


def test_a_score_does_not_depend_on_the_company(context: Context) -> None:
    """Alone, in company and in another order, a pair has the same score to the last bit."""
    documents = list(DOCUMENTS.values())
    together = scores(context, documents)

    assert scores(context, documents[::-1])[::-1] == together
    assert [scores(context, [document])[0] for document in documents] == together


def test_an_answer_from_the_ledger_is_the_same(context: Context) -> None:
    """A second request computes nothing and says so."""
    model = reranker("local/late-interaction", context)
    request = Request("q", QUERY, tuple(DOCUMENTS.values()))
    (first,) = model.rerank([request])
    (second,) = model.rerank([request])

    assert (first.from_ledger, second.from_ledger) == (False, True)
    assert np.array_equal(first.scores, second.scores)


def test_vectors_from_the_ledger_are_the_same(context: Context) -> None:
    """Embeddings come back bit for bit, in the order of the texts, repeats included."""
    model = embedder("local/minilm-l6", context)
    texts = [*DOCUMENTS.values(), DOCUMENTS["d1"]]
    first = model.embed(texts, "document")
    second = model.embed(texts[::-1], "document")[::-1]

    assert np.array_equal(first, second)
    assert np.array_equal(first[0], first[-1])


def test_an_answer_is_kept_before_the_texts_of_all_requests_are_encoded(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reranker that is interrupted has lost one block of requests, not the stage."""
    monkeypatch.setattr(late, "TEXTS_A_BLOCK", 3)
    requests = [
        Request(f"q{n}", f"{QUERY} {n}", (f"first answer {n}", f"second answer {n}")) for n in range(3)
    ]
    model = reranker("local/late-interaction", context)
    next(model.rerank(requests))

    assert [model.plan_rerank([request]).calls_in_ledger for request in requests] == [1, 0, 0]
    assert local.shared_texts().missing(requests[2].documents) == list(requests[2].documents)


def test_identical_texts_have_full_marks() -> None:
    """A text compared with itself has cosine, MaxSim and overlap of one."""
    encoded = Texts().encode([QUERY])[QUERY]

    assert compare(encoded, encoded) == pytest.approx((1, 1, 1), abs=1e-5)


def test_rare_pieces_weigh_more_than_common_ones() -> None:
    """`the` (1996) weighs least, later entries of the vocabulary more, all at most one."""
    weights = rarity(np.array([1996, 5000, 30_000]))

    assert weights.tolist() == sorted(weights)
    assert 0 < weights[0] < weights[-1] <= 1


def test_the_head_is_the_one_fitted_on_the_recorded_data() -> None:
    """The recorded digests are those of the data set that is there, and every feature has its weight."""
    head = json.loads((files("evalkit.providers") / "late_head.json").read_text("utf-8"))

    assert head["fitted_on"]["digests"] == dict(beir.load(EVERYDAY).digests)
    assert set(head["coefficients"]) == set(FEATURES)


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("local/minilm", UnknownName, r"did you mean local/minilm-l6\?"),
        ("minilm", InputError, "a model is written provider/name, not 'minilm'"),
    ],
)
def test_an_unknown_model_is_answered_with_close_ones(
    context: Context, name: str, error: type[Exception], told: str
) -> None:
    """A misspelt model gets a suggestion."""
    with pytest.raises(error, match=told):
        embedder(name, context)
