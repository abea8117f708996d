"""`evalkit pool`, `evalkit label`: what still has to be judged, and a page to judge it on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evalkit.cli.app import app
from evalkit.words import plural


@app.command()
def pool(
    run_dir: Annotated[Path, typer.Argument(help="A run directory.")],
    depth: Annotated[int, typer.Option(min=1, help="How many of each pipeline's best to judge.")] = 10,
    out: Annotated[Path, typer.Option(help="A .jsonl file, or .csv for a spreadsheet.")] = Path("pool.jsonl"),
    seed: Annotated[int, typer.Option(help="Of the order, which hides the ranks.")] = 7,
) -> None:
    """Write the unjudged pairs among all pipelines' best, shuffled, without scores."""
    from evalkit.experiment.pool import pool as make
    from evalkit.experiment.pool import write

    found = make(run_dir, depth, seed)
    write(found, out)
    queries = len({row["query_id"] for row in found.rows})
    typer.echo(
        f"{plural(len(found.rows), 'pair')} of {plural(queries, 'query')} to judge, "
        f"{found.judged} judged already: {out}"
    )


@app.command()
def label(
    pool: Annotated[Path, typer.Argument(help="A file that `evalkit pool` wrote.")],
    rater: Annotated[str, typer.Option(help="Whose judgments these are; your login name by default.")] = "",
    log: Annotated[Path | None, typer.Option(help="Where they go; POOL.labels.jsonl by default.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port; 0 is any free one.")] = 0,
) -> None:
    """Serve a page on this machine to judge a pool with the keyboard; end it at any time with Ctrl-C."""
    import getpass

    from evalkit.labelling.serve import serve
    from evalkit.labelling.session import Session

    log = log or pool.with_suffix(".labels.jsonl")

    def tell(address: str) -> None:
        typer.echo(f"Judge at {address}")
        typer.echo(f"Judgments go to {log}. Take them in: evalkit import labels {log} DATASET")

    with Session(pool, log, rater or getpass.getuser()) as session:
        serve(session, port, tell)
        typer.echo(f"{len(session.judged)} of {len(session.items)} judged: {log}")
