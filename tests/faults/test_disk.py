"""The ledger's disk is full, or another process holds the ledger."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evalkit.sandbox import serving
from evalkit.sandbox.app import Sandbox
from evalkit.sandbox.scores import WordScorer
from evalkit.transport import ledger
from tests.conftest import Cli
from tests.faults.conftest import KEY, Bench, write_suite

QUERIES = 40
IN_FLIGHT = 4
LIMITED = """
import resource, sys
from evalkit.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
main(sys.argv[1:])
"""


def test_disk_full_while_committing(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops, as it does not ask for what it cannot keep, and says so; with room again it resumes."""
    monkeypatch.setenv("CO_API_KEY", KEY)
    sandbox = Sandbox(scorer=WordScorer(), delay=0.01)
    with serving(sandbox) as address:
        suite = write_suite(tmp_path / "suite", address, QUERIES, concurrency=IN_FLIGHT)
        arguments = ["run", str(suite), "--out", str(tmp_path / "out"), "--json"]
        done = subprocess.run(
            [sys.executable, "-c", LIMITED, *arguments],
            env=dict(os.environ),
            capture_output=True,
            text=True,
            check=False,
        )
        seen = len(sandbox.seen)
        assert done.returncode == 3, done.stderr
        assert "is the disk full?" in done.stderr
        assert 0 < seen < QUERIES
        assert cli("cache", "verify").code == 0

        assert cli(*arguments).code == 0

    assert len(sandbox.seen) <= QUERIES + IN_FLIGHT


@contextmanager
def locked(path: Path, seconds: float) -> Iterator[None]:
    """Have another process hold the ledger's write lock."""
    script = (
        "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN IMMEDIATE'); print('locked', flush=True); time.sleep(float(sys.argv[2]))"
    )
    command = [sys.executable, "-c", script, str(path), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield
        process.kill()


def test_ledger_locked_for_a_while(bench: Bench) -> None:
    """Another process writes for a second: waits; the run is complete."""
    ledger.Ledger(ledger.default_path()).close()
    with locked(ledger.default_path(), 1.0):
        told = bench.run()

    assert told.code == 0, told
    assert len(bench.sandbox.seen) == 6


def test_ledger_locked_for_too_long(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process does not let go for a minute: stops and says so; what was committed is kept."""
    ledger.Ledger(ledger.default_path()).close()
    monkeypatch.setattr(ledger, "PATIENCE", 0.3)
    with locked(ledger.default_path(), 60.0):
        told = bench.run()

    assert told.code == 3
    assert "another process has locked the ledger" in told.err
    assert bench.run().code == 0
