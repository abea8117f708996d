"""Queries that are nearly the same text."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from evalkit.stats.duplicates import SIMILARITY, _shingles, clusters, near_duplicates


def test_case_punctuation_and_one_word_more_make_no_new_query() -> None:
    """The same question typed twice is one unit; another question is not."""
    labels = near_duplicates(
        [
            "How do I claim the travel allowance for a train journey to Lyon?",
            "how do i claim the travel allowance for a train journey to lyon",
            "Please: how do I claim the travel allowance for a train journey to Lyon?",
            "How do I reset my password?",
        ]
    )

    assert labels[0] == labels[1] == labels[2] != labels[3]


def test_texts_without_words_are_alike_to_none() -> None:
    """Two texts without a word are not taken for duplicates."""
    assert len(set(near_duplicates(["?!", "...", ""]).tolist())) == 3


words = st.lists(st.sampled_from("abcdef"), max_size=8).map(" ".join)


@given(st.lists(words, max_size=12))
def test_looking_at_the_rarest_shingles_loses_no_pair(texts: list[str]) -> None:
    """Labels equal those of comparing every pair of texts."""
    shingles = [_shingles(text) for text in texts]
    reach = np.eye(len(texts), dtype=bool)
    for i, one in enumerate(shingles):
        for j, other in enumerate(shingles):
            reach[i, j] |= bool(one) and len(one & other) >= SIMILARITY * len(one | other)
    for _ in texts:
        reach = (reach.astype(int) @ reach.astype(int)) > 0
    labels = near_duplicates(texts)

    assert (reach == (labels[:, None] == labels)).all()


def test_declared_groups_and_detected_ones_join() -> None:
    """A declared group and a near-duplicate that share a query are one cluster."""
    text = "what is the notice period for a fixed term contract in Lyon"
    found = clusters(["g", "g", "", ""], ["one thing", text, text.upper(), "another"])

    assert found is not None
    assert found[0] == found[1] == found[2] != found[3]


def test_queries_that_all_stand_alone_have_no_clusters() -> None:
    """None says that each query is a unit of its own."""
    assert clusters(["", ""], ["what is this", "who are you"]) is None
