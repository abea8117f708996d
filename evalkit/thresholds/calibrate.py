"""From judged scores and a goal to thresholds per category, with what they promise and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field

from evalkit.errors import Finding, InputError
from evalkit.records import Domain, Judged
from evalkit.thresholds import estimating, promising
from evalkit.thresholds.checks import inspect
from evalkit.thresholds.curve import Curve, curve_of
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.groups import OVERALL, Group, members, parents
from evalkit.thresholds.policy import Safe, ThresholdPolicy
from evalkit.thresholds.pool import Pooled
from evalkit.thresholds.separation import separation


@dataclass(frozen=True, eq=False)
class Calibration:
    """The policy, and what tables and reports show beside it.

    `findings` are remarks on the input; `pooled` says how far the categories differ (None for goals that do
    not pool, or with fewer than two fitted categories), in the order of `pooled_names`.
    """

    policy: ThresholdPolicy
    overall: Group
    groups: Mapping[str, Group]
    findings: tuple[Finding, ...] = ()
    pooled: Pooled | None = None
    pooled_names: tuple[str, ...] = ()
    seed: int = 0
    labels_least: Mapping[str, int] = field(default_factory=dict)


def calibrate(
    judged: Judged,
    goal: Goal,
    *,
    by: str = "category",
    domain: Domain,
    seed: int,
    failed: Collection[str] = (),
) -> Calibration:
    """Choose a threshold for each category (`by="none"`: for all queries together) and say what it is worth.

    `judged` holds all candidates of each query, not the judged rows only. `failed` names the queries that got
    no scores: for a promise they lose everything, for an estimate they are left out. An unsatisfiable goal is
    a result: the category ends "unusable" with a threshold of None.

    Raises:
        InputError: `judged` lacks unjudged candidates, or `by` is neither "category" nor "none".
        DataError: the scores cannot be calibrated on at all; all findings at once.
    """
    if judged.judged_rows_only:
        raise InputError("calibration needs all candidates of each query, with judgments or without")
    if by not in ("category", "none"):
        raise InputError(f"thresholds are by category or by none, not by {by!r}")
    positions = members(judged.category) if by == "category" else {}
    findings = inspect(judged, domain, positions, goal, failed)
    whole = _group(OVERALL, curve_of(judged, failed=failed), goal)
    groups = {
        name: _group(name, curve_of(judged, where, failed=failed), goal) for name, where in positions.items()
    }
    if goal.statement == "estimate":
        made = estimating.entries(judged, goal, whole, groups, domain, seed)
    else:
        above = {
            name: _group(name, curve_of(judged, where, failed=failed), goal)
            for name, where in parents(positions).items()
            if "parent" in goal.fallback
        }
        made = promising.entries(goal, whole, groups, above, seed)
    policy = ThresholdPolicy(
        domain=asdict(domain),
        goal=dict(goal.text),
        default=made.default,
        categories=made.categories,
        safe=_safe(goal),
        empty_result=goal.empty_result,
        by=by,
        family=made.family,
    )
    return Calibration(policy, whole, groups, findings, made.pooled, made.pooled_names, seed, made.least)


def _group(name: str, curve: Curve, goal: Goal) -> Group:
    shown = curve.keep_top_1() if goal.empty_result == "keep_top_1" else curve
    return Group(name, shown, separation(curve))


def _safe(goal: Goal) -> Safe:
    ends = {risk.loss.safe for risk in goal.risks}
    return (ends.pop() or "neither") if len(ends) == 1 else "neither"
