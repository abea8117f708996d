"""Systems against a baseline, query by query: differences, intervals, tests, what could be shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from evalkit.records import Floats, Interval, Ints
from evalkit.stats import significance
from evalkit.stats.margins import Margin, against_margin, correct_margins
from evalkit.stats.power import detectable_difference
from evalkit.stats.resample import LEVEL, intervals
from evalkit.stats.significance import holm, t_ends
from evalkit.stats.units import Units, same_gaps

Values = Mapping[str, Floats]  # measure -> one value a query
ROUNDING = 1e-12  # differences below it are rounding: the query is a tie
FEW_DIFFER = 10  # units that differ, below which intervals cover less than they say
DRAWS = 20  # random flips times alpha / family: 1 / (1 + B) stays far below what Holm asks for
OTHER_TESTS = {"t": significance.t_test, "wilcoxon": significance.wilcoxon}


@dataclass(frozen=True, slots=True)
class Difference:
    """A system's mean difference from the baseline on one measure and one set of queries.

    `category` None means all queries. `interval` is Student's t, `bootstrap` BCa, neither corrected for the
    family: of the two, t covers better on few queries (docs/proofs/comparison.md). `p` is the randomisation
    test's, `p_holm` is corrected; `p_other` has the tests asked for.
    `effect_size` is the mean over the standard deviation of the differences (Cohen's d_z). `better` says
    whether the mean is, wins are the queries on which the system is better, `undefined` those where the
    measure is NaN in either system. `units` counts the independent units: queries, or clusters of them;
    `differing` those of them in which the systems differ.
    `detectable` is the smallest true difference that such a test finds in 80 of 100 samples, at its share of
    alpha in the family.
    """

    system: str
    measure: str
    category: str | None
    interval: Interval
    bootstrap: Interval
    effect_size: float
    deviation: float
    better: bool
    wins: int
    ties: int
    losses: int
    units: int
    differing: int
    detectable: float
    margin: Margin | None = None
    undefined: int = 0
    p: float = float("nan")
    p_holm: float = float("nan")
    p_other: Mapping[str, float] = field(default_factory=dict)
    p_other_holm: Mapping[str, float] = field(default_factory=dict)

    @property
    def shown(self) -> bool:
        """Whether the difference stands after Holm's correction, at the interval's level."""
        return self.p_holm <= 1 - self.interval.level

    @property
    def thin(self) -> bool:
        """Whether so few units differ that no interval of a mean can be relied on."""
        return self.differing < FEW_DIFFER


@dataclass(frozen=True, slots=True)
class Plan:
    """How to compare: `lower_is_better` names measures, `margins` declares what difference would not matter.

    `tests` may ask for "t" and "wilcoxon" beside the randomisation test; `clusters` labels queries that are
    not independent of each other.
    """

    seed: int
    level: float = LEVEL
    clusters: Ints | None = None
    lower_is_better: Collection[str] = ()
    margins: Mapping[str, float] = field(default_factory=dict)
    tests: Collection[str] = ()


def compare(
    values: Mapping[str, Values], baseline: str, categories: Sequence[str], plan: Plan
) -> list[Difference]:
    """Compare every system with `baseline` on every measure: on all queries, then per category.

    `values[system][measure]` holds one value a query, in the one order of queries that all systems share;
    `categories` is parallel to it. The family for Holm's correction is all that is returned, except where no
    query differs: such a comparison cannot be rejected and is not counted (Tarone, Biometrics 46, 1990).
    """
    cells = [(system, measure) for system in values if system != baseline for measure in values[baseline]]
    if not cells:
        return []
    table = np.column_stack(
        [values[system][measure] - values[baseline][measure] for system, measure in cells]
    )
    table[np.abs(table) < ROUNDING] = 0.0
    sets = list(query_sets(categories))
    family = max(1, sum(_can_differ(table[rows]) for _, rows in sets))
    found = []
    for category, rows in sets:
        own = plan if plan.clusters is None else replace(plan, clusters=plan.clusters[rows])
        found += _differences(table[rows], cells, category, own, (1 - plan.level) / family)
    return _corrected(found)


def query_sets(categories: Sequence[str]) -> Iterator[tuple[str | None, Ints]]:
    """Yield (None, all queries), then each category by name with the positions of its queries."""
    yield None, np.arange(len(categories))
    labels = np.array(categories)
    for category in sorted(set(categories) - {""}):
        yield category, np.flatnonzero(labels == category)


def _can_differ(table: Floats) -> int:
    return int((np.nan_to_num(table) != 0).any(axis=0).sum())


def _differences(
    table: Floats, cells: Sequence[tuple[str, str]], category: str | None, plan: Plan, alpha: float
) -> list[Difference]:
    """Return the differences of one set of queries, uncorrected; `alpha` is each comparison's share."""
    draws = max(significance.REPLICATES, int(np.ceil(DRAWS / alpha)))
    found: dict[int, Difference] = {}
    for columns, rows in same_gaps(table):
        values = table[np.ix_(rows, columns)]
        units = Units.of(values, None if plan.clusters is None else plan.clusters[rows])
        drawn = intervals(units, plan.seed, plan.level)
        p = significance.randomisation(units, np.random.default_rng(plan.seed), draws)
        others = {name: OTHER_TESTS[name](units) for name in plan.tests}
        for place, column in enumerate(columns):
            one = _difference(
                drawn[place], cells[column], category, values[:, place], units, place, plan, alpha
            )
            found[column] = replace(
                one,
                p=float(p[place]),
                p_other={name: float(p_values[place]) for name, p_values in others.items()},
                undefined=len(table) - units.queries,
            )
    return [found[column] for column in range(len(cells))]


def _difference(
    drawn: Interval,
    cell: tuple[str, str],
    category: str | None,
    values: Floats,
    units: Units,
    column: int,
    plan: Plan,
    alpha: float,
) -> Difference:
    system, measure = cell
    mean, error, n = drawn.point, float(units.standard_errors[column]), units.queries
    many = len(units.sizes)
    low, high = (float(ends[column]) for ends in t_ends(units, plan.level))
    sign = -1 if measure in plan.lower_is_better else 1
    deviation = float(error * np.sqrt(n))
    return Difference(
        system,
        measure,
        category,
        replace(drawn, low=low, high=high, method="Student's t"),
        drawn,
        effect_size=mean / deviation if deviation > 0 else float("nan"),
        deviation=deviation,
        better=sign * mean > 0,
        wins=int((sign * values > 0).sum()),
        ties=int((values == 0).sum()),
        losses=int((sign * values < 0).sum()),
        units=many,
        differing=int((np.abs(units.totals[:, column]) > ROUNDING).sum()),
        detectable=detectable_difference(float(error * np.sqrt(many)), many, alpha),
        margin=against_margin(sign * mean, error, many - 1, plan.margins.get(measure)),
    )


def _corrected(found: list[Difference]) -> list[Difference]:
    """Return the differences with all p-values corrected over the family."""
    counted = np.array([one.wins + one.losses > 0 for one in found])

    def correct(p_values: list[float]) -> Floats:
        p = np.array(p_values)
        return np.where(counted, holm(np.where(counted, p, np.nan)), p)

    main = correct([one.p for one in found])
    others = {name: correct([one.p_other[name] for one in found]) for name in found[0].p_other}
    margins = correct_margins([one.margin for one in found])
    return [
        replace(
            one,
            p_holm=float(main[index]),
            p_other_holm={name: float(p[index]) for name, p in others.items()},
            margin=margins[index],
        )
        for index, one in enumerate(found)
    ]
