"""Tall thin matrix products, in slices that linear algebra keeps on one thread."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from evalkit.records import Floats

OPERATIONS = 250_000  # of one slice: above 262,144 OpenBLAS starts its threads


def product(many: npt.NDArray[Any], few: Floats) -> Floats:
    """Return `many` (rows, n) times `few` (n, columns) as doubles; `many` may hold small integers.

    Thousands of resamples of some hundred queries are much memory and little arithmetic. With the ten or so
    columns of a suite, slices that stay in the cache are quicker than threads that wait for memory; with
    forty columns they gain nothing.
    """
    found = np.empty((len(many), few.shape[1]))
    rows = max(1, OPERATIONS // max(1, few.size))
    for start in range(0, len(many), rows):
        np.matmul(many[start : start + rows].astype(np.float64), few, out=found[start : start + rows])
    return found
