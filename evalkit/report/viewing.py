"""From the tables of a run directory to the view that a report is made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evalkit.measures import judge
from evalkit.measures.columns import numbers, positions, text
from evalkit.records import Codes, Floats, Qrels, Run
from evalkit.report.view import View


def view_of(
    info: Mapping[str, Any],
    summary: Mapping[str, Any],
    policies: Mapping[str, Mapping[str, Any]],
    tables: Mapping[str, pa.Table],
    physical: Mapping[str, Any] | None = None,
) -> View:
    """Return the view of a run whose tables are `scores`, `measures`, `judgments` and `texts`."""
    scores, judgments = tables["scores"], tables["judgments"]
    judged_ids = _distinct(judgments["query_id"])
    query_ids = _distinct(judgments["query_id"], scores["query_id"])
    doc_ids = _distinct(judgments["doc_id"], scores["doc_id"])
    qrels = Qrels(
        judged_ids,
        doc_ids,
        _codes(judgments["query_id"], judged_ids),
        _codes(judgments["doc_id"], doc_ids),
        numbers(judgments["grade"].cast(pa.int32()), np.int32),
        info["dataset"]["relevant_from"],
        gains_of(info),
    )
    measures = tables["measures"]
    names = measures["measure"].cast(pa.string())
    one = measures.filter(pc.equal(names, names[0]))
    categories = dict(zip(one["query_id"].to_pylist(), one["category"].to_pylist(), strict=True))
    runs = {}
    for name in info["pipelines"]:
        rows = scores.filter(pc.equal(scores["pipeline"].cast(pa.string()), text(name)))
        query, doc = _codes(rows["query_id"], query_ids), _codes(rows["doc_id"], doc_ids)
        runs[name] = Run(name, query_ids, doc_ids, query, doc, numbers(rows["score"], np.float64))
    texts = tables["texts"]
    is_query = pc.equal(texts["kind"], text("query"))
    asked, held = texts.filter(is_query), texts.filter(pc.invert(is_query))
    titled = zip(held["title"].to_pylist(), held["text"].to_pylist(), strict=True)
    return View(
        info=info,
        summary=summary,
        policies=policies,
        runs=runs,
        judged={name: judge(run, qrels, categories=categories) for name, run in runs.items()},
        values=_values(measures, judged_ids, info["pipelines"]),
        qrels=qrels,
        queries=dict(zip(asked["id"].to_pylist(), asked["text"].to_pylist(), strict=True)),
        documents=dict(zip(held["id"].to_pylist(), titled, strict=True)),
        unjudged=_unjudged(scores, asked["id"].to_pylist(), judged_ids),
        physical=physical,
    )


def _unjudged(scores: pa.Table, asked: Sequence[str], judged_ids: pa.StringArray) -> dict[str, str]:
    """Return the category of each query asked that has no judgment, "" where it has none or no candidates."""
    judged = set(judged_ids.to_pylist())
    found = dict.fromkeys((query_id for query_id in asked if query_id not in judged), "")
    if found:
        query_ids = scores["query_id"].cast(pa.string())
        rows = scores.filter(pc.invert(pc.is_in(query_ids, value_set=judged_ids)))
        pairs = zip(rows["query_id"].to_pylist(), rows["category"].to_pylist(), strict=True)
        found |= {query_id: category or "" for query_id, category in pairs if query_id in found}
    return found


def _distinct(*columns: pa.ChunkedArray) -> pa.StringArray:
    """Return the strings of all columns once, by first appearance."""
    parts = [pc.unique(column).cast(pa.string()) for column in columns]
    return pc.unique(pa.concat_arrays(parts))


def _codes(column: pa.ChunkedArray, values: pa.StringArray) -> Codes:
    """Return each string's place in `values`, which holds them all; a dictionary column is looked up once."""
    encoded = column.combine_chunks()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    places = positions(encoded.dictionary.cast(pa.string()), values)
    indices: Codes = numbers(encoded.indices.cast(pa.int32()), np.int32)
    return places[indices]


def _values(
    measures: pa.Table, judged_ids: pa.StringArray, pipelines: Mapping[str, Any]
) -> dict[str, dict[str, Floats]]:
    """Return one float a query for each pipeline and measure, in the order of `judged_ids`."""
    names = measures["measure"].cast(pa.string())
    found: dict[str, dict[str, Floats]] = {}
    for pipeline in pipelines:
        own = pc.equal(measures["pipeline"].cast(pa.string()), text(pipeline))
        found[pipeline] = {}
        for measure in pc.unique(names).to_pylist():
            rows = measures.filter(pc.and_(own, pc.equal(names, text(measure))))
            values = np.full(len(judged_ids), np.nan)
            values[_codes(rows["query_id"], judged_ids)] = numbers(rows["value"], np.float64)
            found[pipeline][measure] = values
    return found


def gains_of(info: Mapping[str, Any]) -> dict[int, float]:
    """Return what the data set declares its grades to be worth; nothing where the grade itself counts."""
    return {int(grade): gain for grade, gain in info["dataset"].get("gains", {}).items()}
