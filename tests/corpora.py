"""Small data sets for tests, written to a folder in the layout that users write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

DOCUMENTS = {
    "d1": "Annual leave is twenty-five days a year for every office employee in Leeds.",
    "d2": "Unused annual leave may be carried over until the end of March.",
    "d3": "Replace a broken laptop through the Service Desk; a loan device waits in Leeds.",
    "d4": "The meal allowance on business trips to France is forty euros a day.",
    "d5": "Mileage in a private car is paid at forty-five pence a mile.",
    "d6": "Reset the second factor of Keystone at any kiosk with your badge.",
}
QUERIES = {
    "q1": ("how many days of annual leave do I get", "leave"),
    "q2": ("can I take old leave days into next year", "leave"),
    "q3": ("my laptop is broken", "it"),
    "q4": ("new phone, second factor lost", "it"),
    "q5": ("is the canteen open on Sunday", "it"),
}
GRADES = [
    ("q1", "d1", 3),
    ("q1", "d2", 1),
    ("q2", "d2", 3),
    ("q2", "d1", 0),
    ("q3", "d3", 3),
    ("q4", "d6", 3),
    ("q4", "d3", 0),
    ("q5", "d4", 0),
]


def write_dataset(
    folder: Path,
    documents: Mapping[str, str] = DOCUMENTS,
    queries: Mapping[str, tuple[str, str]] = QUERIES,
    grades: Sequence[tuple[str, str, int]] = GRADES,
    card: str | None = None,
) -> Path:
    """Write a BEIR folder and return it."""
    (folder / "qrels").mkdir(parents=True, exist_ok=True)
    _write_lines(folder / "corpus.jsonl", [{"_id": i, "title": "", "text": t} for i, t in documents.items()])
    _write_lines(
        folder / "queries.jsonl",
        [{"_id": i, "text": t, "metadata": {"category": c}} for i, (t, c) in queries.items()],
    )
    rows = "".join(f"{query}\t{document}\t{grade}\n" for query, document, grade in grades)
    (folder / "qrels" / "test.tsv").write_text(f"query-id\tcorpus-id\tscore\n{rows}", "utf-8")
    if card is not None:
        (folder / "dataset.yaml").write_text(card, "utf-8")
    return folder


SUITE = """\
name: small
dataset: .
depth: 5
pipelines:
  embed: {retrieve: local/minilm-l6}
  late: {retrieve: local/minilm-l6, rerank: local/late-interaction}
baseline: embed
measures: [nDCG@10, RR@10, Judged@10]
"""


def write_suite(folder: Path, text: str = SUITE) -> Path:
    """Write `suite.yaml` into `folder` and return its path."""
    path = folder / "suite.yaml"
    path.write_text(text, "utf-8")
    return path


def _write_lines(path: Path, objects: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects), "utf-8")
