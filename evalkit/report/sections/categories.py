"""Where a pipeline gains and where it loses: the difference from the baseline in each category."""

from __future__ import annotations

from evalkit.report.scale import bar, scale
from evalkit.report.section import Content, section
from evalkit.report.view import View


@section("categories", "Differences by category", order=40)
def categories(view: View) -> Content | None:
    """A forest of paired differences on the headline measure, pipelines side by side in each category."""
    rows = view.rows("differences", measure=view.headline)
    if not rows:
        return None
    axis = scale([row.get(end) for row in rows for end in ("low", "high", "point")], zero=True)
    groups = [(None, "all queries"), *((name, name) for name in view.categories)]
    mixed = [
        row
        for row in view.rows("heterogeneity", measure=view.headline)
        if row["p_holm"] is not None and row["p_holm"] <= 0.05
    ]
    return {
        "measure": view.headline,
        "baseline": view.baseline,
        "axis": axis,
        "zero": axis(0.0),
        "groups": [
            {
                "name": label,
                "overall": category is None,
                "rows": [
                    {**row, "bar": bar(row, axis), "shown": row.get("shown")}
                    for row in rows
                    if row["category"] == category
                ],
            }
            for category, label in groups
        ],
        "corrected": any("p_holm" in row for row in rows),
        "mixed": [row["pipeline"] for row in mixed],
    }
