"""`evalkit plan`: what a run would send and cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evalkit.cli.app import app

if TYPE_CHECKING:
    from evalkit.pipelines.ports import PlanLine

UNITS = {"search": "su", "token": "tok", "": ""}


@app.command()
def plan(
    suite: Annotated[Path, typer.Argument(help="A suite.yaml, or the folder that holds one.")],
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Plan this pipeline (and the baseline).")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Use the first queries only.")] = None,
    goal: Annotated[
        list[str] | None, typer.Option("--goal", help="Of the thresholds, to count labels for; the suite's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the lines as JSON.")] = False,
) -> None:
    """Say what `run` would send: calls, units, tokens, money, minutes; less what the ledger holds."""
    from dataclasses import asdict

    from evalkit.cli.output import print_json
    from evalkit.experiment.plan import plan as plan_suite
    from evalkit.report.escape import visible

    lines = plan_suite(suite, only=only or (), limit=limit)
    if as_json:
        print_json([asdict(line) for line in lines])
        return
    show_lines(lines)
    _show_labels(suite, goal)
    for warning in dict.fromkeys(warning for line in lines for warning in line.warnings):
        typer.echo(f"note: {visible(warning)}", err=True)


def _show_labels(suite: Path, goal: list[str] | None) -> None:
    from evalkit import suite as suites
    from evalkit.cli.goals import parsed_goals
    from evalkit.cli.output import plain_console
    from evalkit.cli.tables import table
    from evalkit.experiment.labels import labels

    asked = suites.load(suite)
    needs = labels(asked, parsed_goals(goal) if goal else None)
    if not needs:
        return
    part = f" ({asked.thresholds.split} part)" if asked.thresholds.split else ""
    made = table(
        f"Labelled queries for the goal{part}", ["category", "risk", "has", "at least", "likely with"]
    )
    for one in needs:
        likely = "out of reach" if one.likely is None else f"{one.likely:,}"
        made.add_row(one.category, one.risk, f"{one.has:,}", f"{one.least:,}", likely)
    plain_console().print(made)
    typer.echo("At least: if nothing is lost. Likely: 4 in 5, if the risk is half its limit.")


def show_lines(lines: list[PlanLine]) -> None:
    """Print what would be sent, one line a model and operation."""
    from evalkit.cli.output import plain_console, say
    from evalkit.cli.tables import table

    console = plain_console()
    made = table("To be sent, estimated", ["model", "calls", "kept", "units", "tokens", "$", "minutes"])
    for line in lines:
        made.add_row(
            line.model,
            f"{line.calls - line.calls_in_ledger:,}",
            f"{line.calls_in_ledger:,}",
            f"{line.units:,.0f} {UNITS[line.unit]}".strip(),
            f"{line.tokens:,}",
            "?" if line.usd is None else f"{line.usd:.4f}",
            f"{line.minutes:.1f}",
        )
    priced = [line.usd for line in lines if line.usd is not None]
    more = "" if len(priced) == len(lines) else " and what has no known price"
    console.print(made)
    say(
        console,
        f"In all ${sum(priced):.4f}{more}, {sum(line.minutes for line in lines):.1f} minutes at the rate "
        "limits. `kept`: already in the ledger.",
    )
