"""Any bytes, any values: readers give what is there or findings, and never a traceback."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.data import beir, qrels
from evalkit.data.importers import Options
from evalkit.data.importers.bring import bring
from evalkit.errors import EvalkitError
from tests.corpora import write_dataset

relaxed = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
told = texts.filter(str.strip)
words = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


CELLS = ["q1", "d1", "1", "-2", "1.5", "", " ", "q 1", "é", "\x00", "99999999999"]


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of its own for each example."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@relaxed
@given(
    st.lists(
        st.lists(
            st.sampled_from(CELLS),
            max_size=4,
        ),
        max_size=6,
    ),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
    st.booleans(),
)
def test_judgments_are_read_alike_at_once_and_line_by_line(
    rows: list[list[str]], ending: str, header: bool
) -> None:
    """The fast way takes what the careful one takes, and gives the same rows and lines."""
    text = ("query-id\tcorpus-id\tscore\n" if header else "") + "".join(
        "\t".join(row) + ending for row in rows
    )
    with folder() as place:
        path = place / "test.tsv"
        path.write_text(text, "utf-8", newline="")
        fast = qrels.read_rows(path)
        with mock.patch.object(qrels, "_parse", lambda *_: None):
            careful = qrels.read_rows(path)

    for name in ("query", "doc"):
        assert getattr(fast, name).to_pylist() == getattr(careful, name).to_pylist(), name
    for name in ("grade", "line"):
        assert getattr(fast, name).tolist() == getattr(careful, name).tolist(), name


@relaxed
@given(
    st.dictionaries(words, st.tuples(texts, told), min_size=1, max_size=4),
    st.dictionaries(words, told, min_size=1, max_size=4),
    st.integers(-2, 5),
)
def test_any_collection_round_trips(documents: dict[str, Any], queries: dict[str, str], grade: int) -> None:
    """Ids of any letters and signs, texts of any characters: what was written is what is read."""
    with folder() as place:
        write_dataset(place, grades=[(q, d, grade) for q in queries for d in documents])
        lines = [
            json.dumps({"_id": i, "title": title, "text": text}) for i, (title, text) in documents.items()
        ]
        (place / "corpus.jsonl").write_text("\n".join(lines) + "\n")
        lines = [json.dumps({"_id": i, "text": text}) for i, text in queries.items()]
        (place / "queries.jsonl").write_text("\n".join(lines) + "\n")
        dataset = beir.load(place)
        done = bring("beir", str(place), place / "dest", Options(alike="keep"))
        again = beir.load(done.folder)

    assert {i: (one.title, one.text) for i, one in dataset.corpus.items()} == documents
    assert {i: one.text for i, one in dataset.queries.items()} == queries
    assert dataset.qrels.grade.tolist() == [grade] * (len(queries) * len(documents))
    assert again.corpus == dataset.corpus
    assert again.digests["qrels"] == dataset.digests["qrels"]


@relaxed
@given(st.lists(st.tuples(told, told, st.integers(0, 3)), min_size=1, max_size=5))
def test_any_spreadsheet_is_counted_whole(rows: list[tuple[str, str, int]]) -> None:
    """Cells with quotes, commas, line ends: every row is in the books."""
    with folder() as place:
        with (place / "a.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            writer.writerow(["query", "text", "grade"])
            writer.writerows(rows)
        done = bring("csv", str(place / "a.csv"), place / "dest", Options(several="max", alike="keep"))
        dataset = beir.load(done.folder)

    assert done.accounts["ratings"].read == len(rows)
    assert all(account.balanced for account in done.accounts.values())
    assert {one.text for one in dataset.queries.values()} <= {query for query, _, _ in rows}


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv", "dataset.yaml"])
@relaxed
@given(st.binary(max_size=200) | texts.map(str.encode))
def test_any_bytes_in_any_file_are_read_or_told(name: str, content: bytes) -> None:
    """A data set comes out, or findings; nothing else."""
    with folder() as place:
        write_dataset(place)
        (place / name).write_bytes(content)
        dataset, findings = beir.inspect(place)

    assert dataset is not None
    assert all(finding.what and finding.remedy for finding in findings)


SHAPES: dict[str, Any] = {
    "quepid": lambda v: {
        "query_doc_pairs": [{"query_text": v, "doc_id": v, "document_fields": v, "judgements": v}]
    },
    "opensearch": lambda v: {"judgmentRatings": v, "querySetQueries": v},
    "elasticsearch": lambda v: {"requests": [{"id": v, "request": v, "params": v, "ratings": v}, v]},
    "ragas": lambda v: [{"user_input": v, "reference_contexts": v, "reference_context_ids": v}, v],
    "deepeval": lambda v: [{"input": v, "context": v}],
    "ranx": lambda v: {"q1": v, "q2": {"d1": v}},
    "csv": lambda v: [{"query": v, "doc_id": v, "text": v, "grade": v, "category": v, "metadata": v}],
}


@pytest.mark.parametrize("form", SHAPES)
@relaxed
@given(values)
def test_any_value_anywhere_is_imported_or_told(form: str, value: Any) -> None:
    """JSON of the right shape with anything in its places: a valid data set, or findings."""
    with folder() as place:
        write_dataset(place / "texts")
        source = place / "source.json"
        source.write_text(json.dumps(SHAPES[form](value)))
        corpus, queries = place / "texts" / "corpus.jsonl", place / "texts" / "queries.jsonl"
        needs = form in ("ranx", "opensearch", "elasticsearch")
        options = Options(corpus=corpus if needs else None, queries=queries if form == "ranx" else None)
        try:
            done = bring(form, str(source), place / "dest", options)
        except EvalkitError:
            assert not (place / "dest").exists()
        else:
            beir.load(place / "dest")
            assert all(account.balanced for account in done.accounts.values())
