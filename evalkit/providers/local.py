"""The embedded models: `local/minilm-l6` embeds, `local/late-interaction` reranks; both on the CPU.

`local/late-interaction` is no trained cross-encoder (no package ships one): it compares the token states of
the embedding model and the words themselves, and a small logistic head fitted on `datasets/everyday` turns
the three comparisons into a score between 0 and 1.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import numpy as np

from evalkit.pipelines.ports import Answer, Matrix, PlanLine, Progress, Request, Role
from evalkit.providers.base import Context
from evalkit.providers.minilm import DIMENSION, MODEL_SHA256, VOCABULARY_SIZE, Encoder, pool
from evalkit.records import Floats, ScoreSpace
from evalkit.transport.ledger import Entry, Ledger, request_key

HEAD_FILE = "late_head.json"
STATES_BUDGET = 2**30  # bytes of token states kept; beyond it a text is encoded again when it is needed
FIRST_WORD = 1996  # in the vocabulary: what stands before are markers, unused entries and characters
MARKERS = 1  # at each end of a text


@dataclass(frozen=True, eq=False)
class Encoded:
    """A text as the model sees it: token ids, unit token states without the markers, and its unit vector."""

    ids: np.ndarray[Any, np.dtype[np.int64]]
    states: Matrix
    vector: Matrix


class Texts:
    """Texts encoded once and shared by the embedder and the reranker of a process."""

    def __init__(self, encoder: Encoder | None = None) -> None:
        self._encoder = encoder or Encoder()
        self._kept: dict[str, Encoded] = {}
        self._bytes = 0

    def encode(self, texts: Sequence[str], progress: Progress | None = None) -> dict[str, Encoded]:
        """Return every distinct text of `texts` with its encoding."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._kept]
        encoded = {text: self._kept[text] for text in texts if text in self._kept}
        tokens = self._encoder.tokenize(missing)
        for index, states in self._encoder.states(tokens, progress):
            inner = states[MARKERS:-MARKERS]
            norms = np.linalg.norm(inner, axis=1, keepdims=True)
            ids = np.asarray(tokens[index][MARKERS:-MARKERS], dtype=np.int64)
            item = Encoded(ids, inner / norms, pool(states))
            encoded[missing[index]] = item
            self._keep(missing[index], item)
        return encoded

    def _keep(self, text: str, item: Encoded) -> None:
        if self._bytes + item.states.nbytes <= STATES_BUDGET:
            self._kept[text] = item
            self._bytes += item.states.nbytes


@cache
def shared_texts() -> Texts:
    """Return the process's own store of encoded texts."""
    return Texts()


class MiniLM:
    """all-MiniLM-L6-v2 as an embedder: unit vectors of 384 dimensions, texts cut after 256 tokens."""

    address = ""

    def __init__(self, name: str, context: Context) -> None:
        self.name = name
        self._ledger = context.ledger
        self._usage = context.usage

    def embed(
        self,
        texts: Sequence[str],
        role: Role,  # noqa: ARG002  this model encodes queries and documents alike
        progress: Progress | None = None,
    ) -> Matrix:
        """Return one row a text; queries and documents are encoded alike."""
        keys = {text: self._key(text) for text in dict.fromkeys(texts)}
        found = self._ledger.get_many(keys.values())
        missing = [text for text, key in keys.items() if key not in found]
        encoded = shared_texts().encode(missing, progress) if missing else {}
        vectors = {
            text: np.frombuffer(found[key].body, dtype="<f4") if key in found else encoded[text].vector
            for text, key in keys.items()
        }
        self._ledger.put_many(
            Entry(keys[text], "embed", "local", encoded[text].vector.astype("<f4").tobytes(), {})
            for text in missing
        )
        self._usage.calls += len(missing)
        self._usage.from_ledger += len(found)
        return np.array([vectors[text] for text in texts], dtype=np.float32).reshape(len(texts), DIMENSION)

    def plan_embed(self, texts: Sequence[str], role: Role) -> PlanLine:  # noqa: ARG002  as in `embed`
        """Say how many texts are still to be encoded; nothing is billed."""
        keys = [self._key(text) for text in dict.fromkeys(texts)]
        return _free_plan(self.name, "embed", keys, self._ledger)

    def _key(self, text: str) -> str:
        return request_key({"operation": "embed", "model": MODEL_SHA256, "text": text})


class LateInteraction:
    """The late-interaction reranker; pointwise: a pair's score does not depend on the other documents."""

    score_space: ScoreSpace = "unit"

    address = ""

    def __init__(self, name: str, context: Context) -> None:
        self.name = name
        self._ledger = context.ledger
        self._usage = context.usage
        self._progress = context.progress

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
        if missing:
            self._encode_all(missing)
        for request in missing:
            start = time.perf_counter()
            scores = self.score(request.query, request.documents)
            seconds = time.perf_counter() - start
            body = scores.astype("<f8").tobytes()
            self._ledger.put(Entry(keys[request.query_id], "rerank", "local", body, {"seconds": seconds}))
            yield Answer(request.query_id, scores, seconds=seconds)

    def score(self, query: str, documents: Sequence[str]) -> Floats:
        """Return the score of each document, float64 in [0, 1]."""
        encoded = shared_texts().encode([query, *documents])
        pairs = np.array([compare(encoded[query], encoded[document]) for document in documents])
        return self._head(pairs.reshape(len(documents), len(FEATURES)))

    def plan_rerank(self, requests: Sequence[Request]) -> PlanLine:
        """Say how many requests are still to be scored; nothing is billed."""
        return _free_plan(self.name, "rerank", [self._key(request) for request in requests], self._ledger)

    def _encode_all(self, requests: Sequence[Request]) -> None:
        """Encode in one go what the requests need, so that batches hold texts of one length."""
        texts = dict.fromkeys(text for request in requests for text in (request.query, *request.documents))
        shared_texts().encode(list(texts), self._progress)

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


FEATURES = ("cosine", "maxsim", "overlap")


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


def rarity(ids: np.ndarray[Any, np.dtype[np.int64]]) -> Floats:
    """Return a weight in (0, 1] a token, rising with its rank in the vocabulary.

    The vocabulary is ordered by frequency from `FIRST_WORD` on, so the rank stands in for an inverse document
    frequency that depends on no corpus: by Zipf's law log(rank) is -log(frequency) up to a constant.
    """
    rank = np.maximum(ids - FIRST_WORD, 1)
    return np.asarray(np.log1p(rank) / np.log1p(VOCABULARY_SIZE - FIRST_WORD))


def _free_plan(name: str, operation: Any, keys: Sequence[str], ledger: Ledger) -> PlanLine:
    held = len(ledger.get_many(keys))
    return PlanLine(name, operation, len(keys), held, 0.0, "", 0, 0.0, 0.0)
