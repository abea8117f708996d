"""Moving thresholds to another model: the same labelled pairs, scored again.

A threshold is never scaled from one model's scores to another's and called calibrated. Matching quantiles
needs no label and is only where to start looking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evalkit.errors import InputError
from evalkit.records import Bools, Floats, Ints, Judged
from evalkit.stats.bounds import betting_p
from evalkit.thresholds.certify import independent, population, upper
from evalkit.thresholds.curve import Curve, curve_of
from evalkit.thresholds.goals import Goal, Risk
from evalkit.thresholds.groups import OVERALL, members
from evalkit.thresholds.policy import ThresholdPolicy
from evalkit.thresholds.rules import ruled

MARGIN = 0.05  # a loss may grow by so much and not be called inferior
CONFIDENCE = 0.90


@dataclass(frozen=True)
class Flip:
    """A document that the new model's threshold treats otherwise than the old model's did."""

    query_id: str
    row: int  # place in the new run's rows
    category: str
    was_kept: bool
    grade: int | None  # None: unjudged
    old_score: float
    new_score: float


@dataclass(frozen=True)
class RiskMoved:
    """One risk of one category: on the old scores, with the old threshold on the new scores, and as moved.

    `naive` is what applying the old threshold to the new scores would cost, with its 90 % upper bound.
    `non_inferior_p` is the betting p-value for "the loss grows by more than the margin", on paired losses;
    None where there is no new threshold.
    """

    risk: str
    n: int
    before: float | None
    naive: float | None
    naive_upper: float | None
    after: float | None
    non_inferior_p: float | None


@dataclass(frozen=True, eq=False)
class Moved:
    """One category: its thresholds, where quantile matching would have started, risks and pass rates."""

    category: str
    old: float | None
    new: float | None
    start: float | None
    kept_before: float  # share of the candidates
    kept_naive: float
    kept_after: float
    risks: tuple[RiskMoved, ...]


@dataclass(frozen=True, eq=False)
class Transfer:
    """What changes between two policies over the same pairs."""

    categories: Mapping[str, Moved]
    flips: tuple[Flip, ...]


def transfer(
    old: Judged,
    new: Judged,
    before: ThresholdPolicy,
    after: ThresholdPolicy,
    seed: int,
    clusters: Ints | None = None,
    measured: Bools | None = None,
) -> Transfer:
    """Compare two models' policies on the same labelled pairs.

    Both are judged from runs over the same rows, which differ in their scores alone; a pair that only one of
    them scored is no flip. Of the queries of one cluster one stands for all, as in a promise. Risks are of
    the queries in `measured` (a mask; None: of all); shares kept and flips are of all.

    Raises:
        InputError: the two do not hold the same queries.
    """
    if old.query_ids != new.query_ids:
        raise InputError(
            "the two models were not scored on the same queries: rescore the same labelled pairs"
        )
    goal, first, second = Goal.parse(before.goal), ruled(old, before.rule), ruled(new, after.rule)
    everybody = np.arange(len(old.query_ids))
    groups = {OVERALL: everybody, **(members(new.category) if after.by == "category" else {})}
    counts = np.ones(len(everybody), dtype=np.bool_) if measured is None else measured
    moved = {}
    for name, where in groups.items():
        label = None if name == OVERALL else name
        thresholds = before.entry(label).threshold, after.entry(label).threshold
        was, now = (curve_of(one, where, clusters=clusters) for one in (first, second))
        risks = tuple(_risk(risk, was, now, *thresholds, counts[was.position], seed) for risk in goal.risks)
        moved[name] = _moved(name, was, now, *thresholds, risks)
    return Transfer(moved, tuple(_flips(old, new, before, after)))


def quantile_start(old: Curve, new: Curve, threshold: float) -> float:
    """Return the new score that as large a share of the candidates reaches as `threshold` on the old scores.

    Label-free, and as wrong as the two models differ in what they rank: a start, not a calibration.
    """
    share = float((_scores(old) >= threshold).mean())
    scores = np.sort(_scores(new))[::-1]
    kept = min(round(share * len(scores)), int(np.isfinite(scores).sum()))
    return float(scores[kept - 1]) if kept else float(np.nextafter(scores[0], np.inf))


def _moved(
    name: str, old: Curve, new: Curve, was: float | None, now: float | None, risks: tuple[RiskMoved, ...]
) -> Moved:
    return Moved(
        name,
        was,
        now,
        quantile_start(old, new, was)
        if was is not None and len(_scores(old)) and len(_scores(new))
        else None,
        _share(old, was),
        _share(new, was),
        _share(new, now),
        risks,
    )


def _risk(
    risk: Risk, old: Curve, new: Curve, was: float | None, now: float | None, counts: Bools, seed: int
) -> RiskMoved:
    rows = independent(old, population(old, risk.loss) & population(new, risk.loss) & counts, seed)

    def losses(curve: Curve, threshold: float | None) -> Floats | None:
        if threshold is None or not len(rows):
            return None
        return np.asarray(risk.loss.of(curve.states)[curve.at(threshold)][rows])

    before, naive, after = losses(old, was), losses(new, was), losses(new, now)
    bound = p = None
    if naive is not None:
        bound = upper(risk, naive, 1 - CONFIDENCE)
    if before is not None and after is not None:
        paired = (after - before + 1) / 2
        p = float(betting_p(paired, (1 + MARGIN) / 2, 1 - CONFIDENCE))
    return RiskMoved(risk.loss.name, len(rows), _mean(before), _mean(naive), bound, _mean(after), p)


def _flips(old: Judged, new: Judged, before: ThresholdPolicy, after: ThresholdPolicy) -> list[Flip]:
    was, now = _kept(ruled(old, before.rule), before), _kept(ruled(new, after.rule), after)
    place = {int(row): index for index, row in enumerate(old.row)}
    query = new.query
    found = []
    for index, row in enumerate(new.row.tolist()):
        other = place.get(row)
        if other is None or was[other] == now[index]:
            continue
        grade = int(new.grade[index]) if new.judged[index] else None
        owner = int(query[index])
        scores = float(old.score[other]), float(new.score[index])
        found.append(Flip(new.query_ids[owner], row, new.category[owner], bool(was[other]), grade, *scores))
    return sorted(found, key=lambda flip: _gravity(flip, old.relevant_from))


def _gravity(flip: Flip, relevant_from: int) -> tuple[int, int]:
    """Order lost relevant documents first, the most relevant of them before, then junk that came in."""
    relevant = flip.grade is not None and flip.grade >= relevant_from
    if flip.was_kept and relevant:
        return 0, -(flip.grade or 0)
    return (1 if not flip.was_kept and not relevant else 2), 0


def _kept(judged: Judged, policy: ThresholdPolicy) -> Bools:
    limits = {category: policy.entry(category).threshold for category in set(judged.category)}
    by_query = np.array([-np.inf if (t := limits[c]) is None else t for c in judged.category])
    return np.asarray(judged.score >= np.repeat(by_query, np.diff(judged.offsets)))


def _scores(curve: Curve) -> Floats:
    """Return the score of every candidate: minus infinity where a rule forbids it."""
    return curve.score[curve.states.kept > 0]


def _share(curve: Curve, threshold: float | None) -> float:
    scores: Floats = _scores(curve)
    return float((scores >= (-np.inf if threshold is None else threshold)).mean()) if len(scores) else 0.0


def _mean(values: Floats | Ints | None) -> float | None:
    return None if values is None else float(values.mean())
