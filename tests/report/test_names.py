"""Names beside points: legible where points crowd."""

from __future__ import annotations

from itertools import combinations

from evalkit.report.plots import new
from evalkit.report.plots.names import name_points

CROWD = {
    "text": (0.045, 0.846, 0.812, 0.873),
    "body-first": (0.043, 0.840, 0.806, 0.868),
    "facts-first": (0.105, 0.848, 0.815, 0.877),
    "title-first": (0.123, 0.846, 0.813, 0.874),
}


def test_names_of_crowded_points_do_not_cover_each_other() -> None:
    """Four points of about one height, two of them at one place: every name stands free, inside the axes."""
    figure, axis = new(2.8)
    for x, y, low, high in CROWD.values():
        axis.plot([x, x], [low, high])
        axis.plot([x], [y])
    axis.margins(x=0.35, y=0.15)
    boxes = name_points(figure, axis, CROWD)

    assert len(boxes) == len(CROWD)
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(axis.bbox.x0 <= box.x0 and box.x1 <= axis.bbox.x1 for box in boxes)
