"""The second stage: a reranker's scores for the candidates of the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from evalkit.pipelines.ports import Answer, Request
from evalkit.pipelines.retrieve import ranks
from evalkit.records import Ints, Run


def requests(candidates: Run, queries: Mapping[str, str], texts: Sequence[str]) -> Iterator[Request]:
    """Yield one request for each query with candidates: its text and theirs, in candidate order.

    `candidates` is sorted by query, as `cut` returns it; `texts[code]` is a document as the model sees it.
    """
    for code, (start, end) in _slices(candidates).items():
        query_id = candidates.query_ids[code].as_py()
        documents = tuple(texts[document] for document in candidates.doc[start:end].tolist())
        yield Request(query_id, queries[query_id], documents)


def reranked(name: str, candidates: Run, answers: Mapping[str, Answer]) -> Run:
    """Return the candidates with the scores of `answers`; queries without scores are missing from it.

    A missing query is not forgotten: measures give it their worst value, and the run lists its failure.
    """
    score = np.zeros(len(candidates.query), dtype=np.float64)
    keep = np.zeros(len(candidates.query), dtype=np.bool_)
    for code, (start, end) in _slices(candidates).items():
        answer = answers.get(candidates.query_ids[code].as_py())
        if answer is not None and answer.scores is not None:
            score[start:end], keep[start:end] = answer.scores, True
    return Run(
        name,
        candidates.query_ids,
        candidates.doc_ids,
        candidates.query[keep],
        candidates.doc[keep],
        score[keep],
    )


def found_rank(run: Run) -> Ints:
    """Return the first stage's rank (1-based) of each row of a reranked run: its rows keep that order."""
    return ranks(run.query)


def _slices(candidates: Run) -> dict[int, tuple[int, int]]:
    codes, starts = np.unique(candidates.query, return_index=True)
    ends = np.append(starts, len(candidates.query))[1:]
    return {int(code): (int(start), int(end)) for code, start, end in zip(codes, starts, ends, strict=True)}
