"""What of a run still has to be judged: all pipelines' best documents, shuffled, without scores or names."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from evalkit import runs
from evalkit.data.files import write_file
from evalkit.data.labels import quoted
from evalkit.errors import InputError

SCHEMA = "evalkit.pool/1"
COLUMNS = ("query_id", "doc_id", "query", "document", "category", "grade")


@dataclass(frozen=True)
class Pool:
    """The pairs to judge, one a row with an empty grade; queries and the documents of each are shuffled.

    `header` says where the pool is from and what grades mean. `judged` pairs of the same depth have a grade
    already.
    """

    header: Mapping[str, Any]
    rows: tuple[Mapping[str, Any], ...]
    judged: int


def pool(run_dir: str | Path, depth: int, seed: int) -> Pool:
    """Return the pairs that some pipeline ranks in its first `depth` and that nobody has judged.

    Raises:
        InputError: `run_dir` is no run directory, or was changed.
    """
    done = runs.read(run_dir)
    scores = done.scores
    best = scores[scores["rank"] <= depth]
    pairs = best.drop_duplicates(["query_id", "doc_id"])
    todo = pairs[pairs["grade"].isna()]
    texts = done.texts
    asked = dict(zip(*_of(texts, "query"), strict=True))
    shown = dict(zip(*_of(texts, "document"), strict=True))
    rng = np.random.default_rng(seed)
    todo = todo.sort_values(["query_id", "doc_id"])
    order = {query: place for place, query in enumerate(rng.permutation(sorted(set(todo["query_id"]))))}
    ranked = sorted(
        zip(todo["query_id"], todo["doc_id"], todo["category"], rng.random(len(todo)), strict=True),
        key=lambda one: (order[one[0]], one[3]),
    )
    rows = tuple(
        dict(zip(COLUMNS, (query, doc, asked[query], shown[doc], category, None), strict=True))
        for query, doc, category, _ in ranked
    )
    dataset = done.info["dataset"]
    header = {
        "pool": SCHEMA,
        "run": done.info["name"],
        "dataset": dataset["name"],
        "digests": dataset["digests"],
        "grades": dataset["grades"],
        "depth": depth,
        "seed": seed,
    }
    return Pool(header, rows, len(pairs) - len(todo))


def write(found: Pool, path: Path) -> None:
    """Write the pool as JSON lines (the header first) or, where `path` ends in .csv, as CSV.

    In CSV a text that a spreadsheet would compute has a quote before it, which is taken off on the way back.

    Raises:
        InputError: the ending is neither, or `path` is there already and may hold judgments.
    """
    if path.suffix not in (".csv", ".jsonl"):
        raise InputError(f"{path}: a pool is written as .jsonl (for `evalkit label`) or .csv")
    if path.exists():
        raise InputError(f"{path} is there already and may hold judgments. Name another file with --out")
    if path.suffix == ".jsonl":
        write_file(path, b"".join(msgspec.json.encode(row) + b"\n" for row in (found.header, *found.rows)))
        return
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for row in found.rows:
        writer.writerow([quoted(str(row[name] if row[name] is not None else "")) for name in COLUMNS])
    write_file(path, text.getvalue().encode())


def _of(texts: Any, kind: str) -> tuple[list[str], list[str]]:
    own = texts[texts["kind"] == kind]
    return own["id"].tolist(), own["text"].tolist()
