"""What the scores say: how well they part relevant from irrelevant ones, and whether they are calibrated."""

from __future__ import annotations

from evalkit.report import escape
from evalkit.report.section import Content, section
from evalkit.report.view import View


@section("scores", "Score distributions", order=70)
def scores(view: View) -> Content | None:
    """Relevant, irrelevant and unjudged documents by score, in every category of every pipeline."""
    order = sorted(view.pipelines, key=lambda name: name != view.subject)
    again = [one["sentence"] for one in view.info.get("recheck", ())]
    if stopped := view.info.get("recheck_stopped"):
        again.append(f"This ended early: {stopped}")
    again = [escape.visible(sentence) for sentence in again]
    return {"pipelines": order, "subject": view.subject, "oddities": _oddities(view), "again": again}


@section("reliability", "Reliability", order=80)
def reliability(view: View) -> Content | None:
    """The share of relevant documents at each score: where a score reads as a probability, and where not."""
    order = sorted(view.pipelines, key=lambda name: name != view.subject)
    return {"pipelines": order}


def _oddities(view: View) -> dict[str, list[str]]:
    """Return what is odd in each pipeline's scores, where the summary says so."""
    from evalkit.report.sanity import Sanity

    found = {name: Sanity(**counts).sentences() for name, counts in view.summary.get("sanity", {}).items()}
    return {name: told for name, told in found.items() if told}
