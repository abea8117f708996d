"""The join: a run and its judgments become one `Judged`, in vectorised passes over whole queries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

import numpy as np

from evalkit.errors import DataError, Finding, InputError
from evalkit.measures import cores
from evalkit.measures.match import Matcher, Matches, line_of
from evalkit.measures.order import Grouped, Moves, TieGroups, by_document, group, tie_groups
from evalkit.records import Codes, Floats, Ints, Judged, Qrels, Run

PART = 1 << 19  # rows

Ties = Literal["document", "averaged"]
Precision = Literal["float64", "float32"]


class Scattered(Exception):
    """A query's rows lie in more than one part of a run: join the run as a whole."""


def judge(
    run: Run,
    qrels: Qrels,
    *,
    categories: Mapping[str, str] | None = None,
    judged_rows_only: bool = False,
    depth: int | None = None,
    ties: Ties = "document",
    score_precision: Precision = "float64",
) -> Judged:
    """Return the run joined with its judgments, in rank order.

    Queries are those of the qrels; one that the run lacks has no rows, one that the qrels lack is left out
    and counted. `judged_rows_only` drops rows without a judgment after ranking, `depth` those below that
    rank. `categories` maps query ids to categories ("" where it has none). Equal scores are ordered by
    document id, or, `averaged`, measures give the mean over all orders. Scores are compared as doubles, as
    trec_eval does since 2023, or as float32, as trec_eval 9.0.8 and pytrec_eval do.

    Raises:
        InputError: an option is none of these, or `depth` is asked of averaged ties.
        DataError: a query holds a document twice, or a score is not a number; with the line.
    """
    join = Join(qrels, judged_rows_only, depth, ties, score_precision)
    if len(run.query) >= 2 * PART:
        with suppress(Scattered, DataError):  # the whole run can say where
            return join.judged(_in_parts(run, join.part), categories)
    return join.judged([join.part(run)], categories)


class Part(NamedTuple):
    """Some whole queries of a run, joined: rows in any order of queries, each query's in rank order."""

    length: int  # rows, judged queries or not
    query: Codes
    rank: Ints
    row: Ints
    score: Floats
    judgment: Ints  # -1: none
    first: Ints
    last: Ints
    groups: Codes  # the queries
    sizes: Ints  # and how many documents each has
    tied_queries: int
    unjudged: frozenset[str]


class Join:
    """Judgments that wait for a run, which may come in parts of whole queries."""

    def __init__(
        self,
        qrels: Qrels,
        judged_rows_only: bool = False,
        depth: int | None = None,
        ties: Ties = "document",
        score_precision: Precision = "float64",
    ) -> None:
        for name, given, known in (("ties", ties, Ties), ("score_precision", score_precision, Precision)):
            if given not in get_args(known):
                raise InputError(f"{name} {given!r}: it is one of {', '.join(get_args(known))}")
        if depth is not None and depth < 1:
            raise InputError(f"a depth of {depth}: it is at least 1")
        if ties == "averaged" and depth is not None:
            raise InputError("a depth needs one order, and averaged ties have none: use measures with @k")
        self._codes = {query: code for code, query in enumerate(qrels.query_ids.to_pylist())}
        self._qrels, self._matcher = qrels, Matcher(qrels)
        self._judged_only, self._depth, self._ties = judged_rows_only, depth, ties
        self._precision = score_precision

    def part(self, run: Run) -> Part:
        """Return a part's rows joined; parts can be joined in several threads.

        Raises:
            DataError: as `judge`.
        """
        known = (self._codes.get(query, -1) for query in run.query_ids.to_pylist())
        queries = np.fromiter(known, np.int32, len(run.query_ids))
        grouped = _grouped(run, queries, self._precision)
        found = self._matcher.match(run, grouped)
        equal = tie_groups(grouped)
        held = equal.only(_at(equal, found.position)) if self._judged_only else equal
        moves = by_document(grouped, held, run.doc_ids, run.doc)
        columns = _judged_rows if self._judged_only else _all_rows
        position, row, judgment = columns(grouped, found, moves)
        groups, sizes = grouped.query[grouped.begins], np.diff(np.append(grouped.begins, len(grouped.query)))
        start = np.zeros(len(self._qrels.query_ids), np.int64)
        start[groups] = grouped.begins
        query = grouped.query[position]
        rank = position - start[query] + 1
        first, last = _spans(equal, position, rank) if self._ties == "averaged" else (rank, rank)
        unjudged = frozenset(run.query_ids[i].as_py() for i in np.flatnonzero(queries < 0).tolist())
        return Part(
            length=len(run.query),
            query=query,
            rank=rank,
            row=row,
            score=run.score[row],
            judgment=judgment,
            first=first,
            last=last,
            groups=groups,
            sizes=sizes,
            tied_queries=_deciding(grouped, equal, found, self._qrels.grade),
            unjudged=unjudged,
        )

    def judged(self, parts: Sequence[Part], categories: Mapping[str, str] | None = None) -> Judged:
        """Return the joined run; `row` counts through the parts in their order.

        Raises:
            Scattered: a query is in more than one part.
        """
        qrels, n = self._qrels, len(self._qrels.query_ids)
        groups = _joined([part.groups for part in parts], np.int32)
        if np.bincount(groups).max(initial=0) > 1:
            raise Scattered
        retrieved = np.zeros(n, np.int64)
        retrieved[groups] = _joined([part.sizes for part in parts])
        query, rank = (
            _joined([part.query for part in parts], np.int32),
            _joined([part.rank for part in parts]),
        )
        keep = np.argsort(query, kind="stable")
        if self._depth is not None:
            keep = keep[rank[keep] <= self._depth]
            retrieved = np.minimum(retrieved, self._depth)
        judgment = _joined([part.judgment for part in parts])[keep]
        grade = np.zeros(len(keep), np.int32)
        grade[judgment >= 0] = qrels.grade[judgment[judgment >= 0]]
        starts = np.cumsum([0, *(part.length for part in parts)])[:-1]
        averaged = self._ties == "averaged"
        ids = qrels.query_ids.to_pylist()
        return Judged(
            query_ids=tuple(ids),
            category=tuple(categories.get(one, "") for one in ids) if categories else ("",) * n,
            offsets=_offsets(query[keep], n),
            row=_joined([part.row + start for part, start in zip(parts, starts, strict=True)])[keep],
            rank=rank[keep].astype(np.int32),
            score=_joined([part.score for part in parts], np.float64)[keep],
            grade=grade,
            judged=judgment >= 0,
            retrieved=retrieved,
            ideal=_falling(qrels.grade, qrels.query, n),
            ideal_offsets=_offsets(qrels.query, n),
            relevant_from=qrels.relevant_from,
            judged_rows_only=self._judged_only,
            tied_queries=sum(part.tied_queries for part in parts),
            unjudged_queries=len(frozenset().union(*(part.unjudged for part in parts))),
            tie_first=_joined([part.first for part in parts])[keep].astype(np.int32) if averaged else None,
            tie_last=_joined([part.last for part in parts])[keep].astype(np.int32) if averaged else None,
            gains=qrels.gains,
        )


def _in_parts(run: Run, work: Callable[[Run], Part]) -> list[Part]:
    """Return `work` done on parts of a run by all cores; no part begins inside a group of a query's rows."""
    n = len(run.query)
    borders = np.flatnonzero(run.query[1:] != run.query[:-1]) + 1
    at = np.searchsorted(borders, np.arange(PART, n, PART))
    bounds = dict.fromkeys([0, *np.append(borders, n)[at].tolist(), n])
    with cores.pool() as threads:
        return list(threads.map(lambda ends: work(_between(run, *ends)), pairwise(bounds)))


def _between(run: Run, low: int, high: int) -> Run:
    """Return some of a run's rows, with little more than their queries."""
    query = run.query[low:high]
    first, last = int(query.min()), int(query.max())
    ids = run.query_ids[first : last + 1]
    return Run(run.name, ids, run.doc_ids, query - np.int32(first), run.doc[low:high], run.score[low:high])


def _grouped(run: Run, queries: Codes, precision: Precision) -> Grouped:
    """Return the rows of judged queries, grouped and ordered by score."""
    query, score, rows = queries.take(run.query), run.score, None
    if (queries < 0).any():
        rows = np.flatnonzero(query >= 0)
        query, score = query[rows], score[rows]
    if np.isnan(score.min(initial=0)):  # NaN if any is
        at = int(np.flatnonzero(np.isnan(score))[0])
        line = line_of(run, at if rows is None else int(rows[at]))
        what = "the score is not a number (NaN), so nothing says where the document ranks"
        raise DataError([Finding(run.path or run.name, line, what, "Write a number")])
    if precision == "float32":
        with np.errstate(over="ignore"):  # infinite, and so tied, as in C
            score = score.astype(np.float32)
    return group(query, score, rows)


def _judged_rows(grouped: Grouped, found: Matches, moves: Moves) -> tuple[Ints, Ints, Ints]:
    position = moves.of(found.position)
    order = np.argsort(position, kind="stable")
    return position[order], grouped.rows(found.position)[order], found.judgment[order]


def _all_rows(grouped: Grouped, found: Matches, moves: Moves) -> tuple[Ints, Ints, Ints]:
    position = np.arange(len(grouped.query))
    at = position.copy()
    at[moves.new] = moves.old
    judgment = np.full(len(position), -1, np.int64)
    judgment[found.position] = found.judgment
    return position, grouped.rows(at), judgment[at]


def _at(equal: TieGroups, position: Ints) -> Ints:
    """Return which groups hold one of these ascending positions."""
    at, inside = equal.holding(position)
    at = at[inside]
    return at[np.diff(at, prepend=-1) > 0]


def _deciding(grouped: Grouped, equal: TieGroups, found: Matches, grades: Codes) -> int:
    """Return in how many queries documents of different worth have equal scores."""
    at, inside = equal.holding(found.position)
    at, grade = at[inside], np.maximum(grades[found.judgment[inside]], 0).astype(np.int64)
    if not len(at):
        return 0
    n = len(equal.first)
    size = equal.last - equal.first + 1
    total = np.bincount(at, grade, minlength=n)
    highest = np.zeros(n, np.int64)
    np.maximum.at(highest, at, grade)
    return int(np.count_nonzero(np.bincount(grouped.query[equal.first[total != highest * size]])))


def _spans(equal: TieGroups, position: Ints, rank: Ints) -> tuple[Ints, Ints]:
    """Return the ranks that each row's tie group covers: its own alone where nothing is tied."""
    at, inside = equal.holding(position)
    if not len(equal.first):
        return rank, rank
    shift = rank - position
    first, last = equal.first[at] + shift, equal.last[at] + shift
    return np.where(inside, first, rank), np.where(inside, last, rank)


def _falling(grades: Codes, query: Codes, n: int) -> Codes:
    """Return the grades of each query in descending order, one query's after the other."""
    highest = grades.max(initial=0)
    levels = int(highest) - int(grades.min(initial=0)) + 1
    if n * levels > 4 * len(grades):
        return grades[np.lexsort((-grades.astype(np.int64), query))]
    below = query * np.int64(levels) + (highest - grades)  # few levels: count instead of sorting
    counts = np.bincount(below, minlength=n * levels)
    return np.repeat(np.tile(highest - np.arange(levels, dtype=np.int32), n), counts)


def _offsets(query: Ints | Codes, n: int) -> Ints:
    counts = np.bincount(query, minlength=n)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def _joined(parts: Sequence[np.ndarray], dtype: type = np.int64) -> np.ndarray:
    return np.concatenate(parts) if parts else np.empty(0, dtype)
