"""`huggingface` and `ir_datasets` with the packages themselves, on local data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalkit.data import beir
from evalkit.data.importers import Options
from evalkit.data.importers.bring import bring
from evalkit.data.importers.packages import package
from evalkit.errors import InputError
from tests.corpora import DOCUMENTS, GRADES, QUERIES

CARD = """\
---
configs:
- config_name: corpus
  data_files: [{split: corpus, path: corpus.jsonl}]
- config_name: queries
  data_files: [{split: queries, path: queries.jsonl}]
- config_name: default
  data_files: [{split: test, path: qrels/test.jsonl}, {split: dev, path: qrels/dev.jsonl}]
---
"""


def grades_of(folder: Path) -> set[tuple[str, str, int]]:
    """Return the judgments of a data set by ids."""
    qrels = beir.load(folder).qrels
    names = (qrels.query_ids.to_pylist(), qrels.doc_ids.to_pylist())
    rows = zip(qrels.query.tolist(), qrels.doc.tolist(), qrels.grade.tolist(), strict=True)
    return {(names[0][query], names[1][doc], grade) for query, doc, grade in rows}


def installed(name: str) -> Any:
    """Return a package that is too heavy for every machine, or skip the test."""
    try:
        return package(name, name)
    except InputError:
        pytest.skip(f"the package `{name}` is not installed")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as the hub has it, in MTEB's layout, and the package told to fetch nothing."""
    for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    installed("datasets")
    folder = tmp_path / "leave"
    (folder / "qrels").mkdir(parents=True)
    (folder / "README.md").write_text(CARD, "utf-8")
    tables: dict[str, list[dict[str, Any]]] = {
        "corpus.jsonl": [{"_id": i, "title": "", "text": text} for i, text in DOCUMENTS.items()],
        "queries.jsonl": [{"_id": i, "text": text} for i, (text, _) in QUERIES.items()],
        "qrels/test.jsonl": [{"query-id": q, "corpus-id": d, "score": float(g)} for q, d, g in GRADES],
        "qrels/dev.jsonl": [{"query-id": "q1", "corpus-id": "d1", "score": 2.0}],
    }
    for name, rows in tables.items():
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return folder


def test_a_hub_data_set_is_read_by_the_package(hub: Path, tmp_path: Path) -> None:
    """Documents, queries and judgments of the split that is asked for."""
    done = bring("huggingface", str(hub), tmp_path / "to")
    dev = bring("huggingface", str(hub), tmp_path / "dev", Options(split="dev"))
    dataset = beir.load(done.folder)

    assert {name: one.text for name, one in dataset.corpus.items()} == DOCUMENTS
    assert {name: one.text for name, one in dataset.queries.items()} == {
        i: t for i, (t, _) in QUERIES.items()
    }
    assert grades_of(done.folder) == set(GRADES)
    assert grades_of(dev.folder) == {("q1", "d1", 2)}


def test_a_hub_data_set_that_is_none_is_told(hub: Path, tmp_path: Path) -> None:
    """Another split, another layout, or nothing at all under that name."""
    with pytest.raises(InputError, match="say --split test or dev"):
        bring("huggingface", str(hub), tmp_path / "to", Options(split="train"))
    (hub / "README.md").unlink()
    with pytest.raises(InputError, match="corpus, queries and qrels are needed"):
        bring("huggingface", str(hub), tmp_path / "to")
    with pytest.raises(InputError, match="nobody/nothing: the package datasets cannot read it"):
        bring("huggingface", "nobody/nothing", tmp_path / "to")


@pytest.fixture
def collection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A collection that the package knows under a name, made of local files."""
    monkeypatch.setenv("IR_DATASETS_HOME", str(tmp_path / "home"))
    library = installed("ir_datasets")
    files = {
        "docs": "".join(f"{i}\t{text}\n" for i, text in DOCUMENTS.items()),
        "queries": "".join(f"{i}\t{text}\n" for i, (text, _) in QUERIES.items()),
        "qrels": "".join(f"{q} 0 {d} {g}\n" for q, d, g in GRADES),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    made = library.create_dataset(
        docs_tsv=tmp_path / "docs", queries_tsv=tmp_path / "queries", qrels_trec=tmp_path / "qrels"
    )
    monkeypatch.setitem(library.registry._registered, "leave", made)
    return "leave"


def test_a_collection_is_read_by_the_package(collection: str, tmp_path: Path) -> None:
    """Documents, queries and judgments, by the package's own types."""
    done = bring("ir_datasets", collection, tmp_path / "to")
    dataset = beir.load(done.folder)

    assert {name: one.text for name, one in dataset.corpus.items()} == DOCUMENTS
    assert {name: one.text for name, one in dataset.queries.items()} == {
        i: t for i, (t, _) in QUERIES.items()
    }
    assert grades_of(done.folder) == set(GRADES)


@pytest.mark.usefixtures("collection")
def test_a_collection_that_is_none_is_told(tmp_path: Path) -> None:
    """Nothing under that name, or a file that is not there any more."""
    with pytest.raises(InputError, match="no collection called 'nothing'"):
        bring("ir_datasets", "nothing", tmp_path / "to")
    (tmp_path / "qrels").unlink()
    with pytest.raises(InputError, match="leave: the package ir_datasets cannot read it"):
        bring("ir_datasets", "leave", tmp_path / "to")
