"""Losses that have no safe end: does any threshold that a search certifies break its limit in truth?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from evalkit.records import Judged
from evalkit.thresholds.certify import certify, population
from evalkit.thresholds.curve import Curve, curve_of
from evalkit.thresholds.goals import LOSSES, Risk, make
from evalkit.thresholds.rule import Rule
from evalkit.thresholds.rules import ruled
from tests.populations import draw, judged
from tests.simulation.rates import Rate
from tests.simulation.studies import DELTA

TRUTH = 50_000  # queries


@dataclass(frozen=True)
class Walked(Rate):
    """How often some certified threshold breaks the limit in truth; how often any is certified."""

    certified: float


def plain(n: int, rng: np.random.Generator) -> Judged:
    """Draw the usual population, with negative queries."""
    return draw([n], rng, negative=0.2, depth=12)


def junk_on_top(n: int, rng: np.random.Generator) -> Judged:
    """Draw queries of which a third have two irrelevant candidates above all others, as a fooled model has.

    The risk then falls, rises and falls along the thresholds: a search can step over a bad stretch.
    """
    given = draw([n], rng, depth=12)
    scores, grades = given.score.reshape(n, -1).copy(), given.grade.reshape(n, -1)
    fooled = (rng.random(n) < 1 / 3)[:, None] & (np.cumsum(grades == 0, axis=1) <= 2) & (grades == 0)
    scores[fooled] = rng.uniform(0.9, 1, int(fooled.sum()))
    return judged(scores, grades)


def with_a_rule(n: int, rng: np.random.Generator) -> Judged:
    """Draw the usual population, cut to what scores 60 % of the query's top score."""
    return ruled(plain(n, rng), Rule(of_top=0.6))


POPULATIONS = {"plain": plain, "junk on top": junk_on_top, "with a rule": with_a_rule}
# Each limit is just below, within, or above what the best threshold reaches: some are never certified.
ASKED: tuple[tuple[str, dict[str, Any], tuple[float, ...]], ...] = (
    ("f_loss", {}, (0.45, 0.5, 0.6)),
    ("cost", {"lost": 1.0, "junk": 0.1, "abstain": 0.3}, (0.15, 0.2, 0.25)),
    ("micro_false_discovery", {"k": 5}, (0.45, 0.55, 0.65)),
    ("false_discovery", {}, (0.3, 0.4, 0.5)),
    ("miss", {}, (0.3, 0.4, 0.5)),
)


def walk_broken(
    drawn_from: str, loss: str, options: dict[str, Any], at_most: float, n: int, runs: int, seed: int
) -> Walked:
    """Certify all thresholds of many samples of `n` queries and look for one whose true risk is too high."""
    rng = np.random.default_rng(seed)
    risk = Risk(make(LOSSES, loss, {**options, "at_most": at_most}), at_most)
    drawn = POPULATIONS[drawn_from]
    grid, means = _truth(curve_of(drawn(TRUTH, rng)), risk)
    broken = certified = 0
    for run in range(runs):
        curve = curve_of(drawn(n, rng))
        allowed = certify(curve, (risk,), DELTA, run).allowed
        thresholds = curve.thresholds[:-1][allowed[:-1]]  # keeping nothing is never chosen
        certified += len(thresholds) > 0
        place = np.minimum(np.searchsorted(grid, thresholds), len(grid) - 1)
        broken += bool((means[place] > at_most).any())
    return Walked(broken, runs, certified / runs)


def _truth(curve: Curve, risk: Risk) -> tuple[np.ndarray, np.ndarray]:
    """Return every distinct threshold of a large sample and the risk at it."""
    members = population(curve, risk.loss)
    grid, sums = curve.sums(risk.loss.of(curve.states) * members[curve.states.query])
    return grid, sums / members.sum()
