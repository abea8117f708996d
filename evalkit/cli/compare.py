"""`evalkit compare`: runs against a baseline, or today's run directory against an earlier one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evalkit.cli.app import app
from evalkit.errors import InputError

if TYPE_CHECKING:
    from evalkit.experiment.compare import Wish


@app.command()
def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Run directories, the earlier first; or, with --qrels, run files.")
    ],
    qrels: Annotated[
        Path | None,
        typer.Option("--qrels", help="Judgments, or a data set's folder (knows categories, groups)."),
    ] = None,
    measures: Annotated[
        list[str] | None, typer.Option("--measure", "-m", help="With --qrels; the first decides the verdict.")
    ] = None,
    baseline: Annotated[
        str | None, typer.Option(help="With --qrels: the name of the baseline's file; the first by default.")
    ] = None,
    margin: Annotated[
        list[str] | None, typer.Option(help="A difference that would not matter: nDCG@10=0.01.")
    ] = None,
    test: Annotated[
        list[str] | None, typer.Option(help="Beside the randomisation test: t, wilcoxon.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of resampling and random exchange.")] = 7,
    common: Annotated[
        bool, typer.Option("--common", help="Of runs on different data, compare what is alike.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Of run directories: the page; beside the last run by default."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Compare query by query: differences with intervals, corrected tests, per category."""
    if qrels is None:
        if measures or baseline or margin or test:
            raise InputError("-m, --baseline, --margin and --test belong to a comparison with --qrels")
        _compare_directories(runs, common, out, as_json)
    else:
        if common or out:
            raise InputError("--common and --out belong to a comparison of run directories")
        from evalkit.experiment.compare import DEFAULT_MEASURES, Wish

        wish = Wish(measures or DEFAULT_MEASURES, seed, test or (), _margins(margin or []))
        _compare_files(runs, qrels, baseline, wish, as_json)


def _compare_files(paths: list[Path], qrels: Path, baseline: str | None, wish: Wish, as_json: bool) -> None:
    from evalkit.cli.differences import show_summary
    from evalkit.cli.output import print_json
    from evalkit.data.sources import refuse_missing
    from evalkit.experiment.compare import compare_runs, read_judgments, read_runs

    refuse_missing([qrels, *paths])
    judgments, asked = read_judgments(qrels)
    runs = read_runs(paths)
    summary = compare_runs(judgments, runs, baseline or next(iter(runs)), asked, wish)
    if as_json:
        print_json(summary)
    else:
        show_summary(summary)


def _compare_directories(folders: list[Path], common: bool, out: Path | None, as_json: bool) -> None:
    from evalkit import runs
    from evalkit.cli.differences import show_changes
    from evalkit.cli.output import print_json
    from evalkit.experiment.changes import changes
    from evalkit.experiment.changes_page import write_page

    compared = [runs.read(folder) for folder in folders]
    told = changes(compared, common)
    page = None if as_json and out is None else write_page(told, compared, common, out)
    if as_json:
        print_json(told)
    else:
        show_changes(told)
        typer.echo(f"\nPage: {page}")


def _margins(texts: list[str]) -> dict[str, float]:
    margins = {}
    for text in texts:
        name, sign, number = text.rpartition("=")
        try:
            margins[name] = float(number)
        except ValueError:
            margins[name] = 0.0
        if not sign or not margins[name] > 0:
            raise InputError(f"--margin {text}: write a measure and a positive number, like nDCG@10=0.01")
    return margins
