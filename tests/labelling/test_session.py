"""A labelling session: everything on disk at once, resumed after any end, by one at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import DataError, InputError
from evalkit.labelling.session import Session
from tests.conftest import Cli

GRADES = {"0": "no", "1": "near", "2": "yes"}


def write_pool(path: Path, n: int = 4, text: str = "Text of") -> Path:
    """Write a pool of n pairs."""
    rows: list[dict[str, Any]] = [{"pool": "evalkit.pool/1", "grades": GRADES}]
    rows += [
        {
            "query_id": "q1", "doc_id": f"d{k}", "query": "what is it", "document": f"{text} d{k}",
            "category": "c", "grade": None,
        }
        for k in range(n)
    ]  # fmt: skip
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    """A pool of four pairs."""
    return write_pool(tmp_path / "pool.jsonl")


def lines(path: Path) -> list[tuple[str, int | None]]:
    """Return what is on disk."""
    told = [json.loads(line) for line in path.read_text().splitlines()]
    return [(one["doc_id"], one["grade"]) for one in told]


def test_every_grade_is_on_disk_at_once(pool: Path, tmp_path: Path) -> None:
    """Another process can read the grade before the next pair is asked for."""
    with Session(pool, tmp_path / "log", "ann") as session:
        for grade in (0, 2):
            assert session.next is not None
            session.judge(session.next.key, grade)
            assert lines(tmp_path / "log")[-1][1] == grade


def test_a_port_that_no_machine_has_is_refused(cli: Cli, pool: Path, tmp_path: Path) -> None:
    """It is a wrong option, exit code 2, and no bug."""
    told = cli("label", pool, "--log", tmp_path / "log", "--port", 70_000)

    assert told.code == 2
    assert "--port" in told.err


def test_a_session_goes_on_where_it_was(pool: Path, tmp_path: Path) -> None:
    """What was judged is not asked again."""
    with Session(pool, tmp_path / "log", "ann") as session:
        session.judge(("q1", "d0"), 1)
    with Session(pool, tmp_path / "log", "ann") as session:
        assert session.judged == {("q1", "d0"): 1}
        assert session.next is not None
        assert session.next.doc_id == "d1"


def test_another_rater_judges_all(pool: Path, tmp_path: Path) -> None:
    """One log may hold several raters' grades."""
    with Session(pool, tmp_path / "log", "ann") as session:
        session.judge(("q1", "d0"), 1)
    with Session(pool, tmp_path / "log", "bob") as session:
        assert session.judged == {}


def test_undo_takes_the_last_grade_back_on_disk_too(pool: Path, tmp_path: Path) -> None:
    """Also of an earlier session; without grades there is nothing to undo."""
    with Session(pool, tmp_path / "log", "ann") as session:
        session.judge(("q1", "d0"), 1)
        session.judge(("q1", "d1"), 2)
    with Session(pool, tmp_path / "log", "ann") as session:
        taken = session.undo()
        assert taken is not None
        assert taken.doc_id == "d1"
        assert session.judged == {("q1", "d0"): 1}
        session.undo()
        assert session.undo() is None
    assert lines(tmp_path / "log") == [("d0", 1), ("d1", 2), ("d1", None), ("d0", None)]


def test_skipped_pairs_come_again_at_the_end(pool: Path, tmp_path: Path) -> None:
    """In the order in which they were skipped; a skip is no judgment."""
    with Session(pool, tmp_path / "log", "ann") as session:
        session.skip(("q1", "d0"))
        for name in ("d1", "d2", "d3"):
            assert session.next is not None
            assert session.next.doc_id == name
            session.judge(session.next.key, 0)
        assert session.next is not None
        assert session.next.doc_id == "d0"
        session.judge(("q1", "d0"), 1)
        assert session.next is None


def test_two_pairs_skipped_again_and_again_take_turns(pool: Path, tmp_path: Path) -> None:
    """Skipping never sticks to one pair."""
    with Session(pool, tmp_path / "log", "ann") as session:
        for name in ("d0", "d1"):
            session.judge(("q1", name), 0)
        seen = []
        for _ in range(6):
            assert session.next is not None
            seen.append(session.next.doc_id)
            session.skip(session.next.key)

    assert seen == ["d2", "d3"] * 3


def test_a_line_cut_short_by_a_crash_is_taken_off(pool: Path, tmp_path: Path) -> None:
    """The whole lines count, and the next grade starts a line of its own."""
    with Session(pool, tmp_path / "log", "ann") as session:
        session.judge(("q1", "d0"), 1)
    with (tmp_path / "log").open("a") as file:
        file.write('{"query_id": "q1", "doc')
    with Session(pool, tmp_path / "log", "ann") as session:
        session.judge(("q1", "d1"), 2)

    assert lines(tmp_path / "log") == [("d0", 1), ("d1", 2)]


def test_one_session_at_a_time(pool: Path, tmp_path: Path) -> None:
    """A second one on the same log is told so."""
    with Session(pool, tmp_path / "log", "ann"), pytest.raises(InputError, match="open in another session"):
        Session(pool, tmp_path / "log", "bob").__enter__()


def test_a_file_that_is_no_log_is_left_alone(pool: Path, tmp_path: Path) -> None:
    """Naming the wrong file does no harm."""
    (tmp_path / "thesis").write_text("mine\n")
    with pytest.raises(InputError, match="thesis:1: no label"):
        Session(pool, tmp_path / "thesis", "ann").__enter__()

    assert (tmp_path / "thesis").read_text() == "mine\n"


@pytest.mark.parametrize(
    ("content", "error"), [("", InputError), ('{"a": 1}\n', DataError), ("{", DataError)]
)
def test_a_file_that_is_no_pool_is_told(tmp_path: Path, content: str, error: type[Exception]) -> None:
    """Before any page is served."""
    (tmp_path / "pool.jsonl").write_text(content)
    with pytest.raises(error):
        Session(tmp_path / "pool.jsonl", tmp_path / "log", "ann")


class Page:
    """`evalkit label` in a process of its own, spoken to as its page does."""

    def __init__(self, pool: Path, log: Path) -> None:
        command = [sys.executable, "-m", "evalkit", "label", str(pool), "--log", str(log), "--rater", "ann"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ))
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().removeprefix("Judge at ").strip()

    def call(self, what: str, body: object = None, **headers: str) -> Any:
        """Return the answer of one call."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + what, data, headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read())

    def status(self, address: str, **headers: str) -> int:
        """Return the status of a call to any address."""
        try:
            with urllib.request.urlopen(
                urllib.request.Request(address, headers=headers), timeout=20
            ) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def end(self, how: int = signal.SIGINT) -> None:
        """End the process and wait for it."""
        self.process.send_signal(how)
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def page(pool: Path, tmp_path: Path) -> Iterator[Page]:
    """A running labelling page."""
    running = Page(pool, tmp_path / "log")
    yield running
    if running.process.returncode is None:
        running.end()


def test_a_killed_session_loses_nothing(page: Page, pool: Path, tmp_path: Path) -> None:
    """SIGKILL right after an answer: the grade is there, and the next session goes on."""
    for _ in range(2):
        item = page.call("state")["item"]
        page.call("judge", {"query_id": item["query_id"], "doc_id": item["doc_id"], "grade": 2})
    page.end(signal.SIGKILL)

    assert lines(tmp_path / "log") == [("d0", 2), ("d1", 2)]
    again = Page(pool, tmp_path / "log")
    state = again.call("state")
    again.end()
    assert (state["judged"], state["item"]["doc_id"]) == (2, "d2")


def test_the_page_answers_to_its_token_and_its_machine_only(page: Page) -> None:
    """Another token, another host name and another site are turned away; nothing is cached or framed."""
    root = page.address.rstrip("/").rsplit("/", 1)[0]

    assert page.status(page.address) == 200
    assert page.status(f"{root}/{'x' * 32}/") == 404
    assert page.status(root) == 404
    assert page.status(page.address, Host="evil.example") == 400
    with pytest.raises(urllib.error.HTTPError, match="403"):
        page.call("undo", {}, Origin="http://evil.example")
    assert page.address.startswith("http://127.0.0.1:")


def test_a_wrong_call_changes_nothing(page: Page, tmp_path: Path) -> None:
    """Unknown pairs, unknown grades, no JSON, and large bodies are refused."""
    for body in (
        {"query_id": "q1", "doc_id": "d0", "grade": 9},
        {"query_id": "q1", "doc_id": "d0", "grade": "2"},
        {"query_id": "q1", "doc_id": "d0", "grade": True},
        {"query_id": "q9", "doc_id": "d0", "grade": 1},
        ["judge"],
        {"x": "y" * 20_000},
    ):
        with pytest.raises(urllib.error.HTTPError, match="400"):
            page.call("judge", body)

    assert lines(tmp_path / "log") == []
