"""From judged scores and a goal to thresholds per category, with what they promise and what is missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property

from evalkit.errors import Finding, InputError
from evalkit.records import Domain, Ints, Judged
from evalkit.thresholds import estimating, promising
from evalkit.thresholds.checks import inspect
from evalkit.thresholds.curve import Curve, curve_of
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.groups import OVERALL, Group, Made, members, parents
from evalkit.thresholds.policy import Safe, ThresholdPolicy
from evalkit.thresholds.pool import Pooled
from evalkit.thresholds.readings import OTHER_READINGS, compared
from evalkit.thresholds.rule import NO_RULE, Rule
from evalkit.thresholds.rules import best_rule, compare_rules, ruled
from evalkit.thresholds.separation import Separation, separation
from evalkit.thresholds.states import Unjudged


@dataclass(frozen=True, eq=False)
class Calibration:
    """The policy, and what tables and reports show beside it.

    `findings` are remarks on the input; `pooled` says how far the categories differ (None for goals that do
    not pool, or with fewer than two fitted categories).
    """

    policy: ThresholdPolicy
    overall: Group
    groups: Mapping[str, Group]
    findings: tuple[Finding, ...] = ()
    pooled: Pooled | None = None
    seed: int = 0


def calibrate(
    judged: Judged,
    goal: Goal,
    *,
    by: str = "category",
    domain: Domain,
    seed: int,
    failed: Collection[str] = (),
    clusters: Ints | None = None,
) -> Calibration:
    """Choose a threshold for each category (`by="none"`: for all queries together) and say what it is worth.

    `judged` holds all candidates of each query, not the judged rows only. `failed` names the queries that got
    no scores: for a promise they lose everything, for an estimate they are left out. An unsatisfiable goal is
    a result: the category ends "unusable" with a threshold of None. `clusters` has a label a query, equal for
    queries that belong together (paraphrases, sessions): for a promise they count as one.

    Raises:
        InputError: `judged` lacks unjudged candidates, `by` is neither "category" nor "none", or the goal's
            rule takes a share of scores that can be negative.
        DataError: the scores cannot be calibrated on at all; all findings at once.
    """
    if judged.judged_rows_only:
        raise InputError("calibration needs all candidates of each query, with judgments or without")
    if by not in ("category", "none"):
        raise InputError(f"thresholds are by category or by none, not by {by!r}")
    positions = members(judged.category) if by == "category" else {}
    findings = inspect(judged, domain, positions, goal, failed, clusters=clusters)
    goal, told = _with_rule(judged, goal, seed, failed, clusters)
    asked = Question(judged, goal, positions, domain, seed, failed, clusters)
    whole, groups, made = asked.answer("irrelevant")
    if not judged.judged.all():
        others = {reading: asked.answer(reading, measured=False)[2] for reading in OTHER_READINGS}
        made = compared(made, others, {OVERALL: whole, **groups})
    made = replace(made, default=replace(made.default, notes=(*told, *made.default.notes)))
    policy = ThresholdPolicy(
        domain=asdict(domain),
        goal=dict(goal.text),
        default=made.default,
        categories=made.categories,
        safe=_safe(goal),
        empty_result=goal.empty_result,
        by=by,
        family=made.family,
        rule=asked.rule,
    )
    return Calibration(policy, whole, groups, findings, made.pooled, seed)


@dataclass(frozen=True, eq=False)
class Question:
    """The question: it is answered under one reading of the unjudged documents at a time."""

    judged: Judged
    goal: Goal
    positions: Mapping[str, Ints]
    domain: Domain
    seed: int
    failed: Collection[str]
    clusters: Ints | None = None
    _known: dict[tuple[int, ...], Separation] = field(default_factory=dict)

    @property
    def rule(self) -> Rule:
        """What a document must pass besides its threshold; a goal that asks for the best has been settled."""
        return self.goal.rule if isinstance(self.goal.rule, Rule) else NO_RULE

    @cached_property
    def _cut(self) -> Judged:
        return ruled(self.judged, self.rule)

    def answer(self, unjudged: Unjudged, measured: bool = True) -> tuple[Group, dict[str, Group], Made]:
        """Return all queries as a group, each category, and the entries made of them."""
        whole = self._group(OVERALL, None, unjudged)
        groups = {name: self._group(name, where, unjudged) for name, where in self.positions.items()}
        if self.goal.statement == "estimate":
            made = estimating.entries(self.judged, self.goal, whole, groups, self.domain, self.seed, measured)
        else:
            above = {
                name: self._group(name, where, unjudged)
                for name, where in parents(self.positions).items()
                if "parent" in self.goal.fallback
            }
            made = promising.entries(self.goal, whole, groups, above, self.seed, measured)
        return whole, groups, made

    def _group(self, name: str, where: Ints | None, unjudged: Unjudged) -> Group:
        curve = self._curve(where, unjudged)
        shown = curve.keep_top_1() if self.goal.empty_result == "keep_top_1" else curve
        # Whether scores separate is about labels that are known and all candidates, whatever is cut.
        queries = tuple(curve.position.tolist())
        if queries not in self._known:
            as_known = unjudged == "irrelevant" and not self.rule
            everything = curve if as_known else curve_of(self.judged, where, failed=self.failed)
            self._known[queries] = separation(everything)
        return Group(name, shown, self._known[queries])

    def _curve(self, where: Ints | None, unjudged: Unjudged) -> Curve:
        return curve_of(self._cut, where, failed=self.failed, unjudged=unjudged, clusters=self.clusters)


def _with_rule(
    judged: Judged, goal: Goal, seed: int, failed: Collection[str], clusters: Ints | None
) -> tuple[Goal, tuple[str, ...]]:
    """Return the goal with its best rule chosen, where that was asked for, and what is to be said of it."""
    if isinstance(goal.rule, Rule) and goal.rule.of_top is not None and judged.score.min(initial=0) < 0:
        raise InputError("`of_top` needs scores of 0 and above: a share of a negative score means nothing")
    if goal.rule != "best" or goal.criterion is None:
        return goal, ()
    found = compare_rules(judged, goal.criterion, seed, failed=failed, clusters=clusters)
    best, name = best_rule(found), goal.criterion.name
    if not best.carried:
        told = f"no rule beside the threshold is better in {name} on held-out queries"
    else:
        gain = best.difference
        told = (
            f"the rule ({best.carried}) was chosen among {len(found)} kinds on these queries: {name} "
            f"{gain.point:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}] against the threshold alone"
        )
    return replace(goal, rule=best.carried), (told,)


def _safe(goal: Goal) -> Safe:
    ends = {risk.loss.safe for risk in goal.risks}
    return (ends.pop() or "neither") if len(ends) == 1 else "neither"
