"""What a threshold would keep, for every query and every threshold that makes a difference."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np

from evalkit.records import Bools, Floats, Ints, Judged

Unjudged = Literal["irrelevant", "condensed", "worst", "best"]

CELLS = 5_000_000  # of a table queries x thresholds; above, thresholds are thinned to quantiles
FEWEST = 512  # thresholds that thinning leaves at least


@dataclass(frozen=True, eq=False)
class States:
    """What a query's kept list can be: its first k candidates, for k = 0 .. all of them.

    Query i's states stand at `start[i]` (k = 0) to `start[i + 1] - 1` (everything); the other arrays have one
    value a state. `total` is the number of relevant candidates, `dcg` the linear-gain DCG of the kept list;
    `ideal` holds each query's positive judged grades in descending order, one padded row a query.
    """

    query: Ints
    start: Ints
    kept: Ints
    relevant: Ints
    total: Ints
    dcg: Floats
    ideal: Floats

    @property
    def deepest(self) -> int:
        """The most candidates that any query has."""
        return int(np.diff(self.start).max(initial=1)) - 1

    def dcg_at(self, k: int) -> Floats:
        """Return the DCG@k of each kept list."""
        return np.asarray(self.dcg[self.start[self.query] + np.minimum(self.kept, k)])

    def relevant_at(self, k: int) -> Ints:
        """Return the relevant documents among the first k of each kept list."""
        return np.asarray(self.relevant[self.start[self.query] + np.minimum(self.kept, k)])

    def ideal_dcg_at(self, k: int) -> Floats:
        """Return the DCG@k of the perfect order of all judged documents, repeated for each state."""
        gains = self.ideal[:, :k]
        return np.asarray((gains / np.log2(np.arange(gains.shape[1]) + 2)).sum(axis=1)[self.query])


@dataclass(frozen=True, eq=False)
class Curve:
    """Every kept list that a threshold can make, over one group of queries.

    `thresholds` are the distinct observed scores in ascending order and, last, one above them all (nothing
    is kept): between two of them no kept list changes. Where queries x scores is too large for a table they
    are a sample of the scores, evenly spaced by rank. `negative` queries have no relevant document at all,
    `failed` ones no scores. `position` is where each query stands in the `Judged` that the curve was drawn
    from.
    """

    states: States
    score: Floats  # per state: of the last candidate kept; +inf where none is
    thresholds: Floats
    negative: Bools
    failed: Bools
    position: Ints

    @property
    def n(self) -> int:
        """The number of queries."""
        return len(self.negative)

    @cached_property
    def answerable(self) -> Bools:
        """Queries with a relevant candidate: the others are the retriever's losses, not the threshold's."""
        return np.asarray(self.states.total[self.states.start[:-1]] > 0)

    @cached_property
    def index(self) -> Ints:
        """The state of each query at each threshold: `values[index]` is a table queries x thresholds."""
        rows, columns = self._rows, len(self.thresholds)
        # A candidate is kept at all thresholds up to its score.
        column = np.searchsorted(self.thresholds, self.score[rows], side="right") - 1
        cell = self.states.query[rows] * columns + column
        counts = np.bincount(cell[column >= 0], minlength=self.n * columns).reshape(self.n, columns)
        return np.asarray(self.states.start[:-1, None] + counts[:, ::-1].cumsum(axis=1)[:, ::-1])

    def at(self, threshold: float | Floats) -> Ints:
        """Return the state of each query at any threshold: one for all, or one a query."""
        limit = np.broadcast_to(threshold, self.n)[self.states.query]
        kept = self.states.query[self._rows & (self.score >= limit)]
        return np.asarray(self.states.start[:-1] + np.bincount(kept, minlength=self.n))

    def sums(self, values: Floats) -> tuple[Floats, Floats]:
        """Return every distinct threshold, ascending, and the sum of `values` over the queries at each.

        One sorted sweep: a candidate that enters changes its query's value, tied candidates enter together.
        Exact for any number of queries, where `index` may be thinned.
        """
        change = np.empty_like(values)
        change[1:] = np.diff(values)
        entering = change[self._rows][self._descending]
        score = self.score[self._rows][self._descending]
        last = np.flatnonzero(np.diff(score, append=-np.inf))
        empty = values[self.states.start[:-1]].sum()
        sums = np.concatenate([[empty], empty + entering.cumsum()[last]])
        above = np.nextafter(score[:1], np.inf) if len(score) else np.zeros(1)
        return np.concatenate([above, score[last]])[::-1], sums[::-1]

    def keep_top_1(self) -> Curve:
        """Return the curve of a system that shows its best candidate where no candidate passes."""
        states = self.states
        empty = states.start[:-1][np.diff(states.start) > 1]
        source = np.arange(len(states.kept))
        source[empty] += 1
        kept, relevant = states.kept[source], states.relevant[source]
        return replace(self, states=replace(states, kept=kept, relevant=relevant))

    def decisive(self, most: int = 1024) -> Curve:
        """Return the curve on the thresholds where an optimum can lie, at most `most` of them.

        Below a relevant candidate's score and above the next one only junk is let in. So the optima of all
        criteria lie at the scores of relevant candidates, or just above the best candidate of a query that
        has none. Where these are too many they are thinned evenly by rank.
        """
        entering = np.flatnonzero(np.diff(self.states.relevant, prepend=0) > 0)
        hopeless = self.states.start[:-1][~self.answerable & (np.diff(self.states.start) > 1)] + 1
        best = np.nextafter(self.score[hopeless], np.inf)
        scores = np.unique(np.concatenate([self.score[entering[self._rows[entering]]], best]))
        if len(scores) > most:
            scores = scores[np.linspace(0, len(scores) - 1, most).astype(np.int64)]
        return replace(self, thresholds=np.unique(np.concatenate([self.thresholds[[0, -1]], scores])))

    @cached_property
    def _rows(self) -> Bools:
        rows = np.ones(len(self.score), dtype=np.bool_)
        rows[self.states.start[:-1]] = False
        return rows

    @cached_property
    def _descending(self) -> Ints:
        return np.asarray(np.argsort(-self.score[self._rows], kind="stable"))


def curve_of(
    judged: Judged,
    queries: Ints | None = None,
    *,
    failed: Collection[str] = (),
    unjudged: Unjudged = "irrelevant",
) -> Curve:
    """Draw the curve of the queries at positions `queries` (all, if None).

    `unjudged` says what a document without a judgment is: "irrelevant"; left out ("condensed"); or, as
    bounds, "worst" (irrelevant while it is kept, relevant once it is dropped) and "best" (the reverse).
    """
    position = np.arange(len(judged.query_ids)) if queries is None else queries
    counts = np.diff(judged.offsets)[position]
    row = np.repeat(judged.offsets[position] - (counts.cumsum() - counts), counts) + np.arange(counts.sum())
    query = np.repeat(np.arange(len(position)), counts)
    if unjudged == "condensed":
        stays = judged.judged[row]
        row, query = row[stays], query[stays]
        counts = np.bincount(query, minlength=len(position))
    states = _states(judged, position, row, query, counts, unjudged)
    score = np.full(len(states.kept), np.inf)
    score[states.kept > 0] = judged.score[row]
    relevant_grades = np.add.reduceat(
        np.append(judged.ideal >= judged.relevant_from, False), judged.ideal_offsets[:-1], dtype=np.int64
    ) * (np.diff(judged.ideal_offsets) > 0)
    lost = set(failed)
    return Curve(
        states,
        score,
        _thresholds(judged.score[row], len(position)),
        relevant_grades[position] == 0,
        np.array([judged.query_ids[i] in lost for i in position.tolist()], dtype=np.bool_),
        position,
    )


def _states(
    judged: Judged, position: Ints, row: Ints, query: Ints, counts: Ints, unjudged: Unjudged
) -> States:
    start = np.concatenate([[0], (counts + 1).cumsum()])
    slot = np.arange(len(row)) + query + 1
    relevant = judged.judged[row] & (judged.grade[row] >= judged.relevant_from)
    unknown = ~judged.judged[row]
    owner = np.repeat(np.arange(len(position)), counts + 1)
    kept = np.arange(start[-1]) - start[owner]

    def cumulated(amount: Floats | Bools) -> Floats:
        placed = np.zeros(start[-1], dtype=amount.dtype if amount.dtype != np.bool_ else np.int64)
        placed[slot] = amount
        running = placed.cumsum()
        return np.asarray(running - running[start[owner]])

    found = cumulated(relevant)
    total = found[start[1:] - 1][owner]
    gain = np.where(judged.judged[row], np.maximum(judged.grade[row], 0), 0) / np.log2(kept[slot] + 1)
    if unjudged in ("worst", "best"):
        seen = cumulated(unknown)
        unseen = seen[start[1:] - 1][owner] - seen
        found, total = (found + seen, total + seen) if unjudged == "best" else (found, total + unseen)
    return States(
        owner,
        start,
        kept,
        found.astype(np.int64),
        total.astype(np.int64),
        cumulated(gain),
        _ideal(judged, position),
    )


def _ideal(judged: Judged, position: Ints) -> Floats:
    lengths = np.diff(judged.ideal_offsets)[position]
    width = int(lengths.max(initial=0))
    column = np.arange(width)
    inside = column < lengths[:, None]
    grades = np.zeros(inside.shape)
    source = judged.ideal_offsets[position][:, None] + column
    grades[inside] = np.maximum(judged.ideal[source[inside]], 0)
    useful = int((grades > 0).any(axis=0).sum())
    return grades[:, :useful]


def _thresholds(score: Floats, n: int) -> Floats:
    distinct = np.unique(score)
    most = max(FEWEST, CELLS // max(n, 1))
    if len(distinct) > most:
        distinct = distinct[np.linspace(0, len(distinct) - 1, most).astype(np.int64)]
    above = np.nextafter(distinct[-1:], np.inf) if len(distinct) else np.zeros(1)
    return np.concatenate([distinct, above])
