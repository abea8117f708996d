"""Where a pipeline gains and where it loses: the difference from the baseline in each category."""

from __future__ import annotations

from evalkit.report.scale import forest
from evalkit.report.section import Content, section
from evalkit.report.verdict import categories_alike
from evalkit.report.view import View


@section("categories", "Differences by category", order=40)
def categories(view: View) -> Content | None:
    """A forest of paired differences on the headline measure, pipelines side by side in each category."""
    rows = view.rows("differences", measure=view.headline)
    if not rows:
        return None
    mixed = [
        row
        for row in view.rows("heterogeneity", measure=view.headline)
        if row["p_holm"] is not None and row["p_holm"] <= 0.05
    ]
    return {
        "measure": view.headline,
        "baseline": view.baseline,
        **forest(rows, view.categories),
        "corrected": any("p_holm" in row for row in rows),
        "mixed": [row["pipeline"] for row in mixed],
        "alike": categories_alike(view.summary, view.headline) if view.rows("heterogeneity") else "",
    }
