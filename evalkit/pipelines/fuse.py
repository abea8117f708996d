"""Fusing several first stages into one candidate list."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalkit.pipelines.retrieve import cut, rank_order, ranks
from evalkit.records import Run

RRF_K = 60  # Cormack, Clarke and Buettcher, SIGIR 2009; results hardly depend on it


def reciprocal_rank(runs: Sequence[Run], depth: int) -> Run:
    """Return the `depth` best documents by the sum of 1 / (60 + rank) over `runs`.

    The runs must share their query and document ids (codes mean the same in all). A run that lacks a document
    adds nothing for it. Scores lie in (0, len(runs) / 61].
    """
    query, document, gain = [], [], []
    for run in runs:
        order = rank_order(run)
        sorted_query = run.query[order]
        query.append(sorted_query.astype(np.int64))
        document.append(run.doc[order].astype(np.int64))
        gain.append(1.0 / (RRF_K + ranks(sorted_query)))
    width = max(len(runs[0].doc_ids), 1)
    pairs, inverse = np.unique(np.concatenate(query) * width + np.concatenate(document), return_inverse=True)
    score = np.bincount(inverse, weights=np.concatenate(gain)).astype(np.float64)
    fused = Run(
        "+".join(run.name for run in runs),
        runs[0].query_ids,
        runs[0].doc_ids,
        (pairs // width).astype(np.int32),
        (pairs % width).astype(np.int32),
        score,
    )
    return cut(fused, depth)
