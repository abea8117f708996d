"""The registry of plots: one decorated function each, for the report, for files and for notebooks.

    @plot("scores")
    def scores(view: View, pipeline: str) -> Drawn | None:
        ...

A plot of one `pipeline` is drawn for each; `Drawn.alt` says in words what it shows. None: nothing to draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evalkit.registry import Registry
from evalkit.report import charts
from evalkit.report.escape import visible
from evalkit.report.view import View

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 4.4  # inches of every plot: what a phone shows without scaling
NAME = 18  # characters of a name that fit beside an axis
TICKS = 5


@dataclass(frozen=True)
class Drawn:
    """A figure, and what it says in words."""

    figure: Figure
    alt: str


@dataclass(frozen=True)
class Plot:
    """A registered plot; `per_pipeline` ones take the pipeline's name."""

    name: str
    draw: Callable[..., Drawn | None]
    per_pipeline: bool


PLOTS: Registry[Plot] = Registry("plot")


def plot(
    name: str, *, per_pipeline: bool = True
) -> Callable[[Callable[..., Drawn | None]], Callable[..., Drawn | None]]:
    """Return a decorator that files a function as the plot `name`."""

    def file(draw: Callable[..., Drawn | None]) -> Callable[..., Drawn | None]:
        PLOTS.register(name)(Plot(name, draw, per_pipeline))
        return draw

    return file


def every(view: View) -> Iterator[tuple[str, str | None]]:
    """Yield the name and pipeline of each plot that a run can have."""
    _register()
    for name in PLOTS:
        yield from ((name, one) for one in (view.pipelines if PLOTS[name].per_pipeline else [None]))


def draw(view: View, name: str, pipeline: str | None = None) -> Drawn | None:
    """Draw one plot in the house's style.

    Raises:
        UnknownName: no plot is called `name`.
    """
    _register()
    one = PLOTS[name]
    with charts.styled():
        return one.draw(view, pipeline or view.subject) if one.per_pipeline else one.draw(view)


def new(height: float) -> tuple[Figure, Axes]:
    """Return an empty figure of the house's width, `height` inches high, and its axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots()


def label(name: str) -> str:
    """Return a name that fits beside an axis."""
    text = " ".join(visible(name).split())
    return text if len(text) <= NAME else text[: NAME - 1] + "…"


def _register() -> None:
    """Import the modules whose plots register themselves."""
    from evalkit.report.plots import figures, scores  # noqa: F401  importing them is all
