"""Whose loss is it: the first stage's, which missed a document, or the reranker's, which misplaced it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from evalkit.measures import evaluate
from evalkit.records import Floats, Ints, Judged
from evalkit.report.ceilings import at_depth, first_stage, ideal_order, perfect_order
from evalkit.report.rows import Setting, interval_row
from evalkit.stats.compare import Plan, compare, query_sets
from evalkit.stats.resample import mean_intervals

DEPTHS = (10, 20, 50, 100)


def attribution(
    judged: Judged, values: Mapping[str, Floats], measures: Sequence[str], setting: Setting
) -> Iterator[dict[str, Any]]:
    """Yield, per set of queries and measure, the distance to the perfect score in its two parts.

    `retriever`: the perfect score minus that of the candidates in their best order, lost because documents
    are not among the candidates. `reranker`: the best order minus the actual one. Both are means of one
    difference a query, with intervals; they add up to `perfect` minus the measure's mean. Unjudged documents
    count as not relevant. A run without a reranker has its first stage's order in that part.
    """
    perfect = evaluate(ideal_order(judged), measures)
    best = evaluate(perfect_order(judged), measures)
    for category, rows in query_sets(judged.category):
        parts = np.column_stack(
            [
                part[rows]
                for name in measures
                for part in (perfect[name], perfect[name] - best[name], best[name] - values[name])
            ]
        )
        intervals = mean_intervals(parts, setting.seed, setting.level, setting.of(rows))
        for place, name in enumerate(measures):
            whole, retriever, reranker = intervals[3 * place : 3 * place + 3]
            yield {
                "category": category,
                "measure": name,
                "perfect": whole.point,
                "retriever": interval_row(retriever),
                "reranker": interval_row(reranker),
                "n": reranker.n,
            }


def by_depth(
    judged: Judged, found_rank: Ints, measures: Sequence[str], depth: int, setting: Setting
) -> Iterator[dict[str, Any]]:
    """Yield, per depth up to the suite's, what reranking that many candidates gains over leaving them.

    Computed from the scores at hand: a document's score does not depend on which others are candidates, as
    far as the reranker scores each by itself. The difference is to the same candidates in the first stage's
    order.
    """
    found, in_order = first_stage(judged, found_rank)
    for candidates in sorted({*(d for d in DEPTHS if d < depth), depth}):
        unranked = evaluate(at_depth(found, in_order, candidates), measures)
        reranked = evaluate(at_depth(judged, found_rank, candidates), measures)
        plan = Plan(setting.seed, setting.level, setting.clusters)
        everything = [""] * len(judged.query_ids)
        rows = compare({"unranked": unranked, "reranked": reranked}, "unranked", everything, plan)
        for row in rows:
            mean = np.nanmean(reranked[row.measure]) if row.interval.n else np.nan
            yield {
                "depth": candidates,
                "measure": row.measure,
                "mean": float(mean),
                "gain": interval_row(row.interval),
                "n": row.interval.n,
            }
