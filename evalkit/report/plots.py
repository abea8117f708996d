"""The plots of a run: one decorated function each, for the report, for files and for notebooks.

    @plot("scores")
    def scores(view: View, pipeline: str) -> Drawn | None:
        ...

A plot of one `pipeline` is drawn for each; `Drawn.alt` says in words what it shows. None: nothing to draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evalkit.records import Floats
from evalkit.registry import Registry
from evalkit.report import charts
from evalkit.report.escape import visible
from evalkit.report.figures import interval, money, seconds, short
from evalkit.report.sections.pipelines import cost, latency
from evalkit.report.view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 40
RELIABILITY_BINS = 10
FEW = 5  # pairs, below which a density says nothing: they are drawn as ticks
ROW, WIDTH = 0.62, 4.4  # inches of a category's row, and of every plot
NAME = 18  # characters of a name that fit beside an axis


@dataclass(frozen=True)
class Drawn:
    """A figure, and what it says in words."""

    figure: Figure
    alt: str


@dataclass(frozen=True)
class Plot:
    """A registered plot; `per_pipeline` ones take the pipeline's name."""

    name: str
    draw: Callable[..., Drawn | None]
    per_pipeline: bool


PLOTS: Registry[Plot] = Registry("plot")


def plot(name: str, *, per_pipeline: bool = True) -> Callable[[Callable[..., Drawn | None]], Callable[..., Drawn | None]]:
    """Return a decorator that files a function as the plot `name`."""

    def file(draw: Callable[..., Drawn | None]) -> Callable[..., Drawn | None]:
        PLOTS.register(name)(Plot(name, draw, per_pipeline))
        return draw

    return file


def every(view: View) -> Iterator[tuple[str, str | None]]:
    """Yield the name and pipeline of each plot that a run can have."""
    for name in PLOTS:
        yield from ((name, one) for one in (view.pipelines if PLOTS[name].per_pipeline else [None]))


def draw(view: View, name: str, pipeline: str | None = None) -> Drawn | None:
    """Draw one plot in the house's style.

    Raises:
        UnknownName: no plot is called `name`.
    """
    import matplotlib as mpl

    one = PLOTS[name]
    with mpl.rc_context(charts.STYLE):
        return one.draw(view, pipeline or view.subject) if one.per_pipeline else one.draw(view)


def new(height: float, width: float = WIDTH, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """Return an empty figure with `rows` axes above each other that share the horizontal one."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.02, hspace=0.0)  # type: ignore[union-attr]  constrained above
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False)
    return figure, [axes[row, 0] for row in range(rows)]


def label(name: str) -> str:
    """Return a name that fits beside an axis."""
    text = " ".join(visible(name).split())
    return text if len(text) <= NAME else text[: NAME - 1] + "…"


@plot("scores")
def scores(view: View, pipeline: str) -> Drawn | None:
    """Score distributions: relevant documents upwards, irrelevant ones downwards, unjudged ones as a line."""
    judged = view.judged[pipeline]
    if not len(judged.score):
        return None
    groups = [None, *view.categories]
    relevant = judged.judged & (judged.grade >= judged.relevant_from)
    query = np.repeat(np.arange(len(judged.query_ids)), np.diff(judged.offsets))
    edges = np.histogram_bin_edges(judged.score, bins=BINS)
    figure, axes = new(0.75 + ROW * len(groups), rows=len(groups))
    for axis, category in zip(axes, groups, strict=True):
        inside = np.isin(query, view.positions(category))
        up = judged.score[inside & relevant]
        down = judged.score[inside & judged.judged & ~relevant]
        unknown = judged.score[inside & ~judged.judged]
        _half(axis, up, edges, 1, {"facecolor": charts.GOOD, "alpha": 0.75})
        _half(axis, down, edges, -1, {"facecolor": "none", "edgecolor": charts.BAD, "hatch": "/////", "linewidth": 0.8})
        if len(unknown) >= FEW:
            axis.stairs(-_density(unknown, edges), edges, color=charts.INK, linewidth=0.9, linestyle=(0, (2, 1.5)))
        cut = _threshold(view, pipeline, category)
        if cut is not None:
            axis.plot([cut, cut], [-1.05, 1.05], color=charts.INK, linewidth=1.3)
        axis.axhline(0, color=charts.GRID, linewidth=0.8)
        axis.set_ylim(-1.1, 1.1)
        axis.set_yticks([0], [label(category or "all queries")])
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
    axes[-1].set_xlabel("score")
    _legend(figure, bool((~judged.judged).any()))
    middle = {True: np.median(judged.score[relevant]) if relevant.any() else None}
    other = judged.score[judged.judged & ~relevant]
    words = f"median of relevant documents {short(middle[True])}, of irrelevant ones "
    return Drawn(
        figure,
        f"Distributions of the scores of {pipeline} in {len(groups)} rows, all queries first: {words}"
        f"{short(float(np.median(other))) if len(other) else 'undefined'}.",
    )


def _half(axis: Axes, values: Floats, edges: Floats, side: int, look: dict[str, object]) -> None:
    if len(values) < FEW:
        axis.plot(values, np.full(len(values), side * 0.3), linestyle="none", marker="|", color=charts.MUTED)
    else:
        axis.stairs(side * _density(values, edges), edges, fill=True, **look)  # type: ignore[arg-type]  patch properties


def _density(values: Floats, edges: Floats) -> Floats:
    """Return a histogram whose highest bin is 1: shapes are compared, sizes are told in the tables."""
    counts = np.histogram(values, edges)[0].astype(np.float64)
    return counts / max(counts.max(), 1.0)


def _legend(figure: Figure, unjudged: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Patch | Line2D] = [
        Patch(facecolor=charts.GOOD, alpha=0.75, label="relevant"),
        Patch(facecolor="none", edgecolor=charts.BAD, hatch="/////", label="irrelevant"),
        Line2D([], [], color=charts.INK, linewidth=1.3, label="threshold"),
    ]
    if unjudged:
        handles.append(Line2D([], [], color=charts.INK, linewidth=0.9, linestyle=(0, (2, 1.5)), label="unjudged"))
    figure.legend(
        handles=handles, loc="outside upper left", ncols=len(handles), columnspacing=1.2, handlelength=1.4
    )


def _threshold(view: View, pipeline: str, category: str | None) -> float | None:
    policy = view.policies.get(pipeline)
    if policy is None:
        return None
    entry = policy["default"] if category is None else policy["categories"].get(category, policy["default"])
    found: float | None = entry["threshold"]
    return found


@plot("reliability")
def reliability(view: View, pipeline: str) -> Drawn | None:
    """Share of relevant documents among judged ones of about equal score, with intervals over queries."""
    judged = view.judged[pipeline]
    rows = np.flatnonzero(judged.judged)
    if len(rows) < 2 * RELIABILITY_BINS:
        return None
    score = judged.score[rows]
    relevant = (judged.grade[rows] >= judged.relevant_from).astype(np.float64)
    query = np.searchsorted(judged.offsets, rows, side="right") - 1
    edges = np.unique(np.quantile(score, np.linspace(0, 1, RELIABILITY_BINS + 1)))
    bins = np.clip(np.searchsorted(edges, score, side="right") - 1, 0, max(len(edges) - 2, 0))
    points = [_bin(score[bins == one], relevant[bins == one], query[bins == one]) for one in np.unique(bins)]
    figure, (axis,) = new(2.7)
    x, share, low, high = np.array(points).T
    axis.vlines(x, low, high, color=charts.GOOD, linewidth=1.6, alpha=0.6)
    axis.plot(x, share, color=charts.GOOD, marker="o", markersize=4, linewidth=1.0)
    if view.info["pipelines"][pipeline]["domain"]["score_space"] == "unit":
        axis.plot([0, 1], [0, 1], color=charts.NEUTRAL, linewidth=0.9, linestyle=(0, (4, 3)))
    axis.set_ylim(-0.03, 1.03)
    axis.set_xlabel("score")
    axis.set_ylabel("share relevant")
    axis.grid(axis="y")
    axis.tick_params(length=0)
    return Drawn(
        figure,
        f"Reliability of {pipeline}: the share of relevant documents rises from {short(share[0])} at score "
        f"{short(x[0])} to {short(share[-1])} at score {short(x[-1])}.",
    )


def _bin(score: Floats, relevant: Floats, query: Floats) -> tuple[float, float, float, float]:
    """Return a bin's mean score, its share of relevant rows, and that share's interval over queries.

    A ratio of sums over queries: its standard error by linearisation, so that a query's rows count together.
    """
    share = float(relevant.mean())
    _, place = np.unique(query, return_inverse=True)
    residual = np.bincount(place, weights=relevant - share)
    n = len(residual)
    error = float(np.sqrt((residual**2).sum() * n / max(n - 1, 1)) / len(score))
    return float(score.mean()), share, max(share - 1.96 * error, 0.0), min(share + 1.96 * error, 1.0)


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
    known = {name: (found := latency(view.info, name)) and found["p50"] for name in view.pipelines}
    if sum(value is not None for value in known.values()) < 2:
        return None
    return _against(view, known, "median seconds of an answer", seconds)


def _against(
    view: View, known: dict[str, float | None], what: str, write: Callable[[float | None], str]
) -> Drawn | None:
    figure, (axis,) = new(2.8)
    told = []
    for name, place in known.items():
        row = view.row("measures", pipeline=name, category=None, measure=view.headline)
        if place is None or row is None or row["point"] is None:
            continue
        if row["low"] is not None:
            axis.plot([place, place], [row["low"], row["high"]], color=charts.GOOD, linewidth=1.6, alpha=0.6)
        axis.plot([place], [row["point"]], marker="o", markersize=5, color=charts.GOOD)
        axis.annotate(label(name), (place, row["point"]), (6, 3), textcoords="offset points", color=charts.INK)
        told.append(f"{name}: {interval(row)} at {write(place)}")
    axis.margins(x=0.25, y=0.15)
    axis.set_xlabel(what)
    axis.set_ylabel(visible(view.headline))
    axis.grid(axis="y")
    axis.tick_params(length=0)
    axis.xaxis.set_major_formatter(lambda value, _: write(value) if value >= 0 else "")
    axis.locator_params(axis="x", nbins=5)
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
    figure, (axis,) = new(0.9 + 0.17 * len(groups) * (len(others) + 1))
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
        axis.plot([], [], color=charts.GOOD, marker=markers[name], markersize=4, linestyle="none", label=label(name))
    figure.legend(loc="outside upper left", ncols=min(len(others), 4), handletextpad=0.2)
    told = "; ".join(
        f"{row['pipeline']}: {interval(row, sign=True)}" for row in rows if row["category"] is None
    )
    return Drawn(figure, f"Differences from {view.baseline} in {view.headline}, all queries: {told}.")
