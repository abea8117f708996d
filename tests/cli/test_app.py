"""Commands are imported when they are asked for, and nobody notices but by the time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import evalkit.cli
from evalkit.cli.app import FILES, app
from tests.conftest import Cli

LOADED = """
import sys
from evalkit.cli import main
try:
    main(sys.argv[1:])
except SystemExit:
    print(*(name.removeprefix("evalkit.cli.") for name in sys.modules if name.startswith("evalkit.cli.")))
"""


def test_the_table_of_files_is_whole(cli: Cli) -> None:
    """Whatever a file of the command line registers can be asked for, and the help lists it."""
    for path in Path(evalkit.cli.__file__).parent.glob("[!_]*.py"):
        __import__(f"evalkit.cli.{path.stem}")
    commands = {one.name or one.callback.__name__ for one in app.registered_commands if one.callback}
    groups = {str(one.name) for one in app.registered_groups}

    assert set(FILES) == commands | groups
    listed = cli("--help").out.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in listed] == list(FILES)


@pytest.mark.parametrize("name", ["demo", "import", "measure"])
def test_a_command_loads_its_own_file(name: str) -> None:
    """Asked for one command, the command line imports no other command's file."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, name, "--help"], capture_output=True, text=True, check=True
    )

    loaded = set(done.stdout.splitlines()[-1].split())
    assert loaded & set(FILES.values()) == {FILES[name]}


def test_a_misspelt_command_is_suggested() -> None:
    """A suggestion needs the names of commands whose files were not imported."""
    done = subprocess.run(
        [sys.executable, "-m", "evalkit", "mesure"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert "Did you mean 'measure'?" in done.stderr
