"""`local/minilm-l6`: all-MiniLM-L6-v2 as an embedder on the CPU, and its encodings of texts for others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from evalkit.pipelines.ports import Matrix, Operation, PlanLine, Progress, Role
from evalkit.providers.base import Context
from evalkit.providers.minilm import DIMENSION, MODEL_SHA256, Encoder, pool
from evalkit.records import Ints
from evalkit.transport.ledger import Entry, Ledger, request_key

STATES_BUDGET = 2**30  # bytes of token states kept; beyond it a text is encoded again when it is needed
TEXTS_A_COMMIT = 64  # about a second of work: what a killed run loses at most
MARKERS = 1  # at each end of a text


@dataclass(frozen=True, eq=False)
class Encoded:
    """A text as the model sees it: token ids, unit token states without the markers, and its unit vector."""

    ids: Ints
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
        return free_plan(self.name, "embed", keys, self._ledger)

    def _key(self, text: str) -> str:
        return request_key({"operation": "embed", "model": MODEL_SHA256, "text": text})


def free_plan(name: str, operation: Operation, keys: Sequence[str], ledger: Ledger) -> PlanLine:
    """Return the plan of work in this process: how much of it the ledger has."""
    held = len(ledger.get_many(keys))
    return PlanLine(name, operation, len(keys), held, 0.0, "", 0, 0.0, 0.0)
