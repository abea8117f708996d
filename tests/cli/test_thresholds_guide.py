"""Every command of docs/guide/thresholds.md runs as it stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import evalkit
from evalkit.experiment.run import Options, run
from evalkit.thresholds.goals import CRITERIA, LOSSES
from tests.cli.test_calibrate import table
from tests.cli.test_thresholds import SUITE as COHERE
from tests.conftest import Cli
from tests.corpora import SUITE, write_dataset, write_suite

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "thresholds.md"
COMMANDS = [
    line.strip().split("#")[0].strip()
    for line in GUIDE.read_text("utf-8").splitlines()
    if line.startswith("    evalkit ")
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the guide's reader has, of small size: run directories, scores, a data set."""
    here = tmp_path_factory.mktemp("guide")
    small = write_suite(write_dataset(here / "small"), SUITE)
    cohere = write_suite(write_dataset(here / "cohere"), COHERE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVALKIT_CACHE", str(here / "cache"))
        evalkit.run(small, here / "runs" / "handbook")
        run(cohere, here / "runs" / "cohere", Options(sandbox=True))
    frame = table({"how-to": 60, "lookup": 60})
    frame["predicted"] = np.where(frame["category"] == "lookup", "lookup", "how-to")
    frame.to_csv(here / "scores.csv", index=False)
    (here / "datasets").mkdir()
    (here / "datasets" / "handbook").symlink_to(here / "small")
    return here


def test_the_guide_has_commands() -> None:
    """The list is read from the guide's own lines."""
    assert len(COMMANDS) >= 10


def test_every_command_of_the_guide_runs(cli: Cli, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the page, as later ones use what earlier ones wrote."""
    monkeypatch.chdir(place)
    for command in COMMANDS:
        told = cli(*shlex.split(command)[1:])

        assert told.code == 0, f"{command}\n{told}"


def test_the_guide_names_every_risk_and_only_real_criteria() -> None:
    """What the page lists is what the registries hold."""
    text = GUIDE.read_text("utf-8")
    named = set(re.findall(r"`([\w.@]+)`", text))

    assert set(LOSSES) <= named
    assert {"precision", "recall", "fewest_kept"} <= named & set(CRITERIA)
