"""`evalkit sandbox`: a server on loopback that speaks Cohere's API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evalkit.cli.app import app


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port; 0 is any free one.")] = 8900,
    faults: Annotated[Path | None, typer.Option(help="A fault script: see docs/faults.md.")] = None,
    per_minute: Annotated[int | None, typer.Option(min=1, help="Calls a minute before a 429.")] = None,
    per_month: Annotated[int | None, typer.Option(min=1, help="Calls in all before a 429.")] = None,
    delay: Annotated[float, typer.Option(min=0.0, help="Seconds before each answer.")] = 0.0,
    words: Annotated[
        bool, typer.Option("--words", help="Score by shared words: instant, needs no model.")
    ] = False,
) -> None:
    """Serve Cohere's v2 API on loopback, strictly, with scores of the embedded models until Ctrl-C."""
    from evalkit.sandbox.faults import read
    from evalkit.sandbox.serve import BANNER, serve

    rules = read(faults) if faults else []

    def tell(address: str) -> None:
        typer.echo(BANNER)
        typer.echo(f"Serving at {address}. In another shell:")
        typer.echo(f"  export CO_API_URL={address} CO_API_KEY=sandbox-production")
        typer.echo("A key that starts with sandbox-trial is told of the limits as a trial key is.")

    serve(port, tell, rules, per_minute=per_minute, per_month=per_month, delay=delay, words=words)
