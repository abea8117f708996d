"""`evalkit gate` on spend: within the limit, exactly at it, above it, and where no price is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evalkit.sandbox import serving
from evalkit.sandbox.app import Sandbox
from evalkit.sandbox.scores import WordScorer
from tests.conftest import Cli, Told
from tests.faults.conftest import write_suite

MODEL = "rerank-v3.5"
UNKNOWN = {MODEL: {"usd": None}}
Hold = Callable[..., tuple[Told, dict[str, Any]]]


@pytest.fixture
def hold(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hold]:
    """Gates a run of twelve queries against itself; each is one billed unit, at $2.00 per 1,000."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-production")
    with serving(Sandbox(scorer=WordScorer())) as address:

        def hold(gate: dict[str, Any], **settings: Any) -> tuple[Told, dict[str, Any]]:
            path = write_suite(tmp_path / "suite", address, 12, **settings)
            suite = json.loads(path.read_text("utf-8")) | {"gate": {"margin": 0.05, "promise": False} | gate}
            path.write_text(json.dumps(suite), "utf-8")
            done = cli("run", path, "--out", tmp_path / "out")
            assert done.code == 0, done
            told = cli("gate", tmp_path / "out", "--baseline", tmp_path / "out", "--json")
            checks = json.loads(told.out)["checks"]
            (spend,) = (check for check in checks if check["kind"] == "spend")
            return told, spend

        yield hold


def test_spend_over_the_limit_closes_the_gate(hold: Hold) -> None:
    """A thousand units where 999 are allowed: worse, with the figure, and exit code 1."""
    told, spend = hold({"units_per_1000": 999})

    assert told.code == 1, told
    assert (spend["outcome"], spend["told"]) == ("worse", "1000 billed units")
    assert spend["name"] == "v3.5: at most 999 billed units per 1,000 queries"


def test_dollars_over_the_limit_close_the_gate(hold: Hold) -> None:
    """Two dollars where 1.99 are allowed."""
    told, spend = hold({"usd_per_1000": 1.99})

    assert told.code == 1, told
    assert (spend["outcome"], spend["told"]) == ("worse", "2 dollars")


@pytest.mark.parametrize("gate", [{"units_per_1000": 1000}, {"usd_per_1000": 2}])
def test_a_limit_that_is_exactly_met_is_held(hold: Hold, gate: dict[str, Any]) -> None:
    """At most means at most."""
    told, spend = hold(gate)

    assert told.code == 0, told
    assert spend["outcome"] == "held"


def test_a_limit_is_met_though_floats_cannot_say_so(hold: Hold) -> None:
    """1,000 units at $.0041 are $4.1000000000000005 to a computer."""
    told, spend = hold({"usd_per_1000": 4.1}, catalog={MODEL: {"usd": 0.0041, "per": 1}})

    assert 1000 * 0.0041 > 4.1
    assert told.code == 0, told
    assert (spend["outcome"], spend["told"]) == ("held", "4.1 dollars")


@pytest.mark.parametrize(("policy", "code"), [("warn", 0), ("fail", 1)])
def test_an_unknown_price_cannot_be_told(hold: Hold, policy: str, code: int) -> None:
    """Never taken for free: its own outcome, and `cannot_tell` decides on the exit code."""
    told, spend = hold({"usd_per_1000": 100, "cannot_tell": policy}, catalog=UNKNOWN)

    assert told.code == code, told
    assert (spend["outcome"], spend["told"]) == ("cannot tell", "the price of a model is unknown")


def test_units_are_counted_though_their_price_is_unknown(hold: Hold) -> None:
    """A limit on units needs no price."""
    _, spend = hold({"units_per_1000": 1000}, catalog=UNKNOWN)

    assert spend["outcome"] == "held"
