"""The drill-down: every query with what each pipeline made of it, and the documents of those that matter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from evalkit.records import Floats, Ints
from evalkit.report.escape import visible
from evalkit.report.section import Content, section
from evalkit.report.view import View

BUDGET = 7_000_000  # bytes of the page for rows and texts; queries beyond it are listed without documents
SHOWN = 20  # ranks of each list, and every relevant document below them
CLIP = 2_000  # characters of a document's text
QUERY_CLIP = 400
EXTREMES = 5


@section("queries", "Queries", order=100)
def queries(view: View) -> Content | None:
    """All queries, those with the greatest change between baseline and the recommended pipeline first."""
    change = view.values[view.subject][view.headline] - view.values[view.baseline][view.headline]
    packed = pack(view, change)
    return {
        "measure": view.headline,
        "baseline": view.baseline,
        "subject": view.subject,
        "pipelines": view.pipelines,
        "categories": view.categories,
        "total": len(view.query_ids),
        "detailed": sum("lists" in one for one in packed["queries"]),
        "losses": list(_extremes(view, change, np.argsort(change, kind="stable"), -1)),
        "gains": list(_extremes(view, change, np.argsort(-change, kind="stable"), 1)),
        "data": packed,
    }


def _extremes(view: View, change: Floats, order: Ints, sign: int) -> Iterator[dict[str, Any]]:
    for place in order.tolist()[:EXTREMES]:
        if sign * change[place] > 0:
            yield {
                "id": view.query_ids[place],
                "text": view.queries.get(view.query_ids[place], "")[:QUERY_CLIP],
                "category": view.category[place],
                "change": float(change[place]),
            }


def pack(view: View, change: Floats) -> dict[str, Any]:
    """Return the page's data: queries in the suite's order, documents once each, numbered."""
    texts = _Texts(view)
    values = {name: view.values[name][view.headline].tolist() for name in view.pipelines}
    doc_ids = {name: view.doc_ids(name) for name in view.pipelines}
    packed: list[dict[str, Any]] = [
        {
            "id": visible(query_id),
            "text": visible(view.queries.get(query_id, "")[:QUERY_CLIP]),
            "category": visible(view.category[place]),
            "values": [_rounded(values[name][place]) for name in view.pipelines],
        }
        for place, query_id in enumerate(view.query_ids)
    ]
    relevant = _relevant(view)
    spent = 0
    first = [view.query_ids.index(query_id) for query_id in view.first]
    for place in dict.fromkeys([*first, *by_importance(change).tolist()]):
        before = texts.size
        lists = [_list(view, name, place, doc_ids[name], texts) for name in view.pipelines]
        packed[place]["lists"] = lists
        packed[place]["relevant"] = [[texts.number(doc), grade] for doc, grade in relevant.get(place, ())]
        spent += texts.size - before + sum(24 * len(one["rows"]) + 20 for one in lists)
        if spent > BUDGET:
            break
    return {
        "measure": view.headline,
        "pipelines": [visible(name) for name in view.pipelines],
        "baseline": view.pipelines.index(view.baseline),
        "subject": view.pipelines.index(view.subject),
        "relevantFrom": view.qrels.relevant_from,
        "grades": {key: visible(str(value)) for key, value in view.info["dataset"].get("grades", {}).items()},
        "queries": packed,
        "documents": texts.packed,
    }


def by_importance(change: Floats) -> Ints:
    """Return the queries' positions: losses and gains in turn, the greatest first, undefined ones last."""
    order = np.argsort(np.where(np.isnan(change), 0.0, change), kind="stable")
    turns = np.empty_like(order)
    turns[0::2], turns[1::2] = order[: (len(order) + 1) // 2], order[::-1][: len(order) // 2]
    return turns


def _list(view: View, name: str, place: int, doc_ids: Any, texts: _Texts) -> dict[str, Any]:
    """Return one pipeline's list for one query: document, score, grade and rank a row; how many are kept."""
    judged = view.judged[name]
    start, end = judged.offsets[place], judged.offsets[place + 1]
    rows = np.arange(start, end)
    found = judged.judged[rows] & (judged.grade[rows] >= judged.relevant_from)
    rows = rows[(judged.rank[rows] <= SHOWN) | found]
    return {
        "rows": [
            [texts.number(doc_id), score, grade if known else None, rank]
            for doc_id, score, grade, known, rank in zip(
                doc_ids.take(rows).to_pylist(),
                judged.score[rows].tolist(),
                judged.grade[rows].tolist(),
                judged.judged[rows].tolist(),
                judged.rank[rows].tolist(),
                strict=True,
            )
        ],
        "total": int(end - start),
        **_kept(view, name, place, start, end),
        **({"failed": True} if view.query_ids[place] in view.failed(name) else {}),
    }


def _kept(view: View, name: str, place: int, start: int, end: int) -> dict[str, Any]:
    """Return the threshold that applies and how many documents it keeps: nothing where there is none."""
    policy = view.policies.get(name)
    if policy is None:
        return {}
    entry = policy["categories"].get(view.category[place], policy["default"])
    if entry["threshold"] is None:
        return {}
    shown = view.shown(name).score[start:end] >= entry["threshold"]
    return {"cut": entry["threshold"], "kept": int(shown.sum())}


def _relevant(view: View) -> dict[int, Sequence[tuple[str, int]]]:
    """Return each query's relevant documents with their grades, whether found or not."""
    rows = np.flatnonzero(view.qrels.grade >= view.qrels.relevant_from)
    doc_ids = view.qrels.doc_ids.take(view.qrels.doc[rows]).to_pylist()
    found: dict[int, list[tuple[str, int]]] = {}
    for query, doc, grade in zip(
        view.qrels.query[rows].tolist(), doc_ids, view.qrels.grade[rows].tolist(), strict=True
    ):
        found.setdefault(query, []).append((doc, grade))
    return {query: sorted(pairs, key=lambda pair: -pair[1]) for query, pairs in found.items()}


class _Texts:
    """The documents of the page, each once: its number, id, title, text, and characters left out."""

    def __init__(self, view: View) -> None:
        self._documents = view.documents
        self._numbers: dict[str, int] = {}
        self.packed: list[list[Any]] = []
        self.size = 0

    def number(self, doc_id: str) -> int:
        """Return the document's number, packing its text the first time."""
        if doc_id not in self._numbers:
            self._numbers[doc_id] = len(self.packed)
            title, text = self._documents.get(doc_id, ("", ""))
            one: list[Any] = [
                visible(doc_id),
                visible(title[:QUERY_CLIP]),
                visible(text[:CLIP]),
                max(len(text) - CLIP, 0),
            ]
            self.packed.append(one)
            self.size += sum(len(part.encode("utf-8", "replace")) for part in one[:3]) + 20
        return self._numbers[doc_id]


def _rounded(value: float) -> float | None:
    return None if value != value else round(value, 4)
