"""A run directory's tables, as Arrow: strings stay dictionary-encoded until they are written."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from evalkit.documents import Document
from evalkit.experiment.execute import Outcome
from evalkit.experiment.prepare import Inputs
from evalkit.measures.columns import arrow, positions, strings
from evalkit.pipelines.retrieve import rank_order, ranks
from evalkit.records import Bools, Codes, Floats, Ints, Judged, Qrels, Run


def score_table(outcomes: Mapping[str, Outcome], inputs: Inputs) -> pa.Table:
    """Return one row a candidate, in rank order: pipeline, query_id, doc_id, score, rank, grade, category.

    `grade` is null where the pair is unjudged. Queries without any judgment are in it too.
    """
    return pa.concat_tables(_scores(name, outcome.run, inputs) for name, outcome in outcomes.items())


def _scores(name: str, run: Run, inputs: Inputs) -> pa.Table:
    order = rank_order(run)
    query, doc = run.query[order], run.doc[order]
    grade, judged = _grades(run, query, doc, inputs.qrels)
    categories = [inputs.categories.get(query_id, "") for query_id in run.query_ids.to_pylist()]
    return pa.table(
        {
            "pipeline": strings([name] * len(order)),
            "query_id": run.query_ids.take(arrow(query)),
            "doc_id": run.doc_ids.take(arrow(doc)),
            "score": arrow(run.score[order]),
            "rank": arrow(ranks(query).astype(np.int32)),
            "grade": arrow(grade, judged),
            "category": strings(categories).take(arrow(query)),
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
    return positions(own, other).astype(np.int64)


def measure_table(judged: Mapping[str, Judged], values: Mapping[str, Mapping[str, Floats]]) -> pa.Table:
    """Return one row a query and measure: pipeline, query_id, category, measure, value (NaN: undefined)."""
    return pa.concat_tables(
        pa.table(
            {
                "pipeline": strings([name] * len(one.query_ids)),
                "query_id": strings(one.query_ids),
                "category": strings(one.category),
                "measure": strings([measure] * len(one.query_ids)),
                "value": arrow(values[name][measure]),
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
            "query_id": qrels.query_ids.take(arrow(qrels.query)),
            "doc_id": qrels.doc_ids.take(arrow(qrels.doc)),
            "grade": arrow(qrels.grade),
        }
    )


def text_table(outcomes: Mapping[str, Outcome], inputs: Inputs) -> pa.Table:
    """Return one row a query and a candidate or relevant document, with its text as models saw it.

    `group` ties queries together that are not independent ("" for none, and for documents).
    """
    relevant = inputs.qrels.doc[inputs.qrels.grade >= inputs.qrels.relevant_from]
    missed = positions(inputs.qrels.doc_ids.take(arrow(np.unique(relevant))), strings(inputs.doc_ids))
    used = np.unique(
        np.concatenate([outcome.run.doc for outcome in outcomes.values()] + [missed[missed >= 0]])
    )
    doc_ids = [inputs.doc_ids[code] for code in used.tolist()]
    return pa.table(
        {
            "kind": strings(["query"] * len(inputs.queries) + ["document"] * len(doc_ids)),
            "id": strings([*inputs.queries, *doc_ids]),
            "title": strings(
                [""] * len(inputs.queries) + [_title(inputs.dataset.corpus[doc_id]) for doc_id in doc_ids]
            ),
            "group": strings(
                [inputs.dataset.queries[query_id].group for query_id in inputs.queries] + [""] * len(doc_ids)
            ),
            "text": strings([*inputs.queries.values(), *(inputs.texts[code] for code in used.tolist())]),
        }
    )


def _title(document: Document) -> str:
    """Return a document's title; that of a structured one may be a field."""
    told = document.title or (document.fields or {}).get("title", "")
    return told if isinstance(told, str) else ""
