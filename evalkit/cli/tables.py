"""Tables for the terminal: at most 80 columns, no meaning in colour alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from textwrap import fill
from typing import TYPE_CHECKING, Any

from evalkit.cli.output import plain_console, say
from evalkit.report.escape import visible
from evalkit.report.figures import gains, interval, short

if TYPE_CHECKING:
    from rich.table import Table

    from evalkit.runs import RunDirectory

MEASURES_SHOWN = 2  # what fits in 80 columns beside a name and two intervals
HEADING = 12  # characters of a line of a measure's name, so that it leaves room for pipelines


def show_run(done: RunDirectory) -> None:
    """Print the verdict, the pipelines, the thresholds, and the file to open."""
    from evalkit.cli.policies import policy_table
    from evalkit.thresholds.telling import statement
    from evalkit.thresholds.tested import sentences

    console = plain_console()
    say(console, *done.summary["verdict"])
    console.print()
    console.print(_pipelines(done.summary))
    if done.info["dataset"].get("gains"):
        console.print(f"Gains of nDCG, by grade: {gains(done.info['dataset']['gains'])} (dataset.yaml)")
    policy = done.policies.get(done.info["thresholds_of"])
    if policy is not None:
        console.print(policy_table(policy))
        say(console, statement(policy), *sentences(policy.held_out))
    console.print(f"\nReport: {done.folder / 'report.html'}", soft_wrap=True)


def table(title: str, columns: Iterable[str], right: bool = True) -> Table:
    """Return an empty table in the house's style: the first column holds names, the others figures.

    Cells are text from data: what would move a terminal's cursor or colour it is written out.
    """
    from rich import box
    from rich.table import Table

    class Shown(Table):
        def add_row(self, *cells: Any, **options: Any) -> None:
            super().add_row(*(visible(cell) if isinstance(cell, str) else cell for cell in cells), **options)

    made = Shown(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        made.add_column(
            column, justify="right" if right and index else "left", overflow="fold", no_wrap=index > 0
        )
    return made


def _pipelines(summary: Mapping[str, Any]) -> Table:
    """Return one row a pipeline: the headline with its interval, the difference, other measures' means."""
    headline = summary["primary"] or summary["measures"][0]["measure"]
    means = {(row["pipeline"], row["measure"]): row for row in summary["measures"] if row["category"] is None}
    differences = {
        row["pipeline"]: row
        for row in summary["differences"]
        if row["category"] is None and row["measure"] == headline
    }
    others = [name for name in dict.fromkeys(measure for _, measure in means) if name != headline]
    others = others[:MEASURES_SHOWN]
    against = f"against {visible(summary['baseline'])}"
    made = table(
        "Pipelines, with 95 % intervals over queries",
        ["pipeline", headline, against, *(fill(name, HEADING) for name in others)],
    )
    for name in dict.fromkeys(pipeline for pipeline, _ in means):
        difference = differences.get(name)
        made.add_row(
            visible(name),
            interval(means[name, headline]),
            "" if difference is None else interval(difference, sign=True),
            *(short(means[name, measure]["point"]) for measure in others),
        )
    return made
