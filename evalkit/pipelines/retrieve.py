"""First stages: which documents become a query's candidates, and in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evalkit.measures.columns import strings
from evalkit.pipelines.ports import Matrix
from evalkit.records import Codes, Floats, Ints, Run

Excluded = Mapping[int, frozenset[int]]  # query code -> codes of documents that never become its candidates

BLOCK = 1024  # queries searched at once: enough for the matrix product to run at full speed
STOPWORDS = "en"


def dense(queries: Matrix, documents: Matrix, depth: int, excluded: Excluded) -> tuple[Codes, Codes, Floats]:
    """Return (query, document, score) of the `depth` documents with the greatest inner product, exactly.

    `queries` and `documents` hold one unit vector a row; the search is exhaustive.
    """
    import faiss

    fetch = min(depth + max(map(len, excluded.values()), default=0), len(documents))
    blocks = [
        faiss.knn(queries[start : start + BLOCK], documents, fetch, metric=faiss.METRIC_INNER_PRODUCT)
        for start in range(0, len(queries), BLOCK)
    ]
    scores = np.concatenate([block[0] for block in blocks]).astype(np.float64)
    found = np.concatenate([block[1] for block in blocks])
    rows = np.repeat(np.arange(len(queries), dtype=np.int32), fetch)
    return _without(excluded, rows, found.astype(np.int32).ravel(), scores.ravel())


def bm25(
    queries: Sequence[str], documents: Sequence[str], depth: int, excluded: Excluded
) -> tuple[Codes, Codes, Floats]:
    """Return (query, document, score) of the `depth` best documents by BM25 (Lucene's form, k1 1.5, b .75).

    Documents that share no word with the query are no candidates. English stop words are left out, words are
    not stemmed.
    """
    import bm25s

    index = bm25s.BM25()
    index.index(
        bm25s.tokenize(list(documents), stopwords=STOPWORDS, show_progress=False), show_progress=False
    )
    fetch = min(depth + max(map(len, excluded.values()), default=0), len(documents))
    words = bm25s.tokenize(list(queries), stopwords=STOPWORDS, show_progress=False, return_ids=False)
    known = [[word for word in query if word in index.vocab_dict] for query in words]
    asked = np.flatnonzero([bool(query) for query in known]).astype(np.int32)
    if not len(asked):
        return asked, asked, np.empty(0)
    found, scores = index.retrieve([known[query] for query in asked], k=fetch, show_progress=False)
    rows = np.repeat(asked, fetch)
    shares_a_word = scores.ravel() > 0
    return _without(
        excluded,
        rows[shares_a_word],
        np.asarray(found, dtype=np.int32).ravel()[shares_a_word],
        np.asarray(scores, dtype=np.float64).ravel()[shares_a_word],
    )


def candidates(
    name: str, query_ids: Sequence[str], doc_ids: Sequence[str], rows: tuple[Codes, Codes, Floats], depth: int
) -> Run:
    """Return the `depth` first rows of each query as a run, in trec_eval's order."""
    return cut(Run(name, strings(query_ids), strings(doc_ids), *rows), depth)


def cut(run: Run, depth: int) -> Run:
    """Return the first `depth` documents of each query, sorted by query, score and document id descending."""
    order = rank_order(run)
    keep = order[ranks(run.query[order]) <= depth]
    return Run(
        run.name, run.query_ids, run.doc_ids, run.query[keep], run.doc[keep], run.score[keep], run.domain
    )


def ranks(query: Codes) -> Ints:
    """Return each row's rank (1-based), of rows sorted by query and, in each query, by rank."""
    return np.arange(len(query)) - np.searchsorted(query, query, side="left") + 1


def rank_order(run: Run) -> Ints:
    """Return the row numbers of `run` by query, then score descending, then document id descending."""
    ids = run.doc_ids.to_pylist()
    position = np.empty(len(ids), dtype=np.int64)
    position[sorted(range(len(ids)), key=lambda index: ids[index].encode())] = np.arange(len(ids))
    return np.lexsort((-position[run.doc], -run.score, run.query))


def _without(excluded: Excluded, query: Codes, document: Codes, score: Floats) -> tuple[Codes, Codes, Floats]:
    if not excluded:
        return query, document, score
    keep = np.fromiter(
        (d not in excluded.get(q, ()) for q, d in zip(query.tolist(), document.tolist(), strict=True)),
        dtype=np.bool_,
        count=len(query),
    )
    return query[keep], document[keep], score[keep]
