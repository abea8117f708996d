"""`evalkit cache`: the ledger of paid responses."""

from __future__ import annotations

from typing import Annotated

import typer

from evalkit.cli.app import app
from evalkit.errors import ConditionFailed, InputError
from evalkit.words import plural

cache = typer.Typer(no_args_is_help=True, help="Look after the ledger of paid responses.")
app.add_typer(cache, name="cache")
DAY = 86_400.0


@cache.command()
def info(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """Say where the ledger is and what it holds, per address and model."""
    from dataclasses import asdict

    from evalkit.cli.output import plain_console, print_json
    from evalkit.cli.tables import table
    from evalkit.transport import care
    from evalkit.transport.ledger import Ledger, default_path

    with Ledger(default_path()) as ledger:
        found = care.info(ledger)
    if as_json:
        paths = {"path": str(found.path), "set_aside": [str(path) for path in found.set_aside]}
        print_json(asdict(found) | paths)
        return
    typer.echo(f"{found.path} ({found.size / 1e6:.1f} MB)")
    made = table("", ["model", "does", "responses", "MB", "newest"])
    for held in found.holdings:
        made.add_row(
            f"{held.model or 'embedded models'} at {held.base_url}",
            held.operation,
            str(held.entries),
            f"{held.size / 1e6:.1f}",
            _day(held.newest),
        )
    plain_console().print(made)
    for reason, count in found.quarantined:
        typer.echo(f"in quarantine: {count} because {reason}")
    for path in found.set_aside:
        typer.echo(f"set aside: {path}")


@cache.command()
def verify() -> None:
    """Check the file and every entry; exit 1 where something is wrong."""
    from evalkit.transport import care
    from evalkit.transport.ledger import Ledger, default_path

    wrong: list[str] = []
    with Ledger(default_path(), tell=wrong.append) as ledger:
        wrong += care.verify(ledger)
        entries = sum(held.entries for held in care.info(ledger).holdings)
    for line in wrong:
        typer.echo(line)
    if wrong:
        raise ConditionFailed(
            "the ledger was not whole. Damaged entries are never used: the next run asks for them again"
        )
    typer.echo(f"{plural(entries, 'response')}, all whole")


@cache.command()
def prune(
    older_than: Annotated[float | None, typer.Option(min=0.0, help="Days: delete what is older.")] = None,
    sandbox: Annotated[bool, typer.Option("--sandbox", help="Delete the sandbox's responses only.")] = False,
    quarantine: Annotated[bool, typer.Option("--quarantine", help="Empty the quarantine too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do it: without this, only say what would go.")] = False,
) -> None:
    """Delete responses: by age, or the sandbox's. What was paid for must be paid for again."""
    import time

    from evalkit.providers.settings import SANDBOX
    from evalkit.transport import care
    from evalkit.transport.ledger import Ledger, default_path

    if older_than is None and not sandbox:
        raise InputError("nothing chosen to delete. Name --older-than DAYS or --sandbox")
    before = None if older_than is None else time.time() - older_than * DAY
    base_url = SANDBOX if sandbox else None
    with Ledger(default_path()) as ledger:
        entries, held = care.prunable(ledger, before=before, base_url=base_url, quarantine=quarantine)
        what = plural(entries, "response") + (f" and {held} in quarantine" if quarantine else "")
        if not yes:
            typer.echo(f"would delete {what}; add --yes to do it")
            return
        care.prune(ledger, before=before, base_url=base_url, quarantine=quarantine)
    typer.echo(f"deleted {what}")


def _day(moment: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
