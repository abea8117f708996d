"""`summary.json`: every headline figure with its interval and its n (docs/guide/summary.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evalkit.measures import evaluate, parse
from evalkit.records import Floats, Ints, Judged
from evalkit.report.attribution import attribution, by_depth
from evalkit.report.costs import Stages, cost_row, trade_offs
from evalkit.report.rows import Setting, difference_row, heterogeneity_rows, mean_of, mean_rows
from evalkit.report.verdict import verdict
from evalkit.stats.compare import Difference, Plan, compare, query_sets
from evalkit.stats.power import POWER
from evalkit.stats.resample import LEVEL

SCHEMA = "evalkit.summary/1"
Values = Mapping[str, Floats]  # measure -> one value a query


@dataclass(frozen=True, eq=False)
class Extras:
    """What a summary can say more of where it is known.

    `found_rank` has the first stage's rank of each row of a pipeline's `Judged`, for pipelines that rerank;
    `stages` what each pipeline's stages did, as in run.json; `asked` the number of queries behind that;
    `prices` dollars per billed unit of a stage's model; `clusters` a label a query, equal where queries are
    not independent; `margins` a difference per measure that would not matter; `tests` may name "t" and
    "wilcoxon".
    """

    found_rank: Mapping[str, Ints] = field(default_factory=dict)
    stages: Mapping[str, Stages] = field(default_factory=dict)
    asked: int = 0
    prices: Mapping[str, float] = field(default_factory=dict)
    clusters: Ints | None = None
    margins: Mapping[str, float] = field(default_factory=dict)
    tests: tuple[str, ...] = ()


def summarise(
    judged: Mapping[str, Judged],
    values: Mapping[str, Values],
    baseline: str,
    depth: int,
    seed: int,
    extras: Extras | None = None,
) -> dict[str, Any]:
    """Return the content of `summary.json` for pipelines over the same queries.

    `values[pipeline][measure]` is in the order of `judged[pipeline].query_ids`, which all pipelines share.
    The first measure that is better higher or lower is the primary one: the verdict is about it.
    """
    extras = extras or Extras()
    setting = Setting(seed, LEVEL, extras.clusters)
    quality = [name for name in values[baseline] if parse(name).measure.better]
    ordered = [name for name in quality if parse(name).measure.ties != "immune"]  # sets know no order
    differences = differences_of(judged, values, baseline, seed, extras)
    means = mean_rows(judged, values, setting)
    costs = [
        {"pipeline": name} | cost_row(extras.stages[name], extras.asked, extras.prices)
        for name in values
        if name in extras.stages
    ]
    told = _marked([difference_row(one, baseline, 1 - LEVEL) for one in differences], means)
    summary: dict[str, Any] = {
        "schema": SCHEMA,
        "baseline": baseline,
        "primary": quality[0] if quality else None,
        "queries": _queries(judged, extras.clusters),
        "family": _family(differences),
        "measures": means,
        "differences": told,
        "heterogeneity": heterogeneity_rows(differences),
        "ceilings": [{"pipeline": name} | row for name in values for row in _recall(judged[name], depth)],
        "attribution": attribution(judged, values, ordered, setting),
        "depths": [
            {"pipeline": name} | row
            for name, found_rank in extras.found_rank.items()
            for row in by_depth(judged[name], found_rank, ordered, depth, setting)
        ],
        "costs": costs,
        "trade_offs": _at_one(_trade_offs(values, quality, costs, setting), told, baseline),
    }
    return summary | {"verdict": verdict(summary)}


def differences_of(
    judged: Mapping[str, Judged], values: Mapping[str, Values], baseline: str, seed: int, extras: Extras
) -> list[Difference]:
    """Return the differences from the baseline on all measures that are better higher or lower."""
    better = {name: parse(name).measure.better for name in values[baseline]}
    lower = tuple(name for name, direction in better.items() if direction == "lower")
    plan = Plan(seed, LEVEL, extras.clusters, lower, extras.margins, extras.tests)
    told = {system: {name: one for name, one in of.items() if better[name]} for system, of in values.items()}
    return compare(told, baseline, judged[baseline].category, plan)


def _queries(judged: Mapping[str, Judged], clusters: Ints | None) -> dict[str, Any]:
    count = len(next(iter(judged.values())).query_ids)
    return {
        "judged": count,
        "units": count if clusters is None else len(np.unique(clusters)),
        "without_results": {name: int((one.retrieved == 0).sum()) for name, one in judged.items()},
        "tied": {name: one.tied_queries for name, one in judged.items()},
    }


def _family(differences: list[Difference]) -> dict[str, Any]:
    counted = sum(one.wins + one.losses > 0 for one in differences)
    return {
        "comparisons": len(differences),
        "counted": counted,
        "alpha": 1 - LEVEL,
        "power": POWER,
        "test": "randomisation",
        "correction": "Holm",
    }


def _marked(rows: list[dict[str, Any]], means: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Mark each difference whose sign the unjudged documents could turn.

    Their bounds overlap, and at least one of the two shows unjudged documents: where none is shown, unjudged
    documents change the best possible order of both alike.
    """
    of = {(row["pipeline"], row["category"], row["measure"]): row for row in means}
    for row in rows:
        own = of[row["pipeline"], row["category"], row["measure"]]
        other = of[row["baseline"], row["category"], row["measure"]]
        winner, loser = (own, other) if row["point"] > 0 else (other, own)
        shown = own["unjudged"] or other["unjudged"]
        row["unjudged_could_turn_it"] = bool(row["point"] and shown and winner["lowest"] <= loser["highest"])
    return rows


def _recall(judged: Judged, depth: int) -> list[dict[str, Any]]:
    recall = evaluate(judged, [f"R@{depth}"])[f"R@{depth}"]
    return [
        {
            "category": category,
            "recall_at_depth": mean_of(recall[rows]),
            "depth": depth,
            "n": int((~np.isnan(recall[rows])).sum()),
        }
        for category, rows in query_sets(judged.category)
    ]


def _trade_offs(
    values: Mapping[str, Values], quality: list[str], costs: list[dict[str, Any]], setting: Setting
) -> list[dict[str, Any]]:
    if not quality:
        return []
    primary = quality[0]
    lower = parse(primary).measure.better == "lower"
    return trade_offs({name: of[primary] for name, of in values.items()}, primary, lower, costs, setting)


def _at_one(
    pairs: list[dict[str, Any]], differences: Iterable[Mapping[str, Any]], baseline: str
) -> list[dict[str, Any]]:
    """Let no pair with the baseline be shown that the verdict, on more comparisons, does not show."""
    shown = {
        (row["pipeline"], row["measure"]): row["shown"] for row in differences if row["category"] is None
    }
    for pair in pairs:
        other = pair["other"] if pair["better"] == baseline else pair["better"]
        if baseline in (pair["better"], pair["other"]):
            pair["shown"] = pair["shown"] and shown[other, pair["measure"]]
    return pairs
