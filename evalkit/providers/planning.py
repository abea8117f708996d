"""What calls would cost, and what is worth a warning before they are made."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evalkit.data.render import estimate_tokens
from evalkit.pipelines.ports import Operation, PlanLine, Request
from evalkit.providers.asking import Part
from evalkit.providers.catalog import Model
from evalkit.providers.settings import RATES
from evalkit.transport.budget import Cost
from evalkit.words import plural

TRIAL_CALLS_A_MONTH = 1000


def line(
    model: str,
    operation: Operation,
    *,
    calls: int,
    missing: int,
    cost: Cost,
    tokens: int,
    minutes: float,
    warnings: Sequence[str],
) -> PlanLine:
    """Return a plan line; all but `calls` counts what the ledger lacks."""
    return PlanLine(
        model,
        operation,
        calls,
        calls - missing,
        cost.amount,
        cost.unit,
        tokens,
        cost.usd,
        minutes,
        tuple(warnings),
    )


def total(costs: Sequence[Cost], known: Model) -> Cost:
    """Return the sum of one model's costs."""
    return known.cost(sum(cost.amount for cost in costs))


def minutes(count: int, per_minute: float | None) -> float:
    """Return the minutes that `count` calls take at a rate."""
    return count / per_minute if per_minute else 0.0


def rerank_tokens(part: Part, max_tokens_per_doc: int) -> int:
    """Estimate the tokens that a call sends and the model reads."""
    return estimate_tokens(part.query) + sum(
        min(estimate_tokens(text), max_tokens_per_doc) for text in part.documents
    )


def rerank_warnings(
    name: str, known: Model, requests: Sequence[Request], max_tokens_per_doc: int
) -> list[str]:
    """Count the documents and queries that the model will probably cut, and say that a price is unknown."""
    documents = {text for request in requests for text in request.documents}
    cut = sum(estimate_tokens(text) > max_tokens_per_doc for text in documents)
    queries = {request.query for request in requests}
    cut_queries = sum(estimate_tokens(query) > known.query_cap for query in queries) if known.query_cap else 0
    lines = unknown_price(name, known)
    if cut:
        lines.append(
            f"{name}: {cut} of {len(documents)} documents probably exceed max_tokens_per_doc = "
            f"{max_tokens_per_doc} and are cut there; raise it under `providers: {{cohere: ...}}`"
        )
    if cut_queries:
        lines.append(
            f"{name}: {cut_queries} of {len(queries)} queries probably exceed {known.query_cap} tokens"
        )
    return lines


def embed_warnings(name: str, known: Model, texts: Sequence[str]) -> list[str]:
    """Count the texts that the model will probably cut, and say that a price is unknown."""
    cut = sum(estimate_tokens(text) > known.context for text in texts) if known.context else 0
    lines = unknown_price(name, known)
    if cut:
        lines.append(
            f"{name}: {cut} of {len(texts)} texts probably exceed {known.context} tokens and are cut there"
        )
    return lines


def unknown_price(name: str, known: Model) -> list[str]:
    """Say that a model is not in the catalog, or has no price there."""
    if known.usd is not None:
        return []
    what = "its price is unknown" if known.known else "evalkit does not know this model; its price is unknown"
    return [f"{name}: {what}. Give it under `providers: {{cohere: {{catalog: ...}}}}`"]


def not_told(name: str, units: str) -> str:
    """Say that what counts as billed was not measured."""
    return f"{name}: its answers do not tell `{units}`; what is billed is estimated, as in the plan"


def trial_warning(name: str, calls: int, rate: object) -> list[str]:
    """Say what a trial key would mean, where nobody said which kind the key is."""
    trial = RATES["trial"]
    if rate or not calls or not trial:
        return []
    month = f", and it allows {TRIAL_CALLS_A_MONTH} calls a month" if calls > TRIAL_CALLS_A_MONTH else ""
    needed = plural(math.ceil(calls / trial), "minute")
    return [f"{name}: with a trial key ({trial:g} calls a minute) it takes about {needed}{month}"]
