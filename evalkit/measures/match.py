"""Which rows of a run are judged, and which name a document twice: one pass over blocks of whole queries."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from evalkit.errors import DataError, Finding
from evalkit.measures.keys import KeysOf, Texts, exact, hashed
from evalkit.measures.order import Grouped
from evalkit.measures.slots import Slots
from evalkit.records import Bools, Codes, Ints, Qrels, Run

BLOCK = 1 << 15  # rows whose keys stay in a core's cache


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
        wanted = self._judgments(queries)
        wanted_keys = judged_keys_of(self._qrels.query[wanted], self._qrels.doc[wanted])
        row_ends = np.append(grouped.begins, len(grouped.query))
        judgment_ends = np.append(0, np.cumsum(self._count[queries]))

        def look(block: tuple[int, int]) -> tuple[Ints, Ints, Ints]:
            low, high = row_ends[list(block)].tolist()
            mine = slice(*judgment_ends[list(block)].tolist())
            rows = Slots(keys_of(grouped.query[low:high], run.doc[grouped.rows_between(low, high)]))
            found, place = rows.find(wanted_keys[mine])
            order = np.argsort(found)
            return found[order] + low, wanted[mine][place[order]], rows.repeated() + low

        told = [look(block) for block in _blocks(row_ends)]
        position, judgment, again = (_joined([one[i] for one in told]) for i in range(3))
        if len(again):
            _refuse_repeated(run, grouped, again)
        if not _same(run, self._qrels, grouped, position, judgment).all():
            raise _KeysCollide
        return Matches(position, judgment)


def _blocks(row_ends: Ints) -> Iterator[tuple[int, int]]:
    """Yield the first query, and that after the last, of blocks of about BLOCK rows."""
    at = np.searchsorted(row_ends, np.arange(0, row_ends[-1], BLOCK))
    yield from pairwise(dict.fromkeys([0, *at.tolist(), len(row_ends) - 1]))


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
