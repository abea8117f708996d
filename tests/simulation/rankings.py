"""Per-query differences as retrieval produces them: two rankers over the same 50 candidates.

A query has 1 to 6 relevant documents of grade 1 to 3 and a difficulty of its own. Both rankers see the
documents through partly shared noise, so that they agree on many queries, and one of them is sharper by
`gain`. The differences are lumpy, full of exact ties, and skewed: nothing like a normal sample.
"""

from __future__ import annotations

import numpy as np

from evalkit.records import Floats

CANDIDATES = 50
MEASURES = ("nDCG@10", "RR@10", "Success@5", "P@5")


def differences(queries: int, gain: float, rng: np.random.Generator) -> Floats:
    """Return (queries, measures): the sharper ranker minus the other."""
    one, other = _two(queries, gain, rng)
    return one - other


def sharper(queries: int, rng: np.random.Generator) -> Floats:
    """Return (queries, measures): one ranker's own values."""
    return _two(queries, 0.5, rng)[0]


def _two(queries: int, gain: float, rng: np.random.Generator) -> tuple[Floats, Floats]:
    relevant = rng.integers(1, 7, queries)
    grades = np.where(np.arange(CANDIDATES) < relevant[:, None], rng.integers(1, 4, (queries, CANDIDATES)), 0)
    difficulty = rng.gamma(2.0, 0.6, (queries, 1))
    shared = rng.normal(size=grades.shape)

    def values(sharpness: float) -> Floats:
        noise = 0.8 * shared + 0.6 * rng.normal(size=grades.shape)
        order = np.argsort(-(sharpness * difficulty * grades + noise), axis=1)
        return _measures(np.take_along_axis(grades, order, axis=1))

    return values(1.0 + gain), values(1.0)


def _measures(ranked: Floats) -> Floats:
    discount = 1 / np.log2(np.arange(2, 12))
    ideal = -np.sort(-ranked, axis=1)
    hits = ranked > 0
    first = hits.argmax(axis=1) + 1
    return np.column_stack(
        [
            (ranked[:, :10] @ discount) / (ideal[:, :10] @ discount),
            np.where(hits[:, :10].any(axis=1), 1 / first, 0.0),
            hits[:, :5].any(axis=1),
            hits[:, :5].mean(axis=1),
        ]
    )
