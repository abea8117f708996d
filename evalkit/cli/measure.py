"""`evalkit measure`: any run files against any judgments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evalkit.cli.app import app
from evalkit.errors import InputError

if TYPE_CHECKING:
    from evalkit.measures import Measured

DEFAULT_MEASURES = ["nDCG@10", "RR@10", "AP", "P@5", "R@100", "Judged@10"]


@app.command()
def measure(
    qrels: Annotated[
        Path, typer.Argument(help="Judgments: TREC qrels, .json (ranx), .csv, .parquet, a data set.")
    ],
    runs: Annotated[
        list[Path], typer.Argument(help="Runs: TREC, .json (ranx), .csv, .jsonl, .parquet; .gz.")
    ],
    measures: Annotated[
        list[str] | None, typer.Option("--measure", "-m", help="As nDCG@10, P(rel=2)@5; may be given again.")
    ] = None,
    per_query: Annotated[
        bool, typer.Option("--per-query", "-q", help="A line a run, query and measure: tab-separated.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
    relevance_level: Annotated[
        int | None, typer.Option("--relevance-level", "-l", help="Lowest relevant grade (trec_eval -l).")
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option("--depth", "-M", min=1, help="Documents per query that count (trec_eval -M)."),
    ] = None,
    complete: Annotated[
        bool,
        typer.Option(
            "--complete/--found-only",
            "-c",
            help="Judged queries that the run lacks take the worst value (trec_eval -c), or are left out.",
        ),
    ] = True,
    ties: Annotated[
        str, typer.Option(help="Equal scores: document (id, descending) or averaged.")
    ] = "document",
    score_precision: Annotated[
        str, typer.Option(help="float64, or float32 as trec_eval 9.0.8 and pytrec_eval.")
    ] = "float64",
) -> None:
    """Measure runs: one mean per measure over the judged queries, with what to know about it."""
    from evalkit.data.sources import judged_from, qrels_from, refuse_missing
    from evalkit.errors import all_of
    from evalkit.measures import measured
    from evalkit.measures.evaluate import needs_all_rows

    names = measures or DEFAULT_MEASURES
    checks: list[Callable[[], bool | None]] = [
        partial(refuse_missing, [qrels, *runs]),
        partial(needs_all_rows, names),
    ]
    _, all_rows = all_of(checks)
    options: dict[str, Any] = {
        "judged_rows_only": not all_rows,
        "depth": depth,
        "ties": ties,
        "score_precision": score_precision,
    }
    judgments = qrels_from(qrels, relevance_level)

    def one(name: str, path: Path) -> Measured:
        return measured(name, judged_from(path, judgments, name, **options), names, complete)

    told = all_of(partial(one, name, path) for name, path in _named(runs).items())
    if as_json:
        _print_json(told, per_query)
    elif per_query:
        _print_queries(told)
    else:
        _print_means(told)
    if judgments.gains:
        from evalkit.report.figures import gains

        typer.echo(f"note: gains of nDCG, by grade: {gains(judgments.gains)} (dataset.yaml)", err=True)
    for run in told:
        for warning in run.warnings:
            typer.echo(f"note: {warning}", err=True)


def _named(paths: list[Path]) -> dict[str, Path]:
    """Return a name for each run: its file's without suffixes, or as much of its path as tells it apart.

    Raises:
        InputError: a run is given twice.
    """
    from evalkit.data.trec import name_of

    twice = dict.fromkeys(str(path) for at, path in enumerate(paths) if path in paths[:at])
    if twice:
        raise InputError(f"{', '.join(twice)}: given twice. Name each run once")
    for spell in (name_of, lambda path: path.name, str):
        named = {spell(path): path for path in paths}
        if len(named) == len(paths):
            break
    return named


def _print_means(told: list[Measured]) -> None:
    from evalkit.cli.output import plain_console
    from evalkit.cli.tables import table

    made = table("", ["measure", *(one.name for one in told), "n", "undefined"])
    made.title = None
    for row in zip(*(one.means for one in told), strict=True):
        values = ["-" if mean.value is None else f"{mean.value:.4f}" for mean in row]
        counts = _range(mean.n for mean in row), _range(mean.undefined for mean in row)
        made.add_row(row[0].measure, *values, *counts)
    plain_console().print(made)


def _range(numbers: Iterable[int]) -> str:
    """Return one number, or the least and the greatest of several."""
    found = sorted(set(numbers))
    return "–".join(f"{number:,}" for number in dict.fromkeys((found[0], found[-1])))


def _print_queries(told: list[Measured]) -> None:
    import sys

    for one in told:
        lead = f"{one.name}\t" if len(told) > 1 else ""
        for name, values in one.values.items():
            rows = zip(one.query_ids, values.tolist(), strict=True)
            sys.stdout.write("".join([f"{lead}{name}\t{query}\t{value:.4f}\n" for query, value in rows]))


def _print_json(told: list[Measured], per_query: bool) -> None:
    import json

    runs = []
    for one in told:
        means = [mean._asdict() for mean in one.means]
        counts = {"missing": one.missing, "unjudged": one.unjudged, "tied": one.tied}
        row: dict[str, Any] = {"run": one.name, "measures": means, "queries": counts}
        if per_query:
            row["per_query"] = {
                name: {
                    query: None if value != value else value  # NaN: undefined
                    for query, value in zip(one.query_ids, values.tolist(), strict=True)
                }
                for name, values in one.values.items()
            }
        runs.append(row)
    typer.echo(json.dumps({"schema": "evalkit.measure/1", "runs": runs}, indent=1))
