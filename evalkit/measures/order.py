"""The one order of evalkit: score descending, then document id descending (as bytes), as trec_eval has it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evalkit.measures.columns import arrow, numbers
from evalkit.records import Bools, Codes, Floats, Ints


@dataclass(frozen=True, eq=False, slots=True)
class Ordered:
    """Rows grouped by query and ordered: `rows` indexes the run's rows, `starts` says where a query begins.

    `first` and `last` (1-based ranks) span the tie group that each position belongs to.
    """

    rows: Ints
    query: Codes
    starts: Ints
    rank: Ints
    first: Ints
    last: Ints


def by_score(query: Codes, score: Floats) -> Ints:
    """Return the rows grouped by query code and, in each, by descending score; equal scores in any order."""
    same = query[1:] == query[:-1]
    falling = (query[1:] > query[:-1]) | (same & (score[1:] <= score[:-1]))
    if falling.all():
        return np.arange(len(query))
    return np.lexsort((-score, query)).astype(np.int64)


def break_ties(rows: Ints, tied: Ints, group: Ints, doc_ids: pa.Array, doc: Codes) -> None:
    """Order the positions `tied` of `rows`, in place, by descending document id inside each `group`."""
    if len(tied) == 0:
        return
    ids = doc_ids.take(arrow(doc[rows[tied]])).cast(pa.binary())
    descending = numbers(pc.sort_indices(ids, sort_keys=[("", "descending")]), np.uint64).astype(np.int64)
    place = np.empty(len(tied), np.int64)
    place[descending] = np.arange(len(tied))
    rows[tied] = rows[tied[np.lexsort((place, group))]]


def tie_groups(query: Codes, score: Floats) -> tuple[Ints, Bools]:
    """Return a group number for each ordered row, and whether its group has more than one row."""
    begins = np.ones(len(query), np.bool_)
    begins[1:] = (query[1:] != query[:-1]) | (score[1:] != score[:-1])
    group = np.cumsum(begins) - 1
    return group, np.bincount(group, minlength=0)[group] > 1
