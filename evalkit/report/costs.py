"""Money beside quality, and the pairs of pipelines where none is both better and cheaper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from evalkit.records import Floats
from evalkit.report.rows import Setting, interval_row, mean_of
from evalkit.stats.compare import Plan, compare
from evalkit.stats.significance import holm

Stages = Sequence[Mapping[str, Any]]  # as run.json has them


def cost_row(stages: Stages, queries: int, prices: Mapping[str, float]) -> dict[str, Any]:
    """Return what 1,000 queries cost, by the units that rerank stages billed for the answered of `queries`.

    `prices` has the dollars per billed unit of a stage's model; units at an unknown price make the cost None.
    Units count whether they came from the ledger or not, so the answer does not depend on what is cached.
    Embedding documents is paid once and not per query: first stages are left out.
    """
    units, usd = 0.0, 0.0
    for stage in stages:
        answered = queries - len(stage["failures"])
        if stage["stage"] == "rerank" and stage["units"] and answered:
            per_thousand = 1_000 * stage["units"] / answered
            units += per_thousand
            usd += per_thousand * prices.get(stage["model"], float("nan"))
    return {"units_per_1000": units, "usd_per_1000": None if usd != usd else usd}


def trade_offs(
    values: Mapping[str, Floats],
    measure: str,
    lower_is_better: bool,
    costs: Sequence[Mapping[str, Any]],
    setting: Setting,
) -> list[dict[str, Any]]:
    """Return, for each pair of pipelines, which is better on `measure` and what that costs.

    `values` has one value a query. `difference` is the better one's gain (always >= 0), `shown` whether it
    stands after Holm over all pairs. `dominates` says that the better one is not dearer: where it is False,
    neither has the better of both; None where a price is unknown.
    """
    usd = {row["pipeline"]: row["usd_per_1000"] for row in costs}
    sign = -1 if lower_is_better else 1
    means = {name: sign * mean_of(one) for name, one in values.items()}
    # Of two that are equally good the cheaper is the better one, of two as dear the first.
    standing = {name: (means[name], -(usd.get(name) or 0.0), -index) for index, name in enumerate(values)}
    pairs = [
        (better, other) for better, other in permutations(values, 2) if standing[better] > standing[other]
    ]
    plan = Plan(setting.seed, setting.level, setting.clusters)
    found = []
    for better, other in pairs:
        two = {other: {measure: sign * values[other]}, better: {measure: sign * values[better]}}
        found += compare(two, other, [""] * len(values[better]), plan)
    adjusted = holm(np.array([one.p for one in found], dtype=np.float64))
    return [
        {
            "better": better,
            "other": other,
            "measure": measure,
            "difference": interval_row(one.interval),
            "n": one.interval.n,
            "p": one.p,
            "p_holm": float(p),
            "shown": bool(p <= 1 - setting.level),
            **_extra(usd.get(better), usd.get(other)),
        }
        for (better, other), one, p in zip(pairs, found, adjusted, strict=True)
    ]


def _extra(one: float | None, two: float | None) -> dict[str, Any]:
    """Return what the better pipeline costs more than the other: in dollars, and in times."""
    more = None if one is None or two is None else one - two
    return {
        "usd_per_1000": more,
        "usd_times": one / two if one and two else None,
        "dominates": None if more is None else more <= 0,
    }
