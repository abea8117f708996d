"""Plots of one pipeline's scores: their distributions, and how often a score is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from evalkit.records import Floats, Ints
from evalkit.report import charts
from evalkit.report.figures import short
from evalkit.report.plots import TICKS, Drawn, label, new, plot
from evalkit.report.view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 40
RELIABILITY_BINS = 10
FEWEST = 20  # pairs of a reliability bin; fewer join the next
FEW = 5  # pairs, below which a density says nothing: they are drawn as ticks
ROW = 0.62  # inches of a category's row
HEIGHT = 2.3  # of a row on the axis: 1 up, 1 down, and some room
RELEVANT: Mapping[str, Any] = {"facecolor": charts.GOOD, "alpha": 0.75}
IRRELEVANT: Mapping[str, Any] = {
    "facecolor": "none",
    "edgecolor": charts.BAD,
    "hatch": "/////",
    "linewidth": 0.8,
}
UNJUDGED: Mapping[str, Any] = {"color": charts.INK, "linewidth": 0.9, "linestyle": (0, (2, 1.5))}
CUT: Mapping[str, Any] = {"color": charts.INK, "linewidth": 1.3}


@plot("scores")
def scores(view: View, pipeline: str) -> Drawn | None:
    """Score distributions: relevant documents upwards, irrelevant ones downwards, unjudged ones as a line."""
    judged = view.judged[pipeline]
    if not len(judged.score):
        return None
    groups = [None, *view.categories]
    relevant, query = judged.relevant, judged.query
    edges = np.histogram_bin_edges(judged.score, bins=BINS)
    figure, axis = new(0.75 + ROW * len(groups))
    for row, category in enumerate(groups):
        inside = np.isin(query, view.positions(category))
        up = judged.score[inside & relevant]
        down = judged.score[inside & judged.judged & ~relevant]
        unknown = judged.score[inside & ~judged.judged]
        middle = -HEIGHT * row
        axis.axhline(middle, color=charts.GRID, linewidth=0.8)
        _half(axis, up, edges, middle, 1, RELEVANT)
        _half(axis, down, edges, middle, -1, IRRELEVANT)
        if len(unknown) >= FEW:
            axis.stairs(middle - _density(unknown, edges), edges, baseline=middle, **UNJUDGED)
        cut = view.entry(pipeline, category)["threshold"] if pipeline in view.policies else None
        if cut is not None:
            axis.plot([cut, cut], [middle - 1.05, middle + 1.05], **CUT)
    axis.set_ylim(-HEIGHT * (len(groups) - 1) - 1.15, 1.15)
    axis.set_yticks(
        [-HEIGHT * row for row in range(len(groups))], [label(name or "all queries") for name in groups]
    )
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.locator_params(axis="x", nbins=TICKS)
    axis.set_xlabel("score")
    _legend(figure, bool((~judged.judged).any()))
    return Drawn(
        figure,
        f"Distributions of the scores of {pipeline} in {len(groups)} rows, all queries first. "
        f"Median of relevant documents {_median(judged.score[relevant])}, "
        f"of irrelevant ones {_median(judged.score[judged.judged & ~relevant])}.",
    )


def _median(values: Floats) -> str:
    return short(float(np.median(values))) if len(values) else "undefined"


def _half(
    axis: Axes, values: Floats, edges: Floats, middle: float, side: int, look: Mapping[str, Any]
) -> None:
    if len(values) < FEW:
        places = np.full(len(values), middle + side * 0.3)
        axis.plot(values, places, linestyle="none", marker="|", color=charts.MUTED)
    else:
        axis.stairs(middle + side * _density(values, edges), edges, baseline=middle, fill=True, **look)


def _density(values: Floats, edges: Floats) -> Floats:
    """Return a histogram whose highest bin is 1: shapes are compared, sizes are told in the tables."""
    counts = np.histogram(values, edges)[0].astype(np.float64)
    return np.asarray(counts / max(counts.max(), 1.0))


def _legend(figure: Figure, unjudged: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Patch | Line2D] = [
        Patch(label="relevant", **RELEVANT),
        Patch(label="irrelevant", **IRRELEVANT),
        Line2D([], [], label="threshold", **CUT),
    ]
    if unjudged:
        handles.append(Line2D([], [], label="unjudged", **UNJUDGED))
    figure.legend(
        handles=handles, loc="outside upper left", ncols=len(handles), columnspacing=1.2, handlelength=1.4
    )


@plot("reliability")
def reliability(view: View, pipeline: str) -> Drawn | None:
    """Share of relevant documents among judged ones of about equal score, with intervals over queries."""
    judged = view.judged[pipeline]
    rows = np.flatnonzero(judged.judged)
    if len(rows) < 2 * RELIABILITY_BINS:
        return None
    score = judged.score[rows]
    relevant, query = judged.relevant[rows].astype(np.float64), judged.query[rows]
    bins = _bins(score)
    points = [_bin(score[bins == one], relevant[bins == one], query[bins == one]) for one in np.unique(bins)]
    figure, axis = new(2.7)
    x, share, low, high = np.array(points).T
    axis.vlines(x, low, high, color=charts.GOOD, linewidth=1.6, alpha=0.6)
    axis.plot(x, share, color=charts.GOOD, marker="o", markersize=4, linewidth=1.0)
    if view.info["pipelines"][pipeline]["domain"]["score_space"] == "unit":
        axis.plot([0, 1], [0, 1], color=charts.NEUTRAL, linewidth=0.9, linestyle=(0, (4, 3)))
    axis.set_ylim(-0.03, 1.03)
    axis.locator_params(axis="x", nbins=TICKS)
    axis.set_xlabel("score")
    axis.set_ylabel("share relevant")
    axis.grid(axis="y")
    axis.tick_params(length=0)
    return Drawn(
        figure,
        f"Reliability of {pipeline}: the share of relevant documents rises from {short(share[0])} at score "
        f"{short(x[0])} to {short(share[-1])} at score {short(x[-1])}.",
    )


def _bins(score: Floats) -> Ints:
    """Return each score's bin: bins of equal width, joined upwards until each holds enough pairs."""
    edges = np.linspace(score.min(), score.max(), RELIABILITY_BINS + 1)
    equal = np.clip(np.searchsorted(edges, score, side="right") - 1, 0, RELIABILITY_BINS - 1)
    counts = np.bincount(equal, minlength=RELIABILITY_BINS)
    place, held, number = np.zeros(RELIABILITY_BINS, dtype=np.int64), 0, 0
    for index, count in enumerate(counts.tolist()):
        place[index] = number
        held += count
        if held >= FEWEST and counts[index + 1 :].sum() >= FEWEST:
            number, held = number + 1, 0
    return place[equal]


def _bin(score: Floats, relevant: Floats, query: Ints) -> tuple[float, float, float, float]:
    """Return a bin's mean score, its share of relevant rows, and that share's interval over queries.

    A ratio of sums over queries: its standard error by linearisation, so that a query's rows count together.
    """
    share = float(relevant.mean())
    _, place = np.unique(query, return_inverse=True)
    residual = np.bincount(place, weights=relevant - share)
    n = len(residual)
    error = float(np.sqrt((residual**2).sum() * n / max(n - 1, 1)) / len(score))
    return float(score.mean()), share, max(share - 1.96 * error, 0.0), min(share + 1.96 * error, 1.0)
