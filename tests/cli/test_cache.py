"""`evalkit cache`, `models` and `sandbox`, as a user types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cohere
import pytest

from evalkit.transport.ledger import Entry, Ledger, default_path
from tests.conftest import Cli
from tests.corpora import write_dataset, write_suite

DAY = 86_400.0


@pytest.fixture
def ledger_with_two(own_cache: Path) -> Path:
    """A ledger with an old real response, a new sandbox response and one in quarantine."""
    with Ledger(default_path()) as ledger:
        ledger.put(
            Entry("a", "rerank", "https://api.cohere.com", b"{}", {"model": "rerank-v3.5"}, created=DAY)
        )
        ledger.put(Entry("b", "rerank", "sandbox:1", b"{}", {"model": "rerank-v3.5"}))
        ledger.quarantine(Entry("c", "rerank", "sandbox:1", b"{", {}), "it is no JSON")
    return own_cache


@pytest.mark.usefixtures("ledger_with_two")
def test_cache_info_says_what_is_held(cli: Cli) -> None:
    """Per address and model, with the quarantine, inside 80 columns."""
    told = cli("cache", "info")

    assert "rerank-v3.5 at sandbox:1" in told.out
    assert "in quarantine: 1 because it is no JSON" in told.out
    assert all(len(line) <= 80 for line in told.out.splitlines()[1:])


@pytest.mark.usefixtures("ledger_with_two")
def test_cache_verify_finds_a_changed_entry(cli: Cli) -> None:
    """A whole ledger is exit 0; one with a changed row is exit 1 and names it."""
    import sqlite3

    assert cli("cache", "verify").code == 0
    connection = sqlite3.connect(default_path())
    connection.execute("UPDATE entries SET body = 'x' WHERE key = 'a'")
    connection.commit()
    connection.close()

    told = cli("cache", "verify")
    assert told.code == 1
    assert "the entry a does not match" in told.out


@pytest.mark.usefixtures("ledger_with_two")
@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["--sandbox"], {"a"}),
        (["--older-than", "30"], {"b"}),
        (["--sandbox", "--older-than", "30"], {"a", "b"}),
    ],
)
def test_cache_prune_deletes_what_is_chosen(cli: Cli, arguments: list[str], left: set[str]) -> None:
    """By age, by the sandbox, by both; only said without `--yes`."""
    assert "would delete" in cli("cache", "prune", *arguments).out
    with Ledger(default_path()) as ledger:
        assert set(ledger.get_many("ab")) == {"a", "b"}

    assert cli("cache", "prune", *arguments, "--yes").code == 0
    with Ledger(default_path()) as ledger:
        assert set(ledger.get_many("ab")) == left


def test_cache_prune_deletes_nothing_unasked(cli: Cli) -> None:
    """Without a choice it is an error, not an empty ledger."""
    assert cli("cache", "prune", "--yes").code == 2


def test_models_are_listed_with_prices_and_dates(cli: Cli) -> None:
    """Each model with its price and the price's date, inside 80 columns; all of it as JSON."""
    told = cli("models")
    known = json.loads(cli("models", "--json").out)

    assert "cohere/rerank-v3.5" in told.out and "local/minilm-l6" in told.out
    assert all(len(line) <= 80 for line in told.out.splitlines())
    assert all(
        "as_of" in line and "source" in line for name, line in known.items() if name.startswith("cohere/")
    )


def test_the_sandbox_serves_until_interrupted(tmp_path: Path) -> None:
    """`evalkit sandbox` says where it is, serves the SDK with a fault script, and ends on Ctrl-C."""
    faults = tmp_path / "faults.yaml"
    faults.write_text("- {calls: [2], fault: status, status: 503, body: '<html>'}\n")
    command = [sys.executable, "-m", "evalkit", "sandbox", "--port", "0", "--words", "--faults", str(faults)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "SANDBOX SCORES, NOT COHERE'S\n"
        address = process.stdout.readline().removeprefix("Serving at ").split(". ")[0]
        with cohere.ClientV2("sandbox-x", base_url=address, max_retries=0) as client:
            client.rerank(model="rerank-v3.5", query="a", documents=["a"])
            with pytest.raises(cohere.core.api_error.ApiError) as caught:
                client.rerank(model="rerank-v3.5", query="a", documents=["a"])
        process.send_signal(signal.SIGINT)
        process.wait(20)

    assert caught.value.status_code == 503


def test_a_wrong_fault_script_is_told(tmp_path: Path, cli: Cli) -> None:
    """An unknown fault is the user's error, with the kinds there are."""
    path = tmp_path / "faults.yaml"
    path.write_text("- {fault: explode}\n- {fault: delay, seconds: -1}\n")

    told = cli("sandbox", "--faults", path)
    assert told.code == 2
    assert "0.fault" in told.err and "'truncate'" in told.err and "1.seconds" in told.err
    assert "pydantic" not in told.err


def test_the_documented_fault_script_is_one(tmp_path: Path) -> None:
    """The example in the docs is read as it stands, though YAML takes its `on` for true."""
    from evalkit.sandbox import faults

    path = tmp_path / "faults.yaml"
    lines = str(faults.__doc__).splitlines()
    path.write_text("\n".join(line for line in lines if line.startswith("    - ")))

    assert [(rule.on, rule.fault) for rule in faults.read(path)] == [
        ("rerank", "status"),
        ("rerank", "reset"),
        ("embed", "status"),
    ]


@pytest.mark.parametrize("rule", ["{on: embed, fault: duplicate}", "{fault: wrong_length}"])
def test_a_fault_that_its_endpoint_cannot_have_is_told(tmp_path: Path, cli: Cli, rule: str) -> None:
    """Embeddings have no index and scores no length: said before the server starts, not by a 500."""
    path = tmp_path / "faults.yaml"
    path.write_text(f"- {rule}\n")

    told = cli("sandbox", "--faults", path)
    assert told.code == 2
    assert "only" in told.err


COHERE_SUITE = """\
name: small
dataset: .
depth: 4
pipelines:
  embed: {retrieve: cohere/embed-v4.0}
  v3.5: {retrieve: cohere/embed-v4.0, rerank: cohere/rerank-v3.5}
  v4-pro: {retrieve: cohere/embed-v4.0, rerank: cohere/rerank-v4.0-pro}
  v4-fast: {retrieve: cohere/embed-v4.0, rerank: cohere/rerank-v4.0-fast}
measures: [nDCG@10, RR@10]
"""


def test_cohere_models_compare_in_the_sandbox(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`run --sandbox` needs no key, says in the run that the scores are not Cohere's, and is paid once."""
    monkeypatch.setenv("CO_API_KEY", "a-real-key")
    suite = write_suite(write_dataset(tmp_path), COHERE_SUITE)
    told = cli("run", suite, "--out", tmp_path / "out", "--sandbox", "--json")
    again = cli("run", suite, "--out", tmp_path / "again", "--sandbox", "--json")

    assert (told.code, again.code) == (0, 0), told
    assert "SANDBOX SCORES, NOT COHERE'S" in told.err
    info = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert info["sandbox"] is True
    assert {one["domain"]["provider"] for one in info["pipelines"].values()} == {"sandbox/cohere"}
    calls = [
        sum(
            stage["calls"]
            for one in json.loads((tmp_path / out / "run.json").read_text("utf-8"))["pipelines"].values()
            for stage in one["stages"]
        )
        for out in ("out", "again")
    ]
    assert calls[0] >= 3 * 5 and calls[1] == 0
    scores = [(tmp_path / out / "scores.parquet").read_bytes() for out in ("out", "again")]
    assert scores[0] == scores[1]


def test_verify_is_exit_1_where_the_file_was_set_aside(cli: Cli, own_cache: Path) -> None:
    """A damaged file is no whole one because a new one was begun: it is said, and the exit code is 1."""
    (own_cache / "ledger.sqlite").write_bytes(b"no ledger at all")

    told = cli("cache", "verify")
    assert told.code == 1
    assert "it was renamed to" in told.out


@pytest.mark.usefixtures("ledger_with_two")
def test_a_row_whose_description_is_damaged_hides_no_other(cli: Cli) -> None:
    """`cache verify` names the row and `cache info` counts it, and the ledger is not called damaged."""
    import sqlite3

    connection = sqlite3.connect(default_path())
    connection.execute("UPDATE entries SET meta = '{' WHERE key = 'a'")
    connection.commit()
    connection.close()

    told = cli("cache", "verify")
    assert (told.code, told.out) == (1, "the entry a does not match its checksum\n")
    assert "(damaged) at https://api.cohere.com" in cli("cache", "info").out


def test_an_empty_ledger_is_named_in_one_line(cli: Cli) -> None:
    """The path is not folded to the width of a table with nothing in it."""
    assert str(default_path()) in cli("cache", "info").out


@pytest.mark.parametrize(
    "wrong",
    [
        ("sandbox", "--port", "99999"),
        ("cache", "prune", "--older-than", "-1"),
        ("run", ".", "--max-units", "-1"),
        ("run", ".", "--max-usd", "-1"),
    ],
    ids=" ".join,
)
def test_a_number_out_of_range_is_the_users_error(cli: Cli, wrong: tuple[str, ...]) -> None:
    """Exit 2 and no traceback."""
    assert cli(*wrong).code == 2
