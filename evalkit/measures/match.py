"""Which rows of a run are judged, and which name a document twice: one pass over blocks of whole queries."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evalkit.errors import DataError, Finding
from evalkit.measures.keys import Keys, KeysOf, Texts, exact, hashed, repeating
from evalkit.measures.order import Grouped
from evalkit.records import Bools, Codes, Ints, Qrels, Run

BLOCK = 1 << 15  # rows whose keys stay in a core's cache
SLOTS_PER_JUDGMENT = 16


class _KeysCollide(Exception):
    """Two different pairs have one key: ask again with exact keys."""


class Matches(NamedTuple):
    """`position` (in the grouped order, ascending) of each judged row, and the `judgment` that it meets."""

    position: Ints
    judgment: Ints


class Matcher:
    """Judgments by query, ready to meet runs."""

    def __init__(self, qrels: Qrels) -> None:
        self._qrels = qrels
        in_order = (qrels.query[1:] >= qrels.query[:-1]).all()
        self._order = None if in_order else np.argsort(qrels.query, kind="stable")
        counts = np.bincount(qrels.query, minlength=len(qrels.query_ids))
        self._first, self._count = np.cumsum(counts) - counts, counts

    def match(self, run: Run, grouped: Grouped) -> Matches:
        """Return the judged rows of a run.

        Raises:
            DataError: a query holds a document twice; each with its line.
        """
        try:
            return self._match(run, grouped, hashed(run.doc_ids), hashed(self._qrels.doc_ids))
        except _KeysCollide:
            return self._match(run, grouped, *exact(run.doc_ids, self._qrels.doc_ids))

    def _judgments(self, queries: Codes) -> Ints:
        """Return the judgments of these queries, one query's after the other."""
        first, count = self._first[queries], self._count[queries]
        places = np.arange(count.sum()) + np.repeat(first - np.cumsum(count) + count, count)
        return places if self._order is None else self._order[places]

    def _match(self, run: Run, grouped: Grouped, keys_of: KeysOf, judged_keys_of: KeysOf) -> Matches:
        queries = grouped.query[grouped.begins]
        index = _Index(self._qrels, queries, self._judgments(queries), judged_keys_of)

        def look(block: tuple[int, int]) -> tuple[Ints, Ints, Ints]:
            low, high = block
            query = grouped.query[low:high]
            keys = keys_of(query, run.doc[grouped.rows_between(low, high)])
            found, judgment = index.find(query, keys)
            return found + low, judgment, repeating(keys) + low

        told = [look(block) for block in _blocks(grouped)]
        position, judgment, again = (_joined([one[i] for one in told]) for i in range(3))
        if len(again):
            _refuse_repeated(run, grouped, again)
        if not _same(run, self._qrels, grouped, position, judgment).all():
            raise _KeysCollide
        return Matches(position, judgment)


def _blocks(grouped: Grouped) -> Iterator[tuple[int, int]]:
    """Yield the bounds of blocks of whole queries, of about BLOCK rows."""
    n = len(grouped.query)
    places = np.searchsorted(grouped.begins, np.arange(0, n, BLOCK))
    bounds = np.append(np.append(grouped.begins, n)[places], n)
    yield from pairwise(dict.fromkeys([0, *bounds.tolist()]))


class _Index:
    """Some queries' judgments by key. A small table per query, which stays in the cache while its rows pass,
    sorts out nearly every row without a judgment.
    """

    def __init__(self, qrels: Qrels, queries: Codes, judgments: Ints, keys_of: KeysOf) -> None:
        self._judgments = judgments
        query = qrels.query[judgments]
        self._keys = keys = keys_of(query, qrels.doc[judgments])
        n = max(len(queries), 1)
        self._width = 1 << max(int(np.ceil(np.log2(max(len(keys) / n, 1) * SLOTS_PER_JUDGMENT))), 3)
        self._begins = np.zeros(len(qrels.query_ids), np.uint32)  # a query's slots
        self._begins[queries] = np.arange(len(queries), dtype=np.uint32) * np.uint32(self._width)
        self._used = np.zeros(n * self._width, np.bool_)
        self._table = np.zeros(n * self._width, np.int32)
        slots = self._slots(query, keys)
        self._used[slots] = True
        self._table[slots] = np.arange(len(keys), dtype=np.int32)
        lost = self._table[slots] != np.arange(len(keys))  # another judgment took the slot
        self._crowded = np.zeros(n * self._width, np.bool_)
        self._crowded[slots[lost]] = True
        crowd = np.flatnonzero(self._crowded[slots])
        self._order = crowd[np.argsort(keys[crowd], kind="stable")]
        self._sorted = keys[self._order]
        if (self._sorted[1:] == self._sorted[:-1]).any():
            raise _KeysCollide

    def find(self, query: Codes, keys: Keys) -> tuple[Ints, Ints]:
        """Return which of the rows have a judgment's key, and which judgment's."""
        slots = self._slots(query, keys)
        rows = np.flatnonzero(self._used.take(slots))
        slots, keys = slots[rows], keys[rows]
        judgment = self._table[slots].astype(np.int64)
        hit = self._keys[judgment] == keys
        open_rows = np.flatnonzero(~hit & self._crowded[slots])
        if len(open_rows):
            place = np.minimum(np.searchsorted(self._sorted, keys[open_rows]), len(self._sorted) - 1)
            judgment[open_rows] = self._order[place]
            hit[open_rows] = self._sorted[place] == keys[open_rows]
        return rows[hit], self._judgments[judgment[hit]]

    def _slots(self, query: Codes, keys: Keys) -> npt.NDArray[np.uint32]:
        slots = keys.astype(np.uint32)
        slots &= np.uint32(self._width - 1)
        slots += self._begins.take(query)
        return slots


def _same(run: Run, qrels: Qrels, grouped: Grouped, position: Ints, judgment: Ints) -> Bools:
    found, wanted = run.doc[grouped.rows(position)], qrels.doc[judgment]
    same_doc = Texts(run.doc_ids).equal(found, Texts(qrels.doc_ids), wanted)
    return np.asarray(same_doc & (grouped.query[position] == qrels.query[judgment]), np.bool_)


def line_of(run: Run, row: int) -> int:
    """Return the line of its file, or the number, of a run's row."""
    return row + 1 if run.lines is None else int(run.lines[row])


def _refuse_repeated(run: Run, grouped: Grouped, again: Ints) -> None:
    """Raise an error that names each document that a query holds twice."""
    rows = np.sort(grouped.rows(again))
    seen: dict[tuple[str, str], int] = {}
    findings = []
    for row in rows.tolist():
        pair = run.query_ids[run.query[row]].as_py(), run.doc_ids[run.doc[row]].as_py()
        line = line_of(run, row)
        if pair in seen:
            what = f"query {pair[0]} holds document {pair[1]} again: it is on line {seen[pair]} already"
            findings.append(Finding(run.path or run.name, line, what, "Keep one line a document and query"))
        seen.setdefault(pair, line)
    if findings:
        raise DataError(findings)


def _joined(parts: list[Ints]) -> Ints:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)
