"""Findings in a CSV file name the line where the row begins, whatever stands above it."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.data.importers import Options, tabular
from evalkit.data.importers.bring import bring
from evalkit.errors import DataError

HEADER = '"query","doc_id","text","grade"'
SOUND = '"q","d{n}","text {n}","1"'
ROWS = {
    "sound": SOUND,
    "of several lines": '"q","d{n}","text\n\n""{n}"", and\nmore","1"',
    "blank": "",
    "short": '"q","d{n}"',
    "long and of two lines": '"q","d{n}","a\nb","1","2"',
    "with an open quote inside": 'q,d{n},5" disk {n},1',
    "of a strange grade": '"q","d{n}","text {n}","very\n{n}"',
}
WRONG = {
    "short": "2 columns instead of 4",
    "long and of two lines": "5 columns instead of 4",
    "of a strange grade": "is no whole number",
}


def findings(path: Path) -> list[tuple[int | None, str]]:
    """Return (line, what) of all that is told of a file."""
    with pytest.raises(DataError) as error:
        bring("csv", str(path), path.parent / "to")
    return [(one.line, one.what) for one in error.value.findings]


@settings(max_examples=80)
@given(st.lists(st.sampled_from(list(ROWS)), max_size=12), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_every_finding_names_the_line(kinds: list[str], ending: str, packed: bool) -> None:
    """Of rows too short, too long, or with a grade that means nothing; each is told once."""
    kinds = [*kinds, "short"]
    text, wanted = HEADER + ending, []
    for number, kind in enumerate(kinds):
        if kind in WRONG:
            wanted.append((text.count("\n") + 1, WRONG[kind]))
        text += ROWS[kind].format(n=number).replace("\n", ending) + ending
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("a.csv.gz" if packed else "a.csv")
        path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        found = [(line, what) for line, what in findings(path) if line is not None]

    assert len(found) == len(wanted)
    for line, told in wanted:
        assert any(line == where and told in what for where, what in found), (line, told, found)


def test_rows_beyond_the_first_block_are_counted_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that is left out in one block does not shift those of the next."""
    monkeypatch.setattr(tabular, "CSV_BLOCK", 256)
    rows = [SOUND.format(n=n) for n in range(100)]
    rows[3], rows[60] = '"q"', '"q","d60","text","what"'
    path = tmp_path / "a.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")

    assert [line for line, _ in findings(path) if line] == [5, 62]


def test_judgments_in_a_file_of_their_own_are_found_too(tmp_path: Path) -> None:
    """Documents and queries beside them."""
    (tmp_path / "c.csv").write_text('id,text\nd1,"one\ntwo"\n', "utf-8")
    (tmp_path / "q.csv").write_text("id,query\nq1,what\n", "utf-8")
    (tmp_path / "j.csv").write_text('query_id,doc_id,grade,note\nq1,d1,1,"a\nb"\n\nq1,d9,1,c\n', "utf-8")
    options = Options(corpus=tmp_path / "c.csv", queries=tmp_path / "q.csv")
    with pytest.raises(DataError) as error:
        bring("csv", str(tmp_path / "j.csv"), tmp_path / "to", options)

    assert [(one.line, "'d9'" in one.what) for one in error.value.findings] == [(5, True)]


def test_rows_before_a_byte_that_is_not_utf8_are_looked_at(tmp_path: Path) -> None:
    """What is wrong above it is told with it, and the header is not taken for missing."""
    path = tmp_path / "a.csv"
    path.write_bytes(f"{HEADER}\n".encode() + b'"q"\n"q","d1","tw\xff","1"\n')
    (tmp_path / "header").mkdir()
    odd = tmp_path / "header" / "b.csv"
    odd.write_bytes(b"query,doc\xff,text,grade\n")

    assert (3, "a byte is not UTF-8") in findings(path)
    assert any(line == 2 and "1 columns instead of 4" in what for line, what in findings(path))
    assert (1, "a byte is not UTF-8") in findings(odd)
