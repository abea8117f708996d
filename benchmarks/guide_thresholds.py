"""The figures of docs/guide/thresholds.md, from the handbook and from the bounds themselves."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from evalkit.experiment.bundled import folder
from evalkit.experiment.run import Options, run
from evalkit.experiment.sources import Source, from_directory
from evalkit.stats.bounds import queries_at_least, queries_for_power
from evalkit.thresholds.calibrate import Calibration, calibrate
from evalkit.thresholds.goals import CRITERIA, LOSSES, Goal, make

FIGURES = Path(__file__).parents[1] / "docs" / "guide" / "figures"
LOST = {"risk": "lost_answer", "at_most": 0.10, "confidence": 0.90}
LIMITS = np.array([0.02, 0.03, 0.05, 0.075, 0.10, 0.15, 0.20, 0.30])


def calibrated(source: Source, goal: dict[str, Any]) -> Calibration:
    """Calibrate the handbook for one goal."""
    return calibrate(
        source.judged, Goal.parse(goal), domain=source.domain, seed=source.seed, clusters=source.clusters
    )


def curve_figure(source: Source) -> Any:
    """Draw what a threshold for all queries keeps and loses, with two choices of it."""
    from matplotlib.figure import Figure

    promise, estimate = calibrated(source, LOST), calibrated(source, {"maximise": "F1"})
    curve = promise.overall.curve
    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    for name in ("precision", "recall"):
        above, below = (part[curve.index].sum(axis=0) for part in make(CRITERIA, name, {}).of(curve.states))
        axes.plot(curve.thresholds[:-1], (above / np.maximum(below, 1e-9))[:-1], label=name)
    lost = make(LOSSES, "lost_answer", {}).of(curve.states)[curve.index][curve.answerable].mean(axis=0)
    axes.plot(curve.thresholds[:-1], lost[:-1], label="lost answers", color="tab:red")
    for made, style, told in ((promise, "-", "certified"), (estimate, "--", "best F1")):
        axes.axvline(made.policy.default.threshold, color="black", linestyle=style, linewidth=1, label=told)
    axes.set(xlabel="threshold", ylabel="share", ylim=(0, 1))
    axes.legend(ncols=2, fontsize="small")
    return figure


def labels_figure() -> Any:
    """Draw how many queries a promise about a 0/1 risk takes, for one promise and for eight at once."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.4), layout="constrained")
    axes = figure.subplots()
    for promises, colour in ((1, "tab:blue"), (8, "tab:orange")):
        delta = 0.1 / promises
        least = [queries_at_least(limit, delta) for limit in LIMITS]
        likely = [queries_for_power(limit, delta, limit / 2) for limit in LIMITS]
        told = "one promise" if promises == 1 else f"{promises} promises at once"
        axes.plot(LIMITS, likely, marker="o", color=colour, label=f"{told}: likely, risk half the limit")
        axes.plot(LIMITS, least, marker=".", color=colour, linestyle=":", label=f"{told}: at the very least")
    axes.set(xlabel="limit of the risk", ylabel="labelled queries", yscale="log", xscale="log")
    axes.set_xticks(LIMITS, [f"{limit:g}" for limit in LIMITS])
    axes.set_xticks([], minor=True)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.legend(fontsize="small")
    return figure


def main() -> None:
    """Write both figures."""
    import matplotlib as mpl

    with tempfile.TemporaryDirectory() as name:
        done = run(folder("handbook"), Path(name) / "out", Options(only=("late",), offline=True))
        source = from_directory(done, "late")
    FIGURES.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context({"svg.hashsalt": "evalkit", "svg.fonttype": "none", "font.size": 9}):
        for title, figure in (("curve", curve_figure(source)), ("labels", labels_figure())):
            figure.savefig(FIGURES / f"thresholds-{title}.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
