"""Do a model's scores depend on the company or on the day? A sample, asked again in other ways."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from evalkit.experiment.execute import Executor
from evalkit.pipelines.ports import Answer, Request, Reranker
from evalkit.records import Floats
from evalkit.stats.bounds import binomial_upper
from evalkit.suite import Suite
from evalkit.words import plural

TOLERANCE = 1e-6  # scores come with seven digits
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Recheck:
    """How a sample of queries fared when it was asked again in one way.

    Of `queries` (those without an answer left out: `failed`), `changed` had a score that moved by more than
    1e-6, and `largest` is the largest move over `pairs` scores. `upper` bounds the share of all queries that
    would change (one-sided Clopper-Pearson, 95 %).
    """

    model: str
    way: str
    queries: int
    pairs: int
    changed: int
    largest: float
    upper: float
    failed: int

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    def sentence(self) -> str:
        """Say what was found."""
        left_out = f"; {self.failed} had no answer" if self.failed else ""
        if not self.queries:
            return f"{self.model}, {WAYS[self.way].told}: not known{left_out}."
        found = f"{self.changed} of {plural(self.queries, 'query has', 'queries have')} another score"
        size = (
            f", by up to {self.largest:.2g}"
            if self.changed
            else f" (so at most {self.upper:.0%} of all queries, at {CONFIDENCE:.0%} confidence)"
        )
        return f"{self.model}, {WAYS[self.way].told}: {found}{size}{left_out}."


@dataclass(frozen=True, slots=True)
class Way:
    """One way to ask again: which of a request's documents, by place, and whether another's come along."""

    told: str
    places: Callable[[Request, Floats], list[int]]
    strangers: bool = False


def _all(request: Request, _: Floats) -> list[int]:
    return list(range(len(request.documents)))


def _reversed(request: Request, _: Floats) -> list[int]:
    return list(range(len(request.documents)))[::-1]


def _best(_: Request, scores: Floats) -> list[int]:
    return [int(np.argmax(scores))]


def _half(request: Request, _: Floats) -> list[int]:
    return list(range(0, len(request.documents), 2))


WAYS = {
    "again": Way("asked again as it was", _all),
    "reordered": Way("documents in reverse order", _reversed),
    "alone": Way("best document alone", _best),
    "company": Way("half of the documents among those of another query", _half, strangers=True),
}


def recheck(suite: Suite, executor: Executor, share: float, day: str) -> Iterator[Recheck]:
    """Ask each model behind an address again for a `share` of its queries, in every way of `WAYS`.

    That is four calls for each query of the sample, which is drawn with the suite's seed. `day` sets these
    answers apart in the ledger: on the same day they are not asked for twice.

    Raises:
        ProviderError: a quota or the budget is used up, or the provider refuses to work.
    """
    seen: set[str] = set()
    for pipeline in suite.pipelines.values():
        if pipeline.rerank is None or str(pipeline.rerank) in seen:
            continue
        seen.add(str(pipeline.rerank))
        first = executor.reranker(pipeline)
        if first.address:
            requests = executor.requests(pipeline)
            again = executor.reranker(pipeline, occasion=f"recheck {day}")
            yield from _rechecks(first, again, requests, _sample(requests, share, suite.seed))


def _rechecks(
    first: Reranker, again: Reranker, requests: Sequence[Request], sample: Sequence[Request]
) -> Iterator[Recheck]:
    known = _scores(first.rerank(sample))
    answered = [request for request in sample if request.query_id in known]
    for name, way in WAYS.items():
        places = {request.query_id: way.places(request, known[request.query_id]) for request in answered}
        asked = [
            Request(
                request.query_id,
                request.query,
                tuple(request.documents[place] for place in places[request.query_id])
                + (_strangers(request, requests) if way.strangers else ()),
            )
            for request in answered
        ]
        scores = _scores(again.rerank(asked))
        moves = [
            np.abs(scores[key][: len(places[key])] - known[key][places[key]])
            for key in places
            if key in scores
        ]
        changed = sum(bool((move > TOLERANCE).any()) for move in moves)
        yield Recheck(
            first.name,
            name,
            queries=len(moves),
            pairs=sum(map(len, moves)),
            changed=changed,
            largest=max((float(move.max()) for move in moves), default=0.0),
            upper=float(binomial_upper(np.array([float(changed)]), len(moves), 1 - CONFIDENCE)[0]),
            failed=len(sample) - len(moves),
        )


def _strangers(request: Request, requests: Sequence[Request]) -> tuple[str, ...]:
    """Return half as many documents as a request has: another query's, and none of its own."""
    own, half = set(request.documents), len(request.documents) // 2
    at = requests.index(request)
    found: tuple[str, ...] = ()
    for other in (*requests[at + 1 :], *requests[:at]):
        strange = tuple(text for text in other.documents if text not in own)[:half]
        if len(strange) == half:
            return strange
        found = max(found, strange, key=len)
    return found


def _scores(answers: Iterator[Answer]) -> dict[str, Floats]:
    return {answer.query_id: answer.scores for answer in answers if answer.scores is not None}


def _sample(requests: Sequence[Request], share: float, seed: int) -> list[Request]:
    rng = np.random.default_rng(seed)
    size = min(len(requests), max(1, math.ceil(share * len(requests))))
    return [requests[index] for index in sorted(rng.choice(len(requests), size, replace=False))]
