"""The join: a run and its judgments become one `Judged`, in a single vectorised pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from evalkit.errors import DataError, Finding, InputError
from evalkit.measures.columns import positions
from evalkit.measures.match import Matches, line_of, match
from evalkit.measures.order import Grouped, Moves, TieGroups, by_document, group, tie_groups
from evalkit.records import Codes, Ints, Judged, Qrels, Run

Ties = Literal["document", "averaged"]
Precision = Literal["float64", "float32"]


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
        InputError: `depth` is asked of averaged ties.
        DataError: a query holds a document twice, or a score is not a number; with the line.
    """
    if ties == "averaged" and depth is not None:
        raise InputError("a depth needs one order: averaged ties have none; use measures with @k instead")
    queries = positions(run.query_ids, qrels.query_ids)
    grouped = _grouped(run, queries, score_precision)
    found = match(run, qrels, grouped)
    equal = tie_groups(grouped)
    tied = _deciding(grouped, equal, found, qrels)
    held = equal.only(np.unique(_at(equal, found.position))) if judged_rows_only else equal
    moves = by_document(grouped, held, run.doc_ids, run.doc)

    n = len(qrels.query_ids)
    starts, retrieved = np.zeros(n, np.int64), np.zeros(n, np.int64)
    starts[grouped.query[grouped.begins]] = grouped.begins
    retrieved[grouped.query[grouped.begins]] = np.diff(np.append(grouped.begins, len(grouped.query)))
    rows = _judged_rows(grouped, found, moves) if judged_rows_only else _all_rows(grouped, found, moves)
    position, row, judgment = rows
    query = grouped.query[position]
    rank = position - starts[query] + 1
    keep = np.argsort(query, kind="stable")
    if depth is not None:
        keep = keep[rank[keep] <= depth]
        retrieved = np.minimum(retrieved, depth)
    position, row, judgment, rank = position[keep], row[keep], judgment[keep], rank[keep]
    first, last = _spans(equal, position, rank) if ties == "averaged" else (None, None)
    ideal, ideal_offsets = _ideal(qrels)
    ids = qrels.query_ids.to_pylist()
    return Judged(
        query_ids=tuple(ids),
        category=tuple(categories.get(one, "") for one in ids) if categories else ("",) * n,
        offsets=_offsets(query[keep], n),
        row=row,
        rank=rank.astype(np.int32),
        score=run.score[row],
        grade=np.where(judgment >= 0, qrels.grade[judgment], 0).astype(np.int32),
        judged=judgment >= 0,
        retrieved=retrieved,
        ideal=ideal,
        ideal_offsets=ideal_offsets,
        relevant_from=qrels.relevant_from,
        judged_rows_only=judged_rows_only,
        tied_queries=tied,
        unjudged_queries=int((queries < 0).sum()),
        tie_first=first,
        tie_last=last,
    )


def _grouped(run: Run, queries: Codes, precision: Precision) -> Grouped:
    """Return the rows of judged queries, grouped and ordered by score."""
    query, score, rows = queries[run.query], run.score, None
    if (queries < 0).any():
        rows = np.flatnonzero(query >= 0)
        query, score = query[rows], score[rows]
    nan = np.isnan(score)
    if nan.any():
        row = int(np.flatnonzero(nan)[0]) if rows is None else int(rows[nan][0])
        what = "a score is not a number (NaN): nothing ranks it"
        raise DataError([Finding(run.path or run.name, line_of(run, row), what, "Write a number")])
    if precision == "float32":
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
    at, inside = equal.holding(position)
    return at[inside]


def _deciding(grouped: Grouped, equal: TieGroups, found: Matches, qrels: Qrels) -> int:
    """Return in how many queries documents of different worth have equal scores."""
    at, inside = equal.holding(found.position)
    at, grade = at[inside], np.maximum(qrels.grade[found.judgment[inside]], 0).astype(np.int64)
    if not len(at):
        return 0
    n = len(equal.first)
    size = equal.last - equal.first + 1
    total = np.bincount(at, grade, minlength=n)
    highest = np.zeros(n, np.int64)
    np.maximum.at(highest, at, grade)
    return len(np.unique(grouped.query[equal.first[total != highest * size]]))


def _spans(equal: TieGroups, position: Ints, rank: Ints) -> tuple[Codes, Codes]:
    """Return the ranks that each row's tie group covers: its own alone where nothing is tied."""
    at, inside = equal.holding(position)
    if not len(equal.first):
        return rank.astype(np.int32), rank.astype(np.int32)
    shift = rank - position
    first = np.where(inside, equal.first[at] + shift, rank)
    last = np.where(inside, equal.last[at] + shift, rank)
    return first.astype(np.int32), last.astype(np.int32)


def _ideal(qrels: Qrels) -> tuple[Codes, Ints]:
    order = np.lexsort((-qrels.grade.astype(np.int64), qrels.query))
    return qrels.grade[order], _offsets(qrels.query, len(qrels.query_ids))


def _offsets(query: Ints | Codes, n: int) -> Ints:
    counts = np.bincount(query, minlength=n)
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
