"""From a matplotlib figure to an inline SVG that follows the page: its colours, font and security policy.

The page's policy forbids inline styles, so each `style` attribute becomes presentation attributes; the
palette's colours become the page's variables, so that one chart serves the light and the dark theme.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, GRID = "#1b1f24", "#59636e", "#d5dae0"
GOOD, BAD, NEUTRAL = "#0b63b5", "#b3470b", "#767f8a"
PAPER = "#ffffff"
VARIABLES = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--line)",
    GOOD: "var(--good)",
    BAD: "var(--bad)",
    NEUTRAL: "var(--neutral)",
    PAPER: "var(--paper)",
}
STYLE: Any = {  # matplotlib's own type lists each of its 300 keys
    "svg.fonttype": "none",
    "svg.hashsalt": "evalkit",
    "font.size": 9.0,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.color": INK,
    "axes.edgecolor": GRID,
    "axes.labelcolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": False,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "hatch.color": BAD,
    "hatch.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "figure.dpi": 96.0,
    "text.parse_math": False,  # a name with two dollar signs is a name
}
KEPT = ("fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "fill-opacity", "text-anchor")
_STYLE = re.compile(r'\sstyle="([^"]*)"')
_HEAD = re.compile(r"^.*?(?=<svg)|<metadata>.*?</metadata>|<style[^>]*>.*?</style>|<!--.*?-->", re.DOTALL)
_IDS = re.compile(r'(\sid="|url\(#|href="#)')
_SIZE = re.compile(r'width="([\d.]+)pt" height="([\d.]+)pt"')


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the house's style; a sign that the font lacks is a box in a PNG and needs no word."""
    import matplotlib as mpl

    if mpl.rcParams["svg.hashsalt"] == STYLE["svg.hashsalt"]:  # entered already; entering takes 3 ms
        yield
        return
    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from font")
        yield


def to_svg(figure: Figure) -> str:
    """Return the figure as a file's SVG, the same on every run."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    sink = io.StringIO()
    canvas: Any = FigureCanvasSVG(figure)  # its printing has no types
    with styled():
        lay_out(figure)
        canvas.print_svg(sink, metadata={"Date": None, "Creator": None})
    return sink.getvalue()


def to_png(figure: Figure) -> bytes:
    """Return the figure as PNG on white, at 160 dots an inch."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    sink = io.BytesIO()
    canvas: Any = FigureCanvasAgg(figure)  # its printing has no types
    dpi, paper = figure.get_dpi(), figure.get_facecolor()
    with styled():
        lay_out(figure)
        figure.set_dpi(160)
        figure.set_facecolor(PAPER)
        canvas.print_png(sink, metadata={"Software": None}, pil_kwargs={"compress_level": 1})
    figure.set_dpi(dpi)
    figure.set_facecolor(paper)
    return sink.getvalue()


def lay_out(figure: Figure) -> None:
    """Place everything, once for all files: `savefig` would draw each file twice to find the places."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


def inline(svg: str, name: str, alt: str) -> Markup:
    """Return a figure's SVG for the page: `name` keeps its ids apart, `alt` is what it says in words."""
    text = _HEAD.sub("", svg)
    text = _STYLE.sub(lambda found: _attributes(found[1]), text)
    for colour, variable in VARIABLES.items():
        text = text.replace(f'"{colour}"', f'"{variable}"')
    text = _IDS.sub(lambda found: f"{found[1]}{name}-", text)
    text = _SIZE.sub(lambda found: f'width="{_pixels(found[1])}" height="{_pixels(found[2])}"', text, count=1)
    text = re.sub(r"<defs>\s*</defs>", "", text)
    text = text.replace("<svg ", f'<svg class="chart" role="img" aria-label="{escape(alt)}" ', 1)
    return Markup(text)  # noqa: S704  matplotlib escapes its text, and `alt` is escaped above


def _pixels(points: str) -> str:
    return f"{float(points) * 4 / 3:.0f}"


def _attributes(style: str) -> str:
    """Return a style's declarations as presentation attributes, in the page's font at the chart's size."""
    found = []
    for declaration in style.split(";"):
        key, _, value = (part.strip() for part in declaration.partition(":"))
        if key in ("font", "font-size") and (size := re.search(r"([\d.]+)px", value)):
            found.append(f'font-size="{size[1]}"')
        elif key in KEPT:
            found.append(f'{key}="{value}"')
    return "".join(f" {one}" for one in found)
