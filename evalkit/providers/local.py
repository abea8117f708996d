"""The embedded models: `local/minilm-l6` embeds, `local/late-interaction` reranks; both on the CPU.

`local/late-interaction` is no trained cross-encoder (no package ships one): it compares the token states of
the embedding model and the words themselves, and a small logistic head fitted on `datasets/everyday` turns
the three comparisons into a score between 0 and 1.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
TEXTS_A_COMMIT = 64  # about a second of work: what a killed run loses at most
TEXTS_A_BLOCK = 256  # new texts encoded before their requests are answered; fewer would add padding
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

    def encode(self, texts: Sequence[str]) -> dict[str, Encoded]:
        """Return every distinct text of `texts` with its encoding."""
        return dict(self.encoding(texts))

    def encoding(
        self, texts: Sequence[str], progress: Progress | None = None
    ) -> Iterator[tuple[str, Encoded]]:
        """Yield every distinct text of `texts` with its encoding: those at hand, then the shortest first."""
        missing = self.missing(texts)
        yield from ((text, self._kept[text]) for text in dict.fromkeys(texts) if text in self._kept)
        tokens = self._encoder.tokenize(missing) if missing else []
        for index, states in self._encoder.states(tokens, progress):
            inner = states[MARKERS:-MARKERS]
            norms = np.linalg.norm(inner, axis=1, keepdims=True)
            ids = np.asarray(tokens[index][MARKERS:-MARKERS], dtype=np.int64)
            item = Encoded(ids, inner / norms, pool(states))
            self._keep(missing[index], item)
            yield missing[index], item

    def missing(self, texts: Iterable[str]) -> list[str]:
        """Return the distinct texts of `texts` that would have to be encoded."""
        return [text for text in dict.fromkeys(texts) if text not in self._kept]

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
        vectors = {text: np.frombuffer(found[key].body, "<f4") for text, key in keys.items() if key in found}
        vectors |= self._encode(missing, progress)
        self._usage.from_ledger += len(found)
        return np.array([vectors[text] for text in texts], dtype=np.float32).reshape(len(texts), DIMENSION)

    def _encode(self, texts: Sequence[str], progress: Progress | None) -> dict[str, Matrix]:
        """Return each text's vector, committed on the way; Ctrl-C commits what there is."""
        vectors: dict[str, Matrix] = {}
        new: list[Entry] = []
        try:
            for text, encoded in shared_texts().encoding(texts, progress):
                vectors[text] = encoded.vector
                new.append(
                    Entry(self._key(text), "embed", "local", encoded.vector.astype("<f4").tobytes(), {})
                )
                if len(new) == TEXTS_A_COMMIT:
                    self._commit(new)
        finally:
            self._commit(new)
        return vectors

    def _commit(self, new: list[Entry]) -> None:
        self._ledger.put_many(new)
        self._usage.calls += len(new)
        new.clear()

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

    def _score(self, request: Request, encoded: Mapping[str, Encoded]) -> Floats:
        """Return the score of each document, float64 in [0, 1]."""
        query = encoded[request.query]
        pairs = np.array([compare(query, encoded[document]) for document in request.documents])
        return self._head(pairs.reshape(len(request.documents), len(FEATURES)))

    def plan_rerank(self, requests: Sequence[Request]) -> PlanLine:
        """Say how many requests are still to be scored; nothing is billed."""
        return _free_plan(self.name, "rerank", [self._key(request) for request in requests], self._ledger)

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


def _free_plan(name: str, operation: Any, keys: Sequence[str], ledger: Ledger) -> PlanLine:
    held = len(ledger.get_many(keys))
    return PlanLine(name, operation, len(keys), held, 0.0, "", 0, 0.0, 0.0)
