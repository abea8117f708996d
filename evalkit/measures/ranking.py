"""Measures of a ranking with relevant and other documents."""

from __future__ import annotations

import numpy as np

from evalkit.measures.registry import CUTOFF, CUTOFF_NEEDED, JUDGED_ONLY, REL, measure
from evalkit.measures.rows import Rows
from evalkit.records import Bools, Floats

BINARY = {"cutoff": CUTOFF, "rel": REL, "judged_only": JUDGED_ONLY}
BINARY_AT = {"cutoff": CUTOFF_NEEDED, "rel": REL, "judged_only": JUDGED_ONLY}


def found(rows: Rows, cutoff: int | None, rel: int | None) -> Bools:
    """Return which rows are relevant and within the cut-off."""
    relevant = rows.relevant(rel)
    return relevant if cutoff is None else relevant & (rows.rank <= cutoff)


@measure("P", parameters=BINARY_AT, aliases=("Precision",), defined_on="all", averages_ties=True)
def precision(rows: Rows, cutoff: int, rel: int | None, judged_only: bool) -> Floats:
    """Precision: the share of the first k documents that is relevant; a list shorter than k counts as filled up."""
    rows = rows.condensed if judged_only else rows
    return rows.count(found(rows, cutoff, rel)) / cutoff


@measure("R", parameters=BINARY_AT, aliases=("Recall",), averages_ties=True)
def recall(rows: Rows, cutoff: int, rel: int | None, judged_only: bool) -> Floats:
    """Recall: the share of the relevant documents that is among the first k."""
    rows = rows.condensed if judged_only else rows
    return rows.count(found(rows, cutoff, rel)) / rows.n_relevant(rel)


@measure("Success", parameters=BINARY_AT)
def success(rows: Rows, cutoff: int, rel: int | None, judged_only: bool) -> Floats:
    """1 where a relevant document is among the first k, else 0."""
    rows = rows.condensed if judged_only else rows
    return (rows.count(found(rows, cutoff, rel)) > 0).astype(np.float64)


@measure("RR", parameters=BINARY, aliases=("MRR",))
def reciprocal_rank(rows: Rows, cutoff: int | None, rel: int | None, judged_only: bool) -> Floats:
    """Reciprocal rank: 1 / the rank of the first relevant document, 0 where there is none."""
    rows = rows.condensed if judged_only else rows
    hit = found(rows, cutoff, rel)
    first = hit & (rows.up_to_here(hit) == 1)
    return rows.sum(1.0 / rows.rank, first)


@measure("AP", parameters=BINARY, aliases=("MAP",))
def average_precision(rows: Rows, cutoff: int | None, rel: int | None, judged_only: bool) -> Floats:
    """Average precision: the mean, over all relevant documents, of the precision at their rank (0: not found)."""
    rows = rows.condensed if judged_only else rows
    hit = found(rows, cutoff, rel)
    return rows.sum(rows.up_to_here(hit) / rows.rank, hit) / rows.n_relevant(rel)


@measure("Judged", parameters={"cutoff": CUTOFF}, defined_on="all", better=None)
def judged(rows: Rows, cutoff: int | None) -> Floats:
    """The share of the (first k) returned documents that has a judgment."""
    within = np.ones(len(rows.rank), np.bool_) if cutoff is None else rows.rank <= cutoff
    returned = rows.retrieved if cutoff is None else np.minimum(rows.retrieved, cutoff)
    return rows.count(within) / returned
