"""Tables for the terminal: at most 80 columns, no meaning in colour alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from evalkit.runs import RunDirectory

MEASURES_SHOWN = 3  # what fits beside a name in 80 columns, with intervals
NAME_WIDTH = 16


def show_run(done: RunDirectory) -> None:
    """Print the verdict, the pipelines, the thresholds, and where everything lies."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, soft_wrap=False)
    summary = done.summary
    for sentence in summary["verdict"]:
        console.print(sentence)
    console.print()
    console.print(_pipelines(summary))
    for name, policy in done.policies.items():
        if name == done.info["thresholds_of"]:
            console.print(_thresholds(name, policy.to_dict()))
    console.print(f"Report: {done.folder / 'report.html'}", soft_wrap=True)


def figure(row: Mapping[str, Any]) -> str:
    """Return `.731 [.702, .758]`, or a dash where nothing is defined."""
    if row["point"] is None:
        return "-"
    if row["low"] is None:
        return short(row["point"])
    return f"{short(row['point'])} [{short(row['low'])}, {short(row['high'])}]"


def short(value: float) -> str:
    """Return three decimals without the leading zero."""
    told = f"{value:.3f}"
    return told.replace("0.", ".", 1) if abs(value) < 1 else told


def table(title: str, columns: Iterable[str], right: bool = True) -> Table:
    """Return an empty table in the house's style: the first column holds names, the others figures."""
    from rich import box
    from rich.table import Table

    made = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        made.add_column(
            column, justify="right" if right and index else "left", overflow="fold", no_wrap=index > 0
        )
    return made


def _pipelines(summary: Mapping[str, Any]) -> Table:
    measures = list(dict.fromkeys(row["measure"] for row in summary["measures"]))[:MEASURES_SHOWN]
    made = table("Pipelines (95 % interval over queries)", ["pipeline", *measures])
    cells: dict[str, dict[str, str]] = {}
    for row in summary["measures"]:
        if row["category"] is None:
            cells.setdefault(row["pipeline"], {})[row["measure"]] = figure(row)
    for name, figures in cells.items():
        made.add_row(name, *(figures[measure] for measure in measures))
    return made


def _thresholds(name: str, policy: Mapping[str, Any]) -> Table:
    made = table(f"Thresholds for {name}", ["category", "keep score >=", "status", "queries", "needs"])
    for category, row in policy["categories"].items():
        threshold = "none" if row["threshold"] is None else f"{row['threshold']:.4f}"
        needs = row["needs_queries"]
        made.add_row(
            category, threshold, row["status"], str(row["n_queries"]), f"{needs} more" if needs else ""
        )
    return made
