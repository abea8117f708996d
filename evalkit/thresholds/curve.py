"""What a threshold would keep, for every query and every threshold that makes a difference."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from evalkit.measures.gain import gain_of
from evalkit.records import Bools, Codes, Floats, Ints, Judged

Unjudged = Literal["irrelevant", "condensed", "worst", "best"]

CELLS = 5_000_000  # of a table queries x thresholds; above, thresholds are thinned to quantiles
FEWEST = 128  # thresholds that thinning leaves at least


@dataclass(frozen=True, eq=False)
class States:
    """What a query's kept list can be: its first k candidates, for k = 0 .. all of them.

    Query i's states stand at `start[i]` (k = 0) to `start[i + 1] - 1` (everything); the other arrays have one
    value a state. `total` is the number of relevant candidates, `gain` the discounted gain of the last one
    kept; `ideal` holds each query's positive judged grades in descending order, one padded row a query.
    """

    query: Codes
    start: Ints
    kept: Codes
    relevant: Codes
    total: Codes
    gain: Floats
    ideal: Floats

    @property
    def deepest(self) -> int:
        """The most candidates that any query has."""
        return int(np.diff(self.start).max(initial=1)) - 1

    def dcg_at(self, k: int) -> Floats:
        """Return the DCG@k (linear gain) of each kept list."""
        return np.asarray(self._dcg[self.start[self.query] + np.minimum(self.kept, k)])

    def relevant_at(self, k: int) -> Codes:
        """Return the relevant documents among the first k of each kept list."""
        return np.asarray(self.relevant[self.start[self.query] + np.minimum(self.kept, k)])

    def ideal_dcg_at(self, k: int) -> Floats:
        """Return the DCG@k of the perfect order of all judged documents, repeated for each state."""
        gains = self.ideal[:, :k]
        return np.asarray((gains / np.log2(np.arange(gains.shape[1]) + 2)).sum(axis=1)[self.query])

    @cached_property
    def _dcg(self) -> Floats:
        return np.asarray(_within(self.gain, self.start))


class Sweep(NamedTuple):
    """A falling threshold: the states it enters, in order; where ties end; every threshold, ascending."""

    entering: Ints
    last: Ints
    thresholds: Floats

    @classmethod
    def of(cls, score: Floats) -> Sweep:
        """Sort the scores of all states once; a score of +inf is a state that keeps nothing."""
        rows = np.flatnonzero(np.isfinite(score))
        entering = rows[np.argsort(-score[rows])]
        ordered = score[entering]
        last = np.flatnonzero(np.diff(ordered, append=-np.inf))
        above = np.nextafter(ordered[:1], np.inf) if len(ordered) else np.zeros(1)
        return cls(entering, last, np.concatenate([above, ordered[last]])[::-1])


@dataclass(frozen=True, eq=False)
class Curve:
    """Every kept list that a threshold can make, over one group of queries.

    `thresholds` are the distinct observed scores in ascending order and, last, one above them all (nothing
    is kept): between two of them no kept list changes. Where queries x scores is too large for a table they
    are a sample of the scores, evenly spaced by rank. `negative` queries have no relevant document at all,
    `failed` ones no scores. `position` is where each query stands in the `Judged` that the curve was drawn
    from; queries of one `cluster` are not independent.
    """

    states: States
    score: Floats  # per state: of the last candidate kept; +inf where none is
    thresholds: Floats
    negative: Bools
    failed: Bools
    position: Ints
    cluster: Ints
    sweep: Sweep

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
        entering, last, thresholds = self.sweep
        change = np.diff(values, prepend=0.0)
        empty = values[self.states.start[:-1]].sum()
        change[self.states.start[:-1]] = 0.0
        if not change.any():  # a count of queries, say
            return thresholds, np.full(len(thresholds), empty)
        sums = np.concatenate([[empty], empty + change[entering].cumsum()[last]])
        return thresholds, sums[::-1]

    def keep_top_1(self) -> Curve:
        """Return the curve of a system that shows its best candidate where no candidate passes."""
        states = self.states
        empty = states.start[:-1][np.diff(states.start) > 1]
        source = np.arange(len(states.kept))
        source[empty] += 1
        kept, relevant = states.kept[source], states.relevant[source]
        return replace(self, states=replace(states, kept=kept, relevant=relevant))

    def decisive(self) -> Curve:
        """Return the curve on the thresholds where an optimum can lie.

        Below a relevant candidate's score and above the next one only junk is let in. So the optima of all
        criteria lie at the scores of relevant candidates, or just above the best candidate of a query that
        has none.
        """
        entering = np.flatnonzero(np.diff(self.states.relevant, prepend=0) > 0)
        hopeless = self.states.start[:-1][~self.answerable & (np.diff(self.states.start) > 1)] + 1
        best = np.nextafter(self.score[hopeless], np.inf)
        scores = np.concatenate([self.score[entering[self._rows[entering]]], best, self.thresholds[[0, -1]]])
        return replace(self, thresholds=np.unique(scores))

    @cached_property
    def _rows(self) -> Bools:
        rows = np.ones(len(self.score), dtype=np.bool_)
        rows[self.states.start[:-1]] = False
        return rows


def curve_of(
    judged: Judged,
    queries: Ints | None = None,
    *,
    failed: Collection[str] = (),
    unjudged: Unjudged = "irrelevant",
    clusters: Ints | None = None,
) -> Curve:
    """Draw the curve of the queries at positions `queries` (all, if None).

    `unjudged` says what a document without a judgment is: "irrelevant"; left out ("condensed"); or, as
    bounds, "worst" (irrelevant while it is kept, relevant once it is dropped) and "best" (the reverse).
    `clusters` has a label a query of `judged`, equal for queries that belong together.
    """
    position = np.arange(len(judged.query_ids)) if queries is None else queries
    counts = np.diff(judged.offsets)[position]
    row = np.repeat(judged.offsets[position] - (counts.cumsum() - counts), counts) + np.arange(counts.sum())
    if unjudged == "condensed":
        stays = judged.judged[row]
        query = np.repeat(np.arange(len(position)), counts)
        row, counts = row[stays], np.bincount(query[stays], minlength=len(position))
    states = _states(judged, position, row, counts, unjudged)
    score = np.full(len(states.kept), np.inf)
    score[states.kept > 0] = judged.score[row]
    relevant_grades = np.add.reduceat(
        np.append(judged.ideal >= judged.relevant_from, False), judged.ideal_offsets[:-1], dtype=np.int64
    ) * (np.diff(judged.ideal_offsets) > 0)
    lost = set(failed)
    sweep = Sweep.of(score)
    return Curve(
        states,
        score,
        _thinned(sweep.thresholds, len(position)),
        relevant_grades[position] == 0,
        np.array([judged.query_ids[i] in lost for i in position.tolist()], dtype=np.bool_),
        position,
        position if clusters is None else clusters[position],
        sweep,
    )


def _thinned(thresholds: Floats, n: int) -> Floats:
    most = max(FEWEST, CELLS // max(n, 1))
    if len(thresholds) <= most + 1:
        return thresholds
    return np.asarray(thresholds[np.linspace(0, len(thresholds) - 1, most + 1).astype(np.int64)])


def _states(judged: Judged, position: Ints, row: Ints, counts: Ints, unjudged: Unjudged) -> States:
    start = np.concatenate([[0], (counts + 1).cumsum()])
    owner = np.repeat(np.arange(len(position), dtype=np.int32), counts + 1)
    kept = np.arange(start[-1], dtype=np.int32) - np.repeat(start[:-1], counts + 1).astype(np.int32)
    slot = np.flatnonzero(kept)
    known = judged.judged[row]

    def placed(amount: Floats | Bools | Codes) -> Floats:
        into = np.zeros(start[-1], dtype=np.float64 if amount.dtype == np.float64 else np.int32)
        into[slot] = amount
        return into

    found = _within(placed(known & (judged.grade[row] >= judged.relevant_from)), start)
    total = np.repeat(found[start[1:] - 1], counts + 1)
    if unjudged in ("worst", "best"):
        seen = _within(placed(~known), start)
        unseen = np.repeat(seen[start[1:] - 1], counts + 1) - seen
        found, total = (found + seen, total + seen) if unjudged == "best" else (found, total + unseen)
    gain = np.where(known, gain_of(judged.grade[row], judged.gains), 0) / np.log2(kept[slot] + 1.0)
    return States(owner, start, kept, found, total, placed(gain), _ideal(judged, position))


def _within(amount: Any, start: Ints) -> Any:
    """Return running sums that begin anew at each query."""
    running = amount.cumsum(dtype=amount.dtype)
    return running - np.repeat(running[start[:-1]], np.diff(start))


def _ideal(judged: Judged, position: Ints) -> Floats:
    lengths = np.diff(judged.ideal_offsets)[position]
    width = int(lengths.max(initial=0))
    column = np.arange(width)
    inside = column < lengths[:, None]
    grades = np.zeros(inside.shape)
    source = judged.ideal_offsets[position][:, None] + column
    grades[inside] = gain_of(judged.ideal[source[inside]], judged.gains)
    useful = int((grades > 0).any(axis=0).sum())
    return grades[:, :useful]
