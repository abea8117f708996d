"""The guide to the report: its commands run, its Python runs, and it names what there is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from evalkit.report.section import in_order
from evalkit.report.tables import TABLES
from tests.conftest import Cli
from tests.corpora import SUITE, write_dataset, write_suite

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "report.md").read_text("utf-8")


def test_its_commands_and_its_python_run(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of the guide exits 0 on a run of the folder that it names; so does its notebook."""
    suite = write_suite(write_dataset(tmp_path / "small"), SUITE)
    monkeypatch.chdir(tmp_path)
    cli("run", suite, "--out", "runs/today")
    commands = re.findall(r"^    evalkit (.*?)(?:\s+#.*)?$", GUIDE, re.MULTILINE)
    for command in commands:
        told = cli(*shlex.split(command.replace("q-041", "q1")))
        assert told.code == 0, (command, told)
    exec(compile(re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)[0], "guide", "exec"), {})  # noqa: S102  ours

    assert len(commands) == 3


def test_it_names_every_section_and_table() -> None:
    """A section or table that is added is explained too."""
    told = GUIDE.lower().replace("_", " ")
    first_words = [section.title.split()[0].lower() for section in in_order()]
    tables = [name.replace("_", " ") for name in TABLES]

    assert [word for word in [*first_words, *tables] if word not in told] == []
