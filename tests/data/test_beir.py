"""Reading a BEIR folder: what is right comes in whole, what is wrong has file, line and remedy."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from evalkit.data import beir
from evalkit.errors import DataError
from tests.corpora import write_dataset


def findings(folder: Path) -> list[str]:
    """Return the findings as they are told, with the folder left out."""
    return [str(finding).removeprefix(f"{folder}/") for finding in beir.inspect(folder)[1]]


def test_a_sound_folder_comes_in_whole(tmp_path: Path) -> None:
    """Documents, queries with categories and judgments are all there, without a finding."""
    dataset = beir.load(write_dataset(tmp_path))

    assert len(dataset.corpus) == 6
    assert dataset.queries["q3"].category == "it"
    assert dataset.qrels.grade.tolist() == [3, 1, 3, 0, 3, 3, 0, 0]
    assert findings(tmp_path) == []


def test_compressed_files_are_read_alike(tmp_path: Path) -> None:
    """A corpus.jsonl.gz stands in for corpus.jsonl and has the digest of its content."""
    write_dataset(tmp_path)
    plain = beir.load(tmp_path)
    corpus = tmp_path / "corpus.jsonl"
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress(corpus.read_bytes()))
    corpus.unlink()

    assert beir.load(tmp_path).digests == plain.digests


BAD_LINES = {
    "broken JSON": ("corpus.jsonl", b"{broken", ":7: not a JSON object"),
    "a list": ("corpus.jsonl", b'["a list"]', ":7: not a JSON object"),
    "no id": ("corpus.jsonl", b'{"text": "x"}', ":7: no `_id`"),
    "a number as id": ("corpus.jsonl", b'{"_id": 7, "text": "x"}', ":7: `_id` is not a string: 7"),
    "id twice": ("corpus.jsonl", b'{"_id": "d1", "text": "x"}', ":7: the id 'd1' stands on an earlier line"),
    "empty document": ("corpus.jsonl", b'{"_id": "d7", "text": " "}', ":7: document 'd7' is empty"),
    "no text": ("corpus.jsonl", b'{"_id": "d7"}', ":7: no `text`"),
    "not UTF-8": ("corpus.jsonl", b'{"_id": "d7", "text": "\xff"}', ":7: byte 24 of the line is not UTF-8"),
    "empty query": ("queries.jsonl", b'{"_id": "q6", "text": ""}', ":6: query 'q6' is empty"),
    "query twice": ("queries.jsonl", b'{"_id": "q1", "text": "x"}', ":6: the id 'q1' stands on an earlier"),
    "unknown document": ("qrels/test.tsv", b"q1\td9\t1", ":10: a judgment names the unknown document 'd9'"),
    "unknown query": ("qrels/test.tsv", b"q9\td1\t1", ":10: a judgment names the unknown query 'q9'"),
    "fractional grade": ("qrels/test.tsv", b"q1\td3\t1.5", ":10: the grade '1.5' is no integer"),
    "judged twice": ("qrels/test.tsv", b"q1\td1\t3", ":10: document 'd1' is judged twice"),
    "no tabs": ("qrels/test.tsv", b"q1 d1 3", ":10: 1 columns instead of 3"),
}


@pytest.mark.parametrize("kind", BAD_LINES)
def test_a_bad_line_has_its_finding(tmp_path: Path, kind: str) -> None:
    """Each kind of bad line is found where it stands, with what it is."""
    name, line, told = BAD_LINES[kind]
    write_dataset(tmp_path)
    path = tmp_path / name
    path.write_bytes(path.read_bytes() + line + b"\n")

    assert [finding for finding in findings(tmp_path) if finding.startswith(name + told)]


def test_all_findings_come_at_once(tmp_path: Path) -> None:
    """One look tells what is wrong in all three files."""
    write_dataset(tmp_path, grades=[("q1", "d9", 1), ("q9", "d1", 1), ("q1", "d1", 3)])
    for name, line in (("corpus.jsonl", "{}\n"), ("queries.jsonl", "{}\n")):
        with (tmp_path / name).open("a") as file:
            file.write(line)

    with pytest.raises(DataError) as error:
        beir.load(tmp_path)

    assert {Path(finding.path).name for finding in error.value.findings} == {
        "corpus.jsonl",
        "queries.jsonl",
        "test.tsv",
    }


def test_a_byte_order_mark_and_crlf_are_read_and_told(tmp_path: Path) -> None:
    """Files from other systems are read right, with a warning for the next reader."""
    write_dataset(tmp_path)
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    assert len(beir.load(tmp_path).corpus) == 6
    assert findings(tmp_path) == [
        "corpus.jsonl:1: the file starts with a byte-order mark. Save it as UTF-8 without one",
        "corpus.jsonl: 6 lines end in CR LF. They are read; save the file with LF to be safe elsewhere",
    ]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A folder without judgments says which file it lacks."""
    write_dataset(tmp_path)
    (tmp_path / "qrels" / "test.tsv").unlink()

    assert findings(tmp_path) == ["qrels/test.tsv: there is no such file. A data set needs it: see the guide"]


def test_unjudged_queries_are_counted(tmp_path: Path) -> None:
    """A query without a qrels row is no error: it is told and takes no part."""
    write_dataset(tmp_path, grades=[("q1", "d1", 3)])

    assert "4 of 5 queries have no judgment" in findings(tmp_path)[0]


def test_excluded_documents_come_from_the_metadata(tmp_path: Path) -> None:
    """`metadata.excluded_ids` names what never becomes a candidate of that query."""
    write_dataset(tmp_path)
    with (tmp_path / "queries.jsonl").open("a") as file:
        file.write('{"_id": "q6", "text": "leave", "metadata": {"excluded_ids": ["d1", "d99"]}}\n')

    dataset, notes = beir.inspect(tmp_path)

    assert dataset is not None
    assert dataset.queries["q6"].excluded == ("d1", "d99")
    assert any("excludes the unknown document 'd99'" in note.what for note in notes)


def test_an_unknown_key_in_the_card_is_found_with_its_line(tmp_path: Path) -> None:
    """dataset.yaml is checked as strictly as the data."""
    write_dataset(tmp_path, card="name: small\nlicense: free\n")

    assert findings(tmp_path)[0].startswith("dataset.yaml:2: unknown key `license`")
