"""The texts of a data set, each looked at once: sizes, empty and equal ones, leaks, languages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from evalkit.data.language import languages
from evalkit.data.render import Render, estimate_all
from evalkit.documents import Document
from evalkit.records import Ints, Query
from evalkit.stats.duplicates import near_duplicates

COMPARED = 20_000  # texts among which near-duplicates are looked for; of more, equal ones only
LEAKS_IN = 5_000  # documents of a larger collection in which queries are looked for
LANGUAGES_OF = 2_000  # texts whose language is guessed
LEAK_WORDS = 5  # a shorter query may well stand in a document by chance
AT_ONCE = 1_024  # documents that are texts at the same time: these stay in a core's cache
WORD = re.compile(r"\w+")
Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, eq=False)
class Survey:
    """What was seen in a collection's texts: `tokens` estimates the size of each, `alike` has groups of ids.

    `sample` holds texts by id, at equal distances: all of them where there are at most `COMPARED`.
    """

    tokens: Ints
    empty: int
    alike: Groups
    sample: Mapping[str, str]


def survey(corpus: Mapping[str, Document], render: Render) -> Survey:
    """Render every document once and return what is seen; no more than a sample of the texts is kept."""
    n = len(corpus)
    step = 1 if n <= COMPARED else -(-n // LEAKS_IN)
    tokens, keys = np.empty(n, np.int64), np.empty(n, np.int64)
    documents, seen, empty, sample = iter(corpus.values()), 0, 0, dict[str, str]()
    while some := list(islice(documents, AT_ONCE)):
        texts = render.texts(some)
        these = slice(seen, seen + len(some))
        tokens[these] = estimate_all(texts)
        keys[these] = np.fromiter(map(hash, texts), np.int64, len(texts))
        empty += texts.count("") + sum(map(str.isspace, texts))
        for place in range(-seen % step, len(some), step):
            sample[some[place].id] = texts[place]
        seen += len(some)
    alike = near(list(sample), list(sample.values())) if step == 1 else _equal(corpus, render, keys)
    return Survey(tokens, empty, alike, sample)


def near(ids: Sequence[str], texts: Sequence[str]) -> Groups:
    """Return the groups of texts that are nearly the same; beyond `COMPARED` texts, of equal ones only."""
    if len(texts) > COMPARED:
        return _groups(zip(texts, ids, strict=True))
    labels = near_duplicates(texts).tolist()
    return _groups(
        (label, name) for label, name, text in zip(labels, ids, texts, strict=True) if text.strip()
    )


def leaks(queries: Iterable[Query], sample: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return (query, document) where a query of some length stands word for word in a document's text.

    Every query is looked up by its first words, in one pass over the texts.
    """
    starts: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for query in queries:
        words = WORD.findall(query.text.casefold())
        if len(words) >= LEAK_WORDS:
            asked = f" {' '.join(words)} "
            starts.setdefault(tuple(words[:LEAK_WORDS]), []).append((query.id, asked))
    found = []
    for doc_id, text in sample.items():
        words = WORD.findall(text.casefold())
        windows = zip(*(words[at:] for at in range(LEAK_WORDS)), strict=False)
        for start in starts.keys() & windows:
            normal = f" {' '.join(words)} "
            found += [(query, doc_id) for query, asked in starts[start] if asked in normal]
    return tuple(sorted(found))


def guessed(texts: Iterable[str], n: int) -> dict[str, int]:
    """Return how many texts, of at most `LANGUAGES_OF` of the `n`, are in which language."""
    step = max(1, n // LANGUAGES_OF)
    return languages(islice(texts, 0, step * LANGUAGES_OF, step))


def _equal(corpus: Mapping[str, Document], render: Render, keys: Ints) -> Groups:
    """Return the groups of equal texts, of which those with equal keys are made again and compared."""
    order = np.argsort(keys, kind="stable")
    same = keys[order[1:]] == keys[order[:-1]]
    if not same.any():
        return ()
    places = np.union1d(order[1:][same], order[:-1][same])
    ids = list(corpus)
    again = (ids[place] for place in places.tolist())
    return _groups((render(corpus[doc_id]), doc_id) for doc_id in again)


def _groups(labelled: Iterable[tuple[str | int, str]]) -> Groups:
    """Return the ids that share a label; an empty text is like no other."""
    groups: dict[str | int, list[str]] = {}
    for label, name in labelled:
        if not (isinstance(label, str) and not label.strip()):
            groups.setdefault(label, []).append(name)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)
