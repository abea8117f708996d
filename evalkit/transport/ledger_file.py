"""The ledger's file: how it is opened, known as ours, set aside where it is not, and its errors explained."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evalkit.errors import InputError

MAGIC = b"SQLite format 3\x00"
APPLICATION_ID = 0x65766B74  # "evkt"
VERSION = 1
COLUMNS = "key, operation, base_url, body, meta, created, digest"
_COLUMN_TYPES = "operation TEXT, base_url TEXT, body BLOB, meta TEXT, created REAL, digest BLOB"
SCHEMA = (
    f"CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, {_COLUMN_TYPES})",
    f"CREATE TABLE IF NOT EXISTS quarantine (key TEXT, {_COLUMN_TYPES}, reason TEXT)",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)
SIDE_FILES = ("", "-wal", "-shm")


def open_or_set_aside(path: Path, patience: float, tell: Callable[[str], None]) -> sqlite3.Connection:
    """Open the ledger at `path`; a file that is damaged or foreign is renamed first, and `tell` says so.

    Raises:
        InputError: a newer evalkit wrote the file.
        sqlite3.DatabaseError: it cannot be opened or made.
    """
    fault = _fault(path, patience)
    if fault:
        aside = path.with_name(
            f"{path.name}.set-aside-{time.strftime('%Y%m%dT%H%M%S')}-{time.time_ns() % 10**6:06}"
        )
        for suffix in SIDE_FILES:
            source = Path(f"{path}{suffix}")
            if source.exists():
                source.rename(f"{aside}{suffix}")
        tell(f"{path} {fault}: it was renamed to {aside.name}, unchanged, and a new ledger is begun")
    connection = connect(path, patience)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    if _is_empty(connection):
        connection.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA:
            connection.execute(statement)
        connection.execute("COMMIT")
    return connection


def connect(path: Path, patience: float) -> sqlite3.Connection:
    """Return a connection that commits each statement by itself and waits `patience` seconds for a lock."""
    return sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)


def digest(key: str, operation: str, base_url: str, body: bytes, meta: str) -> bytes:
    """Return a row's checksum."""
    hashed = hashlib.blake2b(digest_size=16)
    for part in (key.encode(), operation.encode(), base_url.encode(), meta.encode(), body):
        hashed.update(len(part).to_bytes(8, "big"))
        hashed.update(part)
    return hashed.digest()


def intact(row: tuple[Any, ...]) -> bool:
    """Return whether a row of `COLUMNS` is as it was written."""
    key, operation, base_url, body, meta, _, written = row
    try:
        return bool(digest(key, operation, base_url, body, meta) == written)
    except (AttributeError, TypeError):  # a column of another type than we write
        return False


def explain(error: sqlite3.DatabaseError, path: Path, patience: float) -> str:
    """Return what an SQLite error means for the user, and what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code of an extended one
    kept = "All responses committed before are kept; run again to resume"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"another process has locked the ledger {path} for over {patience:g} s. {kept}"
    if code == sqlite3.SQLITE_FULL or code == sqlite3.SQLITE_IOERR:
        return (
            f"the ledger {path} cannot be written: is the disk full? ({error}). A response that cannot "
            f"be kept is not used, and no more are asked for. {kept}, or name another folder in EVALKIT_CACHE"
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return f"the ledger {path} cannot be written ({error}). Name another folder in EVALKIT_CACHE"
    return f"the ledger {path} is damaged ({error}). Run again: it is then set aside and a new one begun"


def _fault(path: Path, patience: float) -> str | None:
    """Say why the file at `path` cannot serve as a ledger, or None where it can (or there is none)."""
    if not path.is_file() or not path.stat().st_size:
        return None
    with path.open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            return "is no SQLite file"
    connection = connect(path, patience)
    try:
        if _is_empty(connection):
            return None
        if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
            return "is an SQLite file of another program"
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise InputError(f"a newer evalkit wrote the ledger {path} (version {version}). Update evalkit")
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        return None if verdict == "ok" else f"is damaged ({' '.join(verdict.split())})"
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return f"is damaged ({error})"
        raise
    finally:
        connection.close()


def _is_empty(connection: sqlite3.Connection) -> bool:
    tables: int = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return tables == 0
