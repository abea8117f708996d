"""The command line: one file per command group; parses, calls, prints, computes nothing.

A command's file imports nothing heavy at its top, so that `evalkit --help` answers at once.
"""

from evalkit.cli import cache, check, import_, label, models, plan, queries, run, sandbox
from evalkit.cli.app import app, main

__all__ = ["app", "cache", "check", "import_", "label", "main", "models", "plan", "queries", "run", "sandbox"]
