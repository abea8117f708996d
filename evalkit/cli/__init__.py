"""The command line: one file per command group; parses, calls, prints, computes nothing."""

from evalkit.cli.app import app, main

__all__ = ["app", "main"]
