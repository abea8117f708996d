"""`evalkit sample`, `evalkit split`: which queries to label, and which to calibrate on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from evalkit.cli.app import app
from evalkit.words import plural


@app.command()
def sample(
    log: Annotated[Path, typer.Argument(help="CSV, JSON lines or Parquet with `query` and `count`.")],
    n: Annotated[int, typer.Option("--n", min=1, help="How many; with --by, of each category.")] = 100,
    by: Annotated[Literal["category", "none"], typer.Option(help="Sample each category alone.")] = "none",
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("queries.jsonl"),
    map_: Annotated[list[str] | None, typer.Option("--map", help="OURS=COLUMN, such as query=term.")] = None,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 7,
) -> None:
    """Draw queries to label from a log: near-duplicates merged, frequent and rare ones alike."""
    from evalkit.data import sampling
    from evalkit.data.importers.options import pairs

    logged, empty = sampling.read_log(log, pairs(map_ or (), "--map"))
    found = sampling.sample(logged, n, by == "category", seed, empty)
    sampling.write(found, out)
    bands = ", ".join(f"{count} {band}" for band, count in found.bands.items())
    typer.echo(
        f"{plural(found.lines, 'line')}, {found.empty} without text; "
        f"{plural(found.distinct, 'distinct query')}: {bands}"
    )
    typer.echo(f"{plural(len(found.queries), 'query')} to label: {out}")


@app.command()
def split(
    dataset: Annotated[Path, typer.Argument(help="A data set's folder.")],
    share: Annotated[float, typer.Option(help="The share of the queries to calibrate on.")] = 0.5,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 7,
) -> None:
    """Split the judged queries for calibration and test, by group and category; kept in splits.tsv."""
    from collections import Counter

    from evalkit.data import beir, splits

    parts = splits.split(beir.load(dataset), share, seed)
    path = splits.save(dataset, parts)
    counts = ", ".join(f"{count} {part}" for part, count in sorted(Counter(parts.values()).items()))
    typer.echo(f"Queries: {counts}: {path}")
