"""The sandbox is as strict as the API: the real SDK is told what it would be told there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cohere
import httpx
import pytest
from cohere.core.api_error import ApiError

from evalkit.sandbox import serving
from evalkit.sandbox.app import Sandbox
from evalkit.sandbox.scores import WordScorer


@pytest.fixture
def address() -> Iterator[str]:
    """A sandbox that scores by shared words."""
    with serving(Sandbox(scorer=WordScorer())) as address:
        yield address


def post(address: str, path: str, body: Any, key: str = "sandbox-production") -> httpx.Response:
    """Post without the SDK, which would not send some of these bodies."""
    return httpx.post(f"{address}{path}", json=body, headers={"Authorization": f"Bearer {key}"})


RERANK: dict[str, Any] = {"model": "rerank-v3.5", "query": "a b", "documents": ["a b", "c"]}
EMBED: dict[str, Any] = {"model": "embed-v4.0", "texts": ["a"], "input_type": "search_query"}


@pytest.mark.parametrize(
    ("path", "change", "status", "message"),
    [
        ("/v2/rerank", {"top_k": 3}, 422, "unknown field: parameter 'top_k' is not a valid field"),
        ("/v2/rerank", {"return_documents": True}, 422, "unknown field"),
        (
            "/v2/rerank",
            {"model": "rerank-9"},
            404,
            "model 'rerank-9' not found, make sure the correct model ID",
        ),
        ("/v2/rerank", {"documents": []}, 400, "list of documents must not be empty"),
        ("/v2/rerank", {"documents": ["a", " "]}, 400, "document at index 1 cannot be empty"),
        ("/v2/rerank", {"documents": [{"text": "a"}]}, 422, "must be a string"),
        ("/v2/rerank", {"documents": ["a"] * 10_001}, 400, "must be less than 10000"),
        ("/v2/rerank", {"query": "  "}, 400, "query must not be empty or be only whitespace"),
        ("/v2/rerank", {"top_n": 0}, 400, "top_n must be at least 1"),
        ("/v2/embed", {"texts": ["a"] * 97}, 400, "total number of texts must be at most 96 - received 97"),
        ("/v2/embed", {"input_type": None}, 400, "valid input_type must be provided"),
        ("/v2/embed", {"output_dimension": 7}, 400, "output_dimension must be one of"),
        ("/v2/embed", {"text": "a"}, 422, "unknown field: parameter 'text' is not a valid field"),
        ("/v1/tokenize", {"text": ""}, 400, "1 to 65536 characters"),
    ],
)
def test_what_the_api_rejects_is_rejected(
    address: str, path: str, change: dict[str, Any], status: int, message: str
) -> None:
    """Each mistake gets the API's status and message."""
    good = RERANK if path == "/v2/rerank" else EMBED if path == "/v2/embed" else {}

    response = post(address, path, good | change)

    assert response.status_code == status
    assert message in response.json()["message"]


@pytest.mark.parametrize("key", ["sandbox", "a-real-looking-key-0123456789abcdef01234567"])
def test_only_a_sandbox_key_is_taken(address: str, key: str) -> None:
    """A real key is refused: none of its owner's runs can be served by mistake."""
    assert post(address, "/v2/rerank", RERANK, key).status_code == 401


def test_the_sdk_is_served(address: str) -> None:
    """Rerank, embed, models and tokenize work through the real SDK."""
    with cohere.ClientV2("sandbox-production", base_url=address) as client:
        reranked = client.rerank(**RERANK, top_n=1)
        embedded = client.embed(**EMBED, output_dimension=256, embedding_types=["float"])
        rerankers = client.models.list(endpoint="rerank").models
        tokenized = client.tokenize(text="a b", model="rerank-v3.5", offline=False)

    assert [result.index for result in reranked.results] == [0]
    assert len(embedded.embeddings.float_[0]) == 256
    assert {"rerank-v3.5", "rerank-v4.0-pro"} <= {model.name for model in rerankers}
    assert tokenized.token_strings == ["a", "b"]
    assert post(address, "/v1/check-api-key", {}).json()["valid"] is True


def test_a_trial_key_is_told_its_limits_and_then_refused() -> None:
    """A trial key's answers have the headers; the 429 has the recorded message and no headers."""
    with serving(Sandbox(scorer=WordScorer(), per_minute=2, per_month=3)) as address:
        first, second, third = (post(address, "/v2/rerank", RERANK, "sandbox-trial") for _ in range(3))

    assert first.headers["x-trial-endpoint-call-limit"] == "2"
    assert second.headers["x-trial-endpoint-call-remaining"] == "0"
    assert third.status_code == 429
    assert third.json()["message"] == "You are using a Trial key, which is limited to 2 API calls / minute."
    assert "x-trial-endpoint-call-limit" not in third.headers


def test_a_used_up_month_is_refused_in_the_recorded_words() -> None:
    """Past the monthly limit every call is a 429 that says so."""
    with serving(Sandbox(scorer=WordScorer(), per_month=1)) as address:
        _, second = (post(address, "/v2/rerank", RERANK, "sandbox-trial") for _ in range(2))

    assert second.json()["message"] == "You are using a Trial key, which is limited to 1 API calls / month."


def test_a_production_key_is_told_no_limits(address: str) -> None:
    """The headers are a trial key's only."""
    assert "x-endpoint-monthly-call-limit" not in post(address, "/v2/rerank", RERANK).headers


def test_documents_beyond_a_hundred_cost_another_unit(address: str) -> None:
    """101 short documents, or one of 101 chunks' length that is not cut before, are two search units."""
    with cohere.ClientV2("sandbox-production", base_url=address) as client:
        many = client.rerank(model="rerank-v3.5", query="a", documents=["a"] * 101)
        text = "word " * 40_401
        long = client.rerank(model="rerank-v3.5", query="a", documents=[text], max_tokens_per_doc=100_000)

    assert many.meta and many.meta.billed_units and many.meta.billed_units.search_units == 2
    assert long.meta and long.meta.billed_units and long.meta.billed_units.search_units == 2


def test_no_key_is_an_api_error_in_the_sdk(address: str) -> None:
    """The SDK turns the 401 into its own class, as it does with the API's."""
    with cohere.ClientV2("wrong", base_url=address) as client, pytest.raises(ApiError) as caught:
        client.rerank(**RERANK)

    assert caught.value.status_code == 401


@pytest.mark.parametrize(("cut", "units"), [(None, 1.0), (600, 1.0), (5000, 2.0)])
def test_a_document_is_billed_as_far_as_it_is_read(address: str, cut: int | None, units: float) -> None:
    """Eleven documents of 8,000 tokens are cut, at 4,096 by default, then counted by chunk."""
    body = RERANK | {"documents": ["word " * 8000] * 11} | ({"max_tokens_per_doc": cut} if cut else {})

    told = post(address, "/v2/rerank", body).json()
    assert told["meta"]["billed_units"] == {"search_units": units}


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"model": "embed-v4.0", "texts": ["a"], "input_type": {}}']
)
def test_a_body_of_nonsense_is_a_400(address: str, body: bytes) -> None:
    """Whatever comes, the sandbox says what is wrong with it: it does not fall over."""
    key = {"Authorization": "Bearer sandbox-production"}

    assert httpx.post(f"{address}/v2/embed", content=body, headers=key).status_code == 400


def test_a_key_is_checked_without_a_body(address: str) -> None:
    """`check-api-key` takes none."""
    key = {"Authorization": "Bearer sandbox-production"}

    assert httpx.post(f"{address}/v1/check-api-key", headers=key).json()["valid"] is True
