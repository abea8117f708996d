"""Small judged runs, spelled as lists of grades, for tests of what reads `Judged`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from evalkit.measures import judge
from evalkit.records import Judged, Qrels, Run

Grade = int | None  # None: unjudged


def judged(
    ranked: Sequence[Sequence[Grade]],
    missed: Sequence[Sequence[int]] | None = None,
    categories: Sequence[str] | None = None,
    relevant_from: int = 1,
) -> Judged:
    """Return a run whose query i returned documents of the grades `ranked[i]`, in that order.

    `missed[i]` has the grades of judged documents that were not returned.
    """
    missed = missed or [[] for _ in ranked]
    run_rows, qrels_rows, doc_ids = [], [], []
    for query, (found, lost) in enumerate(zip(ranked, missed, strict=True)):
        for rank, grade in enumerate([*found, *lost]):
            code = len(doc_ids)
            doc_ids.append(f"q{query}-d{rank}")
            if rank < len(found):
                run_rows.append((query, code, float(-rank)))
            if grade is not None:
                qrels_rows.append((query, code, grade))
    ids = pa.array([f"q{query}" for query in range(len(ranked))], pa.string())
    docs = pa.array(doc_ids, pa.string())
    query, doc, score = (np.array(column) for column in zip(*run_rows, strict=True))
    run = Run("run", ids, docs, query.astype(np.int32), doc.astype(np.int32), score.astype(np.float64))
    columns = (np.array(column, np.int32) for column in zip(*qrels_rows, strict=True))
    labels: Mapping[str, str] = dict(zip(ids.to_pylist(), categories or [""] * len(ranked), strict=True))
    return judge(run, Qrels(ids, docs, *columns, relevant_from), categories=labels)
