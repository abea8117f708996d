"""Names beside points: none covers another name, a point or an interval where there is room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evalkit.report import charts
from evalkit.report.plots import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

Point = tuple[float, float, float, float]  # x, y, and the ends of y's interval
Place = tuple[int, int]  # right (1) or left (-1) of the mark, and points above it
ASIDE = 6  # points between a mark and its name
PLACES: Sequence[Place] = [(side, height) for height in (3, -9, 13, -19, 23, -29) for side in (1, -1)]


def name_points(figure: Figure, axis: Axes, points: Mapping[str, Point]) -> list[Bbox]:
    """Write each name beside its point, as near as it fits, and return where the names stand."""
    axis.set(xlim=axis.get_xlim(), ylim=axis.get_ylim())
    charts.lay_out(figure)  # places on the figure are known from here on
    taken = [_mark(axis, point) for point in points.values()]
    for name, (x, y, _, _) in points.items():
        text = axis.annotate(
            label(name), (x, y), (ASIDE, 0), textcoords="offset points", color=charts.INK, in_layout=False
        )
        boxes = _boxes(text.get_window_extent(), figure.dpi / 72)
        (side, height), box = min(boxes.items(), key=lambda one: _trouble(axis, one[1], taken))
        text.set(position=(side * ASIDE, height), ha="left" if side > 0 else "right")
        taken.append(box)
    return taken[len(points) :]


def _mark(axis: Axes, point: Point) -> Bbox:
    """Return the box of a point with its interval."""
    from matplotlib.transforms import Bbox

    x, _, low, high = point
    box = Bbox(axis.transData.transform([(x, low), (x, high)]))
    return box.padded(3)


def _boxes(right: Bbox, pixels: float) -> dict[Place, Bbox]:
    """Return where a name would stand at each place, from its box on the right; `pixels` make a point."""
    across = right.width + 2 * ASIDE * pixels
    return {
        (side, height): right.translated(0 if side > 0 else -across, height * pixels)
        for side, height in PLACES
    }


def _trouble(axis: Axes, box: Bbox, taken: Sequence[Bbox]) -> int:
    """Count what a name in `box` would cover; to leave the axes is worse than that."""
    inside = axis.bbox.x0 <= box.x0 and box.x1 <= axis.bbox.x1
    inside &= axis.bbox.y0 <= box.y0 and box.y1 <= axis.bbox.y1
    return sum(box.overlaps(other) for other in taken) + (0 if inside else len(taken) + 1)
