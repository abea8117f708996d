"""The ledger: every response that was paid for, committed to disk before it is used.

One SQLite file in WAL mode, shared by threads and processes. `synchronous` is NORMAL: a commit survives the
death of the process at any moment; a power cut can undo the last commits but never damages the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evalkit.errors import InputError, LedgerError
from evalkit.transport import ledger_file

FILE = "ledger.sqlite"
PATIENCE = 60.0  # seconds to wait for another process's write
KEYS_A_QUERY = 500

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One response: its body as received, and what is known beside it.

    `meta` is plain data (model, id, billed units, latency in seconds, warnings, headers of interest);
    `created` is Unix time, set by the ledger.
    """

    key: str
    operation: str
    base_url: str
    body: bytes
    meta: Mapping[str, Any]
    created: float = 0.0


def request_key(request: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a whole request; equal requests, and only these, have equal keys.

    >>> request_key({"query": "a", "documents": ("b",)}) == request_key({"documents": ["b"], "query": "a"})
    True
    """
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def default_path() -> Path:
    """Return where the ledger lives: in `EVALKIT_CACHE`, else in the user's cache folder."""
    named = os.environ.get("EVALKIT_CACHE")
    return (Path(named).expanduser() if named else _platform_cache()) / FILE


class Ledger:
    """The paid responses in the file at `path`, which is made where there is none.

    A file that is damaged or no ledger is renamed, `tell` says so, and a new one is begun. All methods may be
    called from any thread.

    Raises:
        LedgerError: the file cannot be read or written, or another process holds it for longer than
            `patience` seconds (a minute by default).
        InputError: the folder cannot be made, or a newer evalkit wrote the file.
    """

    def __init__(self, path: Path, *, patience: float | None = None, tell: Tell | None = None) -> None:
        self.path = path
        self.patience = PATIENCE if patience is None else patience
        self._tell = tell or _to_stderr
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"the cache folder {path.parent} cannot be made ({error}). Name another in EVALKIT_CACHE"
            ) from error
        with self._explained():
            self._connection = ledger_file.open_or_set_aside(path, self.patience, self._tell)

    def get_many(self, keys: Iterable[str]) -> dict[str, Entry]:
        """Return the entries of those `keys` that the ledger has; a row that fails its checksum is none."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Entry] = {}
        for start in range(0, len(wanted), KEYS_A_QUERY):
            some = wanted[start : start + KEYS_A_QUERY]
            marks = ",".join("?" * len(some))
            select = f"SELECT {ledger_file.COLUMNS} FROM entries WHERE key IN ({marks})"  # noqa: S608  marks only
            with self._explained(), self._lock:
                rows = self._connection.execute(select, some).fetchall()
            for row in rows:
                if ledger_file.intact(row):
                    found[row[0]] = _entry(row)
                else:
                    self._quarantine(row, "the row does not match its checksum")
        return found

    def put(self, entry: Entry) -> None:
        """Commit one response; an entry of the same key is replaced."""
        self.put_many([entry])

    def put_many(self, entries: Iterable[Entry]) -> None:
        """Commit responses together: all of them or none."""
        rows = [_row(entry) for entry in entries]
        if rows:
            with self._explained(), self._lock, self._transaction():
                self._connection.executemany(
                    "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", rows
                )

    def quarantine(self, entry: Entry, reason: str) -> None:
        """Keep a response that must not be used, with the reason; `get_many` never returns it."""
        self._quarantine(_row(entry), reason)

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection to `care`, alone, with errors explained."""
        with self._explained(), self._lock:
            yield self._connection

    def close(self) -> None:
        """Close the file; the ledger cannot be used afterwards."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _quarantine(self, row: tuple[Any, ...], reason: str) -> None:
        with self._explained(), self._lock, self._transaction():
            # Once: a damaged row is met again by every look-up until it is asked for anew.
            self._connection.execute(
                "INSERT INTO quarantine SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS "
                "(SELECT 1 FROM quarantine WHERE key IS ? AND digest IS ? AND reason IS ?)",
                (*row, reason, row[0], row[-1], reason),
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn SQLite's errors into ours, which say what to do."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise LedgerError(ledger_file.explain(error, self.path, self.patience)) from error


def _row(entry: Entry) -> tuple[Any, ...]:
    meta = json.dumps(entry.meta, sort_keys=True, ensure_ascii=True)
    created = entry.created or time.time()
    digest = ledger_file.digest(entry.key, entry.operation, entry.base_url, entry.body, meta)
    return entry.key, entry.operation, entry.base_url, entry.body, meta, created, digest


def _entry(row: tuple[Any, ...]) -> Entry:
    key, operation, base_url, body, meta, created, _ = row
    return Entry(key, operation, base_url, body, json.loads(meta), created)


def _platform_cache() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "evalkit"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "evalkit" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "evalkit"


def _to_stderr(line: str) -> None:
    sys.stderr.write(f"evalkit: {line}\n")
