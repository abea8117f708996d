"""Promises: which thresholds keep a risk below its limit, with confidence or in expectation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
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
BLOCK, MOST = 64, 512  # thresholds tested at once: as a walk gets on, more of them
Walk = Literal["lower", "higher"]
Passed = Callable[[Ints], Bools]  # which of these thresholds (columns) pass


@dataclass(frozen=True, eq=False)
class RiskTable:
    """A risk's losses over its own queries (rows), in an order fixed by the seed alone.

    Losses are looked up at the thresholds that are asked about: the whole table is seldom needed.
    """

    risk: Risk
    curve: Curve
    values: Floats  # the loss of each state of the curve
    rows: Ints  # which of the curve's queries they are

    @property
    def n(self) -> int:
        """The number of queries behind the risk."""
        return len(self.rows)

    def losses(self, columns: Ints) -> Floats:
        """Return (rows, columns): the losses at these thresholds."""
        ascending, place = np.unique(columns, return_inverse=True)
        at = replace(self.curve, thresholds=self.curve.thresholds[ascending])
        return np.asarray(self.values[at.index[self.rows]][:, place])

    def p_values(self, columns: Ints, delta: float) -> Floats:
        """Return a p-value for "the risk is above its limit" at each of these thresholds."""
        return p_values(self.risk, self.losses(columns), delta)

    def upper(self, column: int, delta: float) -> float:
        """Return the upper confidence bound of the risk at one threshold."""
        return upper(self.risk, self.losses(np.array([column]))[:, 0], delta)

    def means(self) -> Floats:
        """Return the observed risk at each threshold; NaN where it has no query."""
        return np.asarray(self.weighted(np.ones((1, self.curve.n)))[0])

    def weighted(self, weights: Floats) -> Floats:
        """Return (rows of `weights`, thresholds): the observed risk of weighted queries; NaN without any."""
        mine = np.zeros_like(weights)
        mine[:, self.rows] = weights[:, self.rows]
        with np.errstate(invalid="ignore"):
            return np.asarray(self.curve.totals(self.values, mine) / mine.sum(axis=1, keepdims=True))

    def steps(self) -> Ints:
        """Return the last of each run of thresholds that do not differ in any loss."""
        return self.curve.steps(self.values, self.rows)


def p_values(risk: Risk, losses: Floats, delta: float) -> Floats:
    """Return a p-value for "the risk is above its limit" for each column of losses."""
    if risk.loss.zero_one:
        return binomial_p(np.rint(losses.sum(axis=0)), len(losses), risk.at_most)
    return betting_p(losses, risk.at_most, delta)


def upper(risk: Risk, losses: Floats, delta: float) -> float:
    """Return the upper confidence bound of a risk from its losses at one threshold."""
    if risk.loss.zero_one:
        return float(binomial_upper(np.rint(losses.sum()), len(losses), delta))
    return betting_upper(losses, delta)


def population(curve: Curve, loss: Loss) -> Bools:
    """Return which queries a loss is about; a failed one counts unless it is known to have no answer."""
    if loss.population == "all":
        return np.ones(curve.n, dtype=np.bool_)
    if loss.population == "negative":
        return curve.negative
    return curve.answerable | (curve.failed & ~curve.negative)


def independent(curve: Curve, members: Bools, seed: int) -> Ints:
    """Return `members` (queries) in an order drawn by the seed; of those that belong together the first.

    Bounds need independent losses, and an order fixed before any loss is seen.
    """
    rows = np.flatnonzero(members)
    rows = rows[np.random.default_rng(seed).permutation(len(rows))]
    return np.asarray(rows[np.sort(np.unique(curve.cluster[rows], return_index=True)[1])])


def risk_table(curve: Curve, risk: Risk, seed: int) -> RiskTable:
    """Tabulate a risk; a failed query loses everything, as nobody knows what it would have shown."""
    rows = independent(curve, population(curve, risk.loss), seed)
    values = np.where(curve.failed[curve.states.query], 1.0, risk.loss.of(curve.states))
    return RiskTable(risk, curve, values, rows)


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
        by_walk[walk] = walked(curve, _all_pass(group, level), walk, _steps(group))
    return Certified(by_walk, each, tables)


def walked(curve: Curve, passed: Passed, walk: Walk | None, steps: Ints) -> Bools:
    """Return the thresholds that a walk from its safe end reaches before the first that does not pass.

    `steps` are the last columns of runs that pass or fail together: one test serves each.
    """
    columns = len(curve.thresholds)
    reached = np.zeros(columns, dtype=np.bool_)
    if walk == "lower":
        far = _reached(steps, passed)
        reached[: steps[far - 1] + 1 if far else 0] = True
        return reached
    begins = [columns]
    if walk is None:
        # The first threshold, walking down, that keeps so many: known from the scores without any label.
        begins = [int((curve.candidates >= start * curve.n).sum()) for start in STARTS]
    for begin in begins:
        if begin and not reached[begin - 1]:
            down = steps[: np.searchsorted(steps, begin - 1) + 1][::-1]
            far = _reached(down, passed)
            reached[down[far] + 1 if far < len(down) else 0 : begin] = True
    return reached


def _reached(order: Ints, passed: Passed) -> int:
    """Return how many columns of `order` pass before the first that does not; tested as far as needed."""
    start, size = 0, BLOCK
    while start < len(order):
        good = passed(order[start : start + size])
        if not good.all():
            return start + int(good.argmin())
        start, size = start + size, min(2 * size, MOST)
    return len(order)


def _all_pass(tables: list[RiskTable], level: float) -> Passed:
    def passed(columns: Ints) -> Bools:
        return np.asarray(
            np.logical_and.reduce([table.p_values(columns, level) <= level for table in tables])
        )

    return passed


def _steps(tables: list[RiskTable]) -> Ints:
    return np.unique(np.concatenate([table.steps() for table in tables]))


def control(curve: Curve, risk: Risk, seed: int) -> Certified:
    """Return the thresholds that keep a monotone risk at its limit in expectation over calibrations.

    Conformal risk control: an average promise. A single calibration may well exceed the limit.
    """
    table = risk_table(curve, risk, seed)

    def passed(columns: Ints) -> Bools:
        means = table.losses(columns).mean(axis=0) if table.n else np.zeros(len(columns))
        return np.asarray(conformal_risk(means, table.n) <= risk.at_most)

    by_walk = {risk.loss.safe: walked(curve, passed, risk.loss.safe, table.steps())}
    return Certified(by_walk, 0.0, (table,))


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
