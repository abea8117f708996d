"""Whose loss is it: the first stage's, which missed a document, or the reranker's, which misplaced it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from evalkit.measures import evaluate
from evalkit.records import Floats, Ints, Judged
from evalkit.report.ceilings import at_depth, first_stage, ideal_order, perfect_order
from evalkit.report.rows import Setting, interval_row, interval_sets, mean_of
from evalkit.stats.significance import t_ends
from evalkit.stats.units import Units

DEPTHS = (10, 20, 50, 100)


def attribution(
    judged: Mapping[str, Judged],
    values: Mapping[str, Mapping[str, Floats]],
    measures: Sequence[str],
    setting: Setting,
) -> list[dict[str, Any]]:
    """Return, per pipeline, set of queries and measure, the distance to the perfect score in its two parts.

    `retriever`: the perfect score minus that of the candidates in their best order, lost because documents
    are not among the candidates. `reranker`: the best order minus the actual one. Both are means of one
    difference a query, with intervals; they add up to `perfect` minus the measure's mean. Unjudged documents
    count as not relevant. A run without a reranker has its first stage's order in that part.
    """
    cells, columns = [], []
    for name, one in judged.items():
        perfect, best = evaluate(ideal_order(one), measures), evaluate(perfect_order(one), measures)
        for measure in measures:
            cells.append((name, measure))
            columns += [
                perfect[measure],
                perfect[measure] - best[measure],
                best[measure] - values[name][measure],
            ]
    if not cells:
        return []
    rows = [
        {
            "pipeline": name,
            "category": category,
            "measure": measure,
            "perfect": intervals[3 * place].point,
            "retriever": interval_row(intervals[3 * place + 1]),
            "reranker": interval_row(intervals[3 * place + 2]),
            "n": intervals[3 * place + 2].n,
        }
        for category, _, intervals in interval_sets(judged, columns, setting)
        for place, (name, measure) in enumerate(cells)
    ]
    return sorted(rows, key=lambda row: list(judged).index(row["pipeline"]))


def by_depth(
    judged: Judged, found_rank: Ints, measures: Sequence[str], depth: int, setting: Setting
) -> Iterator[dict[str, Any]]:
    """Yield, per depth up to the suite's, what reranking that many candidates gains over leaving them.

    Computed from the scores at hand: a document's score does not depend on which others are candidates, as
    far as the reranker scores each by itself. The gain is to the same candidates in the first stage's order,
    with Student's t interval.
    """
    found, in_order = first_stage(judged, found_rank)
    for candidates in sorted({*(d for d in DEPTHS if d < depth), depth}):
        unranked = evaluate(at_depth(found, in_order, candidates), measures)
        reranked = evaluate(at_depth(judged, found_rank, candidates), measures)
        for measure in measures:
            gain = reranked[measure] - unranked[measure]
            rows = np.flatnonzero(~np.isnan(gain))
            units = Units.of(gain[rows, None], setting.of(rows))
            low, high = t_ends(units, setting.level)
            yield {
                "depth": candidates,
                "measure": measure,
                "mean": mean_of(reranked[measure]),
                "gain": {"point": float(units.means[0]), "low": float(low[0]), "high": float(high[0])},
                "n": len(rows),
            }
