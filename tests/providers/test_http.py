"""Servers that speak nearly the same shape: each of their dialects over loopback."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from evalkit.errors import InputError, ProviderError
from evalkit.providers.base import Context, reranker
from evalkit.transport.ledger import Ledger
from tests.providers.conftest import requests

Reply = Callable[[str, dict[str, Any], str], tuple[int, Any]]


@contextmanager
def server(reply: Reply) -> Iterator[str]:
    """Serve what `reply(path, body, authorization)` says."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            status, content = reply(self.path, body, self.headers.get("authorization", ""))
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the inherited name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """An empty ledger."""
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        yield ledger


def scored(ledger: Ledger, url: str, **settings: Any) -> tuple[list[float], Any]:
    """Rerank three documents and return their scores with the model."""
    quick = {"base_url": url, "first_wait": 0.02, "patience": 0.2}
    model = reranker("http/some-model", Context(ledger, {"http": quick | settings}))
    (answer,) = model.rerank(requests(1))
    assert answer.scores is not None, answer.failure
    return answer.scores.tolist(), model


def test_vllm_litellm_and_jina(ledger: Ledger) -> None:
    """`results` with a `document` and a `usage`, no `meta`."""

    def reply(_: str, body: dict[str, Any], __: str) -> tuple[int, Any]:
        results = [
            {"index": i, "relevance_score": score, "document": {"text": body["documents"][i]}}
            for i, score in ((2, 0.9), (0, 0.5), (1, 0.1))
        ]
        return 200, {"id": "score-1", "model": "m", "usage": {"total_tokens": 9}, "results": results}

    with server(reply) as url:
        scores, model = scored(ledger, url)

    assert scores == [0.5, 0.1, 0.9]
    assert model.score_space == "unit"


def test_llama_cpp(ledger: Ledger) -> None:
    """Raw logits in the input's order: kept as they are, and labelled."""

    def reply(path: str, _: dict[str, Any], __: str) -> tuple[int, Any]:
        assert path == "/v1/rerank"
        return 200, {
            "results": [{"index": i, "relevance_score": s} for i, s in enumerate((7.74, -11.0, 0.3))]
        }

    with server(reply) as url:
        scores, model = scored(ledger, url)

    assert scores == [7.74, -11.0, 0.3]
    assert model.score_space == "logit"


def test_tei(ledger: Ledger) -> None:
    """A list at the top, `score`, and `texts` in the request: learnt from its complaint."""
    asked = []

    def reply(path: str, body: dict[str, Any], _: str) -> tuple[int, Any]:
        asked.append(body.keys())
        if "texts" not in body:
            return 422, "Failed to deserialize the JSON body into the target type: missing field `texts`"
        assert path == "/rerank"
        return 200, [{"index": 1, "score": 0.8}, {"index": 0, "score": 0.3}, {"index": 2, "score": 0.2}]

    with server(reply) as url:
        scores, _ = scored(ledger, f"{url}/rerank")

    assert scores == [0.3, 0.8, 0.2]
    assert asked == [{"model", "query", "documents"}, {"query", "texts"}]


def test_voyage(ledger: Ledger) -> None:
    """`data` in place of `results`."""

    def reply(_: str, __: dict[str, Any], ___: str) -> tuple[int, Any]:
        return 200, {"object": "list", "data": [{"index": i, "relevance_score": 0.25} for i in range(3)]}

    with server(reply) as url:
        assert scored(ledger, url)[0] == [0.25] * 3


def test_the_key_is_the_one_that_the_suite_names(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """`api_key_env` names the variable; without it no Authorization is sent; an unset one is told."""
    seen = []

    def reply(_: str, __: dict[str, Any], authorization: str) -> tuple[int, Any]:
        seen.append(authorization)
        return 200, [{"index": i, "score": 0.5} for i in range(3)]

    monkeypatch.setenv("CO_API_KEY", "not-for-others")
    monkeypatch.setenv("MY_KEY", "mine")
    with server(reply) as url:
        scored(ledger, f"{url}/a")
        scored(ledger, f"{url}/b", api_key_env="MY_KEY")
        with pytest.raises(InputError, match="OTHER_KEY"):
            scored(ledger, url, api_key_env="OTHER_KEY")

    assert seen == ["", "Bearer mine"]


def test_a_key_in_a_servers_error_is_not_shown(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that repeats the key in its complaint does not get it into our message."""
    monkeypatch.setenv("MY_KEY", "abcdef0123")

    def reply(_: str, __: dict[str, Any], authorization: str) -> tuple[int, Any]:
        return 401, {"detail": f"bad {authorization}"}

    with server(reply) as url, pytest.raises(ProviderError) as caught:
        scored(ledger, url, api_key_env="MY_KEY")

    assert "[key]" in str(caught.value)
    assert "abcdef0123" not in str(caught.value)


def test_a_long_error_is_not_cut_inside_the_key(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is taken out before the complaint is cut to a readable length: no half of it is left."""
    monkeypatch.setenv("MY_KEY", "abcdef0123")

    def reply(_: str, __: dict[str, Any], ___: str) -> tuple[int, Any]:
        return 401, {"detail": "x" * 283 + "abcdef0123"}

    with server(reply) as url, pytest.raises(ProviderError) as caught:
        scored(ledger, url, api_key_env="MY_KEY")

    assert "abc" not in str(caught.value)


def test_it_is_paid_once_too(ledger: Ledger) -> None:
    """The ledger serves the second run; another address is another server."""
    calls = []

    def reply(path: str, _: dict[str, Any], __: str) -> tuple[int, Any]:
        calls.append(path)
        return 200, [{"index": i, "score": 0.5} for i in range(3)]

    with server(reply) as url:
        for path in ("/a", "/a", "/b"):
            scored(ledger, f"{url}{path}")

    assert calls == ["/a", "/b"]


@pytest.mark.parametrize(
    ("status", "says"), [(401, "api_key_env"), (404, "`http` and `model`"), (422, "route")]
)
def test_the_advice_is_for_a_server_of_ones_own(ledger: Ledger, status: int, says: str) -> None:
    """An error that ends the run names what the suite says of this server, nothing of Cohere's."""
    with (
        server(lambda *_: (status, {"error": "no"})) as url,
        pytest.raises(ProviderError, match=says) as caught,
    ):
        scored(ledger, url)

    assert "CO_API_KEY" not in str(caught.value)
    assert "evalkit models" not in str(caught.value)
