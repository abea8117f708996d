"""Real queries split in halves: calibrate on one, measure on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from evalkit.records import Domain, Floats, Ints, Judged
from evalkit.thresholds.calibrate import Question
from evalkit.thresholds.curve import Curve, curve_of
from evalkit.thresholds.entry import Entry
from evalkit.thresholds.goals import CRITERIA, LOSSES, Goal, make
from evalkit.thresholds.groups import OVERALL, Made, members
from evalkit.thresholds.optimum import Table
from tests.simulation.rates import Rate

FIXED = (0.5, 0.1)
COPIES, MOVED = 10, 0.3  # of each query in a population; by how much of the spread of the best scores


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
    asked = Question(judged, Goal.parse(goal), members(judged.category), domain, seed, ())
    return asked.answer("irrelevant", measured=False)[2]


@dataclass(frozen=True)
class Kept:
    """How often every promise of a half held: in the population, and on the other half alone.

    The other half's observed risk has noise of its own: it is above the limit more often than the true one.
    """

    population: Rate
    other_half: Rate


def promises_kept(
    judged: Judged,
    goals: Sequence[Any],
    domain: Domain,
    splits: int,
    seed: int,
    population: Mapping[str, Curve] | None = None,
) -> list[Kept]:
    """Calibrate on halves for each goal and look whether all promises that they certify hold together.

    `population` is what the queries were drawn from (`curves`); the queries themselves, if None: those that a
    half was drawn from, so that the risk there is the true one. The same seed splits other scores of the same
    queries alike.
    """
    truth = curves(judged) if population is None else population
    kept = np.zeros((len(goals), 2), dtype=np.int64)
    for run in range(splits):
        first, second = split(judged, np.random.default_rng([seed, run]))
        held_out = curves(second)
        for goal, row in zip(goals, kept, strict=True):
            made = made_of(first, goal, domain, run)
            row += [_all_kept(made, truth), _all_kept(made, held_out)]
    return [Kept(Rate(int(whole), splits), Rate(int(other), splits)) for whole, other in kept]


@dataclass(frozen=True, eq=False)
class Expected:
    """What kept promises look like on halves where the truth is known: a share for each collection.

    `true` is how often all promises hold in the population that the collection was drawn from, which is what
    a promise is about; `other_half` how often they seem to on the other half.
    """

    true: Floats
    other_half: Floats

    @property
    def truth(self) -> tuple[float, float]:
        """How often the promises hold in truth, with its standard error over collections."""
        return float(self.true.mean()), float(self.true.std(ddof=1) / np.sqrt(len(self.true)))

    def as_low(self, share: float) -> int:
        """In how many collections the promises hold as rarely on the other half, over as many splits."""
        return int((self.other_half <= share).sum())


def expected(
    judged: Judged, goals: Sequence[Any], domain: Domain, collections: int, splits: int, seed: int
) -> list[Expected]:
    """Draw collections as large as the one at hand from a population that is like it, and split those.

    The population's risks are known, so that it shows what a promise that is kept looks like on the other
    half of a collection that is no larger than the real one. The same seed draws the same collections.
    """
    everybody = population_like(judged, np.random.default_rng(seed))
    groups, sizes = (
        members(everybody.category),
        {name: len(w) for name, w in members(judged.category).items()},
    )
    truth, shares = curves(everybody), []
    for number in range(collections):
        rng = np.random.default_rng([seed, number])
        drawn = [rng.choice(where, sizes[name]) for name, where in groups.items()]
        collection = part(everybody, np.sort(np.concatenate(drawn)))
        found = promises_kept(collection, goals, domain, splits, int(rng.integers(2**31)), truth)
        shares.append([(one.population.share, one.other_half.share) for one in found])
    return [Expected(*np.array(rows).T) for rows in zip(*shares, strict=True)]


def population_like(judged: Judged, rng: np.random.Generator) -> Judged:
    """Return the queries `COPIES` times over, each copy's scores moved a little, all by the same log-odds.

    Otherwise many a query would be drawn twice. No threshold lies between it and itself, so that promises
    would be kept more often than on queries that all differ, as real ones do.
    """
    copied = part(judged, np.repeat(np.arange(len(judged.query_ids)), COPIES))
    odds = np.log(copied.score / (1 - copied.score))
    best = np.maximum.reduceat(odds, copied.offsets[:-1])
    moved = odds + np.repeat(rng.normal(0, MOVED * best.std(), len(best)), np.diff(copied.offsets))
    return replace(copied, score=1 / (1 + np.exp(-moved)))


def curves(judged: Judged) -> dict[str, Curve]:
    """Return the curve of all queries and of each category."""
    groups = {OVERALL: None, **members(judged.category)}
    return {name: curve_of(judged, where) for name, where in groups.items()}


def _all_kept(made: Made, population: Mapping[str, Curve]) -> bool:
    entries = {OVERALL: made.default, **made.categories}
    return all(_kept(entries[name], curve) for name, curve in population.items())


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
