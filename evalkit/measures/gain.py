"""Measures with graded gains."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from evalkit.measures.registry import CUTOFF, JUDGED_ONLY, Parameter, measure
from evalkit.measures.rows import Rows, gain_of
from evalkit.records import Floats

DCG = Parameter(str, "log2", choices=("log2", "exp-log2"), help="gain: the grade, or 2^grade - 1")
GAINS = Parameter(dict, None, help="what grades are worth, where it is not the grade itself")
GRADED = {"cutoff": CUTOFF, "dcg": DCG, "gains": GAINS, "judged_only": JUDGED_ONLY}


@measure("nDCG", parameters=GRADED, aliases=("NDCG",), defined_on="gainful", averages_ties=True)
def ndcg(
    rows: Rows, cutoff: int | None, dcg: str, gains: Mapping[int, float] | None, judged_only: bool
) -> Floats:
    """Normalised discounted cumulative gain: DCG / DCG of the perfect order of all judged documents."""
    rows = rows.condensed if judged_only else rows
    exponential = dcg == "exp-log2"
    gained = _discounted(rows, gain_of(rows.grade, gains, exponential), cutoff)
    ideal = gain_of(rows.source.ideal, gains, exponential)
    if gains is not None:
        ideal = ideal[np.lexsort((-ideal, rows.ideal_query))]
    ideal = ideal / np.log2(rows.ideal_rank + 1)
    if cutoff is not None:
        ideal = np.where(rows.ideal_rank <= cutoff, ideal, 0)
    return gained / np.bincount(rows.ideal_query, ideal, minlength=rows.n)


def _discounted(rows: Rows, gain: Floats, cutoff: int | None) -> Floats:
    worth = gain / np.log2(rows.rank + 1.0)
    return rows.sum(worth if cutoff is None else np.where(rows.rank <= cutoff, worth, 0))
