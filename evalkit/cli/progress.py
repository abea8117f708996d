"""Progress on standard error: a bar in a terminal, a line now and then elsewhere, nothing on quick work."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from evalkit.experiment.execute import Watch
    from evalkit.pipelines.ports import Progress

QUICK = 2.0  # seconds that work may last without a word
PAUSE = 20.0  # seconds between two lines where standard error is no terminal


@contextmanager
def watching() -> Iterator[Watch]:
    """Yield what a run reports its stages to."""
    if not sys.stderr.isatty():
        yield _lines
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:

        def bar(title: str) -> Progress:
            task = bars.add_task(title, total=None, visible=False)
            start = time.monotonic()

            def update(done: int, total: int) -> None:
                late = time.monotonic() - start > QUICK
                bars.update(task, completed=done, total=total, visible=late and done < total)

            return update

        yield bar


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


def _lines(title: str) -> Progress:
    told = start = time.monotonic()

    def update(done: int, total: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= PAUSE and done < total:
            told = now
            left = (now - start) / done * (total - done)
            typer.echo(f"{title}: {done} of {total}, about {left:.0f} s left", err=True)

    return update
