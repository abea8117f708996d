"""Looking after the ledger: what is in it, whether it is whole, and letting go of what is old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evalkit.transport import ledger_file
from evalkit.transport.ledger import Ledger

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Holding:
    """What the ledger has of one model at one address; times are Unix time, `size` is in bytes."""

    base_url: str
    operation: str
    model: str
    entries: int
    size: int
    oldest: float
    newest: float


@dataclass(frozen=True, slots=True)
class Info:
    """What is in a ledger, and which files were set aside beside it."""

    path: Path
    size: int
    holdings: tuple[Holding, ...]
    quarantined: tuple[tuple[str, int], ...]  # reason, responses
    set_aside: tuple[Path, ...]


def info(ledger: Ledger) -> Info:
    """Count what the ledger holds."""
    with ledger.connection() as connection:
        holdings = connection.execute(
            "SELECT base_url, operation, CASE WHEN json_valid(meta) "
            "THEN coalesce(json_extract(meta, '$.model'), '') ELSE '(damaged)' END, count(*), "
            "sum(length(body)), min(created), max(created) FROM entries GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        ).fetchall()
        quarantined = connection.execute(
            "SELECT reason, count(*) FROM quarantine GROUP BY 1 ORDER BY 2 DESC, 1"
        ).fetchall()
    return Info(
        ledger.path,
        ledger.path.stat().st_size,
        tuple(Holding(*row) for row in holdings),
        tuple(quarantined),
        tuple(sorted(ledger.path.parent.glob(f"{ledger.path.name}.set-aside-*[0-9]"))),
    )


def verify(ledger: Ledger) -> list[str]:
    """Check the file and each row's checksum; return what is wrong, empty where nothing is."""
    with ledger.connection() as connection:
        wrong = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
        rows = connection.execute(f"SELECT {ledger_file.COLUMNS} FROM entries")  # noqa: S608  a constant
        damaged = [row[0] for row in rows if not ledger_file.intact(row)]
    wrong += [f"the entry {key} does not match its checksum" for key in damaged[:SHOWN]]
    if len(damaged) > SHOWN:
        wrong.append(f"... and {len(damaged) - SHOWN} more entries")
    return wrong


def prunable(
    ledger: Ledger, *, before: float | None, base_url: str | None, quarantine: bool
) -> tuple[int, int]:
    """Count what `prune` would delete: entries, quarantined responses."""
    condition, values = _condition(before, base_url)
    with ledger.connection() as connection:
        counts = [
            connection.execute(f"SELECT count(*) FROM {table}{condition}", values).fetchone()[0]  # noqa: S608  constants
            for table in ("entries", "quarantine")
        ]
    return counts[0], counts[1] if quarantine else 0


def prune(ledger: Ledger, *, before: float | None, base_url: str | None, quarantine: bool) -> None:
    """Delete the responses written before a time (Unix; None: any), of one address (None: any)."""
    condition, values = _condition(before, base_url)
    with ledger.connection() as connection:
        connection.execute(f"DELETE FROM entries{condition}", values)  # noqa: S608  a constant, bound values
        if quarantine:
            connection.execute(f"DELETE FROM quarantine{condition}", values)  # noqa: S608  likewise
        connection.execute("VACUUM")


def _condition(before: float | None, base_url: str | None) -> tuple[str, Sequence[float | str]]:
    parts = [("created < ?", before), ("base_url = ?", base_url)]
    given = [(text, value) for text, value in parts if value is not None]
    where = " WHERE " + " AND ".join(text for text, _ in given) if given else ""
    return where, [value for _, value in given]
