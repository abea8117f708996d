"""Plots that set the pipelines against each other: differences, cost and latency."""

from __future__ import annotations

from collections.abc import Callable

from evalkit.report import charts
from evalkit.report.escape import visible
from evalkit.report.figures import interval, money, seconds
from evalkit.report.plots import TICKS, Drawn, label, new, plot
from evalkit.report.plots.names import name_points
from evalkit.report.sections.pipelines import cost, latency
from evalkit.report.view import View


@plot("cost", per_pipeline=False)
def by_cost(view: View) -> Drawn | None:
    """Quality against the dollars of 1,000 queries."""
    known = {name: cost(view, name) for name in view.pipelines}
    if not any(known.values()):
        return None
    return _against(view, known, "cost of 1,000 queries", money)


@plot("latency", per_pipeline=False)
def by_latency(view: View) -> Drawn | None:
    """Quality against the median seconds of a reranker's answer."""
    timed = {name: latency(view.info, name) for name in view.pipelines}
    known = {name: None if one is None else one["p50"] for name, one in timed.items()}
    if sum(value is not None for value in known.values()) < 2:
        return None
    return _against(view, known, "median time of an answer", seconds)


def _against(
    view: View, known: dict[str, float | None], what: str, write: Callable[[float | None], str]
) -> Drawn | None:
    figure, axis = new(2.8)
    told, points = [], {}
    for name, place in known.items():
        row = view.row("measures", pipeline=name, category=None, measure=view.headline)
        if place is None or row is None or row["point"] is None:
            continue
        if row["low"] is not None:
            axis.plot([place, place], [row["low"], row["high"]], color=charts.GOOD, linewidth=1.6, alpha=0.6)
        axis.plot([place], [row["point"]], marker="o", markersize=5, color=charts.GOOD)
        low, high = (row["point"] if row[end] is None else row[end] for end in ("low", "high"))
        points[name] = place, row["point"], low, high
        told.append(f"{name}: {interval(row)} at {write(place)}")
    axis.margins(x=0.35, y=0.15)  # room for names on either side
    axis.set_xlabel(what)
    axis.set_ylabel(visible(view.headline))
    axis.grid(axis="y")
    axis.tick_params(length=0)
    axis.xaxis.set_major_formatter(lambda value, _: write(value) if value >= 0 else "")
    axis.locator_params(axis="x", nbins=TICKS)
    name_points(figure, axis, points)
    return Drawn(figure, f"{view.headline} against {what}. {'; '.join(told)}.")


@plot("differences", per_pipeline=False)
def differences(view: View) -> Drawn | None:
    """Forest of the differences from the baseline, by category."""
    rows = [row for row in view.rows("differences", measure=view.headline) if row["point"] is not None]
    if not rows:
        return None
    groups = [None, *view.categories]
    others = [name for name in view.pipelines if name != view.baseline]
    markers = dict(zip(others, "osD^vP*X" * len(others), strict=False))
    figure, axis = new(0.9 + 0.17 * len(groups) * (len(others) + 1))
    for row in rows:
        place = groups.index(row["category"]) * (len(others) + 1) + others.index(row["pipeline"])
        low, high = (row["point"] if row[end] is None else row[end] for end in ("low", "high"))
        axis.plot([low, high], [place, place], color=charts.GOOD, linewidth=1.6)
        axis.plot([row["point"]], [place], color=charts.GOOD, marker=markers[row["pipeline"]], markersize=4)
    axis.axvline(0, color=charts.MUTED, linewidth=0.8)
    middle = (len(others) - 1) / 2
    axis.set_yticks(
        [index * (len(others) + 1) + middle for index in range(len(groups))],
        [label(name or "all queries") for name in groups],
    )
    axis.invert_yaxis()
    axis.tick_params(length=0)
    axis.set_xlabel(f"difference from {label(view.baseline)} in {visible(view.headline)}")
    for name in others:
        axis.plot(
            [], [], color=charts.GOOD, marker=markers[name], markersize=4, linestyle="none", label=label(name)
        )
    figure.legend(loc="outside upper left", ncols=min(len(others), 4), handletextpad=0.2)
    told = "; ".join(
        f"{row['pipeline']}: {interval(row, sign=True)}" for row in rows if row["category"] is None
    )
    return Drawn(figure, f"Differences from {view.baseline} in {view.headline}, all queries: {told}.")
