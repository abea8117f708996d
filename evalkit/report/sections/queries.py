"""The drill-down: every query with what each pipeline made of it, and the documents of those that matter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from evalkit.records import Floats, Ints
from evalkit.report.drilldown import QUERY_CLIP, pack
from evalkit.report.section import Content, section
from evalkit.report.view import View

EXTREMES = 5


@section("queries", "Queries", order=100)
def queries(view: View) -> Content | None:
    """All queries, those with the greatest change between the baseline and its rival first."""
    change = view.values[view.rival][view.headline] - view.values[view.baseline][view.headline]
    packed = pack(view, change)
    return {
        "measure": view.headline,
        "baseline": view.baseline,
        "rival": view.rival,
        "pipelines": view.pipelines,
        "categories": sorted({*view.categories, *view.unjudged.values()} - {""}),
        "total": len(view.query_ids),
        "unjudged": len(view.unjudged),
        "listed": sum("unjudged" in one for one in packed["queries"]),
        "detailed": sum("lists" in one for one in packed["queries"] if "unjudged" not in one),
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
