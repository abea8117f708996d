"""What is known of each of Cohere's models, and what a call to it will probably cost."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, PositiveFloat, PositiveInt

from evalkit.data.render import estimate_tokens
from evalkit.pipelines.ports import Operation
from evalkit.transport.budget import Cost

CHUNK_TOKENS = 500  # a longer document counts as several
DOCUMENTS_A_SEARCH = 100
DEFAULT_MAX_TOKENS_PER_DOC = 4096  # the API cuts there, on models with a context of 32k too


class Model(BaseModel):
    """One model: `usd` is the price of `per` units on `as_of`; what is unknown is None."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    does: Operation
    context: PositiveInt | None = None
    query_cap: PositiveInt | None = None
    unit: Literal["search", "token"]
    usd: float | None = None
    per: PositiveFloat = 1.0
    as_of: datetime.date | None = None
    dimensions: tuple[PositiveInt, ...] = ()
    source: str = ""
    known: bool = True

    def cost(self, amount: float) -> Cost:
        """Return what `amount` units cost."""
        return Cost(amount, self.unit, None if self.usd is None else amount * self.usd / self.per)


@cache
def shipped() -> Mapping[str, Model]:
    """Return the models of `catalog.yaml` by name."""
    lines: dict[str, Any] = yaml.safe_load((files("evalkit.providers") / "catalog.yaml").read_text("utf-8"))
    return {name: Model.model_validate(line) for name, line in lines.items()}


def find(name: str, does: Operation, overrides: Mapping[str, Mapping[str, Any]]) -> Model:
    """Return what is known of a model, with the user's `overrides` on top; an unknown model has no price."""
    known = shipped().get(name)
    unknown = {"does": does, "unit": "search" if does == "rerank" else "token", "known": False}
    line = known.model_dump() if known else unknown
    return Model.model_validate(line | dict(overrides.get(name, {})))


def rerank_cost(model: Model, query: str, documents: Sequence[str], max_tokens_per_doc: int) -> Cost:
    """Estimate what one rerank call costs.

    A search unit is a query with up to 100 documents, where a document of more than 500 tokens counts by
    chunk. A model that is billed by the token reads the query with each document. A document is cut at
    `max_tokens_per_doc` first.
    """
    sizes = [min(estimate_tokens(document), max_tokens_per_doc) for document in documents]
    if model.unit == "token":
        return model.cost(float(sum(sizes) + estimate_tokens(query) * len(documents)))
    chunks = sum(max(1, math.ceil(size / CHUNK_TOKENS)) for size in sizes)
    return model.cost(float(math.ceil(chunks / DOCUMENTS_A_SEARCH)))


def embed_cost(model: Model, texts: Sequence[str]) -> Cost:
    """Estimate what embedding `texts` costs; a text is cut at the model's context."""
    longest = model.context or math.inf
    return model.cost(float(sum(min(estimate_tokens(text), longest) for text in texts)))
