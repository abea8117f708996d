"""What intervals and tests of a comparison promise, counted on simulated rankings whose truth is known.

The tests beside this file call these functions at a size fit for CI, `make prove` at full size.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalkit.records import Floats
from evalkit.stats.compare import FEW_DIFFER, Plan, compare
from evalkit.stats.heterogeneity import heterogeneity
from evalkit.stats.power import detectable_difference
from evalkit.stats.resample import bca
from evalkit.stats.significance import randomisation, t_quantile, t_test
from evalkit.stats.units import Units
from tests.simulation.markdown import table
from tests.simulation.rankings import MEASURES, differences, sharper

POPULATION = 50_000
TOGETHER = 250  # samples that share their resamples: they are columns of one product
LEVEL = 0.95
SIZES = (30, 50, 200)


@dataclass(frozen=True)
class Share:
    """How often something happened in `runs` samples."""

    count: int
    runs: int

    @property
    def share(self) -> float:
        """The share of samples."""
        return self.count / self.runs if self.runs else float("nan")

    def most(self, expected: float) -> float:
        """Return `expected` plus three standard errors of a share that is `expected`."""
        return expected + 3 * float(np.sqrt(expected * (1 - expected) / self.runs))

    def __str__(self) -> str:
        return f"{100 * self.share:.1f} %" if self.runs else "-"


@dataclass(frozen=True)
class Coverage:
    """How often Student's interval holds the truth: in all samples, and in those that are not thin."""

    all: Share
    thin: Share
    not_thin: Share


def t_coverage(population: Floats, n: int, runs: int, rng: np.random.Generator) -> Coverage:
    """Draw samples of `n` queries and count t intervals that hold the population's mean.

    Samples in which fewer than ten queries differ are thin: evalkit says of those that their interval is not
    to be relied on.
    """
    hits, thin, hits_of_others = 0, 0, 0
    for _ in range(runs // TOGETHER):
        units = Units.of(population[rng.integers(0, len(population), (n, TOGETHER))])
        enough = (units.totals != 0).sum(axis=0) >= FEW_DIFFER
        reach = t_quantile(LEVEL, n - 1) * units.standard_errors
        covers = np.abs(units.means - population.mean()) <= reach
        hits += int(covers.sum())
        hits_of_others += int((enough & covers).sum())
        thin += int((~enough).sum())
    return Coverage(Share(hits, runs), Share(thin, runs), Share(hits_of_others, runs - thin))


def bca_coverage(population: Floats, n: int, runs: int, rng: np.random.Generator) -> Share:
    """Draw samples of `n` queries and count BCa intervals that hold the population's mean."""
    hits = 0
    for _ in range(runs // TOGETHER):
        units = Units.of(population[rng.integers(0, len(population), (n, TOGETHER))])
        low, high = bca(units, int(rng.integers(2**32)), LEVEL)
        hits += int(((low <= population.mean()) & (population.mean() <= high)).sum())
    return Share(hits, runs)


def false_positives(population: Floats, n: int, runs: int, rng: np.random.Generator) -> tuple[Share, Share]:
    """Count tests at .05 that find a difference between equal systems: randomisation, and paired t."""
    found, by_t = 0, 0
    for _ in range(runs // TOGETHER):
        units = Units.of(population[rng.integers(0, len(population), (n, TOGETHER))])
        found += int((randomisation(units, rng, 2_000) <= 0.05).sum())
        by_t += int((t_test(units) <= 0.05).sum())
    return Share(found, runs), Share(by_t, runs)


def false_families(n: int, systems: int, categories: int, runs: int, rng: np.random.Generator) -> Share:
    """Count families (systems x 4 measures x categories) of equal systems with any difference shown."""
    labels = [f"c{index % categories}" for index in range(n)]
    nothing = dict.fromkeys(MEASURES, np.zeros(n))
    alarms = 0
    for run in range(runs):
        values = {"baseline": nothing}
        for system in range(systems):
            drawn = differences(n, 0.0, rng)
            values[f"s{system}"] = dict(zip(MEASURES, drawn.T, strict=True))
        alarms += any(row.shown for row in compare(values, "baseline", labels, Plan(seed=run)))
    return Share(alarms, runs)


def power_at_detectable(population: Floats, n: int, runs: int, rng: np.random.Generator) -> Share:
    """Count tests at .05 that find a true difference of exactly the size said to be detectable with .80."""
    centred = population - population.mean() + detectable_difference(float(population.std()), n)
    found = 0
    for _ in range(runs // TOGETHER):
        units = Units.of(centred[rng.integers(0, len(centred), (n, TOGETHER))])
        found += int((t_test(units) <= 0.05).sum())
    return Share(found, runs)


def false_heterogeneity(
    population: Floats, per_category: int, categories: int, runs: int, rng: np.random.Generator
) -> tuple[Share, Share]:
    """Count tests at .05 that find categories of one population to differ: Welch's form, and plain Q."""
    welch, plain = 0, 0
    sizes = np.full(categories, float(per_category))
    for _ in range(runs):
        drawn = population[rng.integers(0, len(population), (categories, per_category))]
        means, variances = drawn.mean(axis=1), drawn.var(axis=1, ddof=1) / per_category
        welch += heterogeneity(means, variances, sizes).p <= 0.05
        plain += heterogeneity(means, variances).p <= 0.05
    return Share(int(welch), runs), Share(int(plain), runs)


def prove(scale: int = 1) -> str:
    """Return docs/proofs/comparison.md, `scale` times the size that CI runs."""
    runs = 2_000 * scale
    rng = np.random.default_rng(20)
    parts = [HEAD.format(runs=runs)]
    gain = differences(POPULATION, 0.3, rng)
    equal = differences(POPULATION, 0.0, rng)
    means = sharper(POPULATION, rng)
    rows = []
    for name, column in zip(MEASURES, range(len(MEASURES)), strict=True):
        for n in SIZES:
            by_t = t_coverage(gain[:, column], n, runs, rng)
            positives, t_positives = false_positives(equal[:, column], n, runs, rng)
            cells = [
                by_t.all,
                bca_coverage(gain[:, column], n, runs, rng),
                by_t.thin,
                by_t.not_thin,
                bca_coverage(means[:, column], n, runs, rng),
                t_coverage(means[:, column], n, runs, rng).all,
                positives,
                t_positives,
                power_at_detectable(gain[:, column], n, runs, rng),
            ]
            rows.append([name, n, *cells])
    parts.append(table(COLUMNS, rows))
    families = [
        [systems, 4, categories, n, runs, false_families(n, systems, categories, runs, rng)]
        for systems, categories, n, runs in ((3, 4, 60, 200 * scale), (5, 8, 240, 60 * scale))
    ]
    parts.append(FAMILIES + table(FAMILY_COLUMNS, families))
    differ = [
        [count, categories, *false_heterogeneity(equal[:, 0], count, categories, runs, rng)]
        for count, categories in ((8, 8), (30, 8), (60, 4))
    ]
    parts.append(HETEROGENEITY + table(HETEROGENEITY_COLUMNS, differ))
    return "\n".join(parts)


HEAD = """# Comparisons: what intervals and tests keep of their promises

Written by `make prove` (`tests/simulation/comparison.py`). Two simulated rankers order 50 candidates of a
query; per-query differences are lumpy, tied and skewed as in retrieval, and the true mean is known from
50,000 queries. {runs:,} samples a row; all intervals are at 95 %. A sample is thin where fewer than ten
queries differ: evalkit says of it that no interval can be relied on, and here one sees why (Success@5, where
nine queries of ten tie).

Differences have Student's t as their headline interval and means have BCa, because of this table: BCa is too
short for differences of few queries, t for means that crowd against 1.
"""
COLUMNS = (
    "measure",
    "queries",
    "difference: t covers",
    "BCa covers",
    "thin samples",
    "t covers in the others",
    "mean: BCa covers",
    "t covers",
    "equal systems, randomisation p <= .05",
    "t p <= .05",
    "power at the detectable difference (80 %)",
)
FAMILIES = """
## The family
Equal systems; a family errs if any of its comparisons is shown at .05 after Holm.
"""
FAMILY_COLUMNS = ("systems", "measures", "categories", "queries", "families", "of them err")
HETEROGENEITY = """
## Do categories differ?
Categories of one population; shares of tests at .05 that say that they differ. evalkit uses Welch's form.
"""
HETEROGENEITY_COLUMNS = ("queries a category", "categories", "Welch", "chi-squared of Q")
