"""What Cohere's and compatible rerankers share: from requests to ledger keys, to calls, to answers."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evalkit.errors import InputError
from evalkit.pipelines.ports import Answer, Request
from evalkit.providers import answers
from evalkit.providers.base import Context
from evalkit.transport.budget import Cost
from evalkit.transport.ledger import Entry, request_key
from evalkit.transport.pool import Call, Invalid, Outcome, Pool, Received

DOCUMENTS_A_CALL = 1000  # what Cohere recommends at most; a longer list is asked for in parts
KEPT_HEADERS = (  # worth keeping beside a response
    "x-endpoint-monthly-call-limit",
    "x-trial-endpoint-call-limit",
    "x-trial-endpoint-call-remaining",
    "x-api-warning",
    "x-debug-trace-id",
)


@dataclass(frozen=True, slots=True)
class Part:
    """A query with some of its documents: what one call asks for."""

    key: str
    query: str
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wire:
    """How one model is asked: `send` makes a part's call, `price` estimates its cost, `bill` reads it."""

    model: str
    base_url: str
    parameters: Mapping[str, Any]
    send: Callable[[Part], Received]
    price: Callable[[Part], Cost]
    bill: Callable[[Part, bytes], Cost]
    sdk: str = ""


class Asking:
    """The parts of some requests, and which of them the ledger has.

    Requests with a query or document that the API would refuse (empty, or no valid Unicode) have no parts:
    `refused` says why. Equal requests share their parts, so that they are asked once.
    """

    def __init__(self, requests: Sequence[Request], context: Context, identity: Mapping[str, Any]) -> None:
        self.requests = requests
        self._context = context
        self._identity = dict(identity)
        if context.occasion:
            self._identity["occasion"] = context.occasion
        self.refused: dict[str, str] = {}
        self.parts: dict[str, list[Part]] = {}
        for request in requests:
            reason = unsendable(request)
            if reason:
                self.refused[request.query_id] = reason
            else:
                self.parts[request.query_id] = list(self._split(request))
        self.by_key = {part.key: part for parts in self.parts.values() for part in parts}
        self.found = context.ledger.get_many(self.by_key)

    @property
    def missing(self) -> list[Part]:
        """The parts that must be asked for, in the order of the requests."""
        return [part for key, part in self.by_key.items() if key not in self.found]

    def answers(self, pool: Pool, wire: Wire) -> Iterator[Answer]:
        """Answer every request: first those that are refused or in the ledger, then as responses come."""
        usage = self._context.usage
        usage.from_ledger += len(self.found)
        for query_id, reason in self.refused.items():
            yield Answer(query_id, None, f"not sent: {reason}")
        done = {key: Outcome((key,), {key: entry}, from_ledger=True) for key, entry in self.found.items()}
        asked_by: dict[str, list[str]] = defaultdict(list)
        for query_id, parts in self.parts.items():
            missing = [part.key for part in parts if part.key not in done]
            for key in missing:
                asked_by[key].append(query_id)
            if not missing:
                yield _answer(query_id, parts, done)
        for outcome in pool.run([self._call(part, wire) for part in self.missing]):
            (key,) = outcome.keys
            done[key] = outcome
            usage.from_ledger += outcome.from_ledger
            for query_id in asked_by[key]:
                if all(part.key in done for part in self.parts[query_id]):
                    yield _answer(query_id, self.parts[query_id], done)

    def _split(self, request: Request) -> Iterator[Part]:
        for start in range(0, len(request.documents), DOCUMENTS_A_CALL):
            documents = request.documents[start : start + DOCUMENTS_A_CALL]
            asked = {"operation": "rerank", "query": request.query, "documents": documents}
            yield Part(request_key(self._identity | asked), request.query, documents)

    def _call(self, part: Part, wire: Wire) -> Call:
        def entry(received: Received) -> Entry:
            meta = response_meta(received, wire.model, wire.parameters, wire.sdk)
            units = wire.bill(part, received.body).amount
            return Entry(part.key, "rerank", wire.base_url, received.body, meta | {"units": units})

        def accept(received: Received) -> list[Entry]:
            answers.read_scores(received.body, len(part.documents))
            return [entry(received)]

        return Call(
            (part.key,),
            wire.price(part),
            lambda: wire.send(part),
            accept,
            entry,
            lambda body: wire.bill(part, body),
        )


def response_meta(received: Received, model: str, parameters: Mapping[str, Any], sdk: str) -> dict[str, Any]:
    """Return what is kept beside a response."""
    return {
        "model": model,
        "parameters": dict(parameters),
        "id": answers.response_id(received.body),
        "billed_units": dict(answers.billed_units(received.body)),
        "seconds": round(received.seconds, 6),
        "warnings": list(warnings_of(received)),
        "headers": {name: received.headers[name] for name in KEPT_HEADERS if name in received.headers},
        "sdk": sdk,
        "asked": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def warnings_of(received: Received) -> tuple[str, ...]:
    """Return the warnings of a response: in its `meta`, and in its header."""
    header = received.headers.get("x-api-warning")
    return (*answers.warnings(received.body), *([header] if header else []))


def unsendable(request: Request) -> str | None:
    """Say why the API would refuse a request, or None."""
    if not request.documents:
        return "the list of documents is empty"
    if not request.query.strip():
        return "the query is empty"
    for number, text in enumerate(request.documents):
        if not text or text.isspace():
            return f"document {number} is empty"
    if is_unicode("".join((request.query, *request.documents))):
        return None
    if not is_unicode(request.query):
        return "the query holds half a surrogate pair, which is no valid Unicode"
    broken = next(number for number, text in enumerate(request.documents) if not is_unicode(text))
    return f"document {broken} holds half a surrogate pair, which is no valid Unicode"


def is_unicode(text: str) -> bool:
    """Return whether a text can be sent as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def outside_unit(answer: Answer) -> int:
    """Return how many scores of an answer lie outside [0, 1]."""
    return 0 if answer.scores is None else int(((answer.scores < 0) | (answer.scores > 1)).sum())


def refuse_offline(context: Context, model: str, missing: int, total: int) -> None:
    """Stop an offline run that lacks responses.

    Raises:
        InputError: the run is offline and something is missing.
    """
    if context.offline and missing:
        raise InputError(
            f"--offline: the ledger lacks {missing} of {total} answers of {model}. Run without --offline "
            "to ask for them"
        )


def _answer(query_id: str, parts: Sequence[Part], done: Mapping[str, Outcome]) -> Answer:
    outcomes = [done[part.key] for part in parts]
    failures = [outcome.failure for outcome in outcomes if outcome.failure]
    if failures:
        return Answer(query_id, None, failures[0])
    entries = [outcome.entries[part.key] for part, outcome in zip(parts, outcomes, strict=True)]
    try:
        scores = [
            answers.read_scores(entry.body, len(part.documents))
            for part, entry in zip(parts, entries, strict=True)
        ]
    except Invalid as reason:  # kept by a version of evalkit that believed more
        return Answer(query_id, None, f"the response in the ledger is not usable: {reason}")
    return Answer(
        query_id,
        np.concatenate(scores),
        seconds=sum(entry.meta["seconds"] for entry in entries),
        units=sum(entry.meta["units"] for entry in entries),
        from_ledger=all(outcome.from_ledger for outcome in outcomes),
        warnings=tuple(warning for entry in entries for warning in entry.meta["warnings"]),
    )
