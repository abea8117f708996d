"""Does a promise still stand? A policy's certified thresholds, tested as they are on other scores."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from evalkit.records import Ints, Judged
from evalkit.stats.bounds import betting_upper, binomial_lower, conformal_risk
from evalkit.thresholds.certify import RiskTable, risk_table, walks
from evalkit.thresholds.curve import curve_of
from evalkit.thresholds.entry import Promise
from evalkit.thresholds.goals import Goal, Risk
from evalkit.thresholds.groups import OVERALL, members, parents
from evalkit.thresholds.policy import ThresholdPolicy
from evalkit.thresholds.rules import ruled

ONLY = np.array([0])  # the one threshold of a curve that asks about one
Verdict = Literal["stands", "broken", "undecided"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What has become of one promise: `observed` is the risk on the new scores, NaN without queries.

    "stands": its certificate would be given again. "broken": the risk is shown to be above its limit.
    "undecided": neither. `low` and `high` bound the risk, each at the error that is spent on it.
    """

    scope: str
    risk: str
    threshold: float
    at_most: float
    n: int
    observed: float
    low: float
    high: float
    verdict: Verdict


def standing(
    policy: ThresholdPolicy,
    judged: Judged,
    seed: int,
    *,
    failed: Collection[str] = (),
    clusters: Ints | None = None,
    confidence: float = 0.95,
) -> list[Standing]:
    """Test each distinct promise of `policy` on `judged`; empty where it promises nothing.

    The thresholds are fixed, so none is searched for: each is tested once, at the promise's own error split
    over the promises where the family is joint. On the queries that the policy was calibrated on this is the
    certificate again and no fresh evidence. `confidence` serves promises in expectation, which have none.
    """
    goal, judged = Goal.parse(policy.goal), ruled(judged, policy.rule)
    kept = list(_promises(policy, judged))
    if not kept:
        return []
    shares = len(walks(goal.risks)) * (len(kept) if goal.family == "joint" else 1)
    level = (1 - (goal.confidence or confidence)) / shares
    found = []
    for scope, threshold, promise, where in kept:
        curve = curve_of(judged, where, failed=failed, clusters=clusters)
        shown = curve.keep_top_1() if policy.empty_result == "keep_top_1" else curve
        at = replace(shown, thresholds=np.array([threshold]))
        limits = {one.risk: one.at_most for one in (promise, *promise.also)}
        for risk in goal.risks:
            limit = Risk(risk.loss, limits[risk.loss.name])
            found.append(_tested(scope, threshold, risk_table(at, limit, seed), promise.kind, level))
    return found


def _promises(policy: ThresholdPolicy, judged: Judged) -> Iterator[tuple[str, float, Promise, Ints | None]]:
    """Yield scope, threshold, promise and queries (None: all) of each promise once."""
    groups = members(judged.category)
    above, nobody = parents(groups), np.zeros(0, dtype=np.int64)
    seen: set[tuple[bool, bool, str]] = set()
    for name, entry in ((OVERALL, policy.default), *policy.categories.items()):
        if entry.promise is None or entry.threshold is None:
            continue
        whole = entry is policy.default or (entry.source != "own" and entry.promise.scope == OVERALL)
        own = entry.source == "own"
        key = (whole, own or whole, "" if whole else entry.promise.scope)
        if key in seen:
            continue
        seen.add(key)
        where = (
            None if whole else (groups if own else above).get(name if own else entry.promise.scope, nobody)
        )
        yield entry.promise.scope, entry.threshold, entry.promise, where


def _tested(scope: str, threshold: float, table: RiskTable, kind: str, level: float) -> Standing:
    limit, n = table.risk.at_most, table.n
    observed = float(table.means()[0])
    low, high = _bounds(table, level) if n else (0.0, 1.0)
    if kind == "expectation":
        stands = n > 0 and float(conformal_risk(table.means(), n)[0]) <= limit
    else:
        stands = n > 0 and float(table.p_values(ONLY, level)[0]) <= level
    verdict: Verdict = "stands" if stands else "broken" if low > limit else "undecided"
    return Standing(scope, table.risk.loss.name, threshold, limit, n, observed, low, high, verdict)


def _bounds(table: RiskTable, level: float) -> tuple[float, float]:
    losses = table.losses(ONLY)[:, 0]
    if table.risk.loss.zero_one:
        low = float(binomial_lower(np.rint(losses.sum()), table.n, level))
    else:
        low = 1 - betting_upper(1 - losses, level)
    return low, table.upper(0, level)
