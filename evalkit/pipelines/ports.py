"""What pipelines ask of a model provider; `providers/` answers, one file a provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from evalkit.records import Floats, ScoreSpace

Matrix = npt.NDArray[np.float32]
Role = Literal["query", "document"]
Operation = Literal["embed", "rerank"]
Progress = Callable[[int, int], None]  # done, total


@dataclass(frozen=True, slots=True)
class Request:
    """One query with all its candidate documents, rendered as text, in candidate order."""

    query_id: str
    query: str
    documents: tuple[str, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """The scores of one request in the order of its documents, or the reason why there are none."""

    query_id: str
    scores: Floats | None
    failure: str | None = None
    seconds: float = 0.0  # of the provider's work or call, also when answered from the ledger
    units: float = 0.0  # billed units, also when answered from the ledger
    from_ledger: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanLine:
    """What one stage would send: nothing is sent to find out."""

    model: str
    operation: Operation
    calls: int
    calls_in_ledger: int
    units: float  # of the calls not in the ledger
    unit: str  # "search" or "token"; "" where nothing is billed
    tokens: int
    usd: float | None  # None: the price is unknown
    minutes: float
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class Usage:
    """What a run has used so far, summed over its stages: calls made now, answers that the ledger had."""

    calls: int = 0
    from_ledger: int = 0
    units: float = 0.0  # search units
    tokens: float = 0.0  # billed by the token
    usd: float = 0.0
    warnings: list[str] = field(default_factory=list)


class Embedder(Protocol):
    """Texts in, unit vectors out: one row a text, float32, in the order of the texts.

    `address` is where its calls go, empty where none leave this process.
    """

    name: str
    address: str

    def embed(self, texts: Sequence[str], role: Role, progress: Progress | None = None) -> Matrix:
        """Embed `texts`; a text's vector does not depend on the other texts."""
        ...

    def plan_embed(self, texts: Sequence[str], role: Role) -> PlanLine:
        """Say what `embed` would send."""
        ...


class Reranker(Protocol):
    """Scores for a query's candidates: the higher the better, comparable inside this model only.

    `address` is where its calls go, empty where none leave this process.
    """

    name: str
    address: str
    score_space: ScoreSpace

    def rerank(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """Answer each request once, in any order; failures are answers too."""
        ...

    def plan_rerank(self, requests: Sequence[Request]) -> PlanLine:
        """Say what `rerank` would send."""
        ...
