"""TREC files: fast where they are regular, right where they are not, and findings where they are wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.data import trec
from evalkit.data.blocks import border
from evalkit.data.sources import qrels_from
from evalkit.data.trec import judge_run, read_qrels, read_run
from evalkit.errors import DataError, InputError
from evalkit.measures import judge
from evalkit.records import Run

IDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=20)


def rows(run: Run) -> list[tuple[str, str, float]]:
    """Return a run's rows as Python has them."""
    queries, docs = run.query_ids.to_pylist(), run.doc_ids.to_pylist()
    return [(queries[q], docs[d], s) for q, d, s in zip(run.query, run.doc, run.score.tolist(), strict=True)]


@settings(max_examples=80)
@given(
    given_rows=st.lists(st.tuples(IDS, IDS, st.floats(allow_nan=False)), max_size=30),
    blank=st.sampled_from([" ", "\t", "  ", "\t  ", " \t"]),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.booleans(),
)
def test_a_written_run_is_read_back(
    tmp_path_factory: pytest.TempPathFactory,
    given_rows: list[tuple[str, str, float]],
    blank: str,
    end: str,
    last: bool,
) -> None:
    """Ids and scores come back as they were written, with whichever blanks and line ends."""
    path = tmp_path_factory.mktemp("run") / "x.trec"
    text = end.join(blank.join([q, "Q0", d, "1", repr(s), "tag"]) for q, d, s in given_rows) + end * last
    path.write_bytes(text.encode())

    assert rows(read_run(path)) == given_rows


@pytest.mark.parametrize("size", [64, 300, 5_000, 1 << 20])
@pytest.mark.parametrize("shuffled", [False, True])
def test_block_by_block_equals_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, shuffled: bool
) -> None:
    """A run joined in blocks of any size equals the run joined as a whole, grouped by query or not."""
    rng = np.random.default_rng(5)
    lines = [
        f"q{q} Q0 d{d} 0 {rng.integers(0, 9) / 4} t"
        for q in range(23)
        for d in rng.permutation(60)[: q * 2 + 1]
    ]
    if shuffled:
        lines = [lines[i] for i in rng.permutation(len(lines))]
    (tmp_path / "run").write_text("\n".join(lines) + "\n", "utf-8")
    judged_pairs = [(q, d) for q in range(1, 26) for d in rng.permutation(60)[:9]]
    (tmp_path / "qrels").write_text("".join(f"q{q} 0 d{d} {(q + d) % 4}\n" for q, d in judged_pairs), "utf-8")
    qrels = read_qrels(tmp_path / "qrels")
    real = trec.over_blocks
    monkeypatch.setattr(trec, "over_blocks", lambda *given: real(*given, size))

    for few in (False, True):
        wanted = judge(read_run(tmp_path / "run"), qrels, judged_rows_only=few)
        got = judge_run(tmp_path / "run", qrels, judged_rows_only=few)
        for name in ("offsets", "row", "rank", "score", "grade", "judged", "retrieved", "ideal"):
            np.testing.assert_array_equal(getattr(got, name), getattr(wanted, name), name)
        assert (got.tied_queries, got.unjudged_queries) == (wanted.tied_queries, wanted.unjudged_queries)


@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=8), tail=st.integers(0, 30))
def test_blocks_end_where_the_query_changes(sizes: list[int], tail: int) -> None:
    """The border is the first line of the last whole line's query."""
    text = b"".join(b"q%d x\n" % i * size for i, size in enumerate(sizes))
    begins = text.rfind(b"\n", 0, text.find(b"q%d " % (len(sizes) - 1))) + 1

    assert border(bytearray(text + b"z" * tail), len(text) + tail, b" ") == begins


def test_gzip(tmp_path: Path) -> None:
    """A gzipped file is read as the plain one, whole and in blocks."""
    (tmp_path / "a.trec").write_text("q Q0 d 1 2.5 t\nq Q0 e 1 1.5 t\n", "utf-8")
    with gzip.open(tmp_path / "b.trec.gz", "wb") as file:
        file.write((tmp_path / "a.trec").read_bytes())
    (tmp_path / "qrels.gz").write_bytes(gzip.compress(b"q 0 e 3\n"))
    qrels = read_qrels(tmp_path / "qrels.gz")

    assert rows(read_run(tmp_path / "b.trec.gz")) == rows(read_run(tmp_path / "a.trec"))
    assert judge_run(tmp_path / "b.trec.gz", qrels).grade.tolist() == [0, 3]
    assert read_run(tmp_path / "b.trec.gz").name == "b"


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_gzip_file_that_was_cut_off_is_named(tmp_path: Path, kept: float) -> None:
    """A download that broke is the user's error with the file's name, for runs and judgments."""
    rng = np.random.default_rng(1)
    whole = gzip.compress(
        "".join(f"q 0 d{i} {rng.integers(9)} {rng.random()} t\n" for i in range(9_000)).encode()
    )
    path = tmp_path / "cut.gz"
    path.write_bytes(whole[: int(kept * len(whole))] or b"no gzip")

    for read in (read_run, read_qrels, lambda path: judge_run(path, qrels_from({"q": {"d1": 1}}))):
        with pytest.raises(InputError, match=r"cut\.gz: it cannot be read: "):
            read(path)


def test_all_findings_with_their_lines(tmp_path: Path) -> None:
    """Every line that is no result is told at once, with its line and what to write."""
    path = tmp_path / "run"
    path.write_bytes(b"q Q0 d 1 2.5 t\n\nq Q0 e 1\nq Q0 f 1 high t\nq Q0 \xff 1 1.0 t\n")

    with pytest.raises(DataError) as caught:
        read_run(path)

    assert [finding.line for finding in caught.value.findings] == [3, 4, 5]
    assert "query q0 doc rank score tag" in str(caught.value)


@pytest.mark.parametrize("grade", ["1.5", "high", "99999999999", "1_0"])
def test_a_grade_is_a_whole_number(tmp_path: Path, grade: str) -> None:
    """A grade that is no whole number, or none that can be kept, is refused with its line."""
    path = tmp_path / "qrels"
    path.write_text(f"q 0 d 1\nq 0 e {grade}\n", "utf-8")

    with pytest.raises(DataError, match=r"qrels:2: "):
        read_qrels(path)


@pytest.mark.parametrize("lines", ["q 0 d 1\nq 0 e 0\nq 0 d 1\n", "q 0 d 1\n\nq\t0 d 1\n"])
def test_a_pair_judged_twice_is_refused(tmp_path: Path, lines: str) -> None:
    """Two grades for one pair are refused with the line of the second, blank lines counted."""
    path = tmp_path / "qrels"
    path.write_text(lines, "utf-8")

    with pytest.raises(DataError, match=r"qrels:3: query q has another grade for document d"):
        read_qrels(path)


def test_a_document_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    """In a run read block by block, the duplicate's line is that of the file."""
    path = tmp_path / "run"
    path.write_text("p Q0 d 1 1 t\n\nq Q0 d 1 3 t\nq Q0 e 2 2 t\nq Q0 d 3 1 t\n", "utf-8")
    (tmp_path / "qrels").write_text("q 0 e 1\n", "utf-8")

    with pytest.raises(DataError, match=r"run:5: query q holds document d again: it is on line 3"):
        judge_run(path, read_qrels(tmp_path / "qrels"))


def test_no_such_file(tmp_path: Path) -> None:
    """A missing file is the user's error, in one line."""
    with pytest.raises(InputError, match="there is no such file"):
        read_run(tmp_path / "none")
