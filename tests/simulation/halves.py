"""Real queries split in halves: calibrate on one, measure on the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evalkit.records import Domain, Floats, Ints, Judged
from evalkit.thresholds.calibrate import Asked
from evalkit.thresholds.curve import Curve, curve_of
from evalkit.thresholds.goals import CRITERIA, LOSSES, Goal, make
from evalkit.thresholds.groups import OVERALL, Made, members
from evalkit.thresholds.optimum import Table
from evalkit.thresholds.policy import Entry
from tests.simulation.rates import Rate

FIXED = (0.5, 0.1)


def part(judged: Judged, queries: Ints) -> Judged:
    """Return the judged run of some of its queries (positions)."""
    counts, ideals = np.diff(judged.offsets)[queries], np.diff(judged.ideal_offsets)[queries]
    rows = np.concatenate([np.arange(judged.offsets[q], judged.offsets[q + 1]) for q in queries])
    ideal = np.concatenate(
        [judged.ideal[judged.ideal_offsets[q] : judged.ideal_offsets[q + 1]] for q in queries]
    )
    return Judged(
        query_ids=tuple(judged.query_ids[q] for q in queries),
        category=tuple(judged.category[q] for q in queries),
        offsets=np.concatenate([[0], counts.cumsum()]),
        row=judged.row[rows],
        rank=judged.rank[rows],
        score=judged.score[rows],
        grade=judged.grade[rows],
        judged=judged.judged[rows],
        retrieved=judged.retrieved[queries],
        ideal=ideal,
        ideal_offsets=np.concatenate([[0], ideals.cumsum()]),
        relevant_from=judged.relevant_from,
    )


def split(judged: Judged, rng: np.random.Generator) -> tuple[Judged, Judged]:
    """Return two halves, each category divided evenly."""
    first = []
    for where in members(judged.category).values():
        first += rng.permutation(where)[: len(where) // 2 + int(rng.integers(2)) * (len(where) % 2)].tolist()
    everybody = np.arange(len(judged.query_ids))
    return part(judged, np.array(sorted(first))), part(judged, np.setdiff1d(everybody, first))


def made_of(judged: Judged, goal: Any, domain: Domain, seed: int) -> Made:
    """Return the entries that calibration makes, without the figures beside them."""
    asked = Asked(judged, Goal.parse(goal), members(judged.category), domain, seed, ())
    return asked.answer("irrelevant", measured=False)[2]


@dataclass(frozen=True)
class Kept:
    """How often every promise of a half held: on all queries, its population, and on the other half alone.

    All queries are the population that the half was drawn from, so that the risk there is the true one. The
    other half's observed risk has noise of its own: it exceeds the limit more often than the true one does.
    """

    population: Rate
    other_half: Rate


def promises_kept(judged: Judged, goal: Any, domain: Domain, runs: int, rng: np.random.Generator) -> Kept:
    """Calibrate on halves and look whether all promises that they certify hold together."""
    whole, other = 0, 0
    for run in range(runs):
        first, second = split(judged, rng)
        made = made_of(first, goal, domain, run)
        whole += _all_kept(made, judged)
        other += _all_kept(made, second)
    return Kept(Rate(whole, runs), Rate(other, runs))


@dataclass(frozen=True, eq=False)
class Expected:
    """What promises look like on halves where the truth is known: one share a collection, over its splits.

    `true` is how often all promises hold in the population that the collection was drawn from, which is what
    a promise is about; `other_half` and `collection` how often they seem to on the other half and on both.
    """

    true: Floats
    other_half: Floats
    collection: Floats
    splits: int

    @property
    def truth(self) -> tuple[float, float]:
        """How often the promises hold in truth, with its standard error over collections."""
        return float(self.true.mean()), float(self.true.std(ddof=1) / np.sqrt(len(self.true)))

    def usual(self, splits: int) -> tuple[float, float]:
        """Return mean and standard deviation of a collection's share on the other half, over `splits`."""
        share = self.other_half
        noise = float((share * (1 - share)).mean())
        between = max(float(share.var(ddof=1)) - noise / self.splits, 0.0)
        return float(share.mean()), float(np.sqrt(between + noise / splits))


def expected(
    judged: Judged, goal: Any, domain: Domain, collections: int, splits: int, rng: np.random.Generator
) -> Expected:
    """Take the queries at hand for a population, draw collections of their size from it, and split those.

    The population's risks are known, so that it shows what a promise that is kept looks like on the other
    half of a collection that is no larger than the real one.
    """
    shares = []
    for _ in range(collections):
        drawn = [rng.choice(where, len(where)) for where in members(judged.category).values()]
        collection = part(judged, np.sort(np.concatenate(drawn)))
        kept = np.zeros(3)
        for seed in range(splits):
            first, second = split(collection, rng)
            made = made_of(first, goal, domain, seed)
            kept += [_all_kept(made, one) for one in (judged, second, collection)]
        shares.append(kept / splits)
    true, other, whole = np.array(shares).T
    return Expected(true, other, whole, splits)


def _all_kept(made: Made, judged: Judged) -> bool:
    entries = {OVERALL: made.default, **made.categories}
    groups = {OVERALL: None, **members(judged.category)}
    return all(_kept(entries[name], curve_of(judged, where)) for name, where in groups.items())


def _kept(entry: Entry, curve: Curve) -> bool:
    if entry.status != "certified" or entry.promise is None or entry.threshold is None:
        return True
    loss = make(LOSSES, entry.promise.risk, {})
    losses = loss.of(curve.states)[curve.at(entry.threshold)][curve.answerable]
    return bool(losses.mean() <= entry.promise.at_most)


@dataclass(frozen=True)
class Contest:
    """Mean held-out F1 of each way to set thresholds: one value a split."""

    values: dict[str, Floats]

    def mean(self, name: str) -> float:
        """Return the mean over splits."""
        return float(self.values[name].mean())

    def gain(self, name: str) -> tuple[float, float]:
        """Return how much the recommendation gains on another way, with the standard deviation over splits.

        Splits share their queries, so that a standard error over splits would promise too much.
        """
        gains = self.values["recommended"] - self.values[name]
        return float(gains.mean()), float(gains.std(ddof=1))


def contest(judged: Judged, domain: Domain, runs: int, rng: np.random.Generator) -> Contest:
    """Set thresholds on one half in several ways and measure F1 on the other."""
    goal = {"maximise": "F1"}
    criterion = make(CRITERIA, "F1", {})
    names = ["recommended", "one optimum for all", "separate optima", *(f"fixed {t}" for t in FIXED)]
    values: dict[str, list[float]] = {name: [] for name in names}
    for run in range(runs):
        first, second = split(judged, rng)
        made = made_of(first, goal, domain, run)
        groups = members(first.category)

        def best(where: Ints | None, half: Judged = first) -> float:
            table = Table.of(curve_of(half, where).decisive(), criterion)
            return float(table.best(np.ones((1, len(table.numerator))))[0][0])

        one = best(None)
        ways = {
            "recommended": {name: made.categories[name].threshold for name in groups},
            "one optimum for all": dict.fromkeys(groups, one),
            "separate optima": {name: best(where) for name, where in groups.items()},
            **{f"fixed {t}": dict.fromkeys(groups, t) for t in FIXED},
        }
        for way, thresholds in ways.items():
            values[way].append(_f1(second, thresholds))
    return Contest({name: np.array(found) for name, found in values.items()})


def _f1(judged: Judged, thresholds: dict[str, float | None]) -> float:
    curve, criterion = curve_of(judged), make(CRITERIA, "F1", {})
    # A category without a recommendation is not filtered.
    limits = np.array([-np.inf if (t := thresholds.get(c)) is None else t for c in judged.category])
    above, below = criterion.of(curve.states)
    states = curve.at(limits)
    return float(above[states].sum() / below[states].sum())
