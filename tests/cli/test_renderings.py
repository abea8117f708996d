"""Pipelines of one suite that show their models the same documents in different renderings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import evalkit
from tests.conftest import Cli
from tests.corpora import write_dataset, write_suite

SUITE = """\
name: renderings
dataset: .
depth: 5
render: {style: yaml, fields: [title, body]}
pipelines:
  whole:  {retrieve: bm25}
  body:   {retrieve: bm25, render: {style: text, fields: [body]}}
  late:   {retrieve: bm25, rerank: local/late-interaction, render: {style: text, fields: [body]}}
measures: [nDCG@10]
"""


@pytest.fixture
def done(cli: Cli, tmp_path: Path) -> Path:
    """A run of structured documents, of which only the title names the heron."""
    folder = write_dataset(tmp_path / "data")
    documents = [
        {"_id": "d1", "fields": {"title": "heron", "body": "It stands in shallow water and waits."}},
        {"_id": "d2", "fields": {"title": "plover", "body": "It runs along the shore."}},
        {"_id": "d3", "fields": {"title": "no body", "body": ""}},
    ]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(one) + "\n" for one in documents), "utf-8")
    query = {"_id": "q1", "text": "heron shore", "metadata": {"category": "birds"}}
    (folder / "queries.jsonl").write_text(json.dumps(query) + "\n", "utf-8")
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n", "utf-8")
    told = cli("run", write_suite(folder, SUITE), "--out", tmp_path / "out")
    assert told.code == 0, told
    return tmp_path / "out"


def test_each_pipeline_reads_its_own_rendering(done: Path) -> None:
    """A word that only the title holds is found where the title is shown."""
    scores = evalkit.open(done).scores
    found = {name: set(rows["doc_id"]) for name, rows in scores.groupby("pipeline")}

    assert found == {"whole": {"d1", "d2"}, "body": {"d2"}, "late": {"d2"}}


def test_a_document_without_text_in_one_rendering_is_a_candidate_of_none(done: Path) -> None:
    """All pipelines of a suite order the same documents, so that they can be compared."""
    assert evalkit.open(done).info["dataset"]["candidates"] == 2


def test_scores_of_another_rendering_are_of_another_domain(done: Path) -> None:
    """Thresholds found under one rendering are refused under another."""
    domains = {name: info["domain"] for name, info in evalkit.open(done).info["pipelines"].items()}

    assert domains["whole"]["digest"] != domains["body"]["digest"]
    assert (domains["whole"]["render"], domains["body"]["render"]) == ("yaml(title, body)", "text(body)")


def test_a_transfer_from_an_own_rendering_is_refused(cli: Cli, done: Path) -> None:
    """The run keeps the texts of the suite's rendering only: other texts would be scored."""
    told = cli("thresholds", "transfer", done, "--from", "late", "--to", "local/late-interaction", "--plan")

    assert told.code == 2
    assert "renders documents in its own way" in told.err
