"""From a model's name in a suite to the provider that serves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from evalkit.errors import InputError
from evalkit.pipelines.ports import Embedder, Reranker, Usage
from evalkit.registry import Registry
from evalkit.transport.ledger import Ledger
from evalkit.transport.pacing import Pacer


@dataclass(frozen=True)
class Context:
    """What a run hands to every provider: the ledger and the limits.

    `settings` has the suite's `providers:` mapping, one entry a provider. `max_units` and `max_usd` bound
    what one run may be billed (search units, dollars); `usage` is shared by all providers of a run. In a
    `sandbox` run no real key is used. `occasion` sets responses apart that are asked for again on purpose.
    `pacers` keeps, per address and operation, what left in the last minute: a quota does not begin anew with
    the run's next model.
    """

    ledger: Ledger
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    offline: bool = False
    sandbox: bool = False
    max_units: float | None = None
    max_usd: float | None = None
    usage: Usage = field(default_factory=Usage)
    occasion: str = ""
    pacers: dict[str, dict[str, Pacer]] = field(default_factory=dict)


MakeEmbedder: TypeAlias = Callable[[str, Context], Embedder]
MakeReranker: TypeAlias = Callable[[str, Context], Reranker]

EMBEDDERS = Registry[MakeEmbedder]("embedder")
RERANKERS = Registry[MakeReranker]("reranker")
EMBEDDERS.register_lazy("local/minilm-l6", "evalkit.providers.local:MiniLM")
RERANKERS.register_lazy("local/late-interaction", "evalkit.providers.late:LateInteraction")
EMBEDDERS.register_lazy("cohere/*", "evalkit.providers.cohere:CohereEmbedder")
RERANKERS.register_lazy("cohere/*", "evalkit.providers.cohere:CohereReranker")
RERANKERS.register_lazy("http/*", "evalkit.providers.http:HttpReranker")


def embedder(name: str, context: Context) -> Embedder:
    """Return the embedder that a suite calls `name`, such as `local/minilm-l6` or `cohere/embed-v4.0`.

    Raises:
        UnknownName: no provider serves `name`.
        InputError: the provider lacks what it needs (a package, a key).
    """
    return EMBEDDERS[_entry(name, EMBEDDERS)](name, context)


def reranker(name: str, context: Context) -> Reranker:
    """Return the reranker that a suite calls `name`, such as `local/late-interaction`.

    Raises:
        UnknownName: no provider serves `name`.
        InputError: the provider lacks what it needs (a package, a key).
    """
    return RERANKERS[_entry(name, RERANKERS)](name, context)


def refuse_unknown(name: str, registry: Registry[Any]) -> None:
    """Raise what `embedder` or `reranker` raises for a name that no provider serves, and import nothing.

    Raises:
        UnknownName: no provider serves `name`.
        InputError: it is not written provider/name.
    """
    entry = _entry(name, registry)
    if entry not in registry:
        registry[entry]


def _entry(name: str, registry: Registry[Any]) -> str:
    """Return the registry's entry for `name`: its own, or its provider's `prefix/*` that takes any model."""
    provider, slash, model = name.partition("/")
    if not slash or not model:
        known = ", ".join(registry)
        raise InputError(f"a model is written provider/name, not {name!r}; known: {known}")
    any_model = f"{provider}/*"
    return any_model if name not in registry and any_model in registry else name
