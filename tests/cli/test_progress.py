"""Progress on standard error: quiet on quick work, told where it lasts, never more than all."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.cli import progress
from evalkit.data import beir
from tests.corpora import write_dataset


def test_reading_is_told_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step tells what is done of all; the figures only grow and never pass the whole."""
    folder = write_dataset(tmp_path, documents={f"d{n}": "word " * 400 for n in range(3000)}, grades=[])
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(progress, "_lines", lambda _: lambda done, total: told.append((done, total)))
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
