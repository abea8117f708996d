"""What a policy is worth on queries that had no part in choosing it: promises tested, figures measured."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from evalkit.records import Ints, Judged
from evalkit.thresholds.curve import curve_of
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.groups import OVERALL, members
from evalkit.thresholds.heldout import figures
from evalkit.thresholds.policy import ThresholdPolicy
from evalkit.thresholds.rules import ruled
from evalkit.thresholds.standing import standing
from evalkit.words import plural

WORDS = {
    "stands": "it would be certified again on these alone",
    "broken": "it is broken",
    "undecided": "not broken, and too little to certify it on these alone",
}


def tested(
    policy: ThresholdPolicy,
    judged: Judged,
    seed: int,
    *,
    failed: Collection[str] = (),
    clusters: Ints | None = None,
) -> dict[str, Any]:
    """Return what `policy` is worth on `judged`, as plain data: promises with verdicts, and estimates.

    The estimates of "overall" are of the policy as it is applied, each query by its own category's threshold;
    a category without a threshold is not filtered.
    """
    promises = [
        asdict(one) | {"observed": None if math.isnan(one.observed) else one.observed}
        for one in standing(policy, judged, seed, failed=failed, clusters=clusters)
    ]
    applied = np.array([_threshold(policy, category) for category in judged.category], dtype=np.float64)
    criterion = Goal.parse(policy.goal).criterion
    shown, estimates = ruled(judged, policy.rule), {}
    for name, where in ((OVERALL, None), *members(judged.category).items()):
        curve = curve_of(shown, where, failed=failed, clusters=clusters)
        curve = curve.keep_top_1() if policy.empty_result == "keep_top_1" else curve
        found = figures(curve, applied[None, curve.position], np.random.default_rng(seed), criterion)
        estimates[name] = {"n_queries": curve.n} | {key: asdict(one) for key, one in found.items()}
    return {"n_queries": len(judged.query_ids), "promises": promises, "estimates": estimates}


def sentences(held_out: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield a policy's `held_out` as sentences; none where it was not tested."""
    if not held_out:
        return
    yield (
        f"Held out: thresholds were chosen on {plural(held_out['n_chosen'], 'query')} and tested on "
        f"{plural(held_out['n_queries'], 'other')}."
    )
    yield from (f"Held out: {doubt}" for doubt in held_out["doubts"])
    for one in held_out["promises"]:
        name = f"Held out, {one['scope']}: {one['risk']}, promised to be at most {one['at_most']:.1%},"
        if one["n"]:
            observed = f"is {one['observed']:.1%} of {plural(one['n'], 'query')}"
            yield f"{name} {observed} ({one['low']:.1%} to {one['high']:.1%}): {WORDS[one['verdict']]}."
        else:
            yield f"{name} was not tested: no query of this kind was held out."
    figure = held_out["estimates"][OVERALL]
    parts = [
        f"{key} {_figure(figure[key])}" for key in ("precision", "recall") if figure[key]["point"] is not None
    ]
    if parts:
        yield f"Held out, as applied to {plural(figure['n_queries'], 'query')}: {', '.join(parts)}."


def _figure(one: Mapping[str, Any]) -> str:
    ends = "" if one["low"] is None else f" ({one['low']:.3f} to {one['high']:.3f})"
    return f"{one['point']:.3f}{ends}"


def _threshold(policy: ThresholdPolicy, category: str) -> float:
    threshold = policy.entry(category).threshold
    return -math.inf if threshold is None else threshold
