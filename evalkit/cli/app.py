"""The `evalkit` command: the app that command groups attach to, and how errors leave it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import typer
from typer.core import TyperGroup

from evalkit.errors import EvalkitError

INTERRUPTED = 130


class _Order(TyperGroup):
    """Lists commands in the order in which a newcomer needs them; any other comes last."""

    FIRST: ClassVar[tuple[str, ...]] = (
        *("demo", "check", "plan", "run", "report", "compare", "gate", "calibrate", "thresholds", "measure"),
        *("import", "sample", "split", "pool", "label", "models", "cache", "sandbox"),
    )

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names, the known ones first."""
        names = super().list_commands(ctx)
        return sorted(names, key=lambda name: self.FIRST.index(name) if name in self.FIRST else len(names))


app = typer.Typer(
    name="evalkit",
    cls=_Order,
    help="Evaluate retrieve-then-rerank search, and calibrate score thresholds per query category.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from evalkit import __version__

        typer.echo(f"evalkit {__version__}")
        raise typer.Exit()


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Evaluate retrieve-then-rerank search, and calibrate score thresholds per query category."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code; a user's error is told without a traceback."""
    try:
        app(args=list(arguments) if arguments is not None else None)
    except EvalkitError as error:
        typer.echo(f"evalkit: {error}", err=True)
        sys.exit(error.exit_code)
