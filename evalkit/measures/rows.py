"""The judged rows of a run, as measures read them: whose they are, where they rank, what they are worth."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from evalkit.records import Bools, Codes, Floats, Ints, Judged


class Rows:
    """Judged rows as columns, in rank order query by query, with sums over queries.

    A measure needs no other rows: a document without a judgment only shifts the ranks of those with one.
    `first` and `last` are the ranks that a row's group of equal scores covers where ties are averaged, and
    the row's own rank otherwise. `retrieved` counts documents per query, judged or not.
    """

    def __init__(self, judged: Judged, condensed: bool = False) -> None:
        self.source = judged
        self.n = len(judged.query_ids)
        self.averaged = judged.tie_first is not None
        kept = np.flatnonzero(judged.judged & (judged.grade >= 0) if condensed else judged.judged)
        self.query, self.grade, self.score = judged.query[kept], judged.grade[kept], judged.score[kept]
        self.starts = np.searchsorted(self.query, np.arange(self.n))
        rank = judged.rank[kept]
        first = rank if judged.tie_first is None else judged.tie_first[kept]
        last = rank if judged.tie_last is None else judged.tie_last[kept]
        self.retrieved = judged.retrieved
        if condensed:
            self.retrieved = np.bincount(self.query, minlength=self.n)
            rank = (np.arange(len(kept)) - self.starts[self.query] + 1).astype(np.int32)
            first, last = _condensed_spans(self.query, first, rank) if self.averaged else (rank, rank)
        self.rank, self.first, self.last = rank, first, last
        self._n_relevant: dict[int, Ints] = {}  # by level: most measures ask for the same one

    @cached_property
    def condensed(self) -> Rows:
        """The same rows as if documents without a judgment (or with a negative grade) were not returned."""
        return Rows(self.source, condensed=True)

    def sum(self, values: Floats, where: Bools | None = None) -> Floats:
        """Return per query the sum of one value per row."""
        if where is not None:
            values = np.where(where, values, 0.0)
        return np.bincount(self.query, values, minlength=self.n).astype(np.float64)

    def count(self, where: Bools) -> Ints:
        """Return per query how many rows hold."""
        return np.bincount(self.query[where], minlength=self.n)

    def up_to_here(self, what: Bools) -> Ints:
        """Return per row how many rows of its query, up to and including it, hold."""
        total = np.cumsum(what)
        before = np.concatenate([np.zeros(1, np.int64), total])[self.starts]
        return np.asarray(total - before[self.query], np.int64)

    def weight(self, worth: Callable[[Floats], Floats], cutoff: int | Ints | None = None) -> Floats:
        """Return what each row's rank is worth: `worth(rank)`, 0 below the cut-off (one, or one per query).

        Where ties are averaged, the mean of that over the ranks of the row's group of equal scores.
        """
        limit = np.iinfo(np.int32).max if cutoff is None else cutoff
        limit = limit[self.query] if isinstance(limit, np.ndarray) else limit
        if not self.averaged:
            return np.where(self.rank <= limit, at_ranks(worth, self.rank), 0.0)
        deepest = int(self.last.max(initial=0))
        total = np.concatenate([[0.0], np.cumsum(worth(np.arange(1.0, deepest + 1)))])
        inside = total[np.minimum(self.last, limit)] - total[np.minimum(self.first - 1, limit)]
        return np.asarray(inside / (self.last - self.first + 1), np.float64)

    def level(self, rel: int | None) -> int:
        """Return the lowest relevant grade: `rel`, by default the one that the judgments declare."""
        return self.source.relevant_from if rel is None else rel

    def relevant(self, rel: int | None) -> Bools:
        """Return which rows have at least that grade."""
        return self.grade >= self.level(rel)

    def n_relevant(self, rel: int | None) -> Ints:
        """Return per query how many relevant documents the judgments know."""
        level = self.level(rel)
        if level not in self._n_relevant:
            self._n_relevant[level] = self.n_ideal(self.source.ideal >= level)
        return self._n_relevant[level]

    def n_ideal(self, which: Bools) -> Ints:
        """Return per query how many judgments hold."""
        return np.bincount(self.ideal_query[which], minlength=self.n)

    def kept(self, min_score: float | None) -> Ints:
        """Return per query how many documents, judged or not, score at least `min_score`."""
        if min_score is None:
            return self.retrieved
        return np.bincount(self.source.query[self.source.score >= min_score], minlength=self.n)

    @cached_property
    def ideal_query(self) -> Ints:
        """The query that each judgment belongs to."""
        return self.source.ideal_query

    @cached_property
    def ideal_rank(self) -> Ints:
        """The rank of each judgment in the perfect order."""
        return np.arange(len(self.ideal_query)) - self.source.ideal_offsets[self.ideal_query] + 1


def at_ranks(worth: Callable[[Floats], Floats], ranks: Ints | Codes) -> Floats:
    """Return what each rank is worth, computed once for each rank: many queries share the few there are."""
    return worth(np.arange(1.0, ranks.max(initial=0) + 1)).take(ranks - 1)


def _condensed_spans(query: Ints, first: Codes, rank: Codes) -> tuple[Codes, Codes]:
    """Return the ranks that tie groups cover when only these rows are ranked."""
    if not len(query):
        return rank, rank
    begins = np.ones(len(query), np.bool_)
    begins[1:] = (query[1:] != query[:-1]) | (first[1:] != first[:-1])
    number = np.cumsum(begins) - 1
    at = np.flatnonzero(begins)
    ends = np.append(at[1:], len(query)) - 1
    return rank[at][number], rank[ends][number]
