"""The sandbox's scores: the embedded models' comparisons, shifted per model name to look like that model's.

They are not Cohere's. What is copied from recordings is only where scores lie: a relevant document at about
.55 to .87 with rerank-v3.5, nearly everything above .5 with rerank-v4.0-pro.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from evalkit.pipelines.ports import Matrix


class Scorer(Protocol):
    """Where the sandbox gets its figures from."""

    def score(self, model: str, query: str, documents: Sequence[str]) -> list[float]:
        """Return a score in (0, 1) a document."""
        ...

    def embed(self, texts: Sequence[str], dimension: int) -> Matrix:
        """Return a vector of length `dimension` a text."""
        ...


@dataclass(frozen=True)
class Voice:
    """How a model's scores lie: logit = offset + slope * likeness + noise * a draw in [-1, 1) per pair."""

    offset: float
    slope: float
    noise: float


# likeness is about -1 for unrelated texts and +1 for a good answer
VOICES = {
    "rerank-v3.5": Voice(-0.9, 4.0, 0.30),
    "rerank-v4.0-pro": Voice(3.1, 1.8, 0.05),
    "rerank-v4.0-fast": Voice(1.6, 2.4, 0.15),
    "rerank-v5.0-pro": Voice(-0.5, 5.0, 0.10),
    "rerank-v5.0-fast": Voice(-0.5, 4.5, 0.30),
}
OTHER = Voice(-1.0, 2.0, 0.60)
MIDDLE, SPREAD = 0.45, 0.25  # of the raw likeness, for the scale above


class EmbeddedScorer:
    """Scores from the embedded MiniLM: needs the extra `local`. One text is encoded once per process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def score(self, model: str, query: str, documents: Sequence[str]) -> list[float]:
        """Return a score in (0, 1) a document, the same for the same texts whatever the company."""
        from evalkit.providers.local import shared_texts

        with self._lock:
            encoded = shared_texts().encode([query, *documents])
        asked = encoded[query]
        likeness = []
        for document in documents:
            # One product a document: a product of all at once would round a pair by its company.
            each = (asked.states @ encoded[document].states.T).max(axis=1, initial=0.0)
            late = float(each.mean()) if len(each) else 0.0
            likeness.append(0.5 * float(asked.vector @ encoded[document].vector) + 0.5 * late)
        return [
            voiced(model, query, document, (value - MIDDLE) / SPREAD)
            for document, value in zip(documents, likeness, strict=True)
        ]

    def embed(self, texts: Sequence[str], dimension: int) -> Matrix:
        """Return the MiniLM vectors, cut or filled up with zeros to `dimension`."""
        from evalkit.providers.local import shared_texts

        with self._lock:
            encoded = shared_texts().encode(texts)
        return fitted(np.array([encoded[text].vector for text in texts]), dimension)


class WordScorer:
    """Scores from shared words alone: instant, and needs no model. For tests of the transport."""

    def score(self, model: str, query: str, documents: Sequence[str]) -> list[float]:
        """Return a score in (0, 1) a document."""
        words = set(query.lower().split())
        shared = [len(words & set(text.lower().split())) / max(len(words), 1) for text in documents]
        return [
            voiced(model, query, text, 2 * share - 1) for text, share in zip(documents, shared, strict=True)
        ]

    def embed(self, texts: Sequence[str], dimension: int) -> Matrix:
        """Return bags of hashed words."""
        rows = np.full((len(texts), 64), 1e-3, dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[hashlib.sha256(word.encode()).digest()[0] % 64] += 1
        return fitted(rows, dimension)


def voiced(model: str, query: str, document: str, likeness: float) -> float:
    """Return the score that `model` gives a likeness: seven digits, as the API's float32 has."""
    voice = VOICES.get(model, OTHER)
    digest = hashlib.sha256("\x00".join((model, query, document)).encode()).digest()
    draw = int.from_bytes(digest[:8], "big") / 2**63 - 1  # in [-1, 1)
    logit = voice.offset + voice.slope * likeness + voice.noise * draw
    return float(f"{1 / (1 + math.exp(-logit)):.7g}")


def fitted(rows: Matrix, dimension: int) -> Matrix:
    """Cut rows or fill them up with zeros."""
    fit = np.zeros((len(rows), dimension), dtype=np.float32)
    width = min(dimension, rows.shape[1])
    fit[:, :width] = rows[:, :width]
    return fit
