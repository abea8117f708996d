"""Quality against money and time: what a better order costs."""

from __future__ import annotations

from evalkit.report.section import Content, section
from evalkit.report.sections.pipelines import cost, latency
from evalkit.report.view import View


@section("tradeoff", "Quality against cost and latency", order=50)
def tradeoff(view: View) -> Content | None:
    """Each pipeline's quality, cost and latency, and the pairs where one is better and not dearer."""
    rows = [
        {
            "name": name,
            "quality": view.row("measures", pipeline=name, category=None, measure=view.headline),
            "cost": cost(view, name),
            "units": (view.row("costs", pipeline=name) or {}).get("units_per_1000"),
            "latency": latency(view.info, name),
        }
        for name in view.pipelines
    ]
    if len(rows) < 2 or not any(row["cost"] or row["latency"] for row in rows):
        return None
    pairs = [row for row in view.rows("trade_offs") if row["shown"] and row["usd_per_1000"]]
    depths = view.rows("depths", measure=view.headline)
    return {"measure": view.headline, "rows": rows, "pairs": pairs, "depths": depths}
