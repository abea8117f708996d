"""Promises: which thresholds keep a risk below its limit, with confidence or in expectation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from evalkit.records import Bools, Floats, Ints
from evalkit.stats.bounds import (
    betting_p,
    betting_upper,
    binomial_p,
    binomial_upper,
    conformal_risk,
    queries_at_least,
)
from evalkit.thresholds.curve import Curve
from evalkit.thresholds.goals import Loss, Risk

STARTS = (1, 2, 5, 10, 20)  # documents kept a query, where the search for a loss without a safe end begins
Walk = Literal["lower", "higher"]


@dataclass(frozen=True, eq=False)
class RiskTable:
    """A risk's losses over its own queries (rows) and the thresholds, in an order fixed by the seed alone."""

    risk: Risk
    losses: Floats
    rows: Ints  # which of the curve's queries they are

    @property
    def n(self) -> int:
        """The number of queries behind the risk."""
        return len(self.losses)

    def p_values(self, delta: float) -> Floats:
        """Return a p-value for "the risk is above its limit" at each threshold."""
        if self.risk.loss.zero_one:
            return binomial_p(np.rint(self.losses.sum(axis=0)), self.n, self.risk.at_most)
        return betting_p(self.losses, self.risk.at_most, delta)

    def upper(self, column: int, delta: float) -> float:
        """Return the upper confidence bound of the risk at one threshold."""
        if self.risk.loss.zero_one:
            return float(binomial_upper(np.rint(self.losses[:, column].sum()), self.n, delta))
        return betting_upper(self.losses[:, column], delta)

    def means(self) -> Floats:
        """Return the observed risk at each threshold; NaN where it has no query."""
        return self.losses.mean(axis=0) if self.n else np.full(self.losses.shape[1], np.nan)


def population(curve: Curve, loss: Loss) -> Bools:
    """Return which queries a loss is about; a failed one counts unless it is known to have no answer."""
    if loss.population == "all":
        return np.ones(curve.n, dtype=np.bool_)
    if loss.population == "negative":
        return curve.negative
    return curve.answerable | (curve.failed & ~curve.negative)


def risk_table(curve: Curve, risk: Risk, seed: int) -> RiskTable:
    """Tabulate a risk; a failed query loses everything, as nobody knows what it would have shown.

    Of queries that belong together one stands for all, drawn by the seed: bounds need independent losses.
    """
    rows = np.flatnonzero(population(curve, risk.loss))
    rows = rows[np.random.default_rng(seed).permutation(len(rows))]
    rows = rows[np.sort(np.unique(curve.cluster[rows], return_index=True)[1])]
    losses = risk.loss.of(curve.states)[curve.index[rows]]
    losses[curve.failed[rows]] = 1.0
    return RiskTable(risk, losses, rows)


@dataclass(frozen=True, eq=False)
class Certified:
    """The thresholds (columns) that are certified all at once, by walk, and the error spent on each walk."""

    by_walk: Mapping[Walk | None, Bools]
    delta: float
    tables: tuple[RiskTable, ...]

    @property
    def allowed(self) -> Bools:
        """The thresholds at which every risk is certified."""
        return np.asarray(np.logical_and.reduce(list(self.by_walk.values())))


def walks(risks: tuple[Risk, ...]) -> tuple[Walk | None, ...]:
    """Return the ends from which the risks are walked: two promises that pull apart take two walks."""
    return tuple(dict.fromkeys(risk.loss.safe for risk in risks))


def certify(curve: Curve, risks: tuple[Risk, ...], delta: float, seed: int) -> Certified:
    """Return every threshold at which all risks are below their limits, with confidence 1 - `delta`.

    Fixed-sequence testing (Angelopoulos et al., Learn then test, 2021): from the safe end, each threshold is
    tested at the full level until one fails; nothing is lost by testing many. Walking over the observed
    scores is walking over all real thresholds, because no kept list changes in between: the order is fixed
    before any score is seen, whatever the shape of the loss. Risks with the same safe end share a walk
    (intersection-union: all must pass); walks from both ends share `delta`. A loss without a safe end is
    walked downwards from a few starts, each with its share of the error.
    """
    tables = tuple(risk_table(curve, risk, seed) for risk in risks)
    each = delta / len(walks(risks))
    by_walk = {}
    for walk in walks(risks):
        group = [table for table in tables if table.risk.loss.safe == walk]
        level = each if walk else each / len(STARTS)
        passed = np.logical_and.reduce([table.p_values(level) <= level for table in group])
        by_walk[walk] = walked(curve, passed, walk)
    return Certified(by_walk, each, tables)


def walked(curve: Curve, passed: Bools, walk: Walk | None) -> Bools:
    """Return the thresholds that a walk from its safe end reaches before the first that did not pass."""
    if walk == "lower":
        return np.logical_and.accumulate(passed)
    if walk == "higher":
        return np.logical_and.accumulate(passed[::-1])[::-1]
    reached = np.zeros_like(passed)
    per_query = (curve.index - curve.states.start[:-1, None]).mean(axis=0)
    for start in STARTS:
        # The first threshold, walking down, that keeps so many: known from the scores without any label.
        begin = int((per_query >= start).sum())
        reached[:begin] |= np.logical_and.accumulate(passed[:begin][::-1])[::-1]
    return reached


def control(curve: Curve, risk: Risk, seed: int) -> Certified:
    """Return the thresholds that keep a monotone risk at its limit in expectation over calibrations.

    Conformal risk control: an average promise. A single calibration may well exceed the limit.
    """
    table = risk_table(curve, risk, seed)
    passed = conformal_risk(table.means() if table.n else np.zeros(1), table.n) <= risk.at_most
    passed = np.broadcast_to(passed, len(curve.thresholds))
    return Certified({risk.loss.safe: walked(curve, passed, risk.loss.safe)}, 0.0, (table,))


def levels(
    sizes: list[dict[str, int]], risks: tuple[Risk, ...], delta: float, shared: int
) -> tuple[float, Bools]:
    """Return the error that each category may spend, and which categories have queries enough for it.

    `sizes` has, for each category, the number of queries behind each risk. The error is split evenly between
    the categories that could pass at all and `shared` further certificates; which can is known from the
    numbers of queries alone, before any loss is looked at.
    """
    directions = len(walks(risks))
    smallest = np.array([min((size[risk.loss.name] for risk in risks), default=0) for size in sizes])
    for count in range(len(sizes), 0, -1):
        each = delta / (count + shared)
        enough = np.array([_enough(size, risks, each / directions) for size in sizes], dtype=np.bool_)
        if enough.sum() >= count:
            largest = np.argsort(np.where(enough, -smallest, 1), kind="stable")[:count]
            return each, np.isin(np.arange(len(sizes)), largest)
    return delta / max(shared, 1), np.zeros(len(sizes), dtype=np.bool_)


def _enough(size: dict[str, int], risks: tuple[Risk, ...], delta: float) -> bool:
    return all(
        size[risk.loss.name] >= queries_at_least(risk.at_most, delta / (1 if risk.loss.safe else len(STARTS)))
        for risk in risks
    )
