"""A run directory's tables, as Arrow: strings stay dictionary-encoded until they are written."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evalkit.documents import Document
from evalkit.experiment.execute import Outcome
from evalkit.experiment.prepare import Inputs
from evalkit.pipelines.retrieve import rank_order
from evalkit.records import Bools, Codes, Floats, Ints, Judged, Qrels, Run


def score_table(outcomes: Mapping[str, Outcome], inputs: Inputs) -> pa.Table:
    """Return one row a candidate, in rank order: pipeline, query_id, doc_id, score, rank, grade, category.

    `grade` is null where the pair is unjudged. Queries without any judgment are in it too.
    """
    return pa.concat_tables(_scores(name, outcome.run, inputs) for name, outcome in outcomes.items())


def _scores(name: str, run: Run, inputs: Inputs) -> pa.Table:
    order = rank_order(run)
    query, doc = run.query[order], run.doc[order]
    rank = np.arange(len(order)) - np.searchsorted(query, query, side="left") + 1
    grade, judged = _grades(run, query, doc, inputs.qrels)
    categories = [inputs.categories.get(query_id, "") for query_id in run.query_ids.to_pylist()]
    return pa.table(
        {
            "pipeline": pa.array([name] * len(order), pa.string()),
            "query_id": run.query_ids.take(pa.array(query)),
            "doc_id": run.doc_ids.take(pa.array(doc)),
            "score": pa.array(run.score[order]),
            "rank": pa.array(rank.astype(np.int32)),
            "grade": pa.array(grade, mask=~judged),
            "category": pa.array(categories, pa.string()).take(pa.array(query)),
        }
    )


def _grades(run: Run, query: Codes, doc: Codes, qrels: Qrels) -> tuple[Codes, Bools]:
    """Return each pair's grade and whether it has one; run and judgments number their ids differently."""
    width = len(qrels.doc_ids)
    known = qrels.query.astype(np.int64) * width + qrels.doc
    order = np.argsort(known)
    wanted = (
        _translate(run.query_ids, qrels.query_ids)[query] * width
        + _translate(run.doc_ids, qrels.doc_ids)[doc]
    )
    place = np.minimum(np.searchsorted(known, wanted, sorter=order), len(known) - 1)
    row = order[place]
    judged = known[row] == wanted
    return np.where(judged, qrels.grade[row], 0).astype(np.int32), judged


def _translate(own: pa.StringArray, other: pa.StringArray) -> Ints:
    """Return the code that each string of `own` has in `other`, which holds them all."""
    return np.asarray(pc.index_in(own, value_set=other).cast(pa.int64()))


def measure_table(judged: Mapping[str, Judged], values: Mapping[str, Mapping[str, Floats]]) -> pa.Table:
    """Return one row a query and measure: pipeline, query_id, category, measure, value (NaN: undefined)."""
    return pa.concat_tables(
        pa.table(
            {
                "pipeline": pa.array([name] * len(one.query_ids), pa.string()),
                "query_id": pa.array(one.query_ids, pa.string()),
                "category": pa.array(one.category, pa.string()),
                "measure": pa.array([measure] * len(one.query_ids), pa.string()),
                "value": pa.array(values[name][measure]),
            }
        )
        for name, one in judged.items()
        for measure in values[name]
    )


def judgment_table(qrels: Qrels) -> pa.Table:
    """Return one row a judged pair of the queries asked: query_id, doc_id, grade.

    Relevant documents that no pipeline found are in it: without them a query whose answers were all missed
    would read as one that has none.
    """
    return pa.table(
        {
            "query_id": qrels.query_ids.take(pa.array(qrels.query)),
            "doc_id": qrels.doc_ids.take(pa.array(qrels.doc)),
            "grade": pa.array(qrels.grade),
        }
    )


def text_table(outcomes: Mapping[str, Outcome], inputs: Inputs) -> pa.Table:
    """Return one row a query and a candidate or relevant document, with its text as models saw it.

    `group` ties queries together that are not independent ("" for none, and for documents).
    """
    relevant = inputs.qrels.doc[inputs.qrels.grade >= inputs.qrels.relevant_from]
    missed = pc.index_in(
        inputs.qrels.doc_ids.take(pa.array(np.unique(relevant))),
        value_set=pa.array(inputs.doc_ids, pa.string()),
    )
    used = np.unique(
        np.concatenate([outcome.run.doc for outcome in outcomes.values()] + [np.asarray(missed.drop_null())])
    )
    doc_ids = [inputs.doc_ids[code] for code in used.tolist()]
    return pa.table(
        {
            "kind": pa.array(["query"] * len(inputs.queries) + ["document"] * len(doc_ids), pa.string()),
            "id": pa.array([*inputs.queries, *doc_ids], pa.string()),
            "title": pa.array(
                [""] * len(inputs.queries) + [_title(inputs.dataset.corpus[doc_id]) for doc_id in doc_ids],
                pa.string(),
            ),
            "group": pa.array(
                [inputs.dataset.queries[query_id].group for query_id in inputs.queries] + [""] * len(doc_ids),
                pa.string(),
            ),
            "text": pa.array(
                [*inputs.queries.values(), *(inputs.texts[code] for code in used.tolist())], pa.string()
            ),
        }
    )


def _title(document: Document) -> str:
    """Return a document's title; that of a structured one may be a field."""
    told = document.title or (document.fields or {}).get("title", "")
    return told if isinstance(told, str) else ""
