"""Measures of a ranking of relevant and other documents."""

from __future__ import annotations

import numpy as np

from evalkit.measures import tied
from evalkit.measures.registry import CUTOFF, CUTOFF_NEEDED, JUDGED_ONLY, REL, Parameter, measure
from evalkit.measures.rows import Rows
from evalkit.records import Bools, Floats

BINARY = {"cutoff": CUTOFF, "rel": REL, "judged_only": JUDGED_ONLY}
BINARY_AT = {"cutoff": CUTOFF_NEEDED, "rel": REL, "judged_only": JUDGED_ONLY}
RECALL = Parameter(float, low=0.0, high=1.0, help="recall from which on precision counts")


@measure("P", parameters=BINARY_AT, aliases=("Precision",), defined_on="all", ties="averaged")
def precision(rows: Rows, cutoff: int, rel: int | None, judged_only: bool) -> Floats:
    """Precision: the share of the first k documents that is relevant.

    Formula: relevant documents among the first k / k; a shorter list counts as filled up with others.
    Undefined: never.
    Source: van Rijsbergen, Information Retrieval, 1979; trec_eval `P`.
    """
    rows = rows.condensed if judged_only else rows
    return rows.sum(rows.weight(np.ones_like, cutoff), rows.relevant(rel)) / cutoff


@measure("R", parameters=BINARY_AT, aliases=("Recall",), ties="averaged")
def recall(rows: Rows, cutoff: int, rel: int | None, judged_only: bool) -> Floats:
    """Recall: the share of the relevant documents that is among the first k.

    Formula: relevant documents among the first k / all relevant documents that the judgments know.
    Undefined: the query has no relevant document (trec_eval prints 0 there).
    Source: van Rijsbergen, Information Retrieval, 1979; trec_eval `recall`.
    """
    rows = rows.condensed if judged_only else rows
    return rows.sum(rows.weight(np.ones_like, cutoff), rows.relevant(rel)) / rows.n_relevant(rel)


@measure("Success", parameters=BINARY_AT, ties="averaged")
def success(rows: Rows, cutoff: int, rel: int | None, judged_only: bool) -> Floats:
    """Success: whether a relevant document is among the first k.

    Formula: 1 where one is, else 0.
    Undefined: the query has no relevant document (trec_eval prints 0 there).
    Source: Craswell and Hawking, TREC 2004 Web Track; trec_eval `success`.
    """
    rows = rows.condensed if judged_only else rows
    if rows.averaged:
        return tied.first_relevant(rows, rows.relevant(rel), cutoff, np.ones_like)
    return (rows.count(_found(rows, cutoff, rel)) > 0).astype(np.float64)


@measure("RR", parameters=BINARY, aliases=("MRR",), ties="averaged")
def reciprocal_rank(rows: Rows, cutoff: int | None, rel: int | None, judged_only: bool) -> Floats:
    """Reciprocal rank of the first relevant document; its mean over queries is called MRR.

    Formula: 1 / rank of the first relevant document (to rank k), 0 where none was found.
    Undefined: the query has no relevant document (trec_eval prints 0 there).
    Source: Kantor and Voorhees, Information Retrieval 2, 2000; trec_eval `recip_rank`.
    """
    rows = rows.condensed if judged_only else rows
    if rows.averaged:
        return tied.first_relevant(rows, rows.relevant(rel), cutoff, lambda rank: 1.0 / rank)
    found = _found(rows, cutoff, rel)
    return rows.sum(1.0 / rows.rank, found & (rows.up_to_here(found) == 1))


@measure("AP", parameters=BINARY, aliases=("MAP",), ties="averaged")
def average_precision(rows: Rows, cutoff: int | None, rel: int | None, judged_only: bool) -> Floats:
    """Average precision: the mean precision at the ranks of all relevant documents, 0 for those not found.

    Formula: sum over relevant documents (to rank k) of (relevant documents so far / rank) / all relevant
        documents that the judgments know.
    Undefined: the query has no relevant document (trec_eval prints 0 there).
    Source: Harman, TREC-1, 1992; Buckley and Voorhees, SIGIR 2000; trec_eval `map`, `map_cut`.
    """
    rows = rows.condensed if judged_only else rows
    if rows.averaged:
        found_precision = tied.precision_at_relevant(rows, rows.relevant(rel), cutoff)
    else:
        found = _found(rows, cutoff, rel)
        found_precision = rows.sum(rows.up_to_here(found) / rows.rank, found)
    return found_precision / rows.n_relevant(rel)


@measure(
    "Rprec", parameters={"rel": REL, "judged_only": JUDGED_ONLY}, at=None, aliases=("RPrec",), ties="averaged"
)
def r_precision(rows: Rows, rel: int | None, judged_only: bool) -> Floats:
    """Precision at the rank where precision and recall meet: at as many documents as are relevant.

    Formula: relevant documents among the first R / R, where R is the number of relevant documents.
    Undefined: the query has no relevant document (trec_eval prints 0 there).
    Source: Buckley and Voorhees, in TREC: Experiment and Evaluation, 2005; trec_eval `Rprec`.
    """
    rows = rows.condensed if judged_only else rows
    number = rows.n_relevant(rel)
    return rows.sum(rows.weight(np.ones_like, number), rows.relevant(rel)) / number


@measure("IPrec", parameters={"recall": RECALL, "rel": REL, "judged_only": JUDGED_ONLY}, at="recall")
def interpolated_precision(rows: Rows, recall: float, rel: int | None, judged_only: bool) -> Floats:
    """Interpolated precision: the best precision at any rank where recall is at least the given one.

    Formula: maximum of (relevant documents so far / rank) over ranks with at least recall * R (to the nearest
        whole number) relevant documents so far, 0 where that many were not found; R is how many there are.
    Undefined: the query has no relevant document (trec_eval prints 0 there).
    Source: Manning, Raghavan and Schütze, Introduction to Information Retrieval, 2008, section 8.4; trec_eval
        `iprec_at_recall` as of its current source (pytrec_eval 0.5 adds .9 and cuts instead).
    """
    rows = rows.condensed if judged_only else rows
    wanted = np.floor(recall * rows.n_relevant(rel) + 0.5).astype(np.int64)
    relevant = rows.relevant(rel)
    so_far = rows.up_to_here(relevant)
    counts = relevant & (so_far >= wanted[rows.query])
    best = np.zeros(rows.n)
    np.maximum.at(best, rows.query[counts], (so_far / rows.rank)[counts])
    return best


@measure("Judged", parameters={"cutoff": CUTOFF}, defined_on="all", better=None, ties="averaged")
def judged(rows: Rows, cutoff: int | None) -> Floats:
    """The share of the (first k) returned documents that has a judgment: how far to trust other figures.

    Formula: documents among the first k that have a row in the qrels, of whatever grade / documents among the
        first k.
    Undefined: never; 0 for a query that the run lacks.
    Source: ir_measures `Judged`.
    """
    returned = rows.retrieved if cutoff is None else np.minimum(rows.retrieved, cutoff)
    return rows.sum(rows.weight(np.ones_like, cutoff)) / returned


def _found(rows: Rows, cutoff: int | None, rel: int | None) -> Bools:
    relevant = rows.relevant(rel)
    return relevant if cutoff is None else relevant & (rows.rank <= cutoff)
