"""The command line: one file per command group; parses, calls, prints, computes nothing.

A command's file imports nothing heavy at its top, so that `evalkit --help` answers at once.
"""

from evalkit.cli import check, import_, run
from evalkit.cli.app import app, main

__all__ = ["app", "check", "import_", "main", "run"]
