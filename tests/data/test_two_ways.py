"""Blocks decoded at once and lines looked at one by one: the same data, the same findings."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evalkit.data import beir, files, lines
from evalkit.data.corpus import LINE, Corpus
from evalkit.data.importers import Options
from evalkit.data.importers import beir as importer
from evalkit.data.importers.bring import bring
from evalkit.data.importers.options import Twice
from evalkit.data.lines import Block, Lines, at_once
from evalkit.documents import Document
from evalkit.errors import DataError
from tests.corpora import write_dataset

ids = st.sampled_from(["d1", "d2", "q1", "é", "", " d1", "d 1", "a\tb", 7, None])
strings = st.sampled_from(
    ["", " ", "Leave of absence.", "Ürlaub\n{\n}", "\u2028", 'a "quoted" }{ word', None, 3]
)
fields = st.sampled_from([None, {}, {"body": "Text", "n": 1e9}, [1]])
objects = st.fixed_dictionaries(
    {},
    optional={
        "_id": ids,
        "text": strings,
        "title": strings,
        "fields": fields,
        "metadata": fields,
        "more": fields,
    },
)
sound = st.builds(lambda n: {"_id": f"d{n}", "text": f"text {n}", "title": "Title"}, st.integers(0, 30))
WRITTEN = (objects | sound).map(lambda one: json.dumps(one, ensure_ascii=False).encode())
BROKEN = st.sampled_from(
    [
        b"", b" ", b"{", b"}", b"{}{}", b'{"_id": "x", "text": "a"} {"_id": "y", "text": "b"}', b'{"_id":',
        b'"z", "text": "c"}', b'{"_id": "m", "metadata": {', b'"a": {}', b'}, "text": "d"}', b"[1]", b"\xff",
        b'{"_id": "u", "text": "\xff"}', b'{"_id": "s", "text": "\\ud800"}',
        b'{"_id": "\\udc00", "text": "\\ud83d"}',
        b' {"_id": "i", "text": "e"} ',
        b"\xef\xbb\xbf", b'{"_id": "n", "text": "f", "metadata": {"big": 1e999}}', b"\x00", b"{" * 2000,
        b'{"_id": "c", "text": "g"}\r', b'{"_id": "long", "text": "' + b"x" * 400 + b'"}',
    ]
)  # fmt: skip
FILES = st.tuples(
    st.lists(WRITTEN | BROKEN, max_size=12),
    st.sampled_from([b"\n", b"\r\n"]),
    st.sampled_from([b"", b"\n", b"\n\n"]),
).map(lambda parts: parts[1].join(parts[0]) + parts[2])
spaced = st.builds(
    lambda one, space: json.dumps(one, separators=(",", f":{space}")).encode(),
    sound,
    st.sampled_from(["", " "]),
)
SOUND = st.lists(spaced | st.sampled_from([b"", b" "]), max_size=12).map(b"\n".join)
thorough = settings(max_examples=150)


@contextmanager
def small_blocks(one_by_one: bool) -> Iterator[Path]:
    """A folder, where blocks are so small that a file has several, and lines soon too long."""
    with ExitStack() as stack:
        for module, name, value in ((files, "BLOCK", 64), (lines, "PART", 40), (lines, "MAX_LINE", 300)):
            stack.enter_context(mock.patch.object(module, name, value))
        if one_by_one:
            for module in (lines, beir, importer):
                stack.enter_context(mock.patch.object(module, "at_once", lambda *_: None))
        yield Path(stack.enter_context(tempfile.TemporaryDirectory()))


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl"])
@thorough
@example(content=b'{"_id": "x", "text": "a"} {"_id":\n"z", "text": "c"}\n')
@example(content=b'{"_id": "m", "metadata": {"a": {}\n}, "text": "d"}\n')
@given(content=FILES)
def test_both_ways_read_the_same(name: str, content: bytes) -> None:
    """Documents, queries, judgments, digests and findings, from files that are sound, dirty, or neither."""
    found = []
    for one_by_one in (False, True):
        with small_blocks(one_by_one) as folder:
            write_dataset(folder)
            (folder / name).write_bytes(content)
            dataset, findings = beir.inspect(folder)
        assert dataset is not None
        told = sorted((Path(one.path).name, one.line or 0, one.what, one.severity) for one in findings)
        found.append(
            (
                list(dataset.corpus.items()),
                dataset.queries,
                dataset.qrels.grade.tolist(),
                dataset.digests,
                told,
            )
        )

    assert found[0] == found[1]


@thorough
@given(FILES | SOUND, st.sampled_from([None, "first", "last"]))
def test_both_ways_import_the_same(content: bytes, twice: Twice | None) -> None:
    """The same files byte for byte, the same books, or the same findings."""
    found = []
    for one_by_one in (False, True):
        with small_blocks(one_by_one) as folder:
            write_dataset(folder / "from")
            with (folder / "from" / "corpus.jsonl").open("ab") as corpus:
                corpus.write(content)
            try:
                done = bring("beir", str(folder / "from"), folder / "to", Options(twice=twice, alike="merge"))
            except DataError as error:
                told, written = error.findings, []
            else:
                told = done.findings
                names = ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")
                written = [done.accounts, *((done.folder / name).read_bytes() for name in names)]
            found.append((sorted((one.line or 0, one.what) for one in told), written))

    assert found[0] == found[1]


@thorough
@given(FILES)
def test_what_is_decoded_at_once_is_what_each_line_holds(content: bytes) -> None:
    """Whatever stands in a block: either each line is one value, or lines are looked at one by one."""
    with small_blocks(False) as folder:
        path = folder / "any.jsonl"
        path.write_bytes(content)
        for block in Lines(path, lambda _: None).blocks():
            values = at_once(block, LINE)
            if values is not None:
                assert values == [LINE.decode(line) for line in block.content.split(b"\n")[:-1]]


def test_a_collection_kept_as_lines_is_a_mapping() -> None:
    """By id, in order, with values and items, of documents from several blocks."""
    documents = [Document(f"d{n}", "", f"text {n}") for n in range(6)]
    corpus = Corpus()
    for some in (documents[:2], documents[2:3], documents[3:]):
        content = b"".join(msgspec.json.encode(one) + b"\n" for one in some)
        assert corpus.add(Block.of(1, content), [one.id for one in some])

    assert list(corpus) == [one.id for one in documents]
    assert [corpus[one.id] for one in documents] == documents == list(corpus.values())
    assert dict(corpus.items()) == dict(corpus) == {one.id: one for one in documents}
    assert "d5" in corpus and "d6" not in corpus
    with pytest.raises(KeyError):
        corpus["d6"]


def test_a_block_with_an_id_that_is_taken_leaves_no_trace() -> None:
    """Whether the id is another block's or stands twice in its own, the collection stays as it was."""
    corpus = Corpus()
    first, second = (Block.of(1, msgspec.json.encode(Document(i, "", "text")) + b"\n") for i in "ab")
    corpus.add(first, ["a"])

    assert not corpus.add(second, ["b", "a"])
    assert not corpus.add(second, ["b", "b"])
    assert list(corpus) == ["a"]
    assert corpus.add(second, ["b"])
    assert corpus["b"].id == "b"
