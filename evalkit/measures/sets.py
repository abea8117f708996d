"""Measures of a set: what is left of the candidates after a score threshold, whatever its order."""

from __future__ import annotations

import numpy as np

from evalkit.measures.registry import JUDGED_ONLY, REL, Parameter, measure, reads_all_scores
from evalkit.measures.rows import Rows
from evalkit.records import Bools, Floats, Ints

MIN_SCORE = Parameter(float, None, help="documents count that score at least this; all without it")
BETA = Parameter(float, 1.0, low=0.0, help="how many times more recall counts than precision")
KEPT = {"min_score": MIN_SCORE}


@measure(
    "SetP",
    parameters=KEPT | {"rel": REL, "judged_only": JUDGED_ONLY},
    at=None,
    defined_on="all",
    ties="immune",
    needs_all_rows=reads_all_scores,
)
def set_precision(rows: Rows, min_score: float | None, rel: int | None, judged_only: bool) -> Floats:
    """Set precision: the share of the kept documents that is relevant.

    Formula: relevant documents kept / documents kept (the judged ones alone with judged_only).
    Undefined: the run has documents for the query, but none is kept.
    Source: van Rijsbergen, Information Retrieval, 1979; trec_eval `set_P`.
    """
    return _relevant_kept(rows, min_score, rel) / _kept(rows, min_score, judged_only)


@measure("SetR", parameters=KEPT | {"rel": REL}, at=None, ties="immune")
def set_recall(rows: Rows, min_score: float | None, rel: int | None) -> Floats:
    """Set recall: the share of the relevant documents that is kept.

    Formula: relevant documents kept / all relevant documents that the judgments know.
    Undefined: the query has no relevant document (trec_eval prints 0 there).
    Source: van Rijsbergen, Information Retrieval, 1979; trec_eval `set_recall`.
    """
    return _relevant_kept(rows, min_score, rel) / rows.n_relevant(rel)


@measure(
    "SetF",
    parameters=KEPT | {"rel": REL, "beta": BETA, "judged_only": JUDGED_ONLY},
    at=None,
    ties="immune",
    needs_all_rows=reads_all_scores,
)
def set_f(rows: Rows, min_score: float | None, rel: int | None, beta: float, judged_only: bool) -> Floats:
    """Set F: the weighted harmonic mean of set precision and set recall.

    Formula: (1 + beta^2) * relevant kept / (beta^2 * all relevant + kept), which is (1 + beta^2) P R /
        (beta^2 P + R) and 0 where nothing is kept.
    Undefined: the query has no relevant document (trec_eval prints 0 there).
    Source: van Rijsbergen, Information Retrieval, 1979; trec_eval `set_F` (its parameter is beta squared).
    """
    hits = _relevant_kept(rows, min_score, rel)
    kept = _kept(rows, min_score, judged_only)
    return (1 + beta**2) * hits / (beta**2 * rows.n_relevant(rel) + kept)


@measure(
    "Kept",
    parameters=KEPT,
    at=None,
    defined_on="all",
    better=None,
    ties="immune",
    needs_all_rows=reads_all_scores,
)
def kept_documents(rows: Rows, min_score: float | None) -> Floats:
    """How many documents are kept, judged or not.

    Formula: the number of documents with score >= min_score.
    Undefined: never; 0 for a query that the run lacks.
    Source: trec_eval `num_ret`; ir_measures `NumRet`.
    """
    number: Floats = rows.kept(min_score).astype(np.float64)
    return number


@measure(
    "Empty",
    parameters=KEPT,
    at=None,
    defined_on="all",
    worst=1.0,
    better=None,
    ties="immune",
    needs_all_rows=reads_all_scores,
)
def empty(rows: Rows, min_score: float | None) -> Floats:
    """Whether nothing is kept; its mean is the share of empty results.

    Formula: 1 where no document has score >= min_score, else 0.
    Undefined: never; 1 for a query that the run lacks.
    Source: evalkit; "abstention" in the literature on selective answering.
    """
    return np.asarray(rows.kept(min_score) == 0, np.float64)


@measure("Answered", parameters=KEPT | {"rel": REL}, at=None, ties="immune")
def answered(rows: Rows, min_score: float | None, rel: int | None) -> Floats:
    """Whether a query that has an answer keeps one; 1 minus its mean is the share of lost answers.

    Formula: 1 where at least one relevant document is kept, else 0.
    Undefined: the query has no relevant document.
    Source: evalkit; Success without a rank.
    """
    return (_relevant_kept(rows, min_score, rel) > 0).astype(np.float64)


@measure(
    "FalseAnswer",
    parameters=KEPT | {"rel": REL},
    at=None,
    defined_on="negative",
    worst=1.0,
    better="lower",
    ties="immune",
    needs_all_rows=reads_all_scores,
)
def false_answer(rows: Rows, min_score: float | None, rel: int | None) -> Floats:  # noqa: ARG001  of the domain
    """Whether a query without an answer keeps documents all the same; its mean is the false-answer share.

    Formula: 1 where at least one document is kept, else 0.
    Undefined: the query has a relevant document. A query that the run lacks counts as 1: a failure shows no
        restraint.
    Source: evalkit; the false positives of selective answering.
    """
    return (rows.kept(min_score) > 0).astype(np.float64)


def _kept(rows: Rows, min_score: float | None, judged_only: bool) -> Ints:
    return rows.count((rows.grade >= 0) & _above(rows, min_score)) if judged_only else rows.kept(min_score)


def _relevant_kept(rows: Rows, min_score: float | None, rel: int | None) -> Ints:
    return rows.count(rows.relevant(rel) & _above(rows, min_score))


def _above(rows: Rows, min_score: float | None) -> Bools:
    return np.ones(len(rows.score), np.bool_) if min_score is None else rows.score >= min_score
