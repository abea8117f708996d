"""What a suite works on: the data set read, its documents rendered, its queries chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from evalkit.data import beir, splits
from evalkit.data.qrels import rows_of
from evalkit.data.render import Render
from evalkit.errors import DataError, Finding, InputError, UnknownName
from evalkit.pipelines.retrieve import Excluded
from evalkit.records import Dataset, Qrels
from evalkit.suite import Pipeline, Suite


@dataclass(frozen=True, eq=False)
class Inputs:
    """A suite's data, ready for its pipelines.

    `doc_ids` are the documents that can be candidates of every pipeline: those that each rendering turns
    into some text. `rendered` has their texts for each rendering in use, parallel to `doc_ids`. `queries`
    maps id to text, in the data set's order; `qrels` is restricted to them.
    """

    suite: Suite
    dataset: Dataset
    render: Render
    doc_ids: tuple[str, ...]
    rendered: Mapping[Render, tuple[str, ...]]
    queries: dict[str, str]
    qrels: Qrels
    warnings: tuple[Finding, ...]
    parts: Mapping[str, str] = field(default_factory=dict)  # query -> its part, where thresholds are split

    @property
    def texts(self) -> tuple[str, ...]:
        """The documents in the suite's own rendering."""
        return self.rendered[self.render]

    def render_of(self, pipeline: Pipeline) -> Render:
        """Return how the pipeline's models see documents."""
        return pipeline.render or self.render

    @cached_property
    def excluded(self) -> Excluded:
        """The codes of the documents that are no candidates, for each query code that has some."""
        code = {doc_id: index for index, doc_id in enumerate(self.doc_ids)}
        return {
            index: frozenset(
                code[doc_id] for doc_id in self.dataset.queries[query_id].excluded if doc_id in code
            )
            for index, query_id in enumerate(self.queries)
            if self.dataset.queries[query_id].excluded
        }

    @cached_property
    def categories(self) -> dict[str, str]:
        """The category of each query that has one."""
        found = {query_id: self.dataset.queries[query_id].category for query_id in self.queries}
        return {query_id: category for query_id, category in found.items() if category}

    @property
    def judged_queries(self) -> int:
        """How many of the queries have at least one judgment."""
        return len(np.unique(self.qrels.query))


def replace_pipelines(suite: Suite, only: Sequence[str]) -> Suite:
    """Return `suite` with the pipelines named in `only` and its baseline; with all of them where it is empty.

    Raises:
        UnknownName: the suite has no pipeline of that name.
    """
    for name in only:
        if name not in suite.pipelines:
            raise UnknownName(f"no pipeline is called {name!r}; the suite has {', '.join(suite.pipelines)}")
    if not only:
        return suite
    kept: dict[str, Pipeline] = {
        name: pipeline
        for name, pipeline in suite.pipelines.items()
        if name in only or name == suite.baseline_name
    }
    return suite.model_copy(update={"pipelines": kept, "baseline": suite.baseline_name})


def prepare(suite: Suite, limit: int | None = None) -> Inputs:
    """Read and render what `suite` needs; `limit` keeps the first queries only.

    Raises:
        DataError: the data set is wrong; all errors at once.
        InputError: it is right but empty, or its declared rendering is unknown.
    """
    folder = suite.folder / suite.dataset
    dataset, findings = beir.inspect(folder)
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors or dataset is None:
        raise DataError(errors)
    render = suite.render or Render.model_validate(dict(dataset.render))
    renders = dict.fromkeys([render, *(one.render or render for one in suite.pipelines.values())])
    rendered = {one: [one(document) for document in dataset.corpus.values()] for one in renders}
    shown = [
        row for row in range(len(dataset.corpus)) if all(texts[row].strip() for texts in rendered.values())
    ]
    doc_ids = list(dataset.corpus)
    queries = {query.id: query.text for query in list(dataset.queries.values())[:limit] if query.text.strip()}
    if not shown or not queries:
        lacking = "documents" if not shown else "queries"
        raise InputError(
            f"{folder} has no {lacking} with text to run. Check it with `evalkit check {folder}`"
        )
    warnings = [finding for finding in findings if finding.severity != "error"]
    return Inputs(
        suite=suite,
        dataset=dataset,
        render=render,
        doc_ids=tuple(doc_ids[row] for row in shown),
        rendered={one: tuple(texts[row] for row in shown) for one, texts in rendered.items()},
        queries=queries,
        qrels=restrict(dataset.qrels, queries),
        warnings=tuple(warnings),
        parts=splits.load(folder, dataset.queries) if suite.thresholds.split else {},
    )


def restrict(qrels: Qrels, queries: dict[str, str]) -> Qrels:
    """Return the judgments of `queries` only: the others were not asked and cannot have failed."""
    asked = np.array([query_id in queries for query_id in qrels.query_ids.to_pylist()], dtype=np.bool_)
    return rows_of(qrels, asked[qrels.query])
