"""Figures measured on queries that did not choose the threshold: repeated cross-fitting."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evalkit.records import Bools, Floats, Ints
from evalkit.thresholds.certify import population
from evalkit.thresholds.curve import Curve
from evalkit.thresholds.entry import Estimate
from evalkit.thresholds.goals import CRITERIA, LOSSES, Criterion, Loss, make
from evalkit.thresholds.optimum import REPLICATES, column_percentiles, resample

REPEATS, FOLDS = 5, 5
LEVEL = 0.95
SHOWN_CRITERIA = ("precision", "recall", "F1")
SHOWN_LOSSES = ("lost_answer", "false_answer")


@dataclass(frozen=True, eq=False)
class Folds:
    """`repeats` divisions of the queries into folds: `fold[r, q]` is the fold that holds query q out."""

    fold: Ints
    count: int

    @property
    def training(self) -> Bools:
        """Return one row for each fold of each repeat: the queries that may choose."""
        rows = [self.fold[r] != f for r in range(len(self.fold)) for f in range(self.count)]
        return np.array(rows)

    def spread(self, by_fold: Floats) -> Floats:
        """Return the value that holds each query out, (repeats x queries), from one value a fold."""
        return np.stack([by_fold[r * self.count + fold] for r, fold in enumerate(self.fold)])


def divide(
    strata: Mapping[str, Ints], n: int, rng: np.random.Generator, cluster: Ints | None = None
) -> Folds:
    """Divide `n` queries into folds, `REPEATS` times, each stratum (positions) spread over all folds."""
    fold = np.zeros((REPEATS, n), dtype=np.int64)
    for repeat in range(REPEATS):
        for members in strata.values():
            offset = rng.integers(FOLDS)
            fold[repeat, rng.permutation(members)] = (np.arange(len(members)) + offset) % FOLDS
    if cluster is not None:  # queries that belong together are held out together
        _, first, owner = np.unique(cluster, return_index=True, return_inverse=True)
        fold = fold[:, first[owner]]
    return Folds(fold, FOLDS)


def figures(
    curve: Curve, thresholds: Floats, rng: np.random.Generator, criterion: Criterion | None = None
) -> dict[str, Estimate]:
    """Return what `thresholds` achieve: for each repeat (row) and query (column) the one to apply.

    Means over repeats first, so that there is one value a query; then percentile intervals over resampled
    units (queries that belong together are one), or the exact binomial one (Clopper and Pearson) for 0/1
    losses. Failed queries are left out.
    """
    states = np.stack([curve.at(row) for row in thresholds])
    counts = ~curve.failed
    ratios: dict[str, tuple[Floats, Floats]] = {}
    wanted = [make(CRITERIA, name, {}) for name in SHOWN_CRITERIA]
    if criterion is not None and criterion.name not in SHOWN_CRITERIA:
        wanted.append(criterion)
    for one in wanted:
        numerator, denominator = (part[states].mean(axis=0) * counts for part in one.of(curve.states))
        ratios[one.name] = numerator, denominator
    ratios["kept"] = curve.states.kept[states].mean(axis=0) * counts, counts.astype(np.float64)
    found = _ratios(ratios, curve, rng)
    for name in SHOWN_LOSSES:
        loss: Loss = make(LOSSES, name, {})
        members = population(curve, loss) & counts
        units = len(np.unique(curve.unit[members]))
        found[name] = _rate(loss.of(curve.states)[states].mean(axis=0)[members], units)
    return found


def _ratios(
    ratios: Mapping[str, tuple[Floats, Floats]], curve: Curve, rng: np.random.Generator
) -> dict[str, Estimate]:
    parts = np.stack([part for pair in ratios.values() for part in pair], axis=1)
    counted = curve.by_unit(parts)[curve.by_unit(~curve.failed) > 0]
    sums = np.concatenate([weights @ counted for weights in resample(len(counted), rng, REPLICATES)])
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = column_percentiles(sums[:, ::2] / sums[:, 1::2], LEVEL)
        points = [float(above.sum() / below.sum()) for above, below in ratios.values()]
    return {
        name: Estimate(None) if math.isnan(point) else Estimate(point, *_finite(*ends))
        for name, point, *ends in zip(ratios, points, low.tolist(), high.tolist(), strict=True)
    }


def _rate(losses: Floats, units: int) -> Estimate:
    """Return a rate with its exact interval; queries that belong together count as one, as a promise does."""
    from evalkit.stats.bounds import binomial_lower, binomial_upper

    if not units:
        return Estimate(None)
    rate, tail = losses.mean(), (1 - LEVEL) / 2
    low, high = binomial_lower(rate * units, units, tail), binomial_upper(rate * units, units, tail)
    return Estimate(float(rate), float(low), float(high))


def _finite(*values: float) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(value) else value for value in values)
