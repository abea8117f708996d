"""Progress on standard error: a bar in a terminal, a line now and then elsewhere, nothing on quick work."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from evalkit.cli.app import INTERRUPTED

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from evalkit.pipelines.ports import Progress, Usage

QUICK = 2.0  # seconds that work may last without a word
PAUSE = 20.0  # seconds between two lines where standard error is no terminal


class Display:
    """What a run reports its stages to; it remembers where the run stands, to say so at Ctrl-C."""

    def __init__(self, bars: Bars | None = None) -> None:
        self._bars = bars
        self._at = ""
        self._usage: Usage | None = None

    def __call__(self, title: str, usage: Usage | None = None) -> Progress:
        """Return where a stage's progress goes; `usage` is what the run has been billed so far."""
        self._usage = usage or self._usage
        told = _lines(title, usage) if self._bars is None else _bar(self._bars, title, usage)

        def update(done: int, total: int) -> None:
            self._at = f"{title}, {done:,} of {total:,}"
            told(done, total)

        return update

    def interrupted(self) -> str:
        """Say where the work stopped, what was kept and how to go on."""
        where = f"Interrupted at {self._at}." if self._at else "Interrupted."
        if self._usage is None:
            return where
        from evalkit.transport.ledger import default_path

        billed = f" Billed by this run: {spent(self._usage)}." if spent(self._usage) else ""
        return (
            f"{where}{billed} Every answer and every embedded text until then is kept in {default_path()}: "
            "give the same command again to go on."
        )


@contextmanager
def watching() -> Iterator[Display]:
    """Yield what a run reports its stages to; Ctrl-C says what was kept and leaves with 130."""
    display = Display()
    try:
        if not sys.stderr.isatty():
            yield display
            return
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bars

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.fields[told]}"),
        )
        with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
            display = Display(bars)
            yield display
    except KeyboardInterrupt:
        typer.echo(f"evalkit: {display.interrupted()}", err=True)
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def reading(title: str, *paths: Path | None) -> Iterator[None]:
    """Show how much of `paths` is read, in mebibytes, while the block reads them."""
    from evalkit.data.files import size_of, watched

    total = sum(size_of(path) for path in paths if path is not None)
    done = 0
    with watching() as watch:
        update = watch(title)

        def count(size: int) -> None:
            nonlocal done
            done += size
            update(done >> 20, max(total, done + 1) >> 20)  # an archive holds more than its size

        with watched(count):
            yield


def _bar(bars: Bars, title: str, usage: Usage | None) -> Progress:
    """Return a bar with its figures, shown from when the work turns out not to be quick until it is done."""
    task = bars.add_task(title, total=None, visible=False, told="")
    start = time.monotonic()

    def update(done: int, total: int) -> None:
        lasted = time.monotonic() - start
        shown = lasted > QUICK and done < total
        bars.update(task, completed=done, total=total, visible=shown, told=pace(done, total, lasted, usage))

    return update


def _lines(title: str, usage: Usage | None = None) -> Progress:
    """Return a teller of one line every now and then."""
    told = start = time.monotonic()

    def update(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= PAUSE and done < total:
            told = now
            typer.echo(f"{title}: {pace(done, total, now - start, usage)}", err=True)

    return update


def pace(done: int, total: int, lasted: float, usage: Usage | None = None) -> str:
    """Return `61 of 312, 0.74 a second, about 5:39 left, 61 search units, $0.12`."""
    parts = [f"{done:,} of {total:,}"]
    if done and lasted > 0:
        left = round(lasted / done * (total - done))
        parts += [f"{done / lasted:.3g} a second", f"about {left // 60}:{left % 60:02} left"]
    billed = spent(usage) if usage is not None else ""
    return ", ".join([*parts, billed] if billed else parts)


def spent(usage: Usage) -> str:
    """Return what was billed so far, such as `61 search units, $0.12`; empty where nothing was."""
    from evalkit.report.figures import money

    parts = [f"{usage.units:,.0f} search units"] if usage.units else []
    parts += [f"{usage.tokens:,.0f} tokens"] if usage.tokens else []
    return ", ".join([*parts, money(usage.usd)] if usage.usd else parts)
