"""The `evalkit` command: the app that command groups attach to, and how errors leave it."""

from __future__ import annotations

import atexit
import gc
import importlib
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from evalkit.errors import EvalkitError

INTERRUPTED = 130
MANY = 500_000  # new objects before a search for cycles: the usual 700 takes a tenth of a short run

FILES = {  # of the commands, in the order in which a newcomer needs them
    "demo": "run",
    "check": "check",
    "plan": "plan",
    "run": "run",
    "report": "run",
    "compare": "compare",
    "gate": "gate",
    "calibrate": "calibrate",
    "thresholds": "thresholds",
    "measure": "measure",
    "import": "import_",
    "sample": "queries",
    "split": "queries",
    "pool": "label",
    "label": "label",
    "models": "models",
    "cache": "cache",
    "sandbox": "sandbox",
}


class _Commands(TyperGroup):
    """Imports a command's file when the command is asked for: all of them take longer than a small job."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  typer's signature
        """Return the names of all commands."""
        self._load(*FILES.values())
        return list(FILES)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, or None after all are loaded, so that typer can suggest one."""
        if cmd_name not in self.commands:
            self._load(*([FILES[cmd_name]] if cmd_name in FILES else FILES.values()))
        return super().get_command(ctx, cmd_name)

    def _load(self, *files: str) -> None:
        for file in files:
            importlib.import_module(f"evalkit.cli.{file}")
        self.commands.update(get_group(app).commands)


app = typer.Typer(
    name="evalkit",
    cls=_Commands,
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
    gc.set_threshold(MANY)
    atexit.register(gc.freeze)  # what is alive at the end goes with the process: no search for cycles in it
    try:
        app(args=list(arguments) if arguments is not None else None)
    except EvalkitError as error:
        from evalkit.report.escape import visible  # it may quote a name from the data

        typer.echo(f"evalkit: {visible(str(error))}", err=True)
        sys.exit(error.exit_code)
