"""Which queries belong to which category, and what is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evalkit.records import Ints
from evalkit.thresholds.curve import Curve
from evalkit.thresholds.entry import Entry
from evalkit.thresholds.policy import PER_LABEL
from evalkit.thresholds.pool import Pooled
from evalkit.thresholds.separation import Separation

OVERALL = "overall"
PARENT = "/"  # "hr/leave" has the parent "hr"


@dataclass(frozen=True, eq=False)
class Group:
    """One category (or a parent of some, or all queries together), and what its scores look like."""

    name: str
    curve: Curve
    separation: Separation


@dataclass(frozen=True, eq=False)
class Made:
    """The entries of a policy; `family` says over what a confidence holds."""

    default: Entry
    categories: Mapping[str, Entry]
    family: str = ""
    pooled: Pooled | None = None


def members(categories: Sequence[str]) -> dict[str, Ints]:
    """Return the positions of each category's queries, by name; "a|b" belongs to both a and b.

    Queries without a category belong to none: the overall threshold serves them.
    """
    found: dict[str, list[int]] = {}
    for position, written in enumerate(categories):
        for label in dict.fromkeys(written.split(PER_LABEL)):
            if label:
                found.setdefault(label, []).append(position)
    return {label: np.array(found[label], dtype=np.int64) for label in sorted(found)}


def parents(groups: Mapping[str, Ints]) -> dict[str, Ints]:
    """Return the queries of each parent category: its own and those of all that are below it.

    A parent of one category only is left out: it is the same queries again.
    """
    found: dict[str, list[Ints]] = {}
    for label, positions in groups.items():
        for parent in lineage(label):
            found.setdefault(parent, []).append(positions)
    for parent in found:
        if parent in groups:
            found[parent].append(groups[parent])
    return {parent: np.unique(np.concatenate(parts)) for parent, parts in found.items() if len(parts) > 1}


def lineage(label: str) -> list[str]:
    """Return the parents of a category, nearest first."""
    parts = label.split(PARENT)
    return [PARENT.join(parts[:length]) for length in range(len(parts) - 1, 0, -1)]
