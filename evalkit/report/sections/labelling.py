"""What to label next: documents high in somebody's list that nobody has judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from evalkit.report.section import Content, section
from evalkit.report.view import View

TOP = 10
SHOWN = 20


@section("labelling", "Unjudged documents", order=110)
def labelling(view: View) -> Content | None:
    """How much of each pipeline's top is judged, and which judgments would tell most."""
    shares = []
    for name, judged in view.judged.items():
        top = judged.rank <= TOP
        total = int(top.sum())
        shares.append({"name": name, "shown": total, "unjudged": int((top & ~judged.judged).sum())})
    queue = list(labelling_queue(view))
    return {"top": TOP, "shares": shares, "queue": queue[:SHOWN], "length": len(queue)}


def labelling_queue(view: View) -> Iterator[Mapping[str, Any]]:
    """Yield the unjudged pairs of any pipeline's top 10: most pipelines' first, then by rank."""
    found: dict[tuple[int, str], dict[str, int]] = {}
    for name, judged in view.judged.items():
        rows = np.flatnonzero((judged.rank <= TOP) & ~judged.judged)
        query = np.searchsorted(judged.offsets, rows, side="right") - 1
        doc_ids = view.doc_ids(name, view.judged[name]).take(rows).to_pylist()
        for position, doc_id, rank in zip(query.tolist(), doc_ids, judged.rank[rows].tolist(), strict=True):
            found.setdefault((position, doc_id), {})[name] = rank
    order = sorted(found.items(), key=lambda item: (-len(item[1]), min(item[1].values()), item[0]))
    for (position, doc_id), ranks in order:
        query_id = view.query_ids[position]
        yield {
            "query_id": query_id,
            "doc_id": doc_id,
            "category": view.category[position],
            "best_rank": min(ranks.values()),
            "pipelines": list(ranks),
            "query": view.queries.get(query_id, ""),
            "title": view.documents.get(doc_id, ("", ""))[0],
        }
