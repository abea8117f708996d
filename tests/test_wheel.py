"""The built wheel: what a user who installs it has, without this checkout."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built and unpacked into a folder; what it depends on comes from this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("evalkit_rerank-*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder / "site")]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    return folder / "site"


def python(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in `folder` with the wheel before everything else."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_demo_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """`evalkit demo` in an empty folder finds its data inside the wheel and leaves a report there."""
    told = python(installed, tmp_path, "-m", "evalkit", "demo")

    assert told.returncode == 0, told.stderr
    assert "late" in told.stdout
    assert (tmp_path / "runs" / "demo" / "report.html").is_file()


def test_the_bundled_data_lies_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    """The data set that the demo runs is the wheel's own, not this checkout's."""
    told = python(
        installed,
        tmp_path,
        "-c",
        "from evalkit.experiment.bundled import folder; print(folder('handbook'))",
    )

    assert Path(told.stdout.strip()) == installed / "evalkit" / "datasets" / "handbook"


def test_the_typed_package_says_so(installed: Path) -> None:
    """Type checkers of users read our annotations."""
    assert (installed / "evalkit" / "py.typed").is_file()
