"""What a query's kept list can be, under each reading of the documents that nobody judged."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from evalkit.measures.gain import gain_of
from evalkit.records import Bools, Codes, Floats, Ints, Judged

Unjudged = Literal["irrelevant", "condensed", "worst", "best"]


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


def states_of(judged: Judged, position: Ints, row: Ints, counts: Ints, unjudged: Unjudged) -> States:
    """Return the states of the queries at `position`, whose `counts` candidates are the rows `row`."""
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
