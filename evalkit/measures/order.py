"""The one order of evalkit: score descending, then document id descending (as bytes), as trec_eval has it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from evalkit.measures.keys import Texts
from evalkit.records import Bools, Codes, Floats, Ints


class Grouped(NamedTuple):
    """A run's rows grouped by query, each query's by descending score; equal scores in any order.

    `begins` has the position where each group starts; `order` the row at each position, None where the rows
    were in order already.
    """

    query: Codes
    score: Floats
    begins: Ints
    order: Ints | None

    def rows(self, positions: Ints) -> Ints:
        """Return the run's rows at these positions."""
        return positions if self.order is None else self.order[positions]

    def rows_between(self, low: int, high: int) -> Ints | slice:
        """Return what selects the run's rows at a range of positions."""
        return slice(low, high) if self.order is None else self.order[low:high]


def group(query: Codes, score: Floats, rows: Ints | None) -> Grouped:
    """Return the rows grouped and ordered by score; `rows` says which rows of the run these are."""
    changes = query[1:] != query[:-1]
    begins = _begins(changes, len(query))
    firsts = query[begins]
    rising = score[1:] > score[:-1]
    rising &= ~changes
    if not rising.any() and np.bincount(firsts).max(initial=0) <= 1:  # np.unique imports numpy.ma
        return Grouped(query, score, begins, rows)
    order = np.lexsort((-score, query))
    query, score = query[order], score[order]
    begins = _begins(query[1:] != query[:-1], len(query))
    return Grouped(query, score, begins, order if rows is None else rows[order])


def _begins(changes: Bools, n: int) -> Ints:
    return np.concatenate([np.zeros(min(n, 1), np.int64), np.flatnonzero(changes) + 1])


class TieGroups(NamedTuple):
    """Groups of two or more equal scores in one query: their first and last positions, ascending."""

    first: Ints
    last: Ints

    def holding(self, positions: Ints) -> tuple[Ints, Bools]:
        """Return per position the last group that begins no later, and whether it reaches the position."""
        if not len(self.first):
            return np.zeros(len(positions), np.int64), np.zeros(len(positions), np.bool_)
        at = np.maximum(np.searchsorted(self.first, positions, "right") - 1, 0)
        return at, (self.first[at] <= positions) & (positions <= self.last[at])

    def only(self, which: Ints) -> TieGroups:
        """Return some of the groups."""
        return TieGroups(self.first[which], self.last[which])


def tie_groups(grouped: Grouped) -> TieGroups:
    """Return the groups of equal scores."""
    like_next = grouped.score[1:] == grouped.score[:-1]
    like_next[grouped.begins[1:] - 1] = False
    tied = np.flatnonzero(like_next)
    breaks = np.flatnonzero(np.diff(tied) > 1)
    if not len(tied):
        return TieGroups(tied, tied)
    return TieGroups(
        tied[np.concatenate([[0], breaks + 1])], tied[np.concatenate([breaks, [len(tied) - 1]])] + 1
    )


class Moves(NamedTuple):
    """Where document ids put rows of tie groups: the one at `old[i]` belongs at `new[i]`; `old` ascends."""

    old: Ints
    new: Ints

    def of(self, positions: Ints) -> Ints:
        """Return the final place of each position."""
        if not len(self.old):
            return positions
        at = np.minimum(np.searchsorted(self.old, positions), len(self.old) - 1)
        return np.where(self.old[at] == positions, self.new[at], positions)


def by_document(grouped: Grouped, ties: TieGroups, doc_ids: pa.Array, doc: Codes) -> Moves:
    """Return how descending document ids order the rows of these tie groups."""
    sizes = ties.last - ties.first + 1
    number = np.repeat(np.arange(len(sizes)), sizes)
    old = np.arange(len(number)) + np.repeat(ties.first - np.cumsum(sizes) + sizes, sizes)
    new = np.empty(len(old), np.int64)
    new[np.lexsort((*Texts(doc_ids).falling(doc[grouped.rows(old)]), number))] = old
    return Moves(old, new)
