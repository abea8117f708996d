"""The command line: one file per command group; parses, calls, prints, computes nothing.

A command's file is imported when the command is asked for (`app.FILES` says which file it is), and imports
nothing heavy at its top, so that `evalkit --help` answers at once.
"""

from evalkit.cli.app import app, main

__all__ = ["app", "main"]
