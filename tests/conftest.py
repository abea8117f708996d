"""What all tests share: a closed network, a cache folder of their own, the command line as a user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings
from pytest_socket import socket_allow_hosts

from evalkit.cli import main

REAL_DATA = Path(__file__).parents[2] / "shared" / "data"
settings.register_profile("untimed", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("untimed")  # a busy machine is no failure
LOOPBACK = ["127.0.0.1", "::1", "localhost"]


@pytest.fixture(autouse=True)
def closed_network() -> None:
    """No test reaches beyond loopback: one that tries fails."""
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """Processes that tests start take Ctrl-C, though a job in the background, such as CI, ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The ledger of a test is its own, and no key of the person running the tests is used."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("EVALKIT_CACHE", str(folder))
    for name in ("CO_API_KEY", "COHERE_API_KEY", "CO_API_URL"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Real data beside the project, for tests marked `external`."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"real data is not at hand: there is no folder {REAL_DATA}")
    return REAL_DATA


class Cli(Protocol):
    """Runs `evalkit ARGUMENTS` in this process."""

    def __call__(self, *arguments: object) -> Told:
        """Return what the command told and its exit code."""
        ...


class Told:
    """What a command printed, and its exit code."""

    def __init__(self, out: str, err: str, code: int) -> None:
        self.out, self.err, self.code = out, err, code

    def __repr__(self) -> str:
        return f"exit {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """The command line in this process: fast, for all that needs no process of its own."""

    def call(*arguments: object) -> Told:
        capfd.readouterr()
        try:
            main([str(argument) for argument in arguments])
            code = 0
        except SystemExit as left:
            code = left.code if isinstance(left.code, int) else int(bool(left.code))
        return Told(*capfd.readouterr(), code)

    yield call


@pytest.fixture
def cli_process() -> Cli:
    """The command line in a process of its own, as a user starts it."""

    def call(*arguments: object) -> Told:
        done = subprocess.run(
            [sys.executable, "-m", "evalkit", *map(str, arguments)],
            capture_output=True,
            text=True,
            env=dict(os.environ),
            check=False,
        )
        return Told(done.stdout, done.stderr, done.returncode)

    return call
