"""Halves of surrogate pairs: read as U+FFFD in every way, the same each time, and told once a file."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from evalkit.data import beir
from evalkit.data.halves import whole
from evalkit.data.importers.bring import bring
from evalkit.data.importers.options import Options
from tests.corpora import write_dataset

# Pieces of text, and of JSON's own escapes, that halves could be mistaken in.
TEXTS = st.lists(
    st.sampled_from(["\ud83d", "\ude00", "\U0001f600", "\\", "\\ud83d", '"', "\n", "é", "u", "d83d", "\\u"])
).map("".join)


@given(TEXTS)
def test_only_halves_are_replaced(text: str) -> None:
    """Python's decoder, which keeps halves, says where they are: these become U+FFFD, nothing else."""
    raw = json.dumps({"text": text}).encode()
    kept = json.loads(raw)["text"]
    mended, n = whole(raw)

    assert json.loads(mended)["text"] == re.sub("[\ud800-\udfff]", "\ufffd", kept)
    assert n == len(re.findall("[\ud800-\udfff]", kept))


def broken(folder: Path) -> Path:
    """Write a data set with two halves in documents and one in a query."""
    write_dataset(folder, grades=[("q1", "d1", 1)])
    with (folder / "corpus.jsonl").open("a", encoding="utf-8") as corpus:
        corpus.write('{"_id": "h1", "text": "cut \\ud83d", "metadata": {"by": "\\udc00"}}\n')
    with (folder / "queries.jsonl").open("a", encoding="utf-8") as queries:
        queries.write('{"_id": "h2", "text": "\\ud83d what"}\n')
    return folder


def test_a_data_set_is_read_and_the_lines_are_named(tmp_path: Path) -> None:
    """One warning a file with its count; the digest is that of the file as it stands."""
    dataset, findings = beir.inspect(broken(tmp_path))

    assert dataset is not None
    assert dataset.corpus["h1"].text == "cut \ufffd"
    assert dataset.corpus["h1"].metadata == {"by": "\ufffd"}
    assert dataset.queries["h2"].text == "\ufffd what"
    told = [str(one) for one in findings if "surrogate" in one.what]
    assert [one.severity for one in findings if "surrogate" in one.what] == ["warning", "warning"]
    assert "corpus.jsonl:7: 2 halves of surrogate pairs on line 7, which is no character" in told[0]
    assert "queries.jsonl:6: 1 half of a surrogate pair on line 6" in told[1]
    digest = hashlib.sha256((tmp_path / "corpus.jsonl").read_bytes()).hexdigest()
    assert dataset.digests["corpus"] == digest


def test_an_import_writes_the_sign_in_its_place(tmp_path: Path) -> None:
    """What was imported has no halves any more, and the import says how many there were."""
    done = bring("beir", str(broken(tmp_path / "from")), tmp_path / "to", Options())
    dataset, findings = beir.inspect(tmp_path / "to")

    assert dataset is not None
    assert (dataset.corpus["h1"].text, dataset.queries["h2"].text) == ("cut \ufffd", "\ufffd what")
    assert sum("surrogate" in one.what for one in done.findings) == 2
    assert not any("surrogate" in one.what for one in findings)
