"""What a threshold would keep, for every query and every threshold that makes a difference."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from evalkit.records import Bools, Floats, Ints, Judged
from evalkit.thresholds.states import States, Unjudged, states_of

CELLS = 5_000_000  # of a table queries x thresholds; above, thresholds are thinned to quantiles
FEWEST = 128  # thresholds that thinning leaves at least


class Sweep(NamedTuple):
    """A falling threshold: the states it enters, in order; where ties end; every threshold, ascending."""

    entering: Ints
    last: Ints
    thresholds: Floats

    @classmethod
    def of(cls, score: Floats) -> Sweep:
        """Sort the scores of all states once: +inf keeps nothing, -inf is never kept (a rule forbids it)."""
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
    def unit(self) -> Ints:
        """Which unit each query belongs to, numbered as they come: a cluster is one, so is a lone query."""
        _, first, owner = np.unique(self.cluster, return_index=True, return_inverse=True)
        return np.asarray(first.argsort().argsort()[owner])

    @cached_property
    def leaders(self) -> Ints:
        """The first query of each unit."""
        return np.unique(self.unit, return_index=True)[1]

    def by_unit(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return (units, ...): `values` (queries, ...) summed within each unit."""
        units = len(self.leaders)
        if units == self.n:
            return values
        sums = np.zeros((units, *values.shape[1:]), dtype=values.dtype)
        np.add.at(sums, self.unit, values)
        return sums

    @cached_property
    def index(self) -> Ints:
        """The state of each query at each threshold: `values[index]` is a table queries x thresholds."""
        columns, rows = len(self.thresholds), np.flatnonzero(self._column >= 0)
        cell = self.states.query[rows] * columns + self._column[rows]
        counts = np.bincount(cell, minlength=self.n * columns).reshape(self.n, columns)
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

    def totals(self, values: Floats, weights: Floats) -> Floats:
        """Return (rows of `weights`, thresholds): the weighted sum of `values` over the queries at each.

        `weights` has one column a query. What `weights @ values[index]` is, without that table. A threshold
        that changes no query's value has exactly the sum of its neighbour.
        """
        first, columns = self.states.start[:-1], len(self.thresholds)
        moves = np.diff(values, prepend=0.0)
        moves[first] = 0.0
        rows = np.flatnonzero((moves != 0.0) & (self._column >= 0))
        by_row, column = weights[:, self.states.query[rows]] * moves[rows], self._column[rows]
        entering = np.stack([np.bincount(column, moved, columns) for moved in by_row])
        return np.asarray((weights @ values[first])[:, None] + entering[:, ::-1].cumsum(axis=1)[:, ::-1])

    def steps(self, values: Floats, queries: Ints) -> Ints:
        """Return the thresholds (columns) above which the value of one of `queries` changes, and the last."""
        mine = np.zeros(self.n, dtype=np.bool_)
        mine[queries] = True
        moves = (np.diff(values, prepend=0.0) != 0.0) & mine[self.states.query] & (self._column >= 0)
        return np.unique(np.append(self._column[moves], len(self.thresholds) - 1))

    @cached_property
    def candidates(self) -> Ints:
        """The candidates of all queries together that reach each threshold."""
        columns = self._column[self._column >= 0]
        return np.bincount(columns, minlength=len(self.thresholds))[::-1].cumsum()[::-1]

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
        return replace(self, thresholds=np.unique(scores[np.isfinite(scores)]))

    @cached_property
    def _column(self) -> Ints:
        """The highest threshold that keeps each state's last candidate; -1 where there is none."""
        column = np.searchsorted(self.thresholds, self.score, side="right") - 1
        column[self.states.start[:-1]] = -1
        return column

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
    states = states_of(judged, position, row, counts, unjudged)
    score = np.full(len(states.kept), np.inf)
    score[states.kept > 0] = judged.score[row]
    relevant = judged.ideal >= judged.relevant_from
    n_relevant = np.bincount(judged.ideal_query[relevant], minlength=len(judged.query_ids))
    lost = set(failed)
    sweep = Sweep.of(score)
    return Curve(
        states=states,
        score=score,
        thresholds=_thinned(sweep.thresholds, len(position)),
        negative=n_relevant[position] == 0,
        failed=np.array([judged.query_ids[i] in lost for i in position.tolist()], dtype=np.bool_),
        position=position,
        cluster=position if clusters is None else clusters[position],
        sweep=sweep,
    )


def _thinned(thresholds: Floats, n: int) -> Floats:
    most = max(FEWEST, CELLS // max(n, 1))
    if len(thresholds) <= most + 1:
        return thresholds
    return np.asarray(thresholds[np.linspace(0, len(thresholds) - 1, most + 1).astype(np.int64)])
