"""A run held against an earlier one: measures, promises and spend, each held, worse, or not to be told."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from evalkit.errors import InputError
from evalkit.experiment.changes import values_of
from evalkit.experiment.common import Common, common
from evalkit.experiment.sources import clusters_of, from_directory
from evalkit.measures import parse
from evalkit.records import Floats
from evalkit.report.gate import Check, Found, Outcome
from evalkit.runs import RunDirectory
from evalkit.stats.compare import Difference, Plan, compare
from evalkit.suite import Gate, Suite, recorded
from evalkit.thresholds.standing import Standing, standing
from evalkit.words import plural

BEFORE = "baseline"


def gate(run: RunDirectory, baseline: RunDirectory, restrict: bool = False) -> Found:
    """Hold `run` against `baseline` by the `gate:` of the run's own suite.

    Raises:
        InputError: the suite has no gate or a wrong one, a gated pipeline is in one run only, or the runs
            have too little in common (see `common`).
    """
    suite = recorded(run.info["suite"], run.folder)
    if suite.gate is None:
        raise InputError(
            f"{run.folder}: its suite has no gate. Add `gate: {{margin: 0.02}}` and run it again"
        )
    names = suite.gate.pipelines or (suite.threshold_pipeline,)
    for name in names:
        for one in (run, baseline):
            if name not in one.info["pipelines"]:
                known = ", ".join(one.info["pipelines"])
                raise InputError(f"{one.folder} has no pipeline {name!r} to gate; it has {known}")
    shared = common(baseline, run, restrict)
    checks = [*_measures(run, baseline, suite, suite.gate, names, shared)]
    for name in names:
        checks += _promises(run, baseline, name, suite.gate)
        checks += _spend(run, name, suite.gate)
    notes = list(shared.notes)
    if baseline.info["suite"]["gate"] not in (None, run.info["suite"]["gate"]):
        notes.append("The gate's own settings changed since the baseline: those of the new run are used.")
    strict = suite.gate.cannot_tell == "fail"
    return Found(str(run.folder), str(baseline.folder), tuple(checks), tuple(notes), strict)


def _measures(
    run: RunDirectory,
    baseline: RunDirectory,
    suite: Suite,
    wish: Gate,
    names: Sequence[str],
    shared: Common,
) -> Iterator[Check]:
    measure, margin = suite.gate_measure, suite.gate_margin
    better = parse(measure).measure.better
    if not better or margin is None:
        raise InputError(f"the gate cannot compare on {measure}: neither more nor less of it is better")
    ids = shared.query_ids
    gaps = {}
    for name in names:
        new, old = (values_of(one, name).reindex(ids) for one in (run, baseline))
        if measure not in old or measure not in new:
            raise InputError(f"{measure} was not measured in both runs: run both with it in `measures`")
        gaps[name] = (new[measure] - old[measure]).to_numpy(dtype=np.float64)
    of = baseline.measures.drop_duplicates("query_id").set_index("query_id")["category"].fillna("")
    categories = of.reindex(ids).tolist() if wish.per == "category" else [""] * len(ids)
    lower = (measure,) if better == "lower" else ()
    margins = {measure: margin}
    plan = Plan(suite.seed, wish.confidence, clusters_of(baseline, ids), lower, margins)
    for row in compared(gaps, measure, categories, plan):
        yield _measured(row, wish.at_least)


def compared(
    gaps: dict[str, Floats], measure: str, categories: Sequence[str], plan: Plan
) -> list[Difference]:
    """Return the differences of per-query `gaps` (new minus old, a pipeline each) from no change at all."""
    values = {BEFORE: {measure: np.zeros(len(categories))}}
    values |= {f"run/{name}": {measure: gap} for name, gap in gaps.items()}
    return compare(values, BEFORE, categories, plan)


def outcome_of(row: Difference, at_least: int) -> tuple[Outcome, str]:
    """Return the outcome of one comparison and why.

    Non-inferiority first: a loss that is shown to be smaller than the margin does not matter, however surely
    it is one. Then a loss that stands after Holm's correction is worse. All else cannot be told.
    """
    alpha = 1 - row.interval.level
    if not row.interval.n:
        return "cannot tell", "the measure is defined on no query"
    if not row.wins + row.losses:
        return "held", f"unchanged on {plural(row.interval.n, 'query')}"
    if row.units < at_least:
        return (
            "cannot tell",
            f"{plural(row.units, 'query')}, fewer than the {at_least} that the gate asks for",
        )
    within = row.margin is not None and row.margin.p_not_worse <= alpha
    if within and not row.thin:
        return "held", "no loss as large as the margin"
    if row.shown and not row.better:
        return "worse", "worse beyond noise, and perhaps by more than the margin"
    if row.thin:
        nouns = (
            ("query", "queries") if row.units == row.interval.n else ("group of queries", "groups of queries")
        )
        differ = plural(row.differing, f"{nouns[0]} differs", f"{nouns[1]} differ")
        return "cannot tell", f"only {differ}, too few for any interval"
    return "cannot tell", f"these queries show a difference of {row.detectable:.3f} in 80 of 100 samples"


def _measured(row: Difference, at_least: int) -> Check:
    outcome, why = outcome_of(row, at_least)
    name = f"{row.system.removeprefix('run/')}, {row.category or 'all queries'}: {row.measure}"
    ends = row.interval
    limits = "" if ends.low != ends.low else f" [{ends.low:+.3f}, {ends.high:+.3f}]"  # NaN: of one query
    point = "" if ends.point != ends.point else f"{ends.point:+.3f}{limits} "
    interval = f"{point}on {plural(ends.n, 'query')}"
    margin = f", margin {row.margin.margin:g}" if row.margin else ""
    return Check("measure", name, outcome, f"{why}: {interval}{margin}")


def _promises(run: RunDirectory, baseline: RunDirectory, name: str, wish: Gate) -> Iterator[Check]:
    """Yield whether each promise of the baseline's thresholds stands on the new run's scores."""
    policy = baseline.policies.get(name)
    if not wish.promise or policy is None:
        return
    if not any(entry.promise for entry in (policy.default, *policy.categories.values())):
        return
    source = from_directory(run, name)
    if source.domain.digest != policy.domain.get("digest"):
        why = "model, rendering, documents or candidates are others: these thresholds are not for them. "
        yield Check("promise", f"{name}: thresholds", "cannot tell", f"{why}Calibrate again")
        return
    for one in standing(
        policy,
        source.judged,
        source.seed,
        failed=source.failed,
        clusters=source.clusters,
        confidence=wish.confidence,
    ):
        yield _promised(name, one)


def _promised(pipeline: str, one: Standing) -> Check:
    name = f"{pipeline}, {one.scope}: {one.risk} <= {one.at_most:g} at score >= {one.threshold:.4f}"
    if not one.n:
        return Check("promise", name, "cannot tell", "no query of this kind is left")
    told = f"{one.observed:.3f} on {plural(one.n, 'query')}, between {one.low:.3f} and {one.high:.3f}"
    if one.verdict == "stands":
        return Check("promise", name, "held", f"it would be certified again: {told}")
    if one.verdict == "broken":
        return Check("promise", name, "worse", f"the risk is above its limit: {told}")
    return Check("promise", name, "cannot tell", f"no longer certified, not shown to be broken: {told}")


def _spend(run: RunDirectory, name: str, wish: Gate) -> Iterator[Check]:
    costs = next(row for row in run.summary["costs"] if row["pipeline"] == name)
    for key, unit in (("usd_per_1000", "dollars"), ("units_per_1000", "billed units")):
        limit, spent = getattr(wish, key), costs[key]
        if limit is None:
            continue
        title = f"{name}: at most {limit:g} {unit} per 1,000 queries"
        if spent is None:
            yield Check("spend", title, "cannot tell", "the price of a model is unknown")
        else:
            over = spent > limit and not math.isclose(spent, limit)  # 1,000 times .0041 is a hair above 4.1
            yield Check("spend", title, "worse" if over else "held", f"{spent:.4g} {unit}")
