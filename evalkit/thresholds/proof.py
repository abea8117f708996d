"""What is certified for one group of queries, which of it is chosen, and what the choice is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evalkit.records import Bools, Floats, Ints
from evalkit.thresholds.certify import Certified, certify, control, walked, walks
from evalkit.thresholds.curve import Curve
from evalkit.thresholds.entry import Promise
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.groups import Group
from evalkit.thresholds.heldout import Folds

NO_FILTER = 0.95  # of the candidates kept: a cut that keeps more is none


@dataclass(frozen=True, eq=False)
class Proof:
    """The certified thresholds of a group and the chosen one; `column` is None where none is of use."""

    group: Group
    certified: Certified
    column: int | None

    @property
    def threshold(self) -> float | None:
        """The chosen threshold."""
        return None if self.column is None else float(self.group.curve.thresholds[self.column])


def prove(goal: Goal, group: Group, delta: float, seed: int) -> Proof:
    """Certify a group at error `delta` and choose the best certified threshold by the goal's criterion.

    Keeping nothing at all is never chosen: it promises no false answer by never answering.
    """
    if goal.statement == "confidence":
        certified = certify(group.curve, goal.risks, delta, seed)
    else:
        certified = control(group.curve, goal.risks[0], seed)
    allowed = certified.allowed.copy()
    allowed[-1] = False
    chosen = choose(group.curve, allowed[None, :], np.ones((1, group.curve.n)), goal)
    return Proof(group, certified, int(chosen[0]) if allowed.any() else None)


def choose(curve: Curve, allowed: Bools, weights: Floats, goal: Goal) -> Ints:
    """Return, for each row of weights, the allowed column that is best for the goal's criterion.

    Of equally good ones the boldest: the highest where the safe end is the lower one, else the lowest.
    """
    assert goal.criterion is not None  # noqa: S101  parsing gave it one
    counted = weights * ~curve.failed
    above, below = (curve.totals(1.0 * part, counted) for part in goal.criterion.of(curve.states))
    with np.errstate(invalid="ignore", divide="ignore"):
        # Rounded: which of two equal values is a hair larger is an accident of the order of adding.
        values = np.where(below > 1e-9, np.round(above / below, 12), -1e300)
    values = np.where(allowed, values, -np.inf)
    if walks(goal.risks) == ("lower",):
        return np.asarray(values.shape[1] - 1 - values[:, ::-1].argmax(axis=1))
    return np.asarray(values.argmax(axis=1))


def promise(goal: Goal, proof: Proof) -> Promise:
    """Return the promise of a proof that chose a threshold."""
    assert proof.column is not None  # noqa: S101  only proofs with a threshold promise
    made = []
    for table in proof.certified.tables:
        if goal.statement == "confidence":
            upper = table.upper(proof.column, proof.certified.delta)
        else:
            upper = float((table.losses(np.array([proof.column])).sum() + 1) / (table.n + 1))
        made.append(
            Promise(
                table.risk.loss.name,
                table.risk.at_most,
                goal.confidence,
                upper,
                table.n,
                "confidence" if goal.statement == "confidence" else "expectation",
                proof.group.name,
            )
        )
    return replace(made[0], also=tuple(made[1:]))


def replayed(proof: Proof, goal: Goal, folds: Folds) -> Floats:
    """Return the threshold that each query is judged by on held-out data, (repeats x queries of the whole).

    Certifying again on four fifths of the queries would certify less. So each fold repeats the choice, not
    the test: the best threshold whose observed risk on the training queries is no greater than the greatest
    that the certificate tolerated on all of them.
    """
    curve = proof.group.curve
    weights = folds.training[:, curve.position].astype(np.float64)
    allowed = np.ones((len(weights), len(curve.thresholds)), dtype=np.bool_)
    for table in proof.certified.tables:
        tolerated = table.means()[proof.certified.allowed].max()
        fine = np.nan_to_num(table.weighted(weights)) <= tolerated + 1e-9
        steps, safe = table.steps(), table.risk.loss.safe
        allowed &= np.stack([walked(curve, row.__getitem__, safe, steps) for row in fine])
    allowed[:, -1] = False
    fallback = ~allowed.any(axis=1)
    allowed[fallback, proof.column] = True
    return folds.spread(curve.thresholds[choose(curve, allowed, weights, goal)])


def notes(proof: Proof) -> tuple[str, ...]:
    """Say what a certified threshold is not."""
    curve = proof.group.curve
    assert proof.column is not None  # noqa: S101  only a certified threshold has notes
    shown = curve.states.kept[curve.at(float(curve.thresholds[proof.column]))].sum()
    share = shown / max(np.diff(curve.states.start).sum() - curve.n, 1)
    if share >= NO_FILTER:
        return (f"no filter: it keeps {share:.0%} of the candidates",)
    return ()


def apart(proof: Proof) -> str:
    """Say how far two promises that pull apart get each; empty for promises that do not."""
    by_walk = proof.certified.by_walk
    if set(by_walk) != {"lower", "higher"}:
        return ""
    named = {
        end: " and ".join(t.risk.loss.name for t in proof.certified.tables if t.risk.loss.safe == end)
        for end in ("lower", "higher")
    }
    thresholds = proof.group.curve.thresholds
    up, down = thresholds[by_walk["lower"]], thresholds[:-1][by_walk["higher"][:-1]]
    low = f"up to {up.max():.4g}" if len(up) else "nowhere"
    high = f"from {down.min():.4g} on" if len(down) else "nowhere but where nothing is kept"
    return f"no threshold does both: {named['lower']} is certified {low}, {named['higher']} {high}"


def filtering(curve: Curve) -> Bools:
    """Return the thresholds that drop something worth mentioning and keep something."""
    most = int(np.diff(curve.states.start).sum()) - curve.n
    return np.asarray((curve.candidates < NO_FILTER * most) & (curve.candidates > 0))
