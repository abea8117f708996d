"""What is independent: queries, or clusters of near-duplicate queries, each summed to one unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evalkit.records import Floats, Ints

ROUNDING = 1e-12  # of a column's largest unit: what counts as equal


@dataclass(frozen=True, eq=False)
class Units:
    """Per-query values summed within their cluster; every column is one figure (system x measure).

    `totals` is (units, columns) without NaN, `sizes` (units,) counts the queries of each unit. The figure of
    a column is the mean over queries, `totals.sum() / sizes.sum()`: a ratio where clusters differ in size.
    """

    totals: Floats
    sizes: Floats

    @classmethod
    def of(cls, values: Floats, clusters: Ints | None = None) -> Units:
        """Sum `values` (queries, columns) within equal labels of `clusters`; without, a query is a unit."""
        if clusters is None:
            return cls(values, np.ones(len(values)))
        _, unit = np.unique(clusters, return_inverse=True)
        sizes = np.bincount(unit).astype(np.float64)
        totals = np.zeros((len(sizes), values.shape[1]))
        np.add.at(totals, unit, values)
        return cls(totals, sizes)

    @property
    def queries(self) -> int:
        """How many queries stand behind each figure."""
        return int(self.sizes.sum())

    @cached_property
    def means(self) -> Floats:
        """The mean over queries of each column; NaN without queries."""
        if not len(self.sizes):
            return np.full(self.totals.shape[1], np.nan)
        return np.asarray(self.totals.sum(axis=0) / self.sizes.sum())

    @cached_property
    def residuals(self) -> Floats:
        """(units, columns): what each unit adds beyond its share of the mean; each column sums to 0.

        Rounding is exactly 0: three gains of .2 have no spread, though .6 - .4 is not .4 - .2.
        """
        found = self.totals - self.sizes[:, None] * self.means
        found[np.abs(found) <= ROUNDING * np.abs(self.totals).max(axis=0, initial=0.0)] = 0.0
        return np.asarray(found)

    @cached_property
    def standard_errors(self) -> Floats:
        """The standard error of each mean, robust to dependence inside units; NaN with fewer than two units.

        Without clusters it is the usual s / sqrt(n). Cochran, Sampling Techniques, 1977, section 9A.
        """
        units = len(self.sizes)
        if units < 2:
            return np.full(self.totals.shape[1], np.nan)
        squares = (self.residuals**2).sum(axis=0)
        return np.asarray(np.sqrt(units / (units - 1) * squares) / self.sizes.sum())


def same_gaps(values: Floats) -> Iterator[tuple[Ints, Ints]]:
    """Yield (columns, rows): columns of `values` that are NaN in the same rows, with the rows that are not.

    Columns without a gap, or with equal gaps, are resampled together; others on their own defined queries.
    """
    defined = ~np.isnan(values)
    if not defined.size:
        yield np.arange(values.shape[1]), np.arange(0)
        return
    patterns, column_pattern = np.unique(defined, axis=1, return_inverse=True)
    for index in range(patterns.shape[1]):
        yield np.flatnonzero(column_pattern.ravel() == index), np.flatnonzero(patterns[:, index])
