"""Cohere's models through the real SDK: what is sent, what is kept, what is asked for twice (nothing)."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from evalkit.errors import InputError, ProviderError
from evalkit.pipelines.ports import Request
from evalkit.providers.base import Context, embedder, reranker
from evalkit.sandbox import serving
from evalkit.sandbox.app import Sandbox
from evalkit.sandbox.faults import Rule
from evalkit.sandbox.scores import WordScorer
from evalkit.transport.ledger import Ledger
from tests.providers.conftest import Served, requests


def test_a_request_holds_only_what_the_api_takes(served: Served) -> None:
    """Model, query and documents as strings; no `top_n`, no null, no dict."""
    list(reranker("cohere/rerank-v3.5", served.context()).rerank(requests(1)))

    body = json.loads(served.bodies()[0])
    assert body.keys() == {"model", "query", "documents"}
    assert all(isinstance(document, str) for document in body["documents"])


def test_scores_come_in_the_documents_order(served: Served) -> None:
    """The API sorts by score; the answer is in the order of the candidates."""
    request = Request("q", "apple pie", ("nothing", "apple pie", "apple"))
    (answer,) = reranker("cohere/rerank-v4.0-pro", served.context()).rerank([request])

    assert answer.scores is not None
    assert answer.scores.tolist() == WordScorer().score("rerank-v4.0-pro", request.query, request.documents)
    assert answer.units == 1.0


def test_nothing_is_asked_for_twice(served: Served) -> None:
    """A second run, with providers of its own, sends nothing and has the same scores."""
    asked = requests(20)
    first = {a.query_id: a for a in reranker("cohere/rerank-v3.5", served.context()).rerank(asked)}
    second = {a.query_id: a for a in reranker("cohere/rerank-v3.5", served.context()).rerank(asked)}

    assert len(served.sandbox.seen) == 20
    assert all(answer.from_ledger for answer in second.values())
    for query_id, answer in first.items():
        np.testing.assert_array_equal(answer.scores, second[query_id].scores)


def test_equal_requests_of_one_run_are_asked_once(served: Served) -> None:
    """Two queries of the same text and candidates share one call, and both get its scores."""
    one = requests(1)[0]
    answers = list(
        reranker("cohere/rerank-v3.5", served.context()).rerank([one, replace(one, query_id="twin")])
    )

    assert len(served.sandbox.seen) == 1
    assert {answer.query_id for answer in answers} == {"q0", "twin"}


@pytest.mark.parametrize(
    "change",
    [
        {"query": "another"},
        {"documents": ("document number 1", "document number 0", "document number 2")},
        {"documents": ("document number 0", "document number 1")},
    ],
)
def test_any_change_of_the_request_is_another_request(served: Served, change: dict[str, object]) -> None:
    """Query, documents and their order are all part of the key."""
    one = requests(1)[0]
    for request in (one, replace(one, **change)):
        list(reranker("cohere/rerank-v3.5", served.context()).rerank([request]))

    assert len(served.sandbox.seen) == 2


def test_settings_that_change_scores_are_part_of_the_key(served: Served) -> None:
    """`max_tokens_per_doc` is sent, and asks again; a rate does not."""
    for settings in ({}, {"max_tokens_per_doc": 9000}, {"concurrency": 2}):
        list(reranker("cohere/rerank-v3.5", served.context(**settings)).rerank(requests(1)))

    assert [json.loads(body).get("max_tokens_per_doc") for body in served.bodies()] == [None, 9000]


def test_more_than_a_thousand_documents_go_in_parts(served: Served) -> None:
    """2,500 documents are three calls; the scores come together in order."""
    request = Request("q", "number 2499", tuple(f"document number {n}" for n in range(2500)))
    (answer,) = reranker("cohere/rerank-v3.5", served.context()).rerank([request])

    assert sorted(len(json.loads(body)["documents"]) for body in served.bodies()) == [500, 1000, 1000]
    assert answer.scores is not None
    assert answer.scores.tolist() == WordScorer().score("rerank-v3.5", request.query, request.documents)
    assert answer.units == 10 + 10 + 5


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Request("q", " ", ("a",)), "the query is empty"),
        (Request("q", "a", ()), "the list of documents is empty"),
        (Request("q", "a", ("b", "\n")), "document 1 is empty"),
        (Request("q", "a", ("b", "half \ud83d")), "document 1 holds half a surrogate pair"),
    ],
)
def test_what_the_api_would_refuse_is_not_sent(served: Served, request_: Request, reason: str) -> None:
    """The query is reported without a call."""
    (answer,) = reranker("cohere/rerank-v3.5", served.context()).rerank([request_])

    assert answer.failure is not None and reason in answer.failure
    assert served.bodies() == []


def test_an_unknown_model_works_where_the_server_knows_it(served: Served) -> None:
    """Any name is sent; the plan says that evalkit does not know its price."""
    model = reranker("cohere/rerank-next", served.context())

    assert model.plan_rerank(requests(1)).usd is None
    assert "does not know this model" in model.plan_rerank(requests(1)).warnings[0]
    with pytest.raises(ProviderError, match="'rerank-next' not found"):
        list(model.rerank(requests(1)))


def test_a_price_can_be_given(served: Served) -> None:
    """The suite's catalog overrides and adds."""
    catalog = {"rerank-next": {"usd": 5.0, "per": 1000}}

    assert (
        reranker("cohere/rerank-next", served.context(catalog=catalog)).plan_rerank(requests(4)).usd == 0.02
    )


def test_texts_are_embedded_ninety_six_a_call_and_kept_by_text(served: Served) -> None:
    """200 texts are three calls; of 250 later ones only the 50 new are sent."""
    texts = [f"text {n}" for n in range(250)]
    model = embedder("cohere/embed-v4.0", served.context())
    first = model.embed(texts[:200], "document")
    sizes = [len(json.loads(body)["texts"]) for body in served.bodies()]
    again = model.embed(texts, "document")

    assert sorted(sizes) == [8, 96, 96]
    assert len(json.loads(served.bodies()[-1])["texts"]) == 50
    np.testing.assert_array_equal(first, again[:200])
    assert np.linalg.norm(again, axis=1) == pytest.approx(np.ones(250), abs=1e-5)


def test_queries_and_documents_are_embedded_as_such(served: Served) -> None:
    """The input type follows the role and is part of the key; the dimension is sent."""
    model = embedder("cohere/embed-v4.0", served.context(output_dimension=256))
    rows = [model.embed(["same text"], role) for role in ("query", "document")]

    assert [json.loads(body)["input_type"] for body in served.bodies()] == ["search_query", "search_document"]
    assert {row.shape for row in rows} == {(1, 256)}
    with pytest.raises(InputError, match="256, 512, 1024, 1536"):
        embedder("cohere/embed-v4.0", served.context(output_dimension=300))


def test_embeddings_that_failed_do_not_cost_the_others(served: Served) -> None:
    """One of three calls fails: an error now, but only its texts are sent again."""
    served.sandbox.set_faults([Rule(on="embed", fault="nan", calls=(2,))])
    texts = [f"text {n}" for n in range(250)]
    with pytest.raises(ProviderError, match="1 of 3 calls for embeddings failed"):
        embedder("cohere/embed-v4.0", served.context()).embed(texts, "document")

    embedder("cohere/embed-v4.0", served.context()).embed(texts, "document")
    assert len(served.bodies()) == 4


def test_what_is_kept_beside_a_response(served: Served) -> None:
    """Id, units, latency, warnings, SDK and the limits of a trial key; never the key."""
    list(reranker("cohere/rerank-v3.5", served.context()).rerank(requests(1)))
    with served.ledger.connection() as connection:
        ((meta, base_url),) = connection.execute("SELECT meta, base_url FROM entries").fetchall()
    kept = json.loads(meta)

    assert kept["billed_units"] == {"search_units": 1.0}
    assert kept["id"] and kept["seconds"] > 0 and kept["sdk"].startswith("cohere ")
    assert base_url == "sandbox:1"
    assert "sandbox-production" not in meta


def test_units_stop_a_run_before_the_call(served: Served) -> None:
    """`--max-units 7` makes seven calls of one unit, keeps them, and the next run asks for the others."""
    context = replace(served.context(), max_units=7)
    with pytest.raises(ProviderError, match="--max-units 7"):
        list(reranker("cohere/rerank-v3.5", context).rerank(requests(30)))
    assert len(served.bodies()) == 7

    answers = list(reranker("cohere/rerank-v3.5", served.context()).rerank(requests(30)))
    assert len(served.bodies()) == 30
    assert sum(answer.from_ledger for answer in answers) == 7


def test_calls_within_the_budget_are_made_though_they_wait_for_their_turn(served: Served) -> None:
    """A paced run of seven units makes all seven calls: the eighth is refused while others still wait."""
    context = replace(served.context(rate=1200), max_units=7)
    with pytest.raises(ProviderError, match="--max-units 7"):
        list(reranker("cohere/rerank-v3.5", context).rerank(requests(30)))

    assert len(served.bodies()) == 7


def test_offline_asks_for_nothing(served: Served) -> None:
    """An offline run serves what the ledger has, and says what it lacks."""
    list(reranker("cohere/rerank-v3.5", served.context()).rerank(requests(2)))
    offline = replace(served.context(), offline=True)

    assert len(list(reranker("cohere/rerank-v3.5", offline).rerank(requests(2)))) == 2
    with pytest.raises(InputError, match="lacks 1 of 3 answers"):
        list(reranker("cohere/rerank-v3.5", offline).rerank(requests(3)))
    assert len(served.bodies()) == 2


def test_the_plan_is_what_is_sent_and_billed(served: Served) -> None:
    """Calls and search units of the plan are those of the run, less what the ledger has."""
    asked = requests(10, documents=150)
    list(reranker("cohere/rerank-v3.5", served.context()).rerank(asked[:4]))
    context = served.context()
    line = reranker("cohere/rerank-v3.5", context).plan_rerank(asked)
    sent = len(served.bodies())
    list(reranker("cohere/rerank-v3.5", context).rerank(asked))

    assert (line.calls, line.calls_in_ledger, line.units, line.unit) == (10, 4, 12.0, "search")
    assert line.usd == pytest.approx(12 * 0.002)
    assert len(served.bodies()) - sent == line.calls - line.calls_in_ledger
    assert (context.usage.units, context.usage.usd) == (line.units, pytest.approx(line.usd))


def test_long_documents_are_counted_and_warned_of(served: Served) -> None:
    """A document past `max_tokens_per_doc` is cut there: nine chunks, and a warning that counts it."""
    long = "word " * 8000
    line = reranker("cohere/rerank-v4.0-pro", served.context()).plan_rerank([Request("q", "a", (long, "b"))])

    assert "1 of 2 documents probably exceed max_tokens_per_doc = 4096" in line.warnings[0]
    assert line.tokens == 4096 + 1 + 1


def test_a_trial_key_paces_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told a limit by the first answer, the pool keeps to it: no 429, though nobody set a rate."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-trial")
    sandbox = Sandbox(scorer=WordScorer(), per_minute=600)
    with serving(sandbox) as address, Ledger(tmp_path / "ledger.sqlite") as ledger:
        context = Context(ledger, {"cohere": {"base_url": address, "patience": 0.0}}, sandbox=True)
        answers = list(reranker("cohere/rerank-v3.5", context).rerank(requests(15)))

    assert all(answer.scores is not None for answer in answers)
    assert len(sandbox.seen) == 15
    assert sandbox.seen[-1].at - sandbox.seen[1].at >= 0.9 * 13 * 0.1


def test_a_quota_does_not_begin_anew_with_the_next_model(served: Served) -> None:
    """The calls of a run's second model keep their distance to those of the first one."""
    context = served.context(rate=120)
    for model in ("cohere/rerank-v3.5", "cohere/rerank-v4.0-pro"):
        list(reranker(model, context).rerank(requests(2)))

    times = [request.at for request in served.sandbox.seen]
    assert len(times) == 4
    assert min(after - before for before, after in pairwise(times)) > 0.4


def test_this_machine_is_not_asked_through_a_proxy(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment, where nobody listens, does not keep a run from its sandbox."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    (answer,) = reranker("cohere/rerank-v3.5", served.context()).rerank(requests(1))

    assert answer.failure is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:99999", "is no address"),
        ("http://[::1", "is no address"),
        ("http://127.0.0.1?key=abc", r"must end before any `\?`"),
    ],
)
def test_an_address_that_is_none_is_told(served: Served, url: str, said: str) -> None:
    """A port, bracket or query that no address has is the user's error, before anything waits for it."""
    context = Context(served.ledger, {"cohere": {"base_url": url}})

    with pytest.raises(InputError, match=said):
        reranker("cohere/rerank-v3.5", context)


def test_without_a_key_it_says_where_to_get_one(served: Served) -> None:
    """No key: an error of the user's before anything is sent, with the sandbox as a way out."""
    context = Context(served.ledger, {"cohere": {"base_url": served.address}})

    with pytest.raises(InputError, match=r"set CO_API_KEY.*--sandbox"):
        list(reranker("cohere/rerank-v3.5", context).rerank(requests(1)))
    assert served.bodies() == []


def test_a_key_that_cannot_be_one_is_not_shown(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key with a space in it would be printed by the HTTP library: it never gets there."""
    monkeypatch.setenv("CO_API_KEY", "abc def")

    with pytest.raises(InputError, match="CO_API_KEY holds a space") as caught:
        reranker("cohere/rerank-v3.5", Context(served.ledger))
    assert "abc" not in str(caught.value)


def test_the_address_comes_from_suite_or_environment(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """`CO_API_URL` is honoured; the suite's `base_url` goes first; without either it is Cohere's."""
    assert reranker("cohere/rerank-v3.5", Context(served.ledger)).address == "https://api.cohere.com"
    monkeypatch.setenv("CO_API_URL", "https://gateway.example/")
    assert reranker("cohere/rerank-v3.5", Context(served.ledger)).address == "https://gateway.example"
    settings = {"cohere": {"base_url": "https://other.example"}}
    assert reranker("cohere/rerank-v3.5", Context(served.ledger, settings)).address == "https://other.example"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://h:1/v1", "end before the version"),
        ("api.cohere.com", "must start with http"),
        ("https://me:secret@h", "must not hold credentials"),
    ],
)
def test_an_address_that_cannot_work_is_told(served: Served, url: str, says: str) -> None:
    """The version trap, a missing scheme, credentials that would be stored."""
    with pytest.raises(InputError, match=says) as caught:
        reranker("cohere/rerank-v3.5", Context(served.ledger, {"cohere": {"base_url": url}}))
    assert "secret" not in str(caught.value)


def test_unknown_settings_are_told_all_at_once(served: Served) -> None:
    """A misspelt setting is no silent default."""
    with pytest.raises(InputError) as caught:
        reranker("cohere/rerank-v3.5", Context(served.ledger, {"cohere": {"rat": 10, "concurrency": 99}}))

    assert "rat" in str(caught.value) and "concurrency" in str(caught.value)


def test_sandbox_scores_never_serve_a_real_run(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a real key, at the very address of the sandbox, nothing of the sandbox's is found."""
    list(reranker("cohere/rerank-v3.5", served.context()).rerank(requests(3)))
    monkeypatch.setenv("CO_API_KEY", "areallookingkey")
    context = Context(served.ledger, {"cohere": {"base_url": served.address}})

    line = reranker("cohere/rerank-v3.5", context).plan_rerank(requests(3))
    assert (line.calls, line.calls_in_ledger) == (3, 0)
    with pytest.raises(ProviderError, match="invalid api token"):
        list(reranker("cohere/rerank-v3.5", context).rerank(requests(3)))


def test_a_long_error_is_not_cut_inside_the_key(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is taken out before the complaint is cut to a readable length: no half of it is left."""
    monkeypatch.setenv("CO_API_KEY", "sandbox-QWERTZUIOP")
    served.sandbox.set_faults(
        [Rule(fault="status", status=401, body={"message": "x" * 285 + "sandbox-QWERTZUIOP"})]
    )
    with pytest.raises(ProviderError) as caught:
        list(reranker("cohere/rerank-v3.5", served.context()).rerank(requests(1)))

    assert "QWER" not in str(caught.value)


def test_a_real_key_is_not_sent_to_a_sandbox(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--sandbox` with a real key in the environment uses the sandbox's own key."""
    monkeypatch.setenv("CO_API_KEY", "areallookingkey")

    answers = list(reranker("cohere/rerank-v3.5", served.context()).rerank(requests(1)))
    assert answers[0].scores is not None
