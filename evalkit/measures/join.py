"""The join: a run and its judgments become one `Judged`, in a single vectorised pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np

from evalkit.errors import InputError
from evalkit.measures.columns import positions
from evalkit.measures.order import break_ties, by_score, tie_groups
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
    score_precision: Precision = "float64",
) -> Judged:
    """Return the run joined with its judgments, in rank order.

    Queries are those of the qrels; one that the run lacks has no rows, one that the qrels lack is left out.
    `judged_rows_only` drops the rows without a judgment after ranking, `depth` those below that rank.
    `categories` maps query ids to categories ("" where it has none). Scores are compared as doubles, or as
    float32 as trec_eval 9.0.8 and pytrec_eval do.

    Raises:
        InputError: a score is not a number, or a query holds a document twice.
    """
    queries = positions(run.query_ids, qrels.query_ids)
    kept = np.flatnonzero(queries[run.query] >= 0)
    query, score = queries[run.query[kept]], run.score[kept]
    if score_precision == "float32":
        score = score.astype(np.float32).astype(np.float64)
    if np.isnan(score).any():
        raise InputError(f"the run {run.name!r} has a score that is not a number (NaN): nothing ranks it")
    order = by_score(query, score)
    group, tied = tie_groups(query[order], score[order])
    places = np.flatnonzero(tied)
    rows = kept[order]
    break_ties(rows, places, group[places], run.doc_ids, run.doc)
    query = queries[run.query[rows]]

    n = len(qrels.query_ids)
    retrieved = np.bincount(query, minlength=n).astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(retrieved)]).astype(np.int64)
    rank = np.arange(len(rows)) - starts[query] + 1
    grade, judged = _grades(run, qrels, rows, query)
    keep = np.ones(len(rows), np.bool_)
    if depth is not None:
        keep = rank <= depth
        retrieved = np.minimum(retrieved, depth)
    if judged_rows_only:
        keep &= judged
    counts = np.bincount(query[keep], minlength=n)
    ideal, ideal_offsets = _ideal(qrels)
    ids = qrels.query_ids.to_pylist()
    return Judged(
        query_ids=tuple(ids),
        category=tuple((categories or {}).get(id, "") for id in ids),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        row=rows[keep],
        rank=rank[keep].astype(np.int32),
        score=run.score[rows[keep]],
        grade=grade[keep],
        judged=judged[keep],
        retrieved=retrieved,
        ideal=ideal,
        ideal_offsets=ideal_offsets,
        relevant_from=qrels.relevant_from,
        judged_rows_only=judged_rows_only,
    )


def _grades(run: Run, qrels: Qrels, rows: Ints, query: Codes) -> tuple[Codes, np.ndarray]:  # type: ignore[type-arg]
    documents = positions(run.doc_ids, qrels.doc_ids)[run.doc[rows]].astype(np.int64)
    width = len(qrels.doc_ids)
    wanted = qrels.query.astype(np.int64) * width + qrels.doc
    order = np.argsort(wanted, kind="stable")
    wanted = wanted[order]
    pairs = query.astype(np.int64) * width + documents
    place = np.minimum(np.searchsorted(wanted, pairs), max(len(wanted) - 1, 0))
    judged = (documents >= 0) & (wanted[place] == pairs) if len(wanted) else np.zeros(len(rows), np.bool_)
    return np.where(judged, qrels.grade[order][place], 0).astype(np.int32), judged


def _ideal(qrels: Qrels) -> tuple[Codes, Ints]:
    order = np.lexsort((-qrels.grade.astype(np.int64), qrels.query))
    counts = np.bincount(qrels.query, minlength=len(qrels.query_ids))
    return qrels.grade[order], np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
