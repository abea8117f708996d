"""What a report is made from: one run, read back, as the columns that sections and plots read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evalkit.errors import UnknownName
from evalkit.measures import judge
from evalkit.measures.columns import arrow, numbers, positions, strings, text
from evalkit.records import Codes, Floats, Judged, Qrels, Run
from evalkit.thresholds.curve import Curve, curve_of
from evalkit.thresholds.rule import NO_RULE, Rule
from evalkit.thresholds.rules import ruled

TOP = 10  # ranks in which an unjudged document matters
NOBODYS = "\x00"  # no document's id


@dataclass(frozen=True, eq=False)
class View:
    """A run as a reader sees it.

    `policies` holds `ThresholdPolicy.to_dict()` of each pipeline that has one. `judged`, and with it every
    row number of a section, is in `query_ids` order for all pipelines alike. `queries` maps ids to texts,
    `documents` to (title, text); `unjudged` has the category of each query that was asked and that nobody has
    judged: it takes no part in any figure. `physical` is `physical.json`, None where the run has none.
    """

    info: Mapping[str, Any]
    summary: Mapping[str, Any]
    policies: Mapping[str, Mapping[str, Any]]
    runs: Mapping[str, Run]
    judged: Mapping[str, Judged]
    values: Mapping[str, Mapping[str, Floats]]
    qrels: Qrels
    queries: Mapping[str, str]
    documents: Mapping[str, tuple[str, str]]
    unjudged: Mapping[str, str] = field(default_factory=dict)
    first: tuple[str, ...] = ()
    physical: Mapping[str, Any] | None = None

    def with_first(self, query_ids: Sequence[str]) -> View:
        """Return the view in which these queries come first wherever not all are shown.

        Raises:
            UnknownName: no query has that id.
        """
        for query_id in query_ids:
            if query_id not in self.query_ids and query_id not in self.unjudged:
                raise UnknownName(f"no query of this run has the id {query_id!r}")
        return replace(self, first=tuple(query_ids))

    @property
    def pipelines(self) -> list[str]:
        """The pipelines in the suite's order."""
        return list(self.judged)

    @property
    def baseline(self) -> str:
        """The pipeline that the others are compared with."""
        return str(self.summary["baseline"])

    @property
    def measures(self) -> list[str]:
        """The measures in the suite's order; the first is the headline."""
        return list(dict.fromkeys(row["measure"] for row in self.summary["measures"]))

    @property
    def headline(self) -> str:
        """The measure that the verdict is about."""
        return str(self.summary.get("primary") or self.measures[0])

    @property
    def subject(self) -> str:
        """The pipeline whose thresholds are recommended: the report's first choice wherever one is shown."""
        named = str(self.info.get("thresholds_of", ""))
        return named if named in self.judged else self.pipelines[-1]

    @property
    def rival(self) -> str:
        """The pipeline that queries are shown of beside the baseline: the subject, or the best other one."""
        others = [name for name in self.pipelines if name != self.baseline]
        if self.subject in others or not others:
            return self.subject
        points = {
            row["pipeline"]: row["point"]
            for row in self.rows("measures", category=None, measure=self.headline)
            if row["point"] is not None
        }
        return max(others, key=lambda name: points.get(name, float("-inf")))

    @property
    def query_ids(self) -> tuple[str, ...]:
        """The judged queries."""
        return self.judged[self.pipelines[0]].query_ids

    @cached_property
    def unread(self) -> Mapping[str, Judged]:
        """The candidates of the queries in `unjudged`, in their order, by rank; empty without any."""
        if not self.unjudged:
            return {}
        ids, n = strings(list(self.unjudged)), len(self.unjudged)
        places = np.arange(n, dtype=np.int32)
        # A judgment each, on a document that no run has: it makes them queries and judges nothing.
        none = Qrels(ids, strings([NOBODYS]), places, np.zeros_like(places), np.zeros_like(places), 1)
        return {name: judge(run, none) for name, run in self.runs.items()}

    @cached_property
    def labelling_queue(self) -> list[Mapping[str, Any]]:
        """The unjudged pairs of any pipeline's top 10: most pipelines' first, then by rank."""
        found: dict[tuple[int, str], dict[str, int]] = {}
        for name, judged in self.judged.items():
            rows = np.flatnonzero((judged.rank <= TOP) & ~judged.judged)
            query = np.searchsorted(judged.offsets, rows, side="right") - 1
            doc_ids = self.doc_ids(name, self.judged[name]).take(arrow(rows)).to_pylist()
            for position, doc_id, rank in zip(
                query.tolist(), doc_ids, judged.rank[rows].tolist(), strict=True
            ):
                found.setdefault((position, doc_id), {})[name] = rank
        order = sorted((-len(ranks), min(ranks.values()), pair) for pair, ranks in found.items())
        query_ids, category, queries, documents = self.query_ids, self.category, self.queries, self.documents
        return [
            {
                "query_id": query_ids[position],
                "doc_id": doc_id,
                "category": category[position],
                "best_rank": best,
                "pipelines": list(found[position, doc_id]),
                "query": queries.get(query_ids[position], ""),
                "title": documents.get(doc_id, ("", ""))[0],
            }
            for _, best, (position, doc_id) in order
        ]

    @cached_property
    def category(self) -> tuple[str, ...]:
        """Each query's category, "" where it has none."""
        return self.judged[self.pipelines[0]].category

    @cached_property
    def categories(self) -> list[str]:
        """The categories by name."""
        return sorted(set(self.category) - {""})

    def rows(self, table: str, **wanted: Any) -> list[Mapping[str, Any]]:
        """Return the rows of one of the summary's tables that have the wanted values."""
        found = self.summary.get(table, ())
        return [row for row in found if all(row.get(key) == value for key, value in wanted.items())]

    def row(self, table: str, **wanted: Any) -> Mapping[str, Any] | None:
        """Return the first such row, or None."""
        return next(iter(self.rows(table, **wanted)), None)

    def positions(self, category: str | None) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the positions of a category's queries; of all for None."""
        if category is None:
            return np.arange(len(self.category))
        return np.flatnonzero(np.array(self.category) == category)

    def failed(self, pipeline: str) -> frozenset[str]:
        """Return the queries that the pipeline's provider did not answer."""
        return frozenset(one["query_id"] for one in self.info.get("failures", {}).get(pipeline, ()))

    def curve(self, pipeline: str, category: str | None) -> Curve:
        """Return all that a threshold can do to a pipeline's kept lists."""
        shown = self.shown(pipeline, self.judged[pipeline])
        return curve_of(shown, self.positions(category), failed=self.failed(pipeline))

    def shown(self, pipeline: str, judged: Judged) -> Judged:
        """Return `judged` as the pipeline's thresholds see it: minus infinity where the rule cuts."""
        return ruled(judged, self.rule(pipeline))

    def rule(self, pipeline: str) -> Rule:
        """Return what a document must pass besides the pipeline's thresholds."""
        given = self.policies.get(pipeline, {}).get("rule")
        return Rule.parse(given) if given else NO_RULE

    def doc_ids(self, pipeline: str, judged: Judged) -> pa.StringArray:
        """Return the document of each row of `judged`, which was joined from the pipeline's run."""
        run = self.runs[pipeline]
        return run.doc_ids.take(arrow(run.doc[judged.row]))


def view(
    info: Mapping[str, Any],
    summary: Mapping[str, Any],
    policies: Mapping[str, Mapping[str, Any]],
    tables: Mapping[str, pa.Table],
    physical: Mapping[str, Any] | None = None,
) -> View:
    """Return the view of a run whose tables are `scores`, `measures`, `judgments` and `texts`."""
    scores, judgments = tables["scores"], tables["judgments"]
    judged_ids = _distinct(judgments["query_id"])
    query_ids = _distinct(judgments["query_id"], scores["query_id"])
    doc_ids = _distinct(judgments["doc_id"], scores["doc_id"])
    qrels = Qrels(
        judged_ids,
        doc_ids,
        _codes(judgments["query_id"], judged_ids),
        _codes(judgments["doc_id"], doc_ids),
        numbers(judgments["grade"].cast(pa.int32()), np.int32),
        info["dataset"]["relevant_from"],
        gains_of(info),
    )
    measures = tables["measures"]
    names = measures["measure"].cast(pa.string())
    one = measures.filter(pc.equal(names, names[0]))
    categories = dict(zip(one["query_id"].to_pylist(), one["category"].to_pylist(), strict=True))
    runs = {}
    for name in info["pipelines"]:
        rows = scores.filter(pc.equal(scores["pipeline"].cast(pa.string()), text(name)))
        query, doc = _codes(rows["query_id"], query_ids), _codes(rows["doc_id"], doc_ids)
        runs[name] = Run(name, query_ids, doc_ids, query, doc, numbers(rows["score"], np.float64))
    judged = {name: judge(run, qrels, categories=categories) for name, run in runs.items()}
    texts = tables["texts"]
    is_query = pc.equal(texts["kind"], text("query"))
    asked, held = texts.filter(is_query), texts.filter(pc.invert(is_query))
    return View(
        info,
        summary,
        policies,
        runs,
        judged,
        _values(measures, judged_ids, info["pipelines"]),
        qrels,
        dict(zip(asked["id"].to_pylist(), asked["text"].to_pylist(), strict=True)),
        dict(
            zip(
                held["id"].to_pylist(),
                zip(held["title"].to_pylist(), held["text"].to_pylist(), strict=True),
                strict=True,
            )
        ),
        _unjudged(scores, asked["id"].to_pylist(), judged_ids),
        physical=physical,
    )


def _unjudged(scores: pa.Table, asked: Sequence[str], judged_ids: pa.StringArray) -> dict[str, str]:
    """Return the category of each query asked that has no judgment, "" where it has none or no candidates."""
    judged = set(judged_ids.to_pylist())
    found = dict.fromkeys((query_id for query_id in asked if query_id not in judged), "")
    if found:
        query_ids = scores["query_id"].cast(pa.string())
        rows = scores.filter(pc.invert(pc.is_in(query_ids, value_set=judged_ids)))
        pairs = zip(rows["query_id"].to_pylist(), rows["category"].to_pylist(), strict=True)
        found |= {query_id: category or "" for query_id, category in pairs if query_id in found}
    return found


def _distinct(*columns: pa.ChunkedArray) -> pa.StringArray:
    """Return the strings of all columns once, by first appearance."""
    parts = [pc.unique(column).cast(pa.string()) for column in columns]
    return pc.unique(pa.concat_arrays(parts))


def _codes(column: pa.ChunkedArray, values: pa.StringArray) -> Codes:
    """Return each string's place in `values`, which holds them all; a dictionary column is looked up once."""
    encoded = column.combine_chunks()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    places = positions(encoded.dictionary.cast(pa.string()), values)
    indices: Codes = numbers(encoded.indices.cast(pa.int32()), np.int32)
    return places[indices]


def _values(
    measures: pa.Table, judged_ids: pa.StringArray, pipelines: Mapping[str, Any]
) -> dict[str, dict[str, Floats]]:
    """Return one float a query for each pipeline and measure, in the order of `judged_ids`."""
    names = measures["measure"].cast(pa.string())
    found: dict[str, dict[str, Floats]] = {}
    for pipeline in pipelines:
        own = pc.equal(measures["pipeline"].cast(pa.string()), text(pipeline))
        found[pipeline] = {}
        for measure in pc.unique(names).to_pylist():
            rows = measures.filter(pc.and_(own, pc.equal(names, text(measure))))
            values = np.full(len(judged_ids), np.nan)
            values[_codes(rows["query_id"], judged_ids)] = numbers(rows["value"], np.float64)
            found[pipeline][measure] = values
    return found


def gains_of(info: Mapping[str, Any]) -> dict[int, float]:
    """Return what the data set declares its grades to be worth; nothing where the grade itself counts."""
    return {int(grade): gain for grade, gain in info["dataset"].get("gains", {}).items()}
