"""Simulations of what calibration promises, on populations whose truth is known.

The tests run them small; `make prove` runs them large and writes docs/proofs/thresholds.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from evalkit.records import Floats, Judged
from evalkit.stats.bounds import betting_p, binomial_p, hoeffding_bentkus_p
from evalkit.thresholds.calibrate import Calibration, calibrate
from evalkit.thresholds.certify import control, risk_table
from evalkit.thresholds.curve import Curve, curve_of
from evalkit.thresholds.entry import Entry
from evalkit.thresholds.estimating import Fit
from evalkit.thresholds.goals import LOSSES, Criterion, Goal, Risk, make
from evalkit.thresholds.groups import OVERALL, Group, members
from evalkit.thresholds.optimum import Scale, Table
from evalkit.thresholds.separation import separation
from tests.populations import DOMAIN, draw
from tests.simulation.peers import mapie_misses
from tests.simulation.rates import Rate

# --- bounds ---------------------------------------------------------------------------------------------

ALPHA, DELTA = 0.1, 0.1


def _clustered(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Losses that are means of eight pairs of one query, which share the query's own difficulty."""
    logit = rng.normal(-3.1, 1.5, shape)
    return rng.binomial(8, 1 / (1 + np.exp(-logit))) / 8


SHAPES: Mapping[str, Callable[[np.random.Generator, tuple[int, int]], Floats]] = {
    "0/1": lambda rng, shape: (rng.random(shape) < ALPHA).astype(float),
    "beta(.2, 1.8)": lambda rng, shape: rng.beta(0.2, 1.8, shape),
    "0, 1/2 or 1": lambda rng, shape: rng.choice([0, 0.5, 1], shape, p=[0.85, 0.1, 0.05]),
    "near constant": lambda rng, shape: rng.uniform(0.05, 0.15, shape),
    "query effects": _clustered,
}


def bound_misses(bound: str, shape: str, n: int, runs: int, rng: np.random.Generator) -> Rate:
    """How often a bound certifies a risk of exactly its limit (the worst case) at 90 %."""
    losses = SHAPES[shape](rng, (n, runs))
    limit = clustered_mean() if shape == "query effects" else ALPHA
    if bound == "MAPIE's betting":
        return mapie_misses(losses, limit, DELTA)
    if bound == "binomial":
        p = binomial_p(losses.sum(axis=0), n, limit)
    elif bound == "betting":
        p = betting_p(losses, limit, DELTA)
    else:
        p = hoeffding_bentkus_p(losses.mean(axis=0), n, limit)
    return Rate(int((p <= DELTA).sum()), runs)


def clustered_mean() -> float:
    """The mean of the losses with query effects, by Gauss-Hermite quadrature."""
    node, weight = np.polynomial.hermite_e.hermegauss(60)
    return float((weight / (1 + np.exp(-(-3.1 + 1.5 * node)))).sum() / weight.sum())


def pooled_pairs_misses(n: int, runs: int, rng: np.random.Generator) -> Rate:
    """How often the exact binomial test on pairs misses, as if a query's eight pairs were independent."""
    losses = _clustered(rng, (n, runs))
    p = binomial_p(np.rint(8 * losses.sum(axis=0)), 8 * n, clustered_mean())
    return Rate(int((p <= DELTA).sum()), runs)


# --- the whole procedure --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """What a threshold does in a category, from one large sample: a category's shift only moves it."""

    curve: Curve

    @classmethod
    def of(cls, rng: np.random.Generator, n: int = 100_000, **population: Any) -> Truth:
        """Draw `n` queries of a category without shift."""
        return cls(curve_of(draw([n], rng, **population)))

    def risk(self, loss: str, threshold: float, shift: float) -> float:
        """Return the risk at a threshold in a category with this shift."""
        one = make(LOSSES, loss, {})
        rows = {"answerable": self.curve.answerable, "negative": self.curve.negative}
        states = self.curve.at(_moved(threshold, shift))
        return float(one.of(self.curve.states)[states][rows.get(one.population, slice(None))].mean())

    def values(self, goal: Goal, thresholds: Floats) -> Floats:
        """Return the goal's criterion at each of many thresholds on the log-odds scale, without shift."""
        assert goal.criterion is not None
        grid, values = _criterion_curve(self.curve, goal.criterion)
        return values[np.minimum(np.searchsorted(grid, thresholds, side="left"), len(grid) - 1)]


@lru_cache(maxsize=2)  # each is as large as the sample of the truth
def _criterion_curve(curve: Curve, criterion: Criterion) -> tuple[Floats, Floats]:
    (grid, above), (_, below) = (curve.sums(part.astype(float)) for part in criterion.of(curve.states))
    return _real(grid), np.divide(above, below, out=np.zeros(len(above)), where=below > 0)


def _real(score: Floats) -> Floats:
    return Scale("unit").real(score)


def _moved(threshold: float, shift: float) -> float:
    return float(Scale("unit").score(_real(np.array(threshold)) - shift))


@dataclass(frozen=True)
class Broken(Rate):
    """How often some promise was not kept, and how many categories a run certified on average."""

    certified: float


SIZES = (45, 60, 60, 150)
SHIFTS = (-0.8, 0.0, 0.0, 0.6)


def broken_promises(
    goal: Any, runs: int, rng: np.random.Generator, truth: Truth, **population: Any
) -> Broken:
    """How often any promise of a policy, of a category or of the mixture, is not kept in truth."""
    broken = certified = 0
    for run in range(runs):
        judged = draw(SIZES, rng, shifts=SHIFTS, **population)
        policy = calibrate(judged, Goal.parse(goal), domain=DOMAIN, seed=run).policy
        names = [f"c{c}" for c in range(len(SIZES))]
        certified += sum(entry.status == "certified" for entry in policy.categories.values())
        broken += any(
            _broken(policy.categories[name], [(SHIFTS[c], 1)], truth) for c, name in enumerate(names)
        ) or _broken(policy.default, list(zip(SHIFTS, SIZES, strict=True)), truth)
    return Broken(broken, runs, certified / runs)


def _broken(entry: Entry, mixture: list[tuple[float, int]], truth: Truth) -> bool:
    if entry.status != "certified" or entry.promise is None or entry.threshold is None:
        return False
    total = sum(size for _, size in mixture)
    return any(
        sum(size * truth.risk(one.risk, entry.threshold, shift) for shift, size in mixture) / total
        > one.at_most
        for one in (entry.promise, *entry.promise.also)
    )


def plug_in_broken(n: int, runs: int, rng: np.random.Generator, truth: Truth, **population: Any) -> Rate:
    """How often the boldest threshold with an observed risk of at most the limit exceeds it in truth."""
    broken = 0
    for _ in range(runs):
        curve = curve_of(draw([n], rng, **population))
        means = risk_table(curve, Risk(make(LOSSES, "lost_answer", {}), ALPHA), 0).means()
        threshold = curve.thresholds[np.flatnonzero(means <= ALPHA).max()]
        broken += truth.risk("lost_answer", threshold, 0.0) > ALPHA
    return Rate(broken, runs)


def controlled_risks(
    loss: str, n: int, runs: int, rng: np.random.Generator, truth: Truth, **population: Any
) -> Floats:
    """The true risk of each of many calibrations by conformal risk control at a limit of 10 %."""
    risks = []
    for run in range(runs):
        curve = curve_of(draw([n], rng, **population))
        allowed = control(curve, Risk(make(LOSSES, loss, {}), ALPHA), run).allowed
        risks.append(truth.risk(loss, float(curve.thresholds[allowed].max()), 0.0) if allowed.any() else 0.0)
    return np.array(risks)


# --- estimates ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Regrets:
    """By method, the mean regret: the criterion's best value in a category minus that at the threshold."""

    separate: Floats
    one: Floats
    recommended: Floats

    def excess(self) -> float:
        """How much worse the recommendation is than the better of the two others and itself."""
        return float(
            self.recommended.mean() - min(self.separate.mean(), self.one.mean(), self.recommended.mean())
        )


def regrets(
    n: int, spread: float, runs: int, rng: np.random.Generator, truth: Truth, goal: Any, categories: int = 8
) -> Regrets:
    """Compare the recommended thresholds with separate optima and with one for all."""
    parsed = Goal.parse(goal)
    best = truth.values(parsed, np.linspace(-6, 6, 2001)).max()
    found: dict[str, list[float]] = {"separate": [], "one": [], "recommended": []}
    for _ in range(runs):
        shifts = rng.normal(0, spread, categories)
        judged = draw([n] * categories, rng, shifts=shifts)
        whole, groups = grouped(judged)
        fit = Fit(judged, parsed, whole, groups, Scale("unit"))
        own = fit.choose(np.ones((1, whole.curve.n), dtype=bool), rng, 400)[1][0]
        assert parsed.criterion is not None
        tables = [Table.of(group.curve.decisive(), parsed.criterion) for group in groups.values()]
        separate = [float(t.best(np.ones((1, len(t.numerator))))[0][0]) for t in tables]
        table = Table.of(whole.curve.decisive(), parsed.criterion)
        one = float(table.best(np.ones((1, whole.curve.n)))[0][0])
        for name, thresholds in (("separate", separate), ("one", [one] * categories), ("recommended", own)):
            values = truth.values(parsed, _real(np.array(thresholds)) - shifts)
            found[name].append(float(best - values.mean()))
    return Regrets(**{name: np.array(values) for name, values in found.items()})


def grouped(judged: Judged) -> tuple[Group, dict[str, Group]]:
    """Return all queries as a group, and each category."""
    whole = curve_of(judged)
    groups = {name: curve_of(judged, where) for name, where in members(judged.category).items()}
    made = {name: Group(name, curve, separation(curve)) for name, curve in groups.items()}
    return Group(OVERALL, whole, separation(whole)), made


@dataclass(frozen=True)
class Optimism:
    """Reported minus true F1, averaged over categories and runs."""

    in_sample: float
    cross_fitted: float
    error: float  # the standard error of the cross-fitted one


def optimism(n: int, spread: float, runs: int, rng: np.random.Generator, truth: Truth) -> Optimism:
    """Compare the F1 that is reported, in sample and cross-fitted, with the one that the thresholds have."""
    goal = Goal.parse({"maximise": "F1"})
    in_sample, held_out = [], []
    for run in range(runs):
        shifts = rng.normal(0, spread, 8)
        judged = draw([n] * 8, rng, shifts=shifts)
        calibration = calibrate(judged, goal, domain=DOMAIN, seed=run)
        gaps, naive = [], []
        for c, group in enumerate(calibration.groups.values()):
            entry = calibration.policy.categories[group.name]
            if entry.status == "estimated":
                gaps.append(entry.estimates["F1"].point - _true(truth, goal, entry.threshold, shifts[c]))
            assert goal.criterion is not None
            table = Table.of(group.curve, goal.criterion)
            threshold, value = table.best(np.ones((1, group.curve.n)))
            naive.append(float(value[0]) - _true(truth, goal, float(threshold[0]), shifts[c]))
        held_out.append(np.mean(gaps))
        in_sample.append(np.mean(naive))
    error = float(np.std(held_out, ddof=1) / math.sqrt(runs))
    return Optimism(float(np.mean(in_sample)), float(np.mean(held_out)), error)


def _true(truth: Truth, goal: Goal, threshold: float | None, shift: float) -> float:
    return float(truth.values(goal, _real(np.array([threshold])) - shift)[0])


# --- usable or not --------------------------------------------------------------------------------------


def called_unusable(goal: Any, n: int, runs: int, rng: np.random.Generator) -> Rate:
    """How often scores that know nothing about relevance end unusable."""
    calibrations = (
        calibrate(draw([n], rng, separation=0.0, negative=0.2), Goal.parse(goal), domain=DOMAIN, seed=run)
        for run in range(runs)
    )
    return Rate(sum(c.policy.default.status == "unusable" for c in calibrations), runs)


def certified_at_twice_the_need(goal: Any, pilot: int, runs: int, rng: np.random.Generator) -> Rate:
    """How often a filter is certified on twice the queries that a pilot said it takes."""
    certified = 0
    for run in range(runs):
        first = _overall(draw([pilot], rng), goal, run)
        needed = first.policy.default.needs_queries
        if needed is not None:
            entry = _overall(draw([pilot + 2 * needed], rng), goal, run).policy.default
            certified += entry.status == "certified" and not entry.notes
    return Rate(certified, runs)


def _overall(judged: Judged, goal: Any, seed: int) -> Calibration:
    return calibrate(judged, Goal.parse(goal), by="none", domain=DOMAIN, seed=seed)
