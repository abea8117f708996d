"""How low and how high a measure could be, over the ways in which unjudged documents could turn out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from evalkit.measures.evaluate import evaluate
from evalkit.measures.parse import parse
from evalkit.records import Bools, Codes, Floats, Ints, Judged

EVERY_RANK = 10  # up to here every rank is tried as a border, deeper ones in steps
STEPS = (15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000)

Bounds = tuple[Floats, Floats]


def bounds(judged: Judged, names: Sequence[str]) -> dict[str, Bounds]:
    """Return the lowest and highest value per query and measure; `judged` must hold all candidates.

    The unjudged are those among the candidates; documents that nobody returned stay not relevant. Tried are:
    all down to a rank relevant and the others not, and all below a rank relevant and the others not, for
    every rank to 10, the measures' own cut-offs and steps below. For a given number of relevant documents one
    of the two is the best and the other the worst that a ranking measure can get, so with one relevant grade
    the bounds are exact up to rank 10; with several, the highest assumes one grade for all. A query that a
    measure is undefined on stays so.

    After the residual of rank-biased precision: Moffat and Zobel, ACM TOIS 27, 2008.
    """
    values = evaluate(judged, names)
    if judged.judged.all() or not names:
        return {name: (values[name], values[name]) for name in names}
    low = {name: values[name].copy() for name in names}
    high = {name: values[name].copy() for name in names}
    seen = np.unique(judged.ideal).astype(np.int64)
    grades = seen[seen > 0]
    best = int(grades.max(initial=max(judged.relevant_from, 1)))
    for border in _borders(judged, names):
        above = judged.rank <= border
        tries = [(above, int(grade)) for grade in (grades if len(grades) else [best])]
        for relevant, grade in [*tries, (~above, best)]:
            for name, tried in evaluate(turned_out(judged, relevant, grade, seen), names).items():
                known = ~np.isnan(values[name]) & ~np.isnan(tried)
                low[name][known] = np.minimum(low[name], tried)[known]
                high[name][known] = np.maximum(high[name], tried)[known]
    return {name: (low[name], high[name]) for name in names}


def turned_out(judged: Judged, relevant: Bools, grade: int, seen: Ints) -> Judged:
    """Return the same run after judging: unjudged rows in `relevant` have `grade`, the other unjudged 0.

    `seen` has every grade of the judgments once.
    """
    open_rows = ~judged.judged
    new = np.where(open_rows, np.where(relevant, grade, 0), judged.grade).astype(np.int32)
    rows = np.flatnonzero(open_rows)
    levels = np.unique(np.append(seen, [0, grade]))[::-1]
    ideal, offsets = _ideal(
        np.concatenate([judged.ideal_query, judged.query[rows]]),
        np.concatenate([judged.ideal, new[rows]]),
        levels,
        len(judged.query_ids),
    )
    return replace(judged, grade=new, judged=np.ones(len(new), np.bool_), ideal=ideal, ideal_offsets=offsets)


def _ideal(query: Ints, grade: Codes, levels: Ints, queries: int) -> tuple[Codes, Ints]:
    """Return grades by query, descending in each, by counting: the few grades are known beforehand."""
    cell = query * len(levels) + np.searchsorted(-levels, -grade)
    counts = np.bincount(cell, minlength=queries * len(levels))
    per_query = counts.reshape(queries, len(levels)).sum(axis=1)
    ideal = np.repeat(np.tile(levels, queries), counts)
    return ideal.astype(np.int32), np.concatenate([[0], np.cumsum(per_query)]).astype(np.int64)


def _borders(judged: Judged, names: Sequence[str]) -> list[int]:
    deepest = int(judged.rank.max(initial=0))
    cutoffs = [parse(name).parameters.get("cutoff") or deepest for name in names]
    reach = min(deepest, max(cutoffs))
    return sorted({b for b in (*range(EVERY_RANK + 1), *STEPS, *cutoffs, reach) if b <= reach})
