"""The first screen: the verdict, and every pipeline with its intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalkit.report.scale import bar, scale
from evalkit.report.section import Content, section
from evalkit.report.view import View


@section("verdict", "Verdict", order=10)
def verdict(view: View) -> Content | None:
    """The decision in sentences, as `summary.json` holds it, and what qualifies it."""
    failures = {name: len(found) for name, found in view.info.get("failures", {}).items() if found}
    return {
        "sandbox": bool(view.info.get("sandbox")),
        "sentences": list(view.summary["verdict"]),
        "failures": failures,
        "warnings": warnings(view),
    }


def warnings(view: View) -> list[str]:
    """Return the summary's warnings, if it has any, then those of the data."""
    own = [str(one) for one in view.summary.get("warnings", ())]
    return list(dict.fromkeys(own + [str(one) for one in view.info.get("warnings", ())]))


@section("pipelines", "Pipelines", order=20)
def pipelines(view: View) -> Content | None:
    """Each pipeline's measures over all queries, with the difference from the baseline, time and money."""
    overall = [row for row in view.summary["measures"] if row["category"] is None]
    main = {row["pipeline"]: row for row in overall if row["measure"] == view.headline}
    perfect = {name: _perfect(view, name) for name in view.pipelines}
    ends = [row.get(end) for row in main.values() for end in ("low", "high", "point")]
    axis = scale([*ends, *perfect.values()])
    return {
        "headline": view.headline,
        "others": [name for name in view.measures if name != view.headline],
        "axis": axis,
        "level": next((row["level"] for row in main.values()), 0.95),
        "n": max((row["n"] for row in main.values()), default=0),
        "undefined": max((row.get("undefined", 0) for row in main.values()), default=0),
        "rows": [
            {
                "name": name,
                "stages": stages(view.info, name),
                "is_baseline": name == view.baseline,
                "main": main.get(name),
                "bar": bar(main[name], axis) if name in main else None,
                "ceiling": None if (best := perfect[name]) is None else axis(best),
                "perfect": perfect[name],
                "difference": view.row("differences", pipeline=name, category=None, measure=view.headline),
                "others": {row["measure"]: row for row in overall if row["pipeline"] == name},
                "latency": latency(view.info, name),
                "cost": cost(view, name),
            }
            for name in view.pipelines
        ],
    }


def _perfect(view: View, name: str) -> float | None:
    """Return what the best order of a reranking pipeline's candidates would reach."""
    if len(stages(view.info, name)) < 2:
        return None
    row = view.row("attribution", pipeline=name, category=None, measure=view.headline)
    if not row or row["perfect"] is None or row["retriever"]["point"] is None:
        return None
    return float(row["perfect"] - row["retriever"]["point"])


def stages(info: Mapping[str, Any], name: str) -> list[str]:
    """Return the models of a pipeline in the order in which they work."""
    return [str(stage["model"]) for stage in info["pipelines"][name]["stages"]]


def latency(info: Mapping[str, Any], name: str) -> Mapping[str, float] | None:
    """Return the median and 95th percentile of the seconds an answer of the last timed stage took.

    Percentiles of different stages do not add up, so there is no sum.
    """
    known = [stage["seconds"] for stage in info["pipelines"][name]["stages"] if stage.get("seconds")]
    return known[-1] if known else None


def cost(view: View, name: str) -> float | None:
    """Return the dollars that reranking 1,000 queries costs; None where nothing says so."""
    row = view.row("costs", pipeline=name)
    return row["usd_per_1000"] if row else None
