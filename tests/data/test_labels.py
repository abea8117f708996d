"""Labels into a data set: merged, with provenance, never against what is there without being told to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalkit.data import beir
from evalkit.data.importers import Options
from evalkit.data.labels import merge
from evalkit.errors import DataError
from tests.conftest import Cli
from tests.corpora import GRADES, write_dataset
from tests.data.importers.samples import write_csv

HEADER = ["query_id", "doc_id", "query", "document", "category", "grade"]


def grades(folder: Path) -> dict[tuple[str, str], int]:
    """Return the judgments of the data set."""
    qrels = beir.load(folder).qrels
    names = qrels.query_ids.to_pylist(), qrels.doc_ids.to_pylist()
    columns = zip(qrels.query.tolist(), qrels.doc.tolist(), qrels.grade.tolist(), strict=True)
    return {(names[0][q], names[1][d]): g for q, d, g in columns}


def log(path: Path, *labels: tuple[str, str, Any, str]) -> str:
    """Write the log of a session."""
    lines = [
        {"query_id": q, "doc_id": d, "grade": g, "rater": r, "at": f"2026-01-01T00:00:0{n}+00:00", "how": "x"}
        for n, (q, d, g, r) in enumerate(labels)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


BEFORE = {(q, d): g for q, d, g in GRADES}


def test_a_filled_in_pool_is_merged(tmp_path: Path) -> None:
    """New grades are added, empty ones are not, the others stay, and who, when and how is kept."""
    folder = write_dataset(tmp_path / "set")
    rows: list[list[object]] = [["q1", "d4", "?", "'=SUM", "", 2], ["q1", "d5", "?", "text", "", ""]]
    done = merge(write_csv(tmp_path / "pool.csv", HEADER, rows), folder, "ann")
    kept = [json.loads(line) for line in (folder / "qrels" / "labels.jsonl").read_text().splitlines()]

    assert grades(folder) == BEFORE | {("q1", "d4"): 2}
    assert done.new == 1
    assert done.account.left_out == {"not rated": 1}
    assert [(one["doc_id"], one["grade"], one["rater"], one["how"]) for one in kept] == [
        ("d4", 2, "ann", "file csv"),
        ("d5", None, "ann", "file csv"),
    ]


def test_a_label_against_a_judgment_is_refused(tmp_path: Path) -> None:
    """The data set is left as it was, and the option is named."""
    folder = write_dataset(tmp_path / "set")
    source = log(tmp_path / "a.jsonl", ("q1", "d1", 0, "ann"))
    with pytest.raises(DataError, match=r"a.jsonl:1: document 'd1' has several grades .* Say --several"):
        merge(source, folder, "ann")

    assert grades(folder) == BEFORE
    assert not (folder / "qrels" / "labels.jsonl").exists()


@pytest.mark.parametrize(("how", "grade"), [("first", 3), ("last", 0), ("max", 3), ("mean", 2)])
def test_a_label_against_a_judgment_is_settled_as_told(tmp_path: Path, how: Any, grade: int) -> None:
    """What the data set has, the new one, or something of both: only when told so."""
    folder = write_dataset(tmp_path / "set")
    merge(log(tmp_path / "a.jsonl", ("q1", "d1", 0, "ann")), folder, "ann", Options(several=how))

    assert grades(folder)["q1", "d1"] == grade


def test_the_last_word_of_a_rater_counts(tmp_path: Path) -> None:
    """A rater who thinks again, or takes a grade back, contradicts nobody."""
    folder = write_dataset(tmp_path / "set")
    source = log(
        tmp_path / "a.jsonl",
        ("q1", "d4", 1, "ann"), ("q1", "d4", 2, "ann"), ("q1", "d5", 1, "ann"), ("q1", "d5", None, "ann"),
    )  # fmt: skip
    done = merge(source, folder, "ann")

    assert grades(folder) == BEFORE | {("q1", "d4"): 2}
    assert done.account.left_out == {"replaced by the same rater later": 2, "not rated": 1}


def test_two_raters_have_an_agreement(tmp_path: Path) -> None:
    """The data set's own judgments are nobody's and do not count in it."""
    folder = write_dataset(tmp_path / "set")
    labels = [("q1", f"d{n}", n % 2, rater) for rater in ("ann", "bob") for n in (3, 4, 5, 6)]
    done = merge(log(tmp_path / "a.jsonl", *labels), folder, "x")

    assert done.agreement is not None
    assert (done.agreement.alpha, done.agreement.n, done.agreement.raters) == (1.0, 4, 2)


def test_merging_twice_changes_nothing(tmp_path: Path) -> None:
    """The same labels again: the same judgments, the same provenance."""
    folder = write_dataset(tmp_path / "set")
    source = log(tmp_path / "a.jsonl", ("q1", "d4", 1, "ann"))
    merge(source, folder, "ann")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    done = merge(source, folder, "ann")

    assert done.new == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("label", "told"),
    [
        (("q9", "d1", 1, "ann"), "unknown query 'q9'"),
        (("q1", "d99", 1, "ann"), "unknown document 'd99'"),
        (("q1", "d4", "good", "ann"), "'good', which is no whole number"),
        (("q1", "d4", 7, "ann"), "1 rating is 7, outside 0 to 3"),
    ],
)
def test_labels_that_fit_nothing_are_refused(
    tmp_path: Path, label: tuple[str, str, Any, str], told: str
) -> None:
    """Unknown ids, words, and grades that the data set does not declare."""
    folder = write_dataset(tmp_path / "set", card="grades: {0: wrong, 3: right}\n")
    with pytest.raises(DataError, match=told):
        merge(log(tmp_path / "a.jsonl", label), folder, "ann")


def test_the_command_tells_what_is_new(cli: Cli, tmp_path: Path) -> None:
    """`evalkit import labels FILE DATASET`."""
    folder = write_dataset(tmp_path / "set")
    told = cli("import", "labels", log(tmp_path / "a.jsonl", ("q1", "d4", 1, "ann")), folder)

    assert told.code == 0, told
    assert "1 judgment is new" in told.out
    assert cli("check", folder).code == 0
