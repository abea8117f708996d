"""Means over all orders of equal scores, for measures in which the documents of a tie depend on each other.

After McSherry and Najork, Computing Information Retrieval Performance Measures Efficiently in the Presence of
Tied Scores, ECIR 2008.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from evalkit.measures.rows import Rows
from evalkit.records import Bools, Floats, Ints


class _Groups(NamedTuple):
    """Tie groups (of one row too) that hold a relevant row: where they rank, and what they hold."""

    query: Ints
    first: Ints
    size: Ints
    relevant: Ints
    before: Ints  # relevant rows of the query that rank higher


def _groups(rows: Rows, relevant: Bools) -> _Groups:
    query = rows.query[relevant]
    first, last = rows.first[relevant].astype(np.int64), rows.last[relevant].astype(np.int64)
    begins = np.ones(len(query), np.bool_)
    begins[1:] = (query[1:] != query[:-1]) | (first[1:] != first[:-1])
    at = np.flatnonzero(begins)
    count = np.diff(np.append(at, len(query)))
    before = rows.up_to_here(relevant)[relevant][at] - 1
    return _Groups(query[at], first[at], last[at] - first[at] + 1, count, before)


def first_relevant(
    rows: Rows, relevant: Bools, cutoff: int | None, worth: Callable[[Floats], Floats]
) -> Floats:
    """Return per query the mean of `worth(rank of the first relevant document)`, 0 below the cut-off.

    In a group of g documents of which r are relevant, the first relevant one comes at place i (from 0) with
    chance C(g - 1 - i, r - 1) / C(g, r).
    """
    groups = _groups(rows, relevant)
    values = np.zeros(rows.n)
    for query, first, size, count, before in zip(*(column.tolist() for column in groups), strict=True):
        if before:
            continue
        places = np.arange(size - count + 1)
        # chance that all earlier places missed, times the chance that this one does not
        missed = np.cumprod(np.concatenate([[1.0], (size - count - places[:-1]) / (size - places[:-1])]))
        chance = missed * count / (size - places)
        rank = (first + places).astype(np.float64)
        inside = chance if cutoff is None else np.where(rank <= cutoff, chance, 0.0)
        values[query] = float(inside @ worth(rank))
    return values


def precision_at_relevant(rows: Rows, relevant: Bools, cutoff: int | None) -> Floats:
    """Return per query the mean of the sum of precisions at the ranks of relevant documents (to the cut-off).

    A place i (from 0) of a group of g documents, r of them relevant, after c relevant ones, holds a relevant
    document with chance r / g, and then expects c + 1 + i (r - 1) / (g - 1) relevant ones so far.
    """
    groups = _groups(rows, relevant)
    number = np.repeat(np.arange(len(groups.size)), groups.size)
    place = np.arange(len(number)) - np.repeat(np.cumsum(groups.size) - groups.size, groups.size)
    size, count = groups.size[number], groups.relevant[number]
    so_far = groups.before[number] + 1 + place * (count - 1) / np.maximum(size - 1, 1)
    rank = groups.first[number] + place
    value = count / size * so_far / rank
    if cutoff is not None:
        value = np.where(rank <= cutoff, value, 0.0)
    return np.bincount(groups.query[number], value, minlength=rows.n).astype(np.float64)
