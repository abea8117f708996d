"""What to label next: documents high in somebody's list that nobody has judged."""

from __future__ import annotations

from evalkit.report.section import Content, section
from evalkit.report.view import TOP, View

SHOWN = 20


@section("labelling", "Unjudged documents", order=110)
def labelling(view: View) -> Content | None:
    """How much of each pipeline's top is judged, and which judgments would tell most."""
    shares = []
    for name, judged in view.judged.items():
        top = judged.rank <= TOP
        total = int(top.sum())
        open_ends = view.row("measures", pipeline=name, category=None, measure=view.headline) or {}
        shares.append(
            {
                "name": name,
                "shown": total,
                "unjudged": int((top & ~judged.judged).sum()),
                "lowest": open_ends.get("lowest"),
                "highest": open_ends.get("highest"),
            }
        )
    queue = view.labelling_queue
    return {
        "top": TOP,
        "measure": view.headline,
        "shares": shares,
        "queue": queue[:SHOWN],
        "length": len(queue),
    }
