"""The command line: one file per command group; parses, calls, prints, computes nothing.

A command's file imports nothing heavy at its top, so that `evalkit --help` answers at once.
"""

from evalkit.cli import (  # noqa: F401  importing a file adds its commands
    cache,
    calibrate,
    check,
    compare,
    gate,
    import_,
    label,
    measure,
    models,
    plan,
    queries,
    run,
    sandbox,
    thresholds,
)
from evalkit.cli.app import app, main

__all__ = ["app", "main"]
