"""Places on an axis that a table's interval bars share, in percent of its width."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
TICKS = 5  # about as many as a narrow axis can label


@dataclass(frozen=True)
class Scale:
    """From a value to its place, 0 to 100."""

    low: float
    high: float

    def __call__(self, value: float) -> float:
        """Return the value's place; beyond the ends it is the end."""
        return round(min(100.0, max(0.0, 100 * (value - self.low) / (self.high - self.low))), 2)

    @property
    def ticks(self) -> list[float]:
        """Round values on the axis."""
        step = _step((self.high - self.low) / TICKS)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(step * index, 10) for index in range(first, last + 1)]


def scale(values: Iterable[float | None], zero: bool = False) -> Scale:
    """Return the axis that holds all `values` with a little room; `zero` makes 0 one of them."""
    held = [value for value in values if value is not None and math.isfinite(value)] + [0.0] * zero
    low, high = (min(held), max(held)) if held else (0.0, 1.0)
    room = 0.06 * (high - low) or 0.05
    return Scale(low - room, high + room)


def bar(row: Mapping[str, Any], on: Scale) -> dict[str, float] | None:
    """Return the places of a row's point and interval; None where the point is undefined."""
    point, low, high = (row.get(name) for name in ("point", "low", "high"))
    if point is None:
        return None
    return {
        "point": on(point),
        "low": on(point if low is None else low),
        "high": on(point if high is None else high),
    }


def forest(rows: Sequence[Mapping[str, Any]], categories: Iterable[str]) -> dict[str, Any]:
    """Return differences as the template `forest` shows them: all queries, then each category."""
    axis = scale([row.get(end) for row in rows for end in ("low", "high", "point")], zero=True)
    return {
        "axis": axis,
        "zero": axis(0.0),
        "groups": [
            {
                "name": category or "all queries",
                "overall": category is None,
                "rows": [
                    {**row, "bar": bar(row, axis), "shown": row.get("shown")}
                    for row in rows
                    if row["category"] == category
                ],
            }
            for category in (None, *categories)
        ],
    }


def _step(size: float) -> float:
    """Return the round number that is next above `size`."""
    power = 10.0 ** math.floor(math.log10(size))
    return next(step * power for step in STEPS if step * power >= size * (1 - 1e-9))
