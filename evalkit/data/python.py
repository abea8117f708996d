"""Judgments and runs as Python programs hold them: paths, DataFrames, dicts of dicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from evalkit.data.trec import read_qrels, read_run
from evalkit.errors import InputError
from evalkit.records import Codes, Qrels, Run

if TYPE_CHECKING:
    import pandas as pd

    QrelsLike = str | Path | pd.DataFrame | Mapping[str, Mapping[str, int]]
    RunLike = str | Path | pd.DataFrame | Mapping[str, Mapping[str, float]]


def qrels_of(given: QrelsLike) -> Qrels:
    """Return judgments from a TREC file, a DataFrame `query_id, doc_id, grade`, or a dict of dicts.

    Raises:
        InputError: a column is missing, a grade is no whole number, or a pair is judged twice.
    """
    if isinstance(given, str | Path):
        return read_qrels(given)
    query_ids, doc_ids, grades = _columns(given, "grade")
    grade = np.asarray(grades, np.float64)
    if not np.array_equal(grade, np.rint(grade)):  # NaN is no whole number either
        raise InputError("grades are whole numbers; leave out the pairs that are not judged")
    (queries, query), (documents, doc) = _coded(query_ids), _coded(doc_ids)
    pairs = query.astype(np.int64) * max(len(documents), 1) + doc
    if len(np.unique(pairs)) < len(pairs):
        raise InputError("a pair of query and document is judged twice: keep one grade a pair")
    return Qrels(queries, documents, query, doc, grade.astype(np.int32))


def run_of(name: str, given: RunLike) -> Run:
    """Return a run from a TREC file, a DataFrame `query_id, doc_id, score`, or a dict of dicts.

    Raises:
        InputError: a column is missing, or a score is no number.
    """
    if isinstance(given, str | Path):
        return read_run(given)
    query_ids, doc_ids, scores = _columns(given, "score")
    (queries, query), (documents, doc) = _coded(query_ids), _coded(doc_ids)
    try:
        score = np.asarray(scores, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"the run {name!r} has a score that is no number: {error}") from error
    return Run(name, queries, documents, query, doc, score)


def _columns(given: Any, value: str) -> tuple[Sequence[Any], Sequence[Any], Sequence[Any]]:
    if isinstance(given, Mapping):
        rows = [(query, doc, number) for query, of in given.items() for doc, number in of.items()]
        return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
    lacking = [name for name in ("query_id", "doc_id", value) if name not in getattr(given, "columns", ())]
    if lacking:
        raise InputError(
            f"no column {', '.join(lacking)}: give a path, a DataFrame query_id, doc_id, {value}, "
            f"or {{query: {{document: {value}}}}}"
        )
    return given["query_id"].tolist(), given["doc_id"].tolist(), given[value].tolist()


def _coded(ids: Sequence[Any]) -> tuple[pa.StringArray, Codes]:
    code: dict[str, int] = {}
    codes = [code.setdefault(str(one), len(code)) for one in ids]
    return pa.array(list(code), pa.string()), np.array(codes, np.int32)
