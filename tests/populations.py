"""Judged scores drawn from a population whose truth is known, for tests and simulations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from evalkit.measures import judge
from evalkit.records import Domain, Judged, Qrels, Run

DOMAIN = Domain("local", "test-model", "unit", "plain", "bm25@30", "d1")


def draw(
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    shifts: Sequence[float] | None = None,
    separation: float = 2.5,
    query_effect: float = 0.7,
    negative: float = 0.0,
    depth: int = 30,
    relevant: tuple[int, int] = (1, 5),
    names: Sequence[str] | None = None,
) -> Judged:
    """Draw `sizes[c]` queries of each category c with `depth` candidates each.

    A score's log-odds are normal around the category's shift and the query's own effect; relevant documents
    (`relevant` of them, uniformly) lie `separation` higher. A share `negative` of the queries has none.
    """
    n = sum(sizes)
    category = np.repeat(np.arange(len(sizes)), sizes)
    shift = np.zeros(len(sizes)) if shifts is None else np.asarray(shifts)
    count = rng.integers(relevant[0], relevant[1] + 1, n) * (rng.random(n) >= negative)
    is_relevant = np.arange(depth) < count[:, None]
    logit = rng.normal(-2, 1, (n, depth)) + separation * is_relevant
    logit += (shift[category] + rng.normal(0, query_effect, n))[:, None]
    labels = names or [f"c{c}" for c in range(len(sizes))]
    return judged(1 / (1 + np.exp(-logit)), is_relevant.astype(int), [labels[c] for c in category])


def judged(scores: np.ndarray, grades: np.ndarray, categories: Sequence[str] = ()) -> Judged:
    """Join scores and grades (queries x candidates): grade -1 is no judgment, score NaN no candidate."""
    n, depth = scores.shape
    query_ids = pa.array([f"q{i}" for i in range(n)], pa.string())
    doc_ids = pa.array([f"d{i}" for i in range(n * depth)], pa.string())
    query = np.repeat(np.arange(n, dtype=np.int32), depth)
    doc = np.arange(n * depth, dtype=np.int32)
    found, known = ~np.isnan(scores.ravel()), grades.ravel() >= 0
    run = Run("test", query_ids, doc_ids, query[found], doc[found], scores.ravel()[found].astype(float))
    qrels = Qrels(query_ids, doc_ids, query[known], doc[known], grades.ravel()[known].astype(np.int32))
    names = {f"q{i}": name for i, name in enumerate(categories)}
    return judge(run, qrels, categories=names)
