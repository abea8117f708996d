"""Generated judgments and runs of any size, as TREC files: string ids, graded judgments, a few ties."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

JUDGED = 30  # per query, two thirds of them among the documents returned
UNIVERSE = 8_800_000  # documents, as many as MS MARCO has passages


def write(folder: Path, queries: int, documents: int, decimals: int = 5, seed: int = 1) -> tuple[Path, Path]:
    """Write `qrels.trec` and `run.trec`, with documents ordered by score in every query.

    Scores of 5 decimals have a few ties, those of 12 none.
    """
    rng = np.random.default_rng(seed)
    ids = rng.choice(1_200_000, queries, replace=False) + 1
    found = np.stack([rng.choice(UNIVERSE // 2, documents, replace=False) * 2 for _ in range(queries)])
    score = np.round(-np.sort(-rng.gamma(2, 4, (queries, documents)), axis=1), decimals)
    qrels, run = folder / "qrels.trec", folder / "run.trec"
    query = np.repeat(ids, documents)
    rank = np.tile(np.arange(1, documents + 1), queries)
    _write(run, [query, _all("Q0", query), found.ravel(), rank, score.ravel(), _all("generated", query)])

    near_the_top = np.argsort(rng.random((queries, documents)) * (np.arange(documents) + 5), axis=1)
    returned = np.take_along_axis(found, near_the_top[:, : JUDGED * 2 // 3], 1)
    lost = (
        np.stack([rng.choice(UNIVERSE // 2, JUDGED - returned.shape[1], replace=False) for _ in ids]) * 2 + 1
    )
    judged = np.concatenate([returned, lost], axis=1)
    grade = rng.choice(4, judged.shape, p=[0.5, 0.25, 0.15, 0.1])
    query = np.repeat(ids, judged.shape[1])
    _write(qrels, [query, _all("0", query), judged.ravel(), grade.ravel()])
    return qrels, run


def _all(text: str, like: npt.NDArray[np.int64]) -> list[str]:
    return [text] * len(like)


def _write(path: Path, columns: list[object]) -> None:
    import pyarrow as pa
    import pyarrow.csv as pc_csv

    table = pa.table({str(i): column for i, column in enumerate(columns)})
    options = pc_csv.WriteOptions(include_header=False, delimiter=" ", quoting_style="none")
    pc_csv.write_csv(table, path, options)


if __name__ == "__main__":
    write(Path(sys.argv[1]), *map(int, sys.argv[2:]))
