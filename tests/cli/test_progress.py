"""Progress on standard error: quiet on quick work, told where it lasts, never more than all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from evalkit.cli import progress
from evalkit.data import beir
from evalkit.pipelines.ports import Answer, Request, Usage
from evalkit.providers.base import RERANKERS
from tests.conftest import Cli
from tests.corpora import SUITE, write_dataset, write_suite
from tests.report.small import SharedWords


def test_reading_is_told_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step tells what is done of all; the figures only grow and never pass the whole."""
    folder = write_dataset(tmp_path, documents={f"d{n}": "word " * 400 for n in range(3000)}, grades=[])
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(progress, "_lines", lambda *_: lambda done, total: told.append((done, total)))
    with progress.reading("reading", folder):
        beir.inspect(folder)

    assert told == sorted(told)
    assert all(done <= total for done, total in told)
    assert told[-1][0] == 5


def test_quick_work_says_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A small data set is read without a word."""
    with progress.reading("reading", write_dataset(tmp_path)):
        beir.inspect(tmp_path)

    assert capsys.readouterr().err == ""


def test_a_line_tells_pace_spend_and_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal: the stage, done of total, rate, time left and what was billed, on one line."""
    usage = Usage(units=61, usd=0.122)
    watch = progress.Display()
    update = watch("v4: queries", usage)
    progress_of = progress.pace(61, 312, 82.0, usage)

    update(1, 312)
    assert capsys.readouterr().err == "", "quick work says nothing"
    assert progress_of == "61 of 312, 0.744 a second, about 5:37 left, 61 search units, $0.12"


def test_lines_come_now_and_then(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A line comes when the pause is over, and none at the end of a stage."""
    monkeypatch.setattr(progress, "PAUSE", 0.0)
    update = progress.Display()("bm25")
    update(1, 2)
    update(2, 2)
    lines = capsys.readouterr().err.splitlines()

    assert len(lines) == 1
    assert lines[0].startswith("bm25: 1 of 2")


class Interrupted(SharedWords):
    """A reranker during whose third answer the user presses Ctrl-C."""

    def rerank(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """Answer two requests."""
        yield from super().rerank(requests[:2])
        raise KeyboardInterrupt


def test_ctrl_c_says_where_it_stopped_what_was_kept_and_how_to_go_on(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_cache: Path
) -> None:
    """Exit 130, one sentence without a traceback, and no run directory that looks finished."""
    monkeypatch.setitem(RERANKERS._things, "test/interrupted", Interrupted)
    suite = write_suite(
        write_dataset(tmp_path / "small"),
        SUITE.replace("local/late-interaction", "test/interrupted").replace("local/minilm-l6", "bm25"),
    )
    told = cli("run", suite, "--out", tmp_path / "out")

    assert told.code == 130
    assert "Interrupted at test/interrupted: queries, 2 of 4." in told.err
    assert str(own_cache) in told.err
    assert "Traceback" not in told.err
    assert not (tmp_path / "out" / "run.json").exists()
