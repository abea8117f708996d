"""`local/late-interaction`: a reranker on the CPU that compares tokens.

It is no trained cross-encoder (no package ships one): it compares the token states of the embedding model
and the words themselves, and a small logistic head fitted on `datasets/everyday` turns the three comparisons
into a score between 0 and 1.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib.resources import files
from typing import Any

import numpy as np

from evalkit.pipelines.ports import Answer, PlanLine, Request
from evalkit.providers.base import Context
from evalkit.providers.local import Encoded, free_plan, shared_texts
from evalkit.providers.minilm import MODEL_SHA256, VOCABULARY_SIZE
from evalkit.records import Floats, Ints, ScoreSpace
from evalkit.transport.ledger import Entry, request_key

HEAD_FILE = "late_head.json"
FEATURES = ("cosine", "maxsim", "overlap")
TEXTS_A_BLOCK = 256  # new texts encoded before their requests are answered; fewer would add padding
FIRST_WORD = 1996  # in the vocabulary: what stands before are markers, unused entries and characters


class LateInteraction:
    """The late-interaction reranker; pointwise: a pair's score does not depend on the other documents."""

    score_space: ScoreSpace = "unit"
    address = ""

    def __init__(self, name: str, context: Context) -> None:
        self.name = name
        self._ledger = context.ledger
        self._usage = context.usage

    def rerank(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """Answer each request, first those that the ledger has."""
        keys = {request.query_id: self._key(request) for request in requests}
        found = self._ledger.get_many(keys.values())
        missing = []
        for request in requests:
            entry = found.get(keys[request.query_id])
            if entry is None:
                missing.append(request)
            else:
                self._usage.from_ledger += 1
                scores = np.frombuffer(entry.body, dtype="<f8")
                yield Answer(request.query_id, scores, seconds=entry.meta["seconds"], from_ledger=True)
        self._usage.calls += len(missing)
        for block in _blocks(missing):
            encoded = shared_texts().encode([text for request in block for text in _texts(request)])
            for request in block:
                start = time.perf_counter()
                scores = self._score(request, encoded)
                seconds = time.perf_counter() - start
                body = scores.astype("<f8").tobytes()
                key = keys[request.query_id]
                self._ledger.put(Entry(key, "rerank", "local", body, {"seconds": seconds}))
                yield Answer(request.query_id, scores, seconds=seconds)

    def plan_rerank(self, requests: Sequence[Request]) -> PlanLine:
        """Say how many requests are still to be scored; nothing is billed."""
        return free_plan(self.name, "rerank", [self._key(request) for request in requests], self._ledger)

    def _score(self, request: Request, encoded: Mapping[str, Encoded]) -> Floats:
        """Return the score of each document, float64 in [0, 1]."""
        query = encoded[request.query]
        pairs = np.array([compare(query, encoded[document]) for document in request.documents])
        return self._head(pairs.reshape(len(request.documents), len(FEATURES)))

    def _head(self, pairs: Floats) -> Floats:
        head = self._coefficients
        logits = pairs @ np.array([head["coefficients"][name] for name in FEATURES]) + head["intercept"]
        return np.asarray(1.0 / (1.0 + np.exp(-logits)))

    @cached_property
    def _coefficients(self) -> dict[str, Any]:
        head: dict[str, Any] = json.loads((files("evalkit.providers") / HEAD_FILE).read_text("utf-8"))
        return head

    def _key(self, request: Request) -> str:
        return request_key(
            {
                "operation": "rerank",
                "model": [MODEL_SHA256, self._coefficients],
                "query": request.query,
                "documents": request.documents,
            }
        )


def compare(query: Encoded, document: Encoded) -> tuple[float, float, float]:
    """Return the three comparisons of a pair, named in `FEATURES`; 0 where a side has no tokens.

    `cosine` is that of the two unit vectors. `maxsim` is the mean over query tokens of their best cosine
    with a document token (late interaction: Khattab and Zaharia, ColBERT, 2020), `overlap` the share of the
    query's distinct tokens that the document holds; both weigh a token by its rarity.
    """
    cosine = float(query.vector @ document.vector)
    if not len(query.ids) or not len(document.ids):
        return cosine, 0.0, 0.0
    weights = rarity(query.ids)
    best = (query.states @ document.states.T).max(axis=1)
    distinct = np.unique(query.ids)
    distinct_weights = rarity(distinct)
    held = np.isin(distinct, document.ids)
    return (
        cosine,
        float(best @ weights / weights.sum()),
        float(distinct_weights[held].sum() / distinct_weights.sum()),
    )


def rarity(ids: Ints) -> Floats:
    """Return a weight in (0, 1] a token, rising with its rank in the vocabulary.

    The vocabulary is ordered by frequency from `FIRST_WORD` on, so the rank stands in for an inverse document
    frequency that depends on no corpus: by Zipf's law log(rank) is -log(frequency) up to a constant.
    """
    rank = np.maximum(ids - FIRST_WORD, 1)
    return np.asarray(np.log1p(rank) / np.log1p(VOCABULARY_SIZE - FIRST_WORD))


def _blocks(requests: Sequence[Request]) -> Iterator[list[Request]]:
    """Yield the requests in order, as many at a time as need `TEXTS_A_BLOCK` texts encoded.

    Encoded together, texts of one length share a batch; in blocks, an interrupted run has answers to keep.
    """
    block: list[Request] = []
    new: set[str] = set()
    for request in requests:
        block.append(request)
        new.update(shared_texts().missing(_texts(request)))
        if len(new) >= TEXTS_A_BLOCK:
            yield block
            block, new = [], set()
    if block:
        yield block


def _texts(request: Request) -> tuple[str, ...]:
    return request.query, *request.documents
