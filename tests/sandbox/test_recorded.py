"""The sandbox's responses have the shape of recorded ones, and our reader reads the recorded ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from evalkit.providers.answers import billed_units, read_scores, read_vectors
from evalkit.providers.complaints import REMEDIES, mapped
from evalkit.sandbox import serving
from evalkit.sandbox.app import Sandbox
from evalkit.sandbox.scores import WordScorer
from evalkit.transport.retry import Transient

pytestmark = pytest.mark.external
OPTIONAL = {"is_experimental", "is_deprecated", "image_tokens"}  # in some recordings, not in others


def recorded(real_data: Path, name: str = "recorded.jsonl") -> list[dict[str, Any]]:
    """Return the recorded calls."""
    return [json.loads(line) for line in (real_data / "cohere_wire" / name).read_text("utf-8").splitlines()]


def shape(value: Any) -> Any:
    """Return a value with its leaves replaced by their kinds; all items of a list must agree."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in sorted(value.items()) if name not in OPTIONAL}
    if isinstance(value, list):
        kinds = {json.dumps(shape(inner)) for inner in value}
        assert len(kinds) == 1
        return [json.loads(kinds.pop())]
    return "number" if isinstance(value, int | float) else type(value).__name__


def sent(address: str, call: dict[str, Any]) -> httpx.Response:
    """Send a recorded request to the sandbox."""
    path = call["uri"].partition(".com")[2]
    return httpx.post(
        f"{address}{path}", json=call["request"], headers={"Authorization": "Bearer sandbox-trial"}
    )


def test_responses_have_the_recorded_shape(real_data: Path) -> None:
    """Each recorded v2 call to a model that is still served gets a response of the same keys and kinds."""
    served = ("rerank-v3.5", "rerank-english-v3.0", "embed-english-v3.0", "embed-v4.0", "nonexistent")
    calls = [
        call
        for call in recorded(real_data)
        if "/v2/" in call["uri"] and call["request"].get("model") in served
    ]
    with serving(Sandbox(scorer=WordScorer())) as address:
        for call in calls:
            response = sent(address, call)
            assert response.status_code == call["status"], call["source"]
            assert shape(response.json()) == shape(call["response"]), call["source"]
    assert len(calls) >= 7


def test_the_recorded_limit_headers_are_the_sandboxes(real_data: Path) -> None:
    """A trial key's headers have the recorded names, and numbers as values."""
    names = {
        name
        for call in recorded(real_data)
        for name in call["response_headers"]
        if name.startswith(("x-trial", "x-endpoint"))
    }
    call = next(call for call in recorded(real_data) if call["request"].get("model") == "rerank-v3.5")
    with serving(Sandbox(scorer=WordScorer(), per_minute=40, per_month=1000)) as address:
        headers = sent(address, call).headers

    assert len(names) == 3
    assert all(headers[name].isdecimal() for name in names)


def test_recorded_rerank_responses_are_read(real_data: Path) -> None:
    """Recorded scores are read in the documents' order, where the call asked for all of them."""
    calls = [
        call
        for call in recorded(real_data)
        if "rerank" in call["uri"] and len(call["response"]["results"]) == len(call["request"]["documents"])
    ]
    for call in calls:
        scores = read_scores(json.dumps(call["response"]).encode(), len(call["request"]["documents"]))
        for result in call["response"]["results"]:
            assert scores[result["index"]] == result["relevance_score"]
    assert len(calls) >= 2


def test_recorded_embeddings_are_read(real_data: Path) -> None:
    """Recorded embeddings are read as they are, with what they were billed."""
    calls = [call for call in recorded(real_data) if "embed" in call["uri"] and call["status"] == 200]
    for call in calls:
        body = json.dumps(call["response"]).encode()
        rows = read_vectors(body, len(call["request"]["texts"]), None)
        assert np.allclose(rows, call["response"]["embeddings"]["float"])
        assert billed_units(body)["input_tokens"] > 0
    assert len(calls) == 3


def test_recorded_errors_are_understood(real_data: Path) -> None:
    """Of the recorded and documented error bodies exactly the passing ones are worth asking again."""
    passing = {
        error["body"]["message"]
        for error in recorded(real_data, "error_bodies.jsonl")
        if isinstance(mapped(error["status"], error["body"]["message"], {}, "u", REMEDIES), Transient)
    }

    assert {message.split()[0] for message in passing} == {"You", "internal", "trial"}
    assert not any("month" in message for message in passing)
