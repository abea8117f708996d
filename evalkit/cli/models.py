"""`evalkit models`: what is known of each model."""

from __future__ import annotations

from typing import Annotated

import typer

from evalkit.cli.app import app

UNITS = {"search": "searches", "token": "tokens"}


@app.command()
def models(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """List the models that evalkit knows: context, unit of billing, price and its date."""
    from evalkit.cli.output import plain_console, print_json
    from evalkit.cli.tables import table
    from evalkit.providers.base import EMBEDDERS, RERANKERS
    from evalkit.providers.catalog import shipped

    known = {f"cohere/{name}": model for name, model in shipped().items()}
    own = {name: "embed" for name in EMBEDDERS if not name.endswith("*")}
    own |= {name: "rerank" for name in RERANKERS if not name.endswith("*")}
    if as_json:
        rows = {name: model.model_dump(mode="json", exclude={"known"}) for name, model in known.items()}
        free = {name: {"does": does, "usd": 0.0} for name, does in own.items()}
        print_json(free | rows)
        return
    made = table("Models", ["model", "does", "context", "price in $", "as of"])
    for name, does in own.items():
        made.add_row(name, does, "", "free", "")
    for name, model in known.items():
        price = "unknown" if model.usd is None else f"{model.usd:g} / {_count(model.per)} {UNITS[model.unit]}"
        made.add_row(name, model.does, f"{model.context:,}", price, str(model.as_of))
    plain_console().print(made)
    typer.echo(
        "Any other name works too: cohere/NAME, or {http: URL, model: NAME}.\n"
        "A suite overrides a price: providers: {cohere: {catalog: {NAME: {usd: 1.5}}}}\n"
        "Where each line is from: evalkit models --json"
    )


def _count(per: float) -> str:
    return f"{per / 1e6:g}M" if per >= 1e6 else f"{per / 1e3:g}K"
