"""Measures made for incomplete judgments: they compare judged documents with each other."""

from __future__ import annotations

import numpy as np

from evalkit.measures.registry import REL, measure
from evalkit.measures.rows import Rows
from evalkit.records import Floats

EPSILON = 0.00001  # of trec_eval: keeps an estimate from few documents off 0 and 1


@measure("Bpref", parameters={"rel": REL}, at=None, aliases=("BPref",))
def binary_preference(rows: Rows, rel: int | None) -> Floats:
    """Binary preference: how seldom documents judged irrelevant stand above relevant ones.

    Formula: mean over the R relevant documents of 1 - min(n, R) / min(N, R) (0 where not found), with n
        irrelevant documents above it and N judged irrelevant in all. Unjudged documents, and negative grades,
        do not count.
    Undefined: the query has no relevant document (trec_eval prints 0 there).
    Source: Buckley and Voorhees, SIGIR 2004, as corrected in trec_eval `bpref`.
    """
    level = rows.level(rel)
    number = rows.n_relevant(rel)
    others = rows.n_ideal((rows.source.ideal >= 0) & (rows.source.ideal < level))
    above = rows.up_to_here((rows.grade >= 0) & (rows.grade < level))
    lost = np.minimum(above, number[rows.query]) / np.maximum(np.minimum(others, number), 1)[rows.query]
    return rows.sum(1.0 - lost, rows.relevant(rel)) / number


@measure("infAP", parameters={"rel": REL}, at=None)
def inferred_average_precision(rows: Rows, rel: int | None) -> Floats:
    """Inferred average precision: AP estimated from a pool of which only a random part was judged.

    Formula: mean over the relevant documents of 1/k + (pooled above)/k * (relevant above + e) /
        (relevant above + irrelevant above + 2e), 0 where not found; k is the rank, e = .00001, and a pooled
        document that was not judged has a negative grade.
    Undefined: the query has no relevant document (trec_eval prints 0 there).
    Source: Yilmaz and Aslam, CIKM 2006; trec_eval `infAP`.
    """
    relevant = rows.relevant(rel) & (rows.grade >= 0)
    found = rows.up_to_here(relevant) - 1
    other = rows.up_to_here((rows.grade >= 0) & ~relevant)
    open_ = rows.up_to_here(rows.grade < 0)
    rank = rows.rank.astype(np.float64)
    estimate = (found + EPSILON) / (found + other + 2 * EPSILON)
    return rows.sum(1.0 / rank + (found + other + open_) / rank * estimate, relevant) / rows.n_relevant(rel)
