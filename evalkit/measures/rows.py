"""The judged rows of a run, as measures read them: who they belong to, where they rank, what they are worth."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from evalkit.records import Bools, Codes, Floats, Ints, Judged


class Rows:
    """Judged rows as columns, in rank order query by query, with sums over queries.

    A measure needs no other rows: a document without a judgment only shifts the ranks of those with one.
    """

    def __init__(self, judged: Judged) -> None:
        self.source = judged
        self.n = len(judged.query_ids)
        query = np.repeat(np.arange(self.n), np.diff(judged.offsets))
        if judged.judged.all():
            self.query, self.rank, self.grade = query, judged.rank, judged.grade
            self.starts = judged.offsets[:-1]
        else:
            kept = np.flatnonzero(judged.judged)
            self.query, self.rank, self.grade = query[kept], judged.rank[kept], judged.grade[kept]
            self.starts = np.searchsorted(self.query, np.arange(self.n))
        self.retrieved = judged.retrieved

    def sum(self, values: Floats | Bools, where: Bools | None = None) -> Floats:
        """Return per query the sum of one value per row."""
        if where is None:
            return np.bincount(self.query, values, minlength=self.n)
        return np.bincount(self.query[where], values[where], minlength=self.n)

    def count(self, where: Bools) -> Ints:
        """Return per query how many rows hold."""
        return np.bincount(self.query[where], minlength=self.n)

    def up_to_here(self, what: Bools) -> Ints:
        """Return per row how many rows of its query, up to and including it, hold."""
        total = np.cumsum(what)
        before = np.concatenate([[0], total])[self.starts]
        return total - before[self.query]

    def relevant(self, rel: int | None) -> Bools:
        """Return which rows have at least the grade `rel`, by default the one that the judgments declare."""
        return self.grade >= self.level(rel)

    def level(self, rel: int | None) -> int:
        """Return the lowest relevant grade."""
        return self.source.relevant_from if rel is None else rel

    def n_relevant(self, rel: int | None) -> Ints:
        """Return per query how many relevant documents the judgments know."""
        return self.n_ideal(self.source.ideal >= self.level(rel))

    def n_ideal(self, which: Bools) -> Ints:
        """Return per query how many judgments hold."""
        return np.bincount(self.ideal_query[which], minlength=self.n)

    @cached_property
    def ideal_query(self) -> Ints:
        """The query that each judgment belongs to."""
        return np.repeat(np.arange(self.n), np.diff(self.source.ideal_offsets))

    @cached_property
    def ideal_rank(self) -> Ints:
        """The rank of each judgment in the perfect order."""
        return np.arange(len(self.ideal_query)) - self.source.ideal_offsets[self.ideal_query] + 1

    @cached_property
    def condensed(self) -> Rows:
        """The same rows as if documents without a judgment (or with a negative grade) were not returned."""
        kept = self.grade >= 0
        made = Rows.__new__(Rows)
        made.source, made.n = self.source, self.n
        made.query, made.grade = self.query[kept], self.grade[kept]
        made.starts = np.searchsorted(made.query, np.arange(self.n))
        made.rank = (np.arange(len(made.query)) - made.starts[made.query] + 1).astype(np.int32)
        made.retrieved = np.bincount(made.query, minlength=self.n)
        return made


def gain_of(grades: Codes, gains: Mapping[int, float] | None, exponential: bool) -> Floats:
    """Return what each grade is worth: itself, 0 below 0, unless `gains` declares another worth."""
    worth = np.maximum(grades, 0).astype(np.float64)
    for grade, gain in (gains or {}).items():
        worth[grades == grade] = gain
    return np.exp2(worth) - 1 if exponential else worth
