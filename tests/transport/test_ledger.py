"""The ledger of paid responses: what is put is there, whatever happens to process, file or disk."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import InputError, LedgerError
from evalkit.transport.ledger import Entry, Ledger, default_path, request_key


def entry(key: str = "k", body: bytes = b"{}") -> Entry:
    """Make an entry as the Cohere provider does."""
    return Entry(key, "rerank", "https://api.cohere.com", body, {"model": "rerank-v3.5", "units": 1.0})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the ledger of a test lies."""
    return tmp_path / "ledger.sqlite"


def test_what_is_put_is_found_by_its_key(path: Path) -> None:
    """An entry comes back as it was put, with the time of writing."""
    with Ledger(path) as ledger:
        ledger.put(entry("a", b"\x00\xff"))
        ledger.put_many([entry("b"), entry("c")])

        found = ledger.get_many(["a", "c", "missing"])

    assert set(found) == {"a", "c"}
    assert found["a"].body == b"\x00\xff"
    assert found["a"].meta == {"model": "rerank-v3.5", "units": 1.0}
    assert found["a"].created > 0


def test_it_is_there_for_the_next_process(path: Path) -> None:
    """A committed entry survives a process that ends without closing anything."""
    script = (
        "import os, sys; from pathlib import Path; from evalkit.transport.ledger import Entry, Ledger;"
        "ledger = Ledger(Path(sys.argv[1]));"
        "ledger.put(Entry('a', 'rerank', 'u', b'paid', {})); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=False)

    with Ledger(path) as ledger:
        assert ledger.get_many(["a"])["a"].body == b"paid"


def test_many_keys_are_read_at_once(path: Path) -> None:
    """More keys than SQLite takes in one statement are no limit."""
    keys = [f"k{number}" for number in range(40_000)]
    with Ledger(path) as ledger:
        ledger.put_many(entry(key) for key in keys)

        assert len(ledger.get_many(keys)) == len(keys)


def test_a_quarantined_response_is_kept_and_never_returned(path: Path) -> None:
    """What failed validation can be looked at, not used."""
    with Ledger(path) as ledger:
        ledger.quarantine(entry("a", b"bad"), "no results")

        assert ledger.get_many(["a"]) == {}
    rows = sqlite3.connect(path).execute("SELECT key, body, reason FROM quarantine").fetchall()
    assert rows == [("a", b"bad", "no results")]


@pytest.mark.parametrize(
    "content", [b"not a database at all, but long enough", b"SQLite format 3\x00" + b"x" * 500]
)
def test_a_file_that_is_no_ledger_is_set_aside(path: Path, content: bytes) -> None:
    """A foreign or broken file is renamed unchanged, told of, and a new ledger begun."""
    path.write_bytes(content)
    told: list[str] = []
    with Ledger(path, tell=told.append) as ledger:
        ledger.put(entry("a"))
        assert set(ledger.get_many(["a"])) == {"a"}

    (aside,) = path.parent.glob("ledger.sqlite.set-aside-*")
    assert aside.read_bytes() == content
    assert len(told) == 1 and aside.name in told[0]


def test_another_programs_database_is_set_aside(path: Path) -> None:
    """An SQLite file with tables of another program is not written into."""
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE entries (key TEXT, ours TEXT)")
    other.close()
    told: list[str] = []

    Ledger(path, tell=told.append).close()

    assert "another program" in told[0]


def test_a_damaged_page_sets_the_file_aside(path: Path) -> None:
    """A ledger with overwritten pages is found out when it is opened, not half-read."""
    with Ledger(path) as ledger:
        ledger.put_many(entry(f"k{number}", bytes(900)) for number in range(500))
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(b"\xa5" * 8192)
    told: list[str] = []

    with Ledger(path, tell=told.append) as ledger:
        assert ledger.get_many(["k1"]) == {}

    assert "damaged" in told[0]


def test_a_row_that_was_changed_is_not_used(path: Path) -> None:
    """A row that does not match its checksum counts as missing and is kept in quarantine."""
    with Ledger(path) as ledger:
        ledger.put(entry("a", b"scores"))
    other = sqlite3.connect(path)
    other.execute("UPDATE entries SET body = ?", (b"Scores",))
    other.commit()
    other.close()

    with Ledger(path) as ledger:
        assert ledger.get_many(["a"]) == {}
        with ledger.connection() as connection:
            assert connection.execute("SELECT body FROM quarantine").fetchall() == [(b"Scores",)]


def test_a_newer_ledger_is_left_alone(path: Path) -> None:
    """A file of a later version is the user's to keep: evalkit asks to be updated and touches nothing."""
    Ledger(path).close()
    other = sqlite3.connect(path)
    other.execute("PRAGMA user_version = 99")
    other.close()

    with pytest.raises(InputError, match="Update evalkit"):
        Ledger(path)

    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_locked_ledger_says_who_to_wait_for(path: Path) -> None:
    """A lock held for longer than the patience is an error that says so, and loses nothing."""
    with Ledger(path, patience=0.2) as ledger:
        ledger.put(entry("a"))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerError, match="another process has locked"):
            ledger.put(entry("b"))
        other.execute("ROLLBACK")
        other.close()
        ledger.put(entry("b"))

        assert set(ledger.get_many(["a", "b"])) == {"a", "b"}


def test_two_processes_may_write_at_once(path: Path) -> None:
    """Four processes that open and write the same new ledger lose nothing."""
    script = (
        "import sys; from pathlib import Path; from evalkit.transport.ledger import Entry, Ledger;"
        "ledger = Ledger(Path(sys.argv[1]));"
        "[ledger.put(Entry(f'{sys.argv[2]}-{n}', 'rerank', 'u', b'x' * 1500, {})) for n in range(200)]"
    )
    workers = [subprocess.Popen([sys.executable, "-c", script, str(path), str(who)]) for who in range(4)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0, 0]

    with Ledger(path) as ledger:
        assert len(ledger.get_many(f"{who}-{n}" for who in range(4) for n in range(200))) == 800


def test_the_cache_folder_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`EVALKIT_CACHE` moves the ledger; without it the user's cache folder holds it."""
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path))
    assert default_path() == tmp_path / "ledger.sqlite"

    monkeypatch.delenv("EVALKIT_CACHE")
    assert default_path().parent.name.lower() in ("evalkit", "cache")


def test_a_folder_that_cannot_be_made_is_the_users_error(tmp_path: Path) -> None:
    """A cache folder under a file is named, with the way out."""
    (tmp_path / "file").write_text("")

    with pytest.raises(InputError, match="EVALKIT_CACHE"):
        Ledger(tmp_path / "file" / "ledger.sqlite")


texts = st.text(alphabet=st.characters())


@given(st.lists(texts, max_size=4), texts, st.lists(texts, max_size=4), texts)
def test_keys_are_equal_for_equal_requests_only(a: list[str], q: str, b: list[str], r: str) -> None:
    """Different documents, queries or orders never share a key, whatever the texts hold."""
    same = request_key({"query": q, "documents": a}) == request_key({"documents": tuple(b), "query": r})

    assert same == (a == b and q == r)
