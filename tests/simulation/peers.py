"""What another library's bound does on the same losses: MAPIE, which only developers install."""

from __future__ import annotations

import importlib.metadata
import importlib.util

import numpy as np

from evalkit.records import Floats
from tests.simulation.rates import Rate

COLUMNS = 20  # samples that MAPIE bounds at once: it compares each with as many candidate limits


def at_hand() -> bool:
    """Whether MAPIE is installed."""
    return importlib.util.find_spec("mapie") is not None


def version() -> str:
    """Return MAPIE's version."""
    return importlib.metadata.version("mapie")


def mapie_upper(losses: Floats, grid: Floats, delta: float, bound: str = "wsr") -> Floats:
    """Return MAPIE's upper bound of each column's mean: the least of the limits `grid` that it rejects.

    MAPIE takes as many columns as limits.
    """
    from mapie.risk_control.methods import get_r_hat_plus

    upper: Floats = get_r_hat_plus(losses, grid, "rcps", bound, delta, 0.25)[1]
    return upper


def mapie_misses(losses: Floats, limit: float, delta: float) -> Rate:
    """How often MAPIE's betting bound (WSR) certifies `limit`, the true mean of each column of losses."""
    grid = np.unique(np.append(np.linspace(0, 1, COLUMNS - 1), limit))
    columns = losses.shape[1] // len(grid) * len(grid)
    parts = np.split(losses[:, :columns], columns // len(grid), axis=1)
    missed = sum(int((mapie_upper(part, grid, delta) <= limit).sum()) for part in parts)
    return Rate(missed, columns)
