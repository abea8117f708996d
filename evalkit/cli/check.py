"""`evalkit check`: all that is wrong with a data set, a suite or a thresholds file, at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evalkit.cli.app import app
from evalkit.errors import ConditionFailed, DataError
from evalkit.words import plural


@app.command()
def check(
    path: Annotated[Path, typer.Argument(help="A data set's folder, a suite.yaml, or a thresholds.json.")],
    strict: Annotated[bool, typer.Option("--strict", help="Exit 1 on warnings too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Validate a data set, suite or thresholds file: every finding with file, line and remedy."""
    from evalkit.cli.output import print_json
    from evalkit.cli.progress import reading
    from evalkit.experiment.check import check as find
    from evalkit.report.escape import visible

    with reading("reading (MiB)", path.parent if path.is_file() else path):
        checked = find(path)
    if as_json:
        print_json(checked.to_dict())
    else:
        for finding in checked.findings:
            typer.echo(visible(f"{finding.severity}: {finding}"))
        for line in checked.told:
            typer.echo(visible(line))
    errors = [finding for finding in checked.findings if finding.severity == "error"]
    if errors:
        raise DataError(errors) if as_json else typer.Exit(DataError.exit_code)
    if strict and checked.findings:
        raise ConditionFailed(f"{path}: {plural(len(checked.findings), 'warning')}")
