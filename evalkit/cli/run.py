"""`evalkit run`, `evalkit demo`, `evalkit report`: a suite to a run directory, and its report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evalkit.cli.app import app
from evalkit.errors import InputError, ProviderError
from evalkit.words import plural

if TYPE_CHECKING:
    from evalkit.runs import RunDirectory

Suite = Annotated[Path, typer.Argument(help="A suite.yaml, or the folder that holds one.")]
Out = Annotated[Path | None, typer.Option("--out", help="The run directory; runs/NAME by default.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]


@app.command()
def run(
    suite: Suite,
    out: Out = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Run this pipeline (and the baseline).")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Use the first queries only.")] = None,
    max_units: Annotated[
        float | None, typer.Option(min=0.0, help="Stop before more search units than this (not tokens).")
    ] = None,
    max_usd: Annotated[
        float | None, typer.Option(min=0.0, help="Stop before spending more than this.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Refuse every call beyond this machine.")
    ] = False,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Send Cohere's calls to the sandbox.")] = False,
    recheck: Annotated[
        str, typer.Option("--recheck", help="Ask a share of the queries again, such as 5%: four calls each.")
    ] = "0%",
    as_json: Json = False,
) -> None:
    """Run a suite and write its run directory; run it again to resume, or to add what changed."""
    from evalkit.cli.progress import watching
    from evalkit.experiment.run import Options
    from evalkit.experiment.run import run as run_suite

    with watching() as watch:
        options = Options(only or (), limit, max_units, max_usd, offline, sandbox, _share(recheck), watch)
        done = run_suite(suite, out, options)
    _tell(done, as_json)


@app.command()
def demo(out: Out = None, as_json: Json = False) -> None:
    """Run the bundled suite offline and say where its report lies."""
    from evalkit.experiment.bundled import folder

    run(folder("handbook"), out or Path("runs") / "demo", offline=True, as_json=as_json)


@app.command()
def report(
    run_dir: Annotated[Path, typer.Argument(help="A run directory.")],
    query: Annotated[
        list[str] | None, typer.Option("--query", help="Have this query's documents in the page, by its id.")
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="Write tables/pipelines.tex too.")] = False,
) -> None:
    """Render a run directory's report again."""
    from evalkit import runs
    from evalkit.experiment.report import render

    typer.echo(render(runs.read(run_dir), first=query or (), latex=latex))


def _bills(done: RunDirectory) -> list[str]:
    """Say, for each model that billed this run, how many units it was and how many were planned."""
    return [
        f"{bill['model']}: billed {bill['billed']:,.0f} {bill['unit']} units, planned {bill['planned']:,.0f}"
        for bill in done.info["bills"]
    ]


def _notes(done: RunDirectory) -> list[str]:
    """Return what the stages warned of: texts that are cut, unknown prices, what the API itself says."""
    stages = [stage for one in done.info["pipelines"].values() for stage in one["stages"]]
    return list(dict.fromkeys(warning for stage in stages for warning in stage["warnings"]))


def _share(text: str) -> float:
    """Read `5%` or `0.05`."""
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise InputError(f"--recheck takes a share such as 5% or 0.05, not {text!r}")
    return share


def _tell(done: RunDirectory, as_json: bool) -> None:
    """Print the result, and leave with the provider's exit code where queries failed."""
    from evalkit.cli.output import plain_console, print_json, wrapped
    from evalkit.cli.tables import show_run
    from evalkit.report.escape import visible
    from evalkit.sandbox import BANNER

    if done.info["sandbox"]:
        typer.echo(BANNER, err=as_json)
    if as_json:
        print_json(done.summary)
    else:
        show_run(done)
        for line in _bills(done):
            typer.echo(visible(line))
        for one in done.info["recheck"]:
            typer.echo(wrapped(one["sentence"], plain_console().width))
        spent = done.info["recheck_spent"]
        if spent["calls"]:
            money = f", ${spent['usd']:.4f}" if spent["usd"] else ""
            typer.echo(f"Asking again took {plural(spent['calls'], 'call')}{money}.")
    for note in _notes(done):
        typer.echo(f"note: {visible(note)}", err=True)
    wrong = []
    failed = sum(len(failures) for failures in done.info["failures"].values())
    if failed:
        wrong.append(
            f"{plural(failed, 'query has', 'queries have')} no answer: see {done.folder / 'run.json'}. "
            "Run it again to resume"
        )
    if done.info["recheck_stopped"]:
        wrong.append(f"asking again ended early, the run did not: {visible(done.info['recheck_stopped'])}")
    if wrong:
        raise ProviderError("\n".join(wrong))
