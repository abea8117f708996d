"""`evalkit gate`: exit 1 where a run got worse than an earlier one, beyond noise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evalkit.cli.app import app
from evalkit.errors import ConditionFailed


@app.command()
def gate(
    run: Annotated[Path, typer.Argument(help="The new run directory; its suite has the `gate:`.")],
    baseline: Annotated[Path, typer.Option("--baseline", help="The run directory to hold it against.")],
    junit: Annotated[Path | None, typer.Option("--junit", help="Write JUnit XML to this file.")] = None,
    summary: Annotated[
        Path | None,
        typer.Option("--summary", envvar="GITHUB_STEP_SUMMARY", help="Append Markdown to this file."),
    ] = None,
    annotate: Annotated[
        bool,
        typer.Option("--annotations/--no-annotations", envvar="GITHUB_ACTIONS", help="Annotate on GitHub."),
    ] = False,
    common: Annotated[
        bool, typer.Option("--common", help="Of runs on different data, compare what is alike.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Pass or fail a run: quality within its margin, promises kept, spend within its limit."""
    from evalkit import runs
    from evalkit.cli.output import print_json
    from evalkit.data.files import write_file
    from evalkit.experiment.gate import gate as judge
    from evalkit.report import gate as report

    found = judge(runs.read(run), runs.read(baseline), common)
    if junit is not None:
        write_file(junit, report.junit(found))
    if summary is not None:
        summary.parent.mkdir(parents=True, exist_ok=True)
        with summary.open("a", encoding="utf-8") as file:  # other steps write to the same file
            file.write(report.summary(found))
    if as_json:
        print_json(found.to_dict())
    else:
        for line in report.lines(found):
            typer.echo(line)
        for line in report.workflow_commands(found) if annotate else ():
            typer.echo(line)
    if found.failing:
        raise ConditionFailed(f"the gate is closed by {len(found.failing)} of {len(found.checks)} checks")
