"""The same judgments in other orders: what no system, and what no reranker, can exceed; fewer candidates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from evalkit.records import Codes, Ints, Judged


def ideal_order(judged: Judged) -> Judged:
    """Return every judged document, by grade descending: the best that any system could return."""
    counts = np.diff(judged.ideal_offsets)
    rank = _ranks(judged.ideal_offsets)
    return replace(
        judged,
        offsets=judged.ideal_offsets,
        row=np.arange(len(judged.ideal)),
        rank=rank,
        score=-rank.astype(np.float64),
        grade=judged.ideal,
        judged=np.ones(len(judged.ideal), np.bool_),
        retrieved=counts.astype(np.int64),
    )


def perfect_order(judged: Judged) -> Judged:
    """Return the same candidates, each query's by grade descending, unjudged ones last.

    Measures of the result are the ceiling of every reranker over these candidates. Scores become minus the
    rank; `judged` must hold all candidates, not the judged rows only.
    """
    order = np.lexsort((judged.rank, -judged.grade.astype(np.int64), ~judged.judged, judged.query))
    return _reordered(judged, order)


def at_depth(judged: Judged, found_rank: Ints, depth: int) -> Judged:
    """Return the run as it were had the first stage found `depth` candidates only.

    `found_rank` is the first stage's rank (1-based) of each row. The order of what is left stays: rerankers
    that score each document by itself would return exactly this.
    """
    kept = np.flatnonzero(found_rank <= depth)
    counts = np.bincount(judged.query[kept], minlength=len(judged.query_ids))
    shorter = replace(
        judged,
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        retrieved=np.minimum(judged.retrieved, depth),
    )
    return _reordered(shorter, kept)


def first_stage(judged: Judged, found_rank: Ints) -> tuple[Judged, Ints]:
    """Return the same candidates in the order in which the first stage found them, and its ranks in it."""
    order = np.lexsort((found_rank, judged.query))
    return _reordered(judged, order), found_rank[order]


def _ranks(offsets: Ints) -> Codes:
    counts = np.diff(offsets)
    return (np.arange(offsets[-1]) - np.repeat(offsets[:-1], counts) + 1).astype(np.int32)


def _reordered(judged: Judged, order: Ints) -> Judged:
    """Take the rows in `order`, which `judged.offsets` already fits, and rank them anew."""
    rank = _ranks(judged.offsets)
    return replace(
        judged,
        row=judged.row[order],
        rank=rank,
        score=-rank.astype(np.float64),
        grade=judged.grade[order],
        judged=judged.judged[order],
    )
