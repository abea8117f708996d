"""How commands print: one console, sentences in its width, one form of JSON."""

from __future__ import annotations

import re
from textwrap import fill
from typing import TYPE_CHECKING, Any

import typer

from evalkit.report.escape import visible

if TYPE_CHECKING:
    from rich.console import Console


def plain_console() -> Console:
    """Return a console on standard output that takes text from data for text, never for markup."""
    from rich.console import Console

    return Console(highlight=False, markup=False)


def say(console: Console, *sentences: str) -> None:
    """Print sentences in lines of the console's width."""
    for sentence in sentences:
        console.print(wrapped(sentence, console.width))


def wrapped(sentence: str, width: int) -> str:
    """Return a sentence in lines of `width`; an interval such as `[-0.1, 0.2]` is never divided.

    >>> print(wrapped("late beats embed: [+0.03, +0.07]", 26))
    late beats embed:
    [+0.03, +0.07]
    """
    whole = re.sub(r"(\[[^\[\]\s]+) (?=[^\[\]\s]+\])", "\\1\0", visible(sentence))
    return fill(whole, width, break_long_words=False, break_on_hyphens=False).replace("\0", " ")


def print_json(value: Any) -> None:
    """Print plain data as JSON; NaN becomes null."""
    from evalkit.runs import to_json

    typer.echo(to_json(value).decode(), nl=False)
