"""The pool: every unjudged pair near the top of any pipeline, once, without a hint of its rank."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from evalkit import runs
from evalkit.errors import InputError
from evalkit.experiment.pool import Pool, pool, write
from tests.conftest import Cli

RANKED = {
    "embed": {"q1": ["d1", "d2", "d3", "d4"], "q2": ["d4", "d3"]},
    "late": {"q1": ["d5", "d1", "d2", "d3"], "q2": ["d3", "d6"]},
}
JUDGED = {("q1", "d1"): 3, ("q2", "d3"): 0}


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A run directory of two pipelines and two queries."""
    rows = [
        {
            "pipeline": name, "query_id": query, "doc_id": doc, "score": 1.0 / rank, "rank": rank,
            "grade": JUDGED.get((query, doc)), "category": "c",
        }
        for name, queries in RANKED.items()
        for query, docs in queries.items()
        for rank, doc in enumerate(docs, start=1)
    ]  # fmt: skip
    texts = [{"kind": "query", "id": q, "title": "", "text": f"=about {q}"} for q in ("q1", "q2")]
    texts += [{"kind": "document", "id": f"d{n}", "title": "", "text": f"text {n}"} for n in range(1, 7)]
    files = {
        runs.SCORES: runs.to_parquet(pa.Table.from_pandas(pd.DataFrame(rows))),
        runs.TEXTS: runs.to_parquet(pa.Table.from_pylist(texts)),
    }
    dataset = {"name": "small", "digests": {}, "grades": {"0": "no", "3": "yes"}}
    return runs.write(tmp_path / "run", {"name": "small", "dataset": dataset}, files).folder


def pairs(found: Pool) -> list[tuple[str, str]]:
    """Return the pairs in their order."""
    return [(row["query_id"], row["doc_id"]) for row in found.rows]


def test_the_pool_is_the_unjudged_top_of_all_pipelines(run_dir: Path) -> None:
    """Every pair within the depth of some pipeline, once; judged ones are counted and left out."""
    found = pool(run_dir, 2, 7)

    assert sorted(pairs(found)) == [("q1", "d2"), ("q1", "d5"), ("q2", "d4"), ("q2", "d6")]
    assert found.judged == 2


def test_the_order_hides_the_ranks_and_queries_stay_together(run_dir: Path) -> None:
    """Some seed shows every document first; a query's documents are never interrupted."""
    orders = [pairs(pool(run_dir, 4, seed)) for seed in range(60)]

    assert {order[0] for order in orders} == set(orders[0])
    assert all(
        [q for q, _ in order] in (["q1"] * 4 + ["q2"] * 2, ["q2"] * 2 + ["q1"] * 4) for order in orders
    )


def test_a_pool_shows_neither_scores_nor_pipelines(run_dir: Path, tmp_path: Path) -> None:
    """Nothing in the file leads back to who ranked what."""
    write(pool(run_dir, 4, 7), tmp_path / "pool.jsonl")
    header, *rows = [json.loads(line) for line in (tmp_path / "pool.jsonl").read_text().splitlines()]

    assert {key for row in rows for key in row} == {
        "query_id", "doc_id", "query", "document", "category", "grade",
    }  # fmt: skip
    assert header["grades"] == {"0": "no", "3": "yes"}
    assert "embed" not in (tmp_path / "pool.jsonl").read_text()


def test_a_spreadsheet_computes_nothing(run_dir: Path, tmp_path: Path) -> None:
    """A text that begins like a formula has a quote before it in CSV."""
    write(pool(run_dir, 4, 7), tmp_path / "pool.csv")
    with (tmp_path / "pool.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert {row["query"] for row in rows} == {"'=about q1", "'=about q2"}


def test_judgments_are_never_written_over(cli: Cli, run_dir: Path, tmp_path: Path) -> None:
    """The command makes a pool once, and a file of another kind never."""
    told = cli("pool", run_dir, "--depth", 2, "--out", tmp_path / "pool.csv")

    assert told.code == 0, told
    assert "4 pairs of 2 queries to judge, 2 judged already" in told.out
    assert cli("pool", run_dir, "--out", tmp_path / "pool.csv").code == 2
    with pytest.raises(InputError, match=r"as .jsonl .* or .csv"):
        write(pool(run_dir, 2, 7), tmp_path / "pool.xlsx")
