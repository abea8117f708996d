"""The run directory: written whole, read with suspicion."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from evalkit import runs
from evalkit.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small run directory."""
    runs.write(tmp_path / "out", {"name": "small", "pipelines": {}}, {"summary.json": b"{}"})
    return tmp_path / "out"


def test_a_written_run_is_read_back(folder: Path) -> None:
    """What was written is what is opened."""
    assert runs.read(folder).info["name"] == "small"


def test_no_temporary_file_stays(folder: Path) -> None:
    """Files are renamed into place."""
    assert sorted(path.name for path in folder.iterdir()) == ["run.json", "summary.json"]


def test_a_folder_without_run_json_is_no_run(tmp_path: Path) -> None:
    """A run that was cut short, or any other folder, is refused with what to do."""
    with pytest.raises(InputError, match=r"has no run\.json.*run it again to resume"):
        runs.read(tmp_path)


def test_a_file_edited_by_hand_is_refused(folder: Path) -> None:
    """A changed summary is named."""
    (folder / "summary.json").write_text('{"mine": 1}')

    with pytest.raises(InputError, match=r"summary\.json changed since the run was written"):
        runs.read(folder)


@pytest.mark.parametrize("change", [{"name": "mine"}, {"seal": None}])
def test_a_run_json_edited_by_hand_is_refused(folder: Path, change: dict[str, object]) -> None:
    """What says how the run was made is sealed like its data."""
    path = folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))

    with pytest.raises(InputError, match=r"run\.json changed since the run was written"):
        runs.read(folder)


def test_a_newer_schema_is_refused(folder: Path) -> None:
    """A run of a later evalkit is not half understood."""
    path = folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": "evalkit.run/9"}))

    with pytest.raises(InputError, match=r"'evalkit\.run/9'.*Update evalkit"):
        runs.read(folder)


def test_nan_is_written_as_null() -> None:
    """JSON has no NaN: an undefined figure is null."""
    assert json.loads(runs.to_json({"a": [math.nan, 1.5]})) == {"a": [None, 1.5]}
