"""The page's data for the drill-down: what each pipeline made of every query, documents once each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from evalkit.measures.columns import arrow
from evalkit.records import Floats, Ints, Judged
from evalkit.report.escape import visible
from evalkit.report.view import View
from evalkit.thresholds.policy import ThresholdPolicy

BUDGET = 7_000_000  # bytes of the page for rows and texts; queries beyond it are listed without documents
SHOWN = 20  # ranks of each list, and every relevant document below them
CLIP = 2_000  # characters of a document's text
QUERY_CLIP = 400


def pack(view: View, change: Floats) -> dict[str, Any]:
    """Return the page's data: judged queries in the suite's order, then unjudged ones; documents numbered.

    Lists come for the queries that were asked for, then by importance, then for unjudged ones, while there is
    room. Unjudged queries beyond it are left out.
    """
    texts = _Texts(view)
    values = {name: view.values[name][view.headline].tolist() for name in view.pipelines}
    packed: list[dict[str, Any]] = [
        {
            **_asked(view, query_id, view.category[place]),
            "values": [_rounded(values[name][place]) for name in view.pipelines],
        }
        for place, query_id in enumerate(view.query_ids)
    ]
    nothing = [None] * len(view.pipelines)
    packed += [
        {**_asked(view, query_id, category), "values": nothing, "unjudged": True}
        for query_id, category in view.unjudged.items()
    ]
    lists = _Lists(view, texts)
    relevant = _relevant(view)
    spent, judged = 0, len(view.query_ids)
    ids = {query_id: place for place, query_id in enumerate([*view.query_ids, *view.unjudged])}
    first = [ids[query_id] for query_id in view.first]
    for place in dict.fromkeys([*first, *by_importance(change).tolist(), *range(judged, len(packed))]):
        before = texts.size
        packed[place]["lists"] = lists.of(place)
        packed[place]["relevant"] = [[texts.number(doc), grade] for doc, grade in relevant.get(place, ())]
        rows = sum(len(one["rows"]) for one in packed[place]["lists"])
        spent += texts.size - before + 24 * rows + 20 * len(view.pipelines)
        if spent > BUDGET:
            break
    return {
        "measure": view.headline,
        "pipelines": [visible(name) for name in view.pipelines],
        "baseline": view.pipelines.index(view.baseline),
        "rival": view.pipelines.index(view.rival),
        "relevantFrom": view.qrels.relevant_from,
        "grades": {key: visible(str(value)) for key, value in view.info["dataset"].get("grades", {}).items()},
        "queries": [one for one in packed if "lists" in one or "unjudged" not in one],
        "documents": texts.packed,
    }


def by_importance(change: Floats) -> Ints:
    """Return the queries' positions: losses and gains in turn, the greatest first, undefined ones last."""
    order = np.argsort(np.where(np.isnan(change), 0.0, change), kind="stable")
    turns = np.empty_like(order)
    turns[0::2], turns[1::2] = order[: (len(order) + 1) // 2], order[::-1][: len(order) // 2]
    return turns


def _asked(view: View, query_id: str, category: str) -> dict[str, Any]:
    text = view.queries.get(query_id, "")[:QUERY_CLIP]
    return {"id": visible(query_id), "text": visible(text), "category": visible(category)}


class _Lists:
    """What each pipeline returned for a query: judged queries first, then the unjudged ones."""

    def __init__(self, view: View, texts: _Texts) -> None:
        self._view, self._texts = view, texts
        self._ids = (*view.query_ids, *view.unjudged)
        self._categories = (*view.category, *view.unjudged.values())
        self._policies = {name: ThresholdPolicy.from_dict(one) for name, one in view.policies.items()}
        self._failed = {name: view.failed(name) for name in view.pipelines}
        self._parts = [
            (runs, {name: view.doc_ids(name, judged) for name, judged in runs.items()})
            for runs in (view.judged, view.unread)
        ]

    def of(self, place: int) -> list[dict[str, Any]]:
        """Return one list a pipeline: document, score, grade, rank a row; how many there are and are kept."""
        judged = len(self._view.query_ids)
        part, own = (0, place) if place < judged else (1, place - judged)
        runs, documents = self._parts[part]
        return [self._list(name, place, own, runs[name], documents[name]) for name in self._view.pipelines]

    def _list(
        self, name: str, place: int, own: int, judged: Judged, documents: pa.StringArray
    ) -> dict[str, Any]:
        start, end = judged.offsets[own], judged.offsets[own + 1]
        rows = np.arange(start, end)
        rows = rows[(judged.rank[rows] <= SHOWN) | judged.relevant[rows]]
        return {
            "rows": [
                [self._texts.number(doc_id), score, grade if known else None, rank]
                for doc_id, score, grade, known, rank in zip(
                    documents.take(arrow(rows)).to_pylist(),
                    judged.score[rows].tolist(),
                    judged.grade[rows].tolist(),
                    judged.judged[rows].tolist(),
                    judged.rank[rows].tolist(),
                    strict=True,
                )
            ],
            "total": int(end - start),
            **_kept(self._policies.get(name), self._categories[place], judged.score[start:end]),
            **({"failed": True} if self._ids[place] in self._failed[name] else {}),
        }


def _kept(policy: ThresholdPolicy | None, category: str, scores: Floats) -> dict[str, Any]:
    """Return the threshold that applies and how many documents production keeps; nothing without one."""
    cut = None if policy is None else policy.entry(category).threshold
    if policy is None or cut is None:
        return {}
    return {"cut": cut, "kept": len(policy.keep(list(enumerate(scores.tolist())), category=category))}


def _relevant(view: View) -> dict[int, Sequence[tuple[str, int]]]:
    """Return each query's relevant documents with their grades, whether found or not."""
    rows = np.flatnonzero(view.qrels.grade >= view.qrels.relevant_from)
    doc_ids = view.qrels.doc_ids.take(arrow(view.qrels.doc[rows])).to_pylist()
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
