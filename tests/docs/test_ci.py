"""The guide to CI: its suite is one, and the commands of its workflow run as they stand."""

from __future__ import annotations

import re
import shlex
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

from evalkit import suite as suites
from tests.conftest import Cli
from tests.corpora import SUITE, write_dataset, write_suite

GUIDE = (Path(__file__).parents[2] / "docs" / "guide" / "ci.md").read_text("utf-8")
BLOCKS = dict(re.findall(r"^```yaml ([^\n]+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL))


def test_the_gate_of_the_guide_is_one(tmp_path: Path) -> None:
    """Every key of the example is known, and the margin is the one that it says."""
    suite = suites.load(write_suite(tmp_path, SUITE + BLOCKS["gate"]))

    assert suite.gate_margin == 0.02


def test_the_workflow_gates_two_runs(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The evalkit commands of the workflow run in their order on a checkout of both branches."""
    monkeypatch.chdir(tmp_path)
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    for folder in ("search", "base/search"):
        write_suite(write_dataset(Path(folder)), SUITE + "gate: {margin: 0.02}\n")
    steps = yaml.safe_load(BLOCKS[".github/workflows/search.yaml"])["jobs"]["gate"]["steps"]
    commands = [line for step in steps for line in step.get("run", "").splitlines() if "evalkit " in line]
    for line in commands:
        if line.startswith("evalkit "):
            told = cli(*shlex.split(line)[1:])
            assert told.code == 0, (line, told)

    assert [line.split()[1] for line in commands] == ["run", "run", "gate"]
    assert "Gate open: held" in summary.read_text("utf-8")
    assert ET.parse("gate.xml").getroot().attrib["failures"] == "0"
