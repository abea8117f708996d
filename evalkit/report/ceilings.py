"""What no reranker can exceed: the perfect order of the candidates that the first stage found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evalkit.records import Judged


def perfect_order(judged: Judged) -> Judged:
    """Return the same candidates, each query's by grade descending, unjudged ones last.

    Measures of the result are the ceiling of every reranker over these candidates. Scores become minus the
    rank; `judged` must hold all candidates, not the judged rows only.
    """
    counts = np.diff(judged.offsets)
    query = np.repeat(np.arange(len(counts)), counts)
    worth = np.where(judged.judged, judged.grade.astype(np.int64), np.iinfo(np.int64).min)
    order = np.lexsort((judged.rank, ~judged.judged, -np.maximum(worth, -(2**31)), query))
    rank = (np.arange(len(query)) - judged.offsets[query] + 1).astype(np.int32)
    return replace(
        judged,
        row=judged.row[order],
        rank=rank,
        score=-rank.astype(np.float64),
        grade=judged.grade[order],
        judged=judged.judged[order],
    )
