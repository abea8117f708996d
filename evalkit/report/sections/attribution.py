"""Whose loss is it: documents that the first stage did not find, or found ones in the wrong order?"""

from __future__ import annotations

from evalkit.report.section import Content, section
from evalkit.report.view import View


@section("attribution", "Where the rest is lost", order=90)
def attribution(view: View) -> Content | None:
    """The distance to a perfect score in its two parts, for each pipeline and for each category."""
    rows = view.rows("attribution", measure=view.headline)
    rows = [row for row in rows if row["n"] and row["perfect"]]
    if not rows:
        return None
    reached = {
        (row["pipeline"], row["category"]): row["point"]
        for row in view.rows("measures", measure=view.headline)
    }
    parts = [{**row, "reached": reached.get((row["pipeline"], row["category"]))} for row in rows]
    return {
        "measure": view.headline,
        "overall": [row for row in parts if row["category"] is None],
        "subject": view.subject,
        "categories": [row for row in parts if row["category"] and row["pipeline"] == view.subject],
    }
