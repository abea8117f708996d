"""What a report is made from: one run, read back, as the columns that sections and plots read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from evalkit.errors import UnknownName
from evalkit.measures import judge
from evalkit.measures.columns import arrow, strings
from evalkit.records import Floats, Ints, Judged, Qrels, Run
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
            doc_ids = self.doc_ids(name, self.judged[name]).take(arrow(rows)).to_pylist()
            for position, doc_id, rank in zip(
                judged.query[rows].tolist(), doc_ids, judged.rank[rows].tolist(), strict=True
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

    def positions(self, category: str | None) -> Ints:
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

    def entry(self, pipeline: str, category: str | None) -> Mapping[str, Any]:
        """Return what a pipeline's policy says of a category, or of all queries (None)."""
        policy = self.policies[pipeline]
        entry: Mapping[str, Any] = policy["categories"].get(category, policy["default"])
        return entry

    def rule(self, pipeline: str) -> Rule:
        """Return what a document must pass besides the pipeline's thresholds."""
        given = self.policies.get(pipeline, {}).get("rule")
        return Rule.parse(given) if given else NO_RULE

    def doc_ids(self, pipeline: str, judged: Judged) -> pa.StringArray:
        """Return the document of each row of `judged`, which was joined from the pipeline's run."""
        run = self.runs[pipeline]
        return run.doc_ids.take(arrow(run.doc[judged.row]))
