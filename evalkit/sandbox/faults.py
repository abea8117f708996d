"""Faults on demand: which calls go wrong, and how.

A fault script is a YAML list; the first rule that matches a call decides:

    - {on: rerank, every: 3, fault: status, status: 503, body: "<html>down</html>"}
    - {on: rerank, calls: [2, 5], fault: reset}
    - {on: embed, first: 1, fault: status, status: 429, headers: {Retry-After: "1"}}
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from evalkit.data.yamls import problems
from evalkit.errors import InputError

Kind = Literal[
    "status",
    "delay",
    "reset",
    "truncate",
    "malformed",
    "no_results",
    "null",
    "nan",
    "string",
    "negative",
    "large",
    "out_of_range",
    "duplicate",
    "missing",
    "wrong_length",
    "echo_key",
]

_ONLY_ON = {"out_of_range": "rerank", "duplicate": "rerank", "wrong_length": "embed"}


class Rule(BaseModel):
    """One fault and the calls that it strikes, counted from 1 on each endpoint; without a choice: all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    on: Literal["rerank", "embed"] = "rerank"
    fault: Kind
    calls: tuple[PositiveInt, ...] = ()
    first: PositiveInt | None = None
    every: PositiveInt | None = None
    status: int = Field(default=500, ge=200, le=599)
    body: str | dict[str, Any] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    seconds: NonNegativeFloat = 0.0

    @model_validator(mode="after")
    def _fits_the_endpoint(self) -> Rule:
        only = _ONLY_ON.get(self.fault, self.on)
        if only != self.on:
            raise ValueError(f"`{self.fault}` is a fault of {only} only")
        return self

    def strikes(self, endpoint: str, number: int) -> bool:
        """Return whether call `number` of an endpoint goes wrong."""
        if endpoint != self.on:
            return False
        chosen = [
            number in self.calls if self.calls else None,
            number <= self.first if self.first else None,
            number % self.every == 0 if self.every else None,
        ]
        return all(choice is not False for choice in chosen)

    @property
    def content(self) -> bytes:
        """The body of a status fault: text as it is, a mapping as JSON."""
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


class Faults:
    """The rules of a sandbox, with a count of calls for each endpoint."""

    def __init__(self, rules: Sequence[Rule] = ()) -> None:
        self._rules = tuple(rules)
        self._count = {"rerank": 0, "embed": 0}
        self._lock = threading.Lock()

    def next(self, endpoint: str) -> Rule | None:
        """Count a call and return the rule that strikes it."""
        with self._lock:
            self._count[endpoint] += 1
            number = self._count[endpoint]
        return next((rule for rule in self._rules if rule.strikes(endpoint, number)), None)


def read(path: Path) -> list[Rule]:
    """Read a fault script.

    Raises:
        InputError: it cannot be read or has unknown rules.
    """
    try:
        script = yaml.safe_load(path.read_text("utf-8"))
        if isinstance(script, list):
            script = [_keyed(rule) if isinstance(rule, dict) else rule for rule in script]
        return TypeAdapter(list[Rule]).validate_python(script)
    except OSError as error:
        raise InputError(f"the fault script {path} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        raise InputError(
            f"the fault script {path} is wrong: {problems(error)}. See docs/faults.md"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"the fault script {path} is wrong: {error}. See docs/faults.md") from error


def _keyed(rule: dict[Any, Any]) -> dict[Any, Any]:
    """Return a rule with `on` as its key: YAML 1.1 reads that word as true."""
    return {"on" if key is True else key: value for key, value in rule.items()}


def spoil(kind: Kind, answer: dict[str, Any]) -> bytes:
    """Return the body of a good answer after a fault of the response's content."""
    if kind == "malformed":
        return json.dumps(answer).encode()[:-2] + b"]"
    spoilt = copy.deepcopy(answer)
    _SPOIL[kind](spoilt)
    return json.dumps(spoilt).encode()


def _score(value: Any) -> Callable[[dict[str, Any]], None]:
    def spoil(answer: dict[str, Any]) -> None:
        if "results" in answer:
            answer["results"][0]["relevance_score"] = value
        else:
            answer["embeddings"]["float"][0][0] = value

    return spoil


def _index(value: Callable[[list[dict[str, Any]]], int]) -> Callable[[dict[str, Any]], None]:
    def spoil(answer: dict[str, Any]) -> None:
        answer["results"][-1]["index"] = value(answer["results"])

    return spoil


def _no_results(answer: dict[str, Any]) -> None:
    answer.pop("results", None)
    answer.pop("embeddings", None)


def _missing(answer: dict[str, Any]) -> None:
    (answer["results"] if "results" in answer else answer["embeddings"]["float"]).pop()


def _wrong_length(answer: dict[str, Any]) -> None:
    answer["embeddings"]["float"][-1].pop()


_SPOIL: dict[str, Callable[[dict[str, Any]], None]] = {
    "no_results": _no_results,
    "null": _score(None),
    "nan": _score(float("nan")),
    "string": _score("0.5"),
    "negative": _score(-8.3),
    "large": _score(4.2),
    "out_of_range": _index(len),
    "duplicate": _index(lambda results: int(results[0]["index"])),
    "missing": _missing,
    "wrong_length": _wrong_length,
}
