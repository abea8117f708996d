"""What flows through evalkit: frozen records over NumPy arrays and Arrow strings, and nothing else.

    Dataset --pipeline--> Run --join with Qrels--> Judged --measure--> one float per query

Strings are dictionary-encoded once (`query` and `doc` are codes into `query_ids` and `doc_ids`), so that
millions of rows cost what their numbers cost.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    from evalkit.documents import Document

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

LARGEST_GRADE = 2**31 - 1  # what a code can hold
ScoreSpace = Literal["unit", "logit", "cosine", "bm25", "rank", "unknown"]


@dataclass(frozen=True, slots=True)
class Query:
    """One query; `excluded` documents never become its candidates, `group` ties near-duplicates together."""

    id: str
    text: str
    category: str = ""
    group: str = ""
    excluded: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class Qrels:
    """Judgments as columns: a row says that `doc_ids[doc]` has `grade` for `query_ids[query]`.

    A pair without a row is unjudged, which is not the same as grade 0. Rows are unique per pair, and every
    query has at least one. `doc_ids` may name a document more than once (a file's column as it was read).
    `gains` declares what positive grades are worth, where that is not the grade.
    """

    query_ids: pa.StringArray
    doc_ids: pa.StringArray
    query: Codes
    doc: Codes
    grade: Codes
    relevant_from: int = 1
    gains: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a score comes from: scores are comparable inside one domain only.

    `candidates` names the first stage and its depth, `render` how documents became text, `digest` covers
    all of it together with the model.
    """

    provider: str
    model: str
    score_space: ScoreSpace
    render: str
    candidates: str
    digest: str


@dataclass(frozen=True, eq=False, slots=True)
class Run:
    """What a pipeline returned, as columns; rows may be in any order and are unique per (query, document).

    The order that counts is always: score descending, then document id descending, as in trec_eval.
    `doc_ids` may name a document more than once (a file's column as it was read). `path` and `lines` say
    where rows were read from; without `lines`, row i is line i + 1.
    """

    name: str
    query_ids: pa.StringArray
    doc_ids: pa.StringArray
    query: Codes
    doc: Codes
    score: Floats
    domain: Domain | None = None
    path: str = ""
    lines: Ints | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Judged:
    """A run joined with its judgments, in rank order: all that measures and thresholds read.

    Queries are the judged ones (with at least one row in the qrels), in the order of `query_ids`; a query
    that the run lacks has no rows and `retrieved` 0. Rows `offsets[i]:offsets[i + 1]` belong to query i, by
    ascending `rank` (1-based in the run's full order). Rows are either all candidates or, with
    `judged_rows_only`, the judged ones alone: enough for every ranking measure, as `rank` and `retrieved`
    are kept.
    `ideal` holds each query's judged grades in descending order, split by `ideal_offsets`.
    `tied_queries` counts queries whose order of different grades hangs on equal scores, `unjudged_queries`
    those that the run has and the qrels lack. Where ties are averaged, `tie_first` and `tie_last` are the
    ranks that each row's group of equal scores covers.
    """

    query_ids: tuple[str, ...]
    category: tuple[str, ...]
    offsets: Ints
    row: Ints  # index into the run's rows
    rank: Codes
    score: Floats
    grade: Codes  # 0 where unjudged: look at `judged` first
    judged: Bools
    retrieved: Ints  # per query: how many documents the run holds
    ideal: Codes
    ideal_offsets: Ints
    relevant_from: int
    judged_rows_only: bool = False
    tied_queries: int = 0
    unjudged_queries: int = 0
    tie_first: Codes | None = None
    tie_last: Codes | None = None
    gains: Mapping[int, float] = field(default_factory=dict)  # as in Qrels

    @property
    def query(self) -> Ints:
        """The position of each row's query in `query_ids`."""
        return np.repeat(np.arange(len(self.query_ids)), np.diff(self.offsets))

    @property
    def ideal_query(self) -> Ints:
        """The position of the query that each grade in `ideal` belongs to."""
        return np.repeat(np.arange(len(self.query_ids)), np.diff(self.ideal_offsets))

    @property
    def relevant(self) -> Bools:
        """Which rows are judged relevant."""
        return self.judged & (self.grade >= self.relevant_from)


@dataclass(frozen=True, eq=False, slots=True)
class Dataset:
    """A labelled collection: corpus, queries with categories, judgments.

    `digests` has the SHA-256 of what was read, under `corpus`, `queries` and `qrels`: two runs compare query
    by query only where these agree. `render` is the rendering that the collection declares, `grades` what its
    grades mean.
    """

    name: str
    corpus: Mapping[str, Document]
    queries: Mapping[str, Query]
    qrels: Qrels
    digests: Mapping[str, str]
    render: Mapping[str, Any] = field(default_factory=dict)
    grades: Mapping[int, str] = field(default_factory=dict)
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its uncertainty: `n` queries (not pairs) stand behind it, `method` says how."""

    point: float
    low: float
    high: float
    level: float
    method: str
    n: int
