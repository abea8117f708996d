"""The fault matrix: each row is a fault of the API or the network, and what a user gets.

`docs/faults.md` is made from it: see `table.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evalkit.sandbox.faults import Rule

# The bodies are recorded or documented: see the sources beside the recorded traffic.
MINUTE = {"message": "You are using a Trial key, which is limited to 10 API calls / minute."}
MONTH = {"message": "You are using a Trial key, which is limited to 1000 API calls / month."}
DOWN = {"message": "internal server error, this has been reported to our developers. id 4a71da75"}
HTML = "<html><body><h1>503 Service Unavailable</h1></body></html>"
UNKNOWN_MODEL = {"message": "model 'rerank-v3.5' not found, make sure the correct model ID was used"}
UNKNOWN_FIELD = {"message": "unknown field: parameter 'top_k' is not a valid field"}


@dataclass(frozen=True)
class Row:
    """A fault of some calls of a run of six queries, and how the run ends.

    `failed` queries are reported without an answer, `asked` requests reach the server (None: it depends on
    the threads), `says` is in the reason or on standard error.
    """

    name: str
    rule: Rule
    does: str
    exit: int = 0
    failed: int = 0
    asked: int | None = 6
    says: str = ""
    gap: float = 0.0  # seconds between the first request and its repetition, at least
    settings: Mapping[str, Any] = field(default_factory=dict)


def _status(status: int, body: Any, **more: Any) -> Rule:
    return Rule(fault="status", status=status, body=body, **({"calls": (1,)} | more))


AGAIN = "asks again; the run is complete"
QUARANTINE = "keeps the response in quarantine, scores nothing of it, reports the query as failed"
NO_EMBEDDING = "keeps the response in quarantine, ends and says why; the other calls' embeddings are kept"
STOP = "stops at once, with one request made, and says what to do"

ROWS = (
    Row(
        "429 with Retry-After: 1",
        _status(429, MINUTE, headers={"Retry-After": "1"}),
        "waits 1 s, " + AGAIN,
        asked=7,
        gap=0.99,
    ),
    Row(
        "429 with Retry-After: 0",
        _status(429, MINUTE, headers={"Retry-After": "0"}),
        "waits by its own backoff, " + AGAIN,
        asked=7,
        gap=0.03,
    ),
    Row(
        "429 with Retry-After: 0.4",
        _status(429, MINUTE, headers={"Retry-After": "0.4"}),
        "waits 0.4 s, " + AGAIN,
        asked=7,
        gap=0.39,
    ),
    Row(
        "429 without Retry-After",
        _status(429, MINUTE),
        "waits by its own backoff, " + AGAIN,
        asked=7,
        gap=0.03,
    ),
    Row(
        "429 three times in a row",
        _status(429, MINUTE, calls=(1, 2, 3)),
        "waits longer each time, " + AGAIN,
        asked=9,
    ),
    Row(
        "429 with Retry-After: 3600",
        _status(429, MINUTE, headers={"Retry-After": "3600"}),
        "does not sit it out: ends and names the wait",
        exit=3,
        asked=1,
        says="asks to wait 3600 s",
    ),
    Row(
        "429 for the month's quota",
        _status(429, MONTH),
        STOP,
        exit=3,
        asked=1,
        says="monthly quota is used up",
    ),
    Row(
        "429 for the month's quota in mid-run",
        _status(429, MONTH, calls=(4, 5, 6)),
        "stops at once; what was answered is kept for the next run",
        exit=3,
        asked=None,
        says="monthly quota is used up",
    ),
    Row("408", _status(408, {"message": "request timeout"}), AGAIN, asked=7),
    Row("500", _status(500, DOWN), AGAIN, asked=7),
    Row("502 with an empty body", _status(502, ""), AGAIN, asked=7),
    Row("503 with an HTML body", _status(503, HTML), AGAIN, asked=7),
    Row("529", _status(529, {"message": "overloaded"}), AGAIN, asked=7),
    Row(
        "500 without end",
        Rule(fault="status", status=500, body=DOWN),
        "gives up after its patience, ends and names the error",
        exit=3,
        asked=None,
        says="HTTP 500: internal server error",
        settings={"patience": 0.3},
    ),
    Row(
        "500 without end, from the third call on",
        Rule(fault="status", status=500, body=DOWN, calls=tuple(range(3, 99))),
        "gives up after its patience and reports the failed queries",
        exit=3,
        failed=4,
        asked=None,
        says="HTTP 500: internal server error",
        settings={"patience": 0.3},
    ),
    Row(
        "400",
        _status(400, {"message": "invalid request: document at index 0 cannot be empty"}, calls=(3,)),
        "reports the query as failed; the others are answered",
        exit=3,
        failed=1,
        says="document at index 0 cannot be empty",
    ),
    Row(
        "400 for every call",
        _status(400, {"message": "invalid request: no"}, calls=()),
        "asks for each query once, then ends and says why",
        exit=3,
        says="answered none of 6 queries: HTTP 400: invalid request: no",
    ),
    Row(
        "401", _status(401, {"message": "invalid api token"}), STOP, exit=3, asked=1, says="check CO_API_KEY"
    ),
    Row(
        "402", _status(402, {"message": "billing limit reached"}), STOP, exit=3, asked=1, says="billing limit"
    ),
    Row("403", _status(403, {"message": "forbidden"}), STOP, exit=3, asked=1, says="access to the model"),
    Row("404", _status(404, UNKNOWN_MODEL), STOP, exit=3, asked=1, says="check the name in the suite"),
    Row("422", _status(422, UNKNOWN_FIELD), STOP, exit=3, asked=1, says="unknown field: parameter 'top_k'"),
    Row(
        "a redirect",
        _status(307, "", headers={"Location": "/v1/elsewhere"}),
        "does not follow it: " + STOP,
        exit=3,
        asked=1,
        says="base_url",
    ),
    Row("connection reset", Rule(fault="reset", calls=(3,)), AGAIN, asked=7),
    Row("connection closed in mid-body", Rule(fault="truncate", calls=(3,)), AGAIN, asked=7),
    Row(
        "an answer later than the timeout",
        Rule(fault="delay", seconds=1.5, calls=(3,)),
        AGAIN,
        asked=7,
        settings={"timeout": 0.7},
    ),
    Row(
        "malformed JSON",
        Rule(fault="malformed", calls=(3,)),
        QUARANTINE,
        exit=3,
        failed=1,
        says="it is no JSON",
    ),
    Row(
        "`results` missing",
        Rule(fault="no_results", calls=(3,)),
        QUARANTINE,
        exit=3,
        failed=1,
        says="no list of results",
    ),
    Row(
        "a score that is null",
        Rule(fault="null", calls=(3,)),
        QUARANTINE,
        exit=3,
        failed=1,
        says="None is no number",
    ),
    Row(
        "a score that is NaN", Rule(fault="nan", calls=(3,)), QUARANTINE, exit=3, failed=1, says="not finite"
    ),
    Row(
        "a score that is a string",
        Rule(fault="string", calls=(3,)),
        QUARANTINE,
        exit=3,
        failed=1,
        says="'0.5' is no number",
    ),
    Row(
        "a negative score",
        Rule(fault="negative", calls=(3,)),
        "keeps it as it is and labels the model's scores as logits",
    ),
    Row(
        "a score of 4.2",
        Rule(fault="large", calls=(3,)),
        "keeps it as it is and labels the model's scores as logits",
    ),
    Row(
        "an index out of range",
        Rule(fault="out_of_range", calls=(3,)),
        QUARANTINE,
        exit=3,
        failed=1,
        says="none of the 3 documents",
    ),
    Row(
        "an index twice",
        Rule(fault="duplicate", calls=(3,)),
        QUARANTINE,
        exit=3,
        failed=1,
        says="comes twice",
    ),
    Row(
        "an index missing",
        Rule(fault="missing", calls=(3,)),
        QUARANTINE,
        exit=3,
        failed=1,
        says="have no score",
    ),
    Row(
        "an error that repeats the key",
        Rule(fault="echo_key", status=400, calls=(3,)),
        "shows [key] in its place",
        exit=3,
        failed=1,
        says="[key]",
    ),
)
LABELLED_LOGIT = {"a negative score", "a score of 4.2"}

EMBED_ROWS = (
    Row(
        "an embedding of another length",
        Rule(on="embed", fault="wrong_length"),
        NO_EMBEDDING,
        says="does not have 1536 numbers",
    ),
    Row(
        "an embedding missing",
        Rule(on="embed", fault="missing"),
        NO_EMBEDDING,
        says="11 embeddings for 12 texts",
    ),
    Row("an embedding with NaN", Rule(on="embed", fault="nan"), NO_EMBEDDING, says="not finite"),
    Row("an embedding with a string", Rule(on="embed", fault="string"), NO_EMBEDDING, says="no number"),
    Row("`embeddings` missing", Rule(on="embed", fault="no_results"), NO_EMBEDDING, says="no embeddings"),
)
