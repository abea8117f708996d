"""Estimates: the threshold that is best for a criterion, per category, with intervals and no promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from evalkit.records import Bools, Domain, Floats, Judged
from evalkit.thresholds import borderline
from evalkit.thresholds.entry import Entry, Estimate
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.groups import OVERALL, Group, Made
from evalkit.thresholds.heldout import divide, figures
from evalkit.thresholds.optimum import (
    REPLICATES,
    Choice,
    Scale,
    Table,
    bagged,
    contenders,
    percentiles,
    snapped,
)
from evalkit.thresholds.pool import Pooled, shrink
from evalkit.words import plural

FEWEST = 3  # queries with which a category gets a threshold of its own
FOLD_REPLICATES = 200  # resamples behind each bagged threshold within a fold
STEADY = 400_000  # queries x resamples beyond which the mean of resamples moves no more


def entries(
    judged: Judged,
    goal: Goal,
    whole: Group,
    groups: Mapping[str, Group],
    domain: Domain,
    seed: int,
    measured: bool = True,
) -> Made:
    """Return an estimate for each category that has queries enough, and the overall one for the rest.

    Not `measured`: the thresholds alone, without the figures on held-out queries.
    """
    rng = np.random.default_rng(seed)
    fit = Fit(judged, goal, whole, groups, Scale(domain.score_space))
    everything = np.ones((1, whole.curve.n), dtype=np.bool_)
    overall, own, pooled, replicates = fit.choose(
        everything, rng, REPLICATES if measured else FOLD_REPLICATES
    )
    strata = {name: group.curve.position for name, group in groups.items()} or {OVERALL: whole.curve.position}
    folds = divide(strata, whole.curve.n, rng, whole.curve.cluster)
    fewer = max(20, min(FOLD_REPLICATES, STEADY // whole.curve.n))
    training = folds.training if measured else folds.training[:0]
    held_overall, held_own, _, _ = fit.choose(training, rng, fewer)

    def entry(group: Group, threshold: float, held: Floats, spread: Floats, source: str) -> Entry:
        counted = int((~group.curve.failed).sum())
        if not measured:
            return Entry(threshold, "estimated", n_queries=counted, source=source)
        by_query = folds.spread(held)[:, group.curve.position]
        low, high = percentiles(fit.score(spread))
        found = figures(group.curve, by_query, rng, goal.criterion)
        found = {"threshold": Estimate(threshold, low, high), **found}
        return Entry(threshold, "estimated", None, found, counted, None, source)

    default = entry(whole, float(overall[0]), held_overall, replicates[OVERALL], "own")
    default = judged_usable(default, whole)
    made = {}
    for name, group in groups.items():
        if name in fit.names:
            column = fit.names.index(name)
            source = "shrunk" if pooled is not None else "own"
            one = entry(group, float(own[0, column]), held_own[:, column], replicates[name], source)
            made[name] = judged_usable(one, group)
        else:
            one = entry(group, float(overall[0]), held_overall, replicates[OVERALL], OVERALL)
            made[name] = fallen_back(one, default, fit.lacks(group))
    return Made(default, made, pooled=pooled)


class Fit:
    """Chooses thresholds for all categories at once from any part of the queries."""

    def __init__(
        self, judged: Judged, goal: Goal, whole: Group, groups: Mapping[str, Group], scale: Scale
    ) -> None:
        self.scale = scale
        self._goal, self._judged = goal, judged
        self.names = tuple(name for name, group in groups.items() if not self.lacks(group))
        fitted = {name: groups[name].curve for name in self.names} | {OVERALL: whole.curve}
        # A unit is chosen or held out as its first query is: folds keep units whole.
        self._units = {name: curve.position[curve.leaders] for name, curve in fitted.items()}
        self._tables = {
            name: self._table(group)
            for name, group in ((OVERALL, whole), *((n, groups[n]) for n in self.names))
        }
        score = judged.score
        self._observed = whole.curve.thresholds
        self._least = 1e-3 * float(np.var(scale.real(score))) + 1e-18 if len(score) else 1.0

    def lacks(self, group: Group) -> str:
        """Say why a category gets no threshold of its own; empty where it does."""
        n = int((~group.curve.failed).sum())
        if n < FEWEST:
            return f"{plural(n, 'query')} with scores: too few to fit"
        if not (group.curve.answerable & ~group.curve.failed).any():
            return "no query has a relevant candidate"
        if self._goal.method == "borderline_mean" and not borderline.enough(self._judged, self._goal, group):
            return "too few borderline documents"
        return ""

    def choose(
        self, training: Bools, rng: np.random.Generator, replicates: int
    ) -> tuple[Floats, Floats, Pooled | None, dict[str, Floats]]:
        """Choose from each row of `training` (rows x queries of the whole).

        Returns the overall thresholds (rows), the categories' (rows x categories), the pooling of the last
        row, and the last row's replicates on the real line, by category.
        """
        drawn = [
            [self._bag(name, chosen[where], rng, replicates) for name, where in self._units.items()]
            for chosen in training
        ]
        shape = (len(training), len(self._units), replicates)
        bags = dict(zip(self._units, np.reshape(drawn, shape).swapaxes(0, 1), strict=True))
        overall = self.score(bags[OVERALL].mean(axis=-1))
        spread = {name: rows[-1] for name, rows in bags.items() if len(rows)}
        if not self.names:
            return overall, np.empty((len(training), 0)), None, spread
        real = np.stack([bags[name] for name in self.names], axis=1)  # rows x categories x replicates
        own, variance = real.mean(axis=-1), real.var(axis=-1) + self._least
        pooled = None
        if not self._goal.method and len(self.names) > 1 and len(training):
            rows = [shrink(*row) for row in zip(own, variance, strict=True)]
            own, pooled = np.array([row.thresholds for row in rows]), rows[-1]
            kept = pooled.own_weight[:, None]
            together = kept * real[-1] + (1 - kept) * (pooled.share @ real[-1])
            spread |= dict(zip(self.names, together, strict=True))
        return overall, self.score(own), pooled, spread

    def score(self, real: Floats) -> Floats:
        """Return the scores of points on the real line; observed scores come back exactly."""
        return snapped(self.scale.score(real), self._observed)

    def _table(self, group: Group) -> Choice:
        if self._goal.method == "borderline_mean":
            return borderline.Means.of(self._judged, self._goal, group)
        assert self._goal.criterion is not None  # noqa: S101  parsing gave it one
        return Table.of(contenders(group.curve, self._goal.criterion), self._goal.criterion).useful()

    def _bag(self, name: str, training: Bools, rng: np.random.Generator, replicates: int) -> Floats:
        return bagged(self._tables[name], self.scale, training, rng, replicates)


def judged_usable(entry: Entry, group: Group) -> Entry:
    """Return the entry, or an unusable one where the scores are not shown to separate."""
    found = group.separation
    if found.shown is not False:
        return entry
    note = (
        f"the scores are not shown to separate relevant from irrelevant: a relevant document outscores an "
        f"irrelevant one {found.point:.0%} of the time (at least {max(found.low, 0):.0%}, "
        f"{plural(found.n, 'query')})"
    )
    return replace(
        entry,
        threshold=None,
        status="unusable",
        promise=None,
        estimates={},
        source="none",
        notes=(note,),
        reach=None,
    )


def fallen_back(entry: Entry, source: Entry, why: str) -> Entry:
    """Return the entry of a category that takes another's threshold, or none where that has none."""
    if source.threshold is None:
        return replace(
            entry, threshold=None, status="unusable", promise=None, estimates={}, source="none", notes=(why,)
        )
    return replace(entry, status="fallback", notes=(why,))
