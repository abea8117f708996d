"""Queries that are nearly the same text: they count as one unit, or intervals promise too much."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from evalkit.records import Ints

SIMILARITY = 0.7  # Jaccard of words and word pairs: one word changed in ten stays above, in seven falls below
WORD = re.compile(r"\w+")


def near_duplicates(texts: Sequence[str]) -> Ints:
    """Return a label a text: equal for texts whose words and word pairs overlap by at least `SIMILARITY`.

    Overlap is the Jaccard coefficient of the sets of case-folded words and adjacent pairs; chains join.
    Only texts that share one of their rarest shingles are compared, which loses no pair (prefix filtering:
    Bayardo, Ma, Srikant, WWW 2007). A text without words is like no other.
    """
    shingles = [_shingles(text) for text in texts]
    frequency = Counter(shingle for one in shingles for shingle in one)
    rarity = {shingle: place for place, shingle in enumerate(sorted(frequency, key=frequency.__getitem__))}
    parent = list(range(len(texts)))
    seen_with: defaultdict[str, list[int]] = defaultdict(list)
    for index, own in enumerate(shingles):
        rarest = sorted(own, key=rarity.__getitem__)
        prefix = rarest[: len(own) - int(np.ceil(SIMILARITY * len(own) - 1e-9)) + 1]
        for other in {other for shingle in prefix for other in seen_with[shingle]}:
            if min(len(own), len(shingles[other])) < SIMILARITY * max(len(own), len(shingles[other])):
                continue
            shared = len(own & shingles[other])
            if shared >= SIMILARITY * (len(own) + len(shingles[other]) - shared):
                parent[_root(parent, index)] = _root(parent, other)
        for shingle in prefix:
            seen_with[shingle].append(index)
    return np.array([_root(parent, index) for index in range(len(texts))], dtype=np.int64)


def clusters(groups: Sequence[str], texts: Sequence[str] | None = None) -> Ints | None:
    """Return a cluster label a query, from declared `groups` ("" where none) and near-duplicate `texts`.

    A declared group and a detected one that share a query become one cluster. None where every query stands
    alone.
    """
    n = len(groups)
    label = near_duplicates(texts) if texts is not None else np.arange(n, dtype=np.int64)
    parent = label.tolist()
    first: dict[str, int] = {}
    for index, group in enumerate(groups):
        if group:
            parent[_root(parent, index)] = _root(parent, first.setdefault(group, index))
    found = np.array([_root(parent, index) for index in range(n)], dtype=np.int64)
    return found if len(np.unique(found)) < n else None


def _shingles(text: str) -> frozenset[str]:
    words = WORD.findall(text.casefold())
    return frozenset(words) | {f"{one} {two}" for one, two in pairwise(words)}


def _root(parent: list[int], index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = parent[index]
    return index
