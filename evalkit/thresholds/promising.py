"""Promises per category: certify, choose among what is certified, fall back where it cannot be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from evalkit.records import Bools, Floats
from evalkit.thresholds.certify import levels, population, risk_table
from evalkit.thresholds.entry import Entry, Estimate
from evalkit.thresholds.estimating import judged_usable
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.groups import OVERALL, Group, Made, lineage
from evalkit.thresholds.heldout import divide, figures
from evalkit.thresholds.needs import least, spent, still_needed
from evalkit.thresholds.proof import Proof, apart, filtering, notes, promise, prove, replayed
from evalkit.thresholds.reach import reach
from evalkit.words import plural


def entries(
    goal: Goal,
    whole: Group,
    groups: Mapping[str, Group],
    above: Mapping[str, Group],
    seed: int,
    measured: bool = True,
) -> Made:
    """Return a promise for each category that can have one, and its declared fallback for the others.

    Not `measured`: the thresholds alone, without the figures on held-out queries and the queries needed.
    """
    rng = np.random.default_rng(seed)
    everybody = {**groups, **{f"{name}/": group for name, group in above.items()}}
    delta, enough = _budget(goal, [_sizes(goal, group) for group in everybody.values()])
    proofs = {
        name: prove(goal, group, delta, seed)
        for (name, group), may in zip(everybody.items(), enough, strict=True)
        if may
    }
    proofs[OVERALL] = prove(goal, whole, delta, seed)
    writer = _Writer(goal, whole, groups, proofs, rng, seed, measured)
    default = writer.own(whole, proofs[OVERALL])
    made = {}
    for name, group in groups.items():
        own = writer.own(group, proofs.get(name))
        made[name] = writer.fallback(name, group, own) if own.status == "unusable" else own
    made = {name: writer.sibling(groups[name], entry, made) for name, entry in made.items()}
    given = {entry.promise.scope for entry in (default, *made.values()) if entry.promise is not None}
    return Made(default, made, family=_family(goal, len(given)))


class _Writer:
    """Writes entries: a proof's own, or another's for a category that has none."""

    def __init__(
        self,
        goal: Goal,
        whole: Group,
        groups: Mapping[str, Group],
        proofs: Mapping[str, Proof],
        rng: np.random.Generator,
        seed: int,
        measured: bool,
    ) -> None:
        strata = {name: group.curve.position for name, group in groups.items()}
        self._goal, self._proofs, self._rng, self._seed = goal, proofs, rng, seed
        self._measured = measured
        self._folds = divide(
            strata or {OVERALL: whole.curve.position}, whole.curve.n, rng, whole.curve.cluster
        )
        self._held = {
            name: replayed(proof, goal, self._folds)
            for name, proof in proofs.items()
            if proof.column is not None and measured
        }
        self._categories = max(len(groups), 1)

    def own(self, group: Group, proof: Proof | None) -> Entry:
        """Return what a group's own queries certify, or an unusable entry that says what is missing."""
        counted = int((~group.curve.failed).sum())
        if proof is not None and proof.column is not None:
            found = self._figures(group, proof)
            made = promise(self._goal, proof)
            entry = Entry(
                proof.threshold, "certified", made, found, counted, 0, notes=notes(proof), reach=reach(proof)
            )
            return judged_usable(entry, group)
        needed, why = self._missing(group, proof)
        return judged_usable(Entry(None, "unusable", None, {}, counted, needed, "none", (why,)), group)

    def fallback(self, name: str, group: Group, own: Entry) -> Entry:
        """Return the first declared fallback that has a promise, else the entry as it is.

        The promise of a parent or of all queries holds for their mixture, not inside this category. Scores
        that do not separate here get no fallback: its threshold would be a coin here too.
        """
        if group.separation.shown is False:
            return own
        chain = {"parent": [f"{parent}/" for parent in lineage(name)], "overall": [OVERALL]}
        for step in self._goal.fallback:
            for source in chain.get(step, []):
                proof = self._proofs.get(source)
                if proof is None or proof.column is None or proof.group.separation.shown is False:
                    continue
                found = self._figures(group, proof)
                whole = "all queries" if source == OVERALL else proof.group.name
                told = *own.notes, f"the promise holds for {whole} together, not inside {name}"
                return replace(
                    own,
                    threshold=proof.threshold,
                    status="fallback",
                    promise=promise(self._goal, proof),
                    estimates=found,
                    source=proof.group.name,
                    notes=told,
                    reach=reach(proof),
                )
        return own

    def sibling(self, group: Group, own: Entry, made: Mapping[str, Entry]) -> Entry:
        """Return the most conservative certified threshold of the other categories, if the chain has it."""
        ends = {risk.loss.safe for risk in self._goal.risks}
        certified = {
            name: entry.threshold
            for name, entry in made.items()
            if entry.status == "certified" and entry.threshold is not None
        }
        open_ended = ends not in ({"lower"}, {"higher"})
        if own.status != "unusable" or "most_conservative" not in self._goal.fallback or not certified:
            return own
        if open_ended or group.separation.shown is False:
            return own
        pick = min if ends == {"lower"} else max
        name = pick(certified, key=lambda label: certified[label])
        threshold = certified[name]
        by_query = np.full((1, group.curve.n), threshold)
        return replace(
            own,
            threshold=threshold,
            status="fallback",
            estimates=self._measure(group, by_query),
            source=name,
            notes=(*own.notes, f"the most conservative certified threshold, that of {name}: no promise here"),
        )

    def _figures(self, group: Group, proof: Proof) -> dict[str, Estimate]:
        if not self._measured:
            return {}
        names = {id(one): name for name, one in self._proofs.items()}
        return self._measure(group, self._held[names[id(proof)]][:, group.curve.position])

    def _measure(self, group: Group, by_query: Floats) -> dict[str, Estimate]:
        return figures(group.curve, by_query, self._rng, self._goal.criterion) if self._measured else {}

    def _missing(self, group: Group, proof: Proof | None) -> tuple[int | None, str]:
        goal = self._goal
        if not self._measured:
            return None, ""
        lowest = least(goal, self._categories)
        sizes = _sizes(goal, group)
        short = [
            f"{name} takes at least {plural(n, 'query')}, here are {sizes[name]}"
            for name, n in lowest.items()
            if sizes[name] < n
        ]
        if goal.statement == "expectation":
            missing = sum(max(0, n - sizes[name]) for name, n in lowest.items())
            return missing, "; ".join(short) or "no threshold keeps the risk at its limit"
        tables = [risk_table(group.curve, risk, self._seed) for risk in goal.risks]
        needed = still_needed(tables, np.flatnonzero(filtering(group.curve)), spent(goal, self._categories))
        if short and proof is None:  # enough for the share of the error that was left may be fewer
            return needed, "; ".join(short)
        why = apart(proof) if proof is not None else ""
        if needed is None:
            return None, why or "at no threshold that filters is the observed risk below its limit"
        return needed, why or "the evidence does not suffice"


def _sizes(goal: Goal, group: Group) -> dict[str, int]:
    curve = group.curve
    return {
        risk.loss.name: len(np.unique(curve.cluster[population(curve, risk.loss)])) for risk in goal.risks
    }


def _budget(goal: Goal, sizes: list[dict[str, int]]) -> tuple[float, Bools]:
    if goal.statement == "expectation":
        lowest = least(goal)
        enough = [all(size[name] >= n for name, n in lowest.items()) for size in sizes]
        return 0.0, np.array(enough, dtype=np.bool_)
    delta = 1 - (goal.confidence or 0.0)
    if goal.family == "joint":
        return levels(sizes, goal.risks, delta, shared=1)
    return delta, levels_each(sizes, goal, delta)


def levels_each(sizes: list[dict[str, int]], goal: Goal, delta: float) -> Bools:
    """Return which categories have queries enough where each spends the whole error on its own promise."""
    return np.array([levels([size], goal.risks, delta, shared=0)[1][0] for size in sizes], dtype=np.bool_)


def _family(goal: Goal, certificates: int) -> str:
    if goal.statement == "expectation":
        return "on average over calibrations, in each category on its own: a single one may do worse"
    percent = f"{100 * (goal.confidence or 0):.3g} %"
    if goal.family == "each":
        return f"each promise holds with {percent} confidence on its own, not all of them together"
    if not certificates:
        return f"no certificate could be given with {percent} confidence"
    together = f"all {certificates} certificates hold together" if certificates > 1 else "it holds"
    return f"{together} with {percent} confidence"
