"""`kill -9` in mid-run: nothing that was committed is asked for again, and the result is the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from evalkit.sandbox import serving
from evalkit.sandbox.app import Sandbox
from evalkit.sandbox.scores import WordScorer
from evalkit.transport.ledger import FILE, Ledger
from tests.faults.conftest import KEY, write_suite

QUERIES = 60
KILLS = 20
IN_FLIGHT = 4
SEED = 7


def start(suite: Path, cache: Path, out: Path) -> subprocess.Popen[bytes]:
    """Start `evalkit run` as a user does."""
    return subprocess.Popen(
        [sys.executable, "-m", "evalkit", "run", str(suite), "--out", str(out), "--json"],
        env=os.environ | {"EVALKIT_CACHE": str(cache), "CO_API_KEY": KEY},
        stdout=subprocess.DEVNULL,
    )


def committed(cache: Path) -> set[str]:
    """Return the ids of the responses in the ledger."""
    if not (cache / FILE).exists():
        return set()
    with Ledger(cache / FILE) as ledger, ledger.connection() as connection:
        rows = connection.execute("SELECT json_extract(meta, '$.id') FROM entries WHERE operation = 'rerank'")
        return {row[0] for row in rows}


def test_kill_dash_nine_at_twenty_moments(tmp_path: Path) -> None:
    """A run killed at twenty seeded moments ends with the scores of an undisturbed one, and asks for no more
    than what was in flight a second time.
    """
    rng = np.random.default_rng(SEED)
    sandbox = Sandbox(scorer=WordScorer(), delay=0.03)
    with serving(sandbox) as address:
        suite = write_suite(tmp_path / "suite", address, QUERIES, concurrency=IN_FLIGHT)
        assert start(suite, tmp_path / "calm", tmp_path / "undisturbed").wait(120) == 0
        assert len(sandbox.seen) == QUERIES
        sandbox.seen.clear()

        cache = tmp_path / "killed"
        for _ in range(KILLS):
            before = len(sandbox.seen)
            wanted = before + int(rng.integers(1, 6))
            pause = float(rng.uniform(0, 0.04))
            process = start(suite, cache, tmp_path / "resumed")
            while len(sandbox.seen) < wanted and process.poll() is None:
                time.sleep(0.001)
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            process.wait(60)
            time.sleep(0.1)  # what was in flight reaches the server's log

        assert start(suite, cache, tmp_path / "resumed").wait(120) == 0

    asked = Counter(request.body for request in sandbox.seen)
    again = sum(count - 1 for count in asked.values())
    assert len(asked) == QUERIES
    assert 0 < again <= KILLS * IN_FLIGHT
    assert len(committed(cache)) == QUERIES
    undisturbed = (tmp_path / "undisturbed" / "scores.parquet").read_bytes()
    assert (tmp_path / "resumed" / "scores.parquet").read_bytes() == undisturbed


def test_what_was_committed_before_a_kill_is_not_asked_for_again(tmp_path: Path) -> None:
    """The requests seen twice are exactly those whose response the ledger did not hold at the kill."""
    sandbox = Sandbox(scorer=WordScorer(), delay=0.03)
    with serving(sandbox) as address:
        suite = write_suite(tmp_path / "suite", address, QUERIES, concurrency=IN_FLIGHT)
        process = start(suite, tmp_path, tmp_path / "out")
        while len(sandbox.seen) < 9:
            time.sleep(0.001)
        process.kill()
        process.wait(60)
        time.sleep(0.1)
        seen, kept = len(sandbox.seen), len(committed(tmp_path))
        assert seen - kept <= IN_FLIGHT

        assert start(suite, tmp_path, tmp_path / "out").wait(120) == 0

    assert len(sandbox.seen) == QUERIES + seen - kept
