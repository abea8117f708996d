"""Pipelines at work: first stages computed once, rerankers asked for the same candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from evalkit.data.render import Render
from evalkit.data.trec import read_run
from evalkit.errors import DataError, Finding, ProviderError
from evalkit.experiment.domain import digest_of
from evalkit.experiment.prepare import Inputs
from evalkit.experiment.stage import Stage, spending, together
from evalkit.pipelines.fuse import reciprocal_rank
from evalkit.pipelines.ports import Answer, Progress, Request, Reranker, Usage
from evalkit.pipelines.rerank import requests, reranked
from evalkit.pipelines.retrieve import bm25, candidates, dense
from evalkit.providers.base import Context, embedder, reranker
from evalkit.providers.settings import SANDBOX, score_settings
from evalkit.records import Domain, Run, ScoreSpace
from evalkit.suite import BM25, FromRun, Fuse, HttpModel, Pipeline
from evalkit.words import plural


class Watch(Protocol):
    """Takes the title of a stage and what the run uses, and says where the stage's progress goes."""

    def __call__(self, title: str, usage: Usage | None = None) -> Progress:
        """Return what is called with (done, total)."""
        ...


def quiet(title: str, usage: Usage | None = None) -> Progress:  # noqa: ARG001  as a Watch is called
    """Show no progress."""
    return lambda _done, _total: None


@dataclass(frozen=True, eq=False)
class Outcome:
    """A pipeline's run, the domain of its scores with what its digest is of, and what its stages did."""

    run: Run
    domain: Domain
    digested: Mapping[str, Any]
    stages: tuple[Stage, ...]

    @property
    def failures(self) -> list[dict[str, str]]:
        """The queries without an answer, each with the reason."""
        return [failure for stage in self.stages for failure in stage.failures]

    @property
    def failed(self) -> frozenset[str]:
        """The ids of the queries without an answer."""
        return frozenset(failure["query_id"] for failure in self.failures)


class Executor:
    """Runs the pipelines of one suite; what pipelines share is done once.

    `stages` has what models were asked for so far, each stage once, however many pipelines share it.
    """

    def __init__(self, inputs: Inputs, context: Context, watch: Watch) -> None:
        self._inputs = inputs
        self.context = context
        self._watch = watch
        self.stages: list[Stage] = []
        self._found: dict[tuple[str, Render], tuple[Run, Stage]] = {}
        self._addresses: dict[str, str] = {}  # model -> where its calls go

    def requests(self, pipeline: Pipeline) -> list[Request]:
        """Return what the pipeline asks its reranker: one request a query with candidates."""
        render = self._inputs.render_of(pipeline)
        found, _ = self._retrieve(pipeline.retrieve, render)
        return self._requests(found, render)

    def run(self, name: str, pipeline: Pipeline) -> Outcome:
        """Retrieve, and rerank where the pipeline does."""
        render = self._inputs.render_of(pipeline)
        found, retrieving = self._retrieve(pipeline.retrieve, render)
        if pipeline.rerank is None:
            return Outcome(found, *self._domain(pipeline, _space(pipeline.first_stage)), (retrieving,))
        model = self.reranker(pipeline)
        self._addresses[str(pipeline.reranker)] = model.address
        run, reranking = self._rerank(name, model, found, self._requests(found, render))
        return Outcome(run, *self._domain(pipeline, model.score_space), (retrieving, reranking))

    def _requests(self, found: Run, render: Render) -> list[Request]:
        return list(requests(found, self._inputs.queries, self._inputs.rendered[render]))

    def _retrieve(self, retrieve: str | Fuse | FromRun, render: Render) -> tuple[Run, Stage]:
        key = str(retrieve), render
        if key not in self._found:
            if isinstance(retrieve, Fuse):
                parts = [self._retrieve(part, render) for part in retrieve.fuse]
                fused = reciprocal_rank([run for run, _ in parts], self._inputs.suite.depth)
                self._found[key] = fused, together([stage for _, stage in parts])
            elif isinstance(retrieve, FromRun):
                self._found[key] = self._read(retrieve), Stage("retrieve", f"run({retrieve.run.name})")
            else:
                self._found[key] = self._search(retrieve, render)
        return self._found[key]

    def _search(self, name: str, render: Render) -> tuple[Run, Stage]:
        inputs, depth = self._inputs, self._inputs.suite.depth
        stage = Stage("retrieve", name)
        queries, texts = list(inputs.queries.values()), inputs.rendered[render]
        if name == BM25:
            rows = bm25(queries, texts, depth, inputs.excluded)
        else:
            model, usage = embedder(name, self.context), self.context.usage
            self._addresses[name] = model.address
            self.stages.append(stage)
            stage.note_plan(model.plan_embed(texts, "document"), model.plan_embed(queries, "query"))
            with spending(self.context.usage, stage):
                documents = model.embed(texts, "document", self._watch(f"{name}: documents", usage))
                vectors = model.embed(queries, "query", self._watch(f"{name}: queries", usage))
            rows = dense(vectors, documents, depth, inputs.excluded)
        return candidates(name, list(inputs.queries), inputs.doc_ids, rows, depth), stage

    def _read(self, retrieve: FromRun) -> Run:
        """Read another system's order and express it in this data set's queries and documents."""
        inputs = self._inputs
        path = inputs.suite.folder / retrieve.run
        run = read_run(path)
        documents = {doc_id: code for code, doc_id in enumerate(inputs.doc_ids)}
        queries = {query_id: code for code, query_id in enumerate(inputs.queries)}
        unknown = [doc_id for doc_id in run.doc_ids.to_pylist() if doc_id not in inputs.dataset.corpus]
        if unknown:
            what = f"not in the corpus: {plural(len(unknown), 'document')}, such as {unknown[0]!r}"
            raise DataError([Finding(str(path), None, what, "Use the run of this corpus")])
        if not any(query_id in inputs.dataset.queries for query_id in run.query_ids.to_pylist()):
            what = "no result for any query of the data set"
            if len(run.query_ids):
                what += f": its queries are called {run.query_ids[0].as_py()!r}, here {next(iter(queries))!r}"
            raise DataError([Finding(str(path), None, what, "Use the run of these queries")])
        query = np.array([queries.get(i, -1) for i in run.query_ids.to_pylist()], dtype=np.int32)[run.query]
        document = np.array([documents.get(i, -1) for i in run.doc_ids.to_pylist()], dtype=np.int32)[run.doc]
        wanted = (query >= 0) & (document >= 0)
        for code, excluded in inputs.excluded.items():
            wanted &= (query != code) | ~np.isin(document, list(excluded))
        rows = query[wanted], document[wanted], run.score[wanted]
        return candidates(path.name, list(queries), inputs.doc_ids, rows, inputs.suite.depth)

    def reranker(self, pipeline: Pipeline, occasion: str = "") -> Reranker:
        """Return the pipeline's reranker; with an `occasion` it asks again for what the ledger has."""
        context = replace(self.context, occasion=occasion)
        if isinstance(pipeline.rerank, HttpModel):
            address = {"http": {**context.settings.get("http", {}), "base_url": pipeline.rerank.http}}
            context = replace(context, settings={**context.settings, **address})
            return reranker(f"http/{pipeline.rerank.model}", context)
        return reranker(str(pipeline.rerank), context)

    def _rerank(self, name: str, model: Reranker, found: Run, asked: Sequence[Request]) -> tuple[Run, Stage]:
        stage = Stage("rerank", model.name)
        self.stages.append(stage)
        stage.note_plan(model.plan_rerank(asked))
        progress = self._watch(f"{model.name}: queries", self.context.usage)
        answers: dict[str, Answer] = {}
        with spending(self.context.usage, stage):
            for answer in model.rerank(asked):
                answers[answer.query_id] = answer
                progress(len(answers), len(asked))
        for request in asked:
            answer = answers[request.query_id]
            stage.warnings.extend(answer.warnings)
            if answer.scores is None:
                stage.failures.append({"query_id": request.query_id, "reason": answer.failure or "no answer"})
            else:
                stage.seconds.append(answer.seconds)
                stage.units += answer.units
        if asked and len(stage.failures) == len(asked):
            raise ProviderError(
                f"{model.name} answered none of {plural(len(asked), 'query')}: "
                f"{stage.failures[0]['reason']}. "
                "Run again once that is mended"
            )
        return reranked(name, found, answers), stage

    def _domain(self, pipeline: Pipeline, space: ScoreSpace) -> tuple[Domain, dict[str, Any]]:
        """Return where the pipeline's scores come from, and the parts that its digest covers."""
        inputs, render = self._inputs, self._inputs.render_of(pipeline)
        model = pipeline.reranker or pipeline.first_stage
        provider, slash, short = model.partition("/") if "(" not in model else ("", "", model)
        candidates = f"{pipeline.first_stage}@{inputs.suite.depth}"
        addresses = {name: self._addresses[name] for name in _models(pipeline) if self._addresses.get(name)}
        if SANDBOX in addresses.values():
            provider = f"sandbox/{provider}"
        parts = {
            "model": model,
            "settings": score_settings(inputs.suite.providers),
            "addresses": addresses,
            "render": render.digest,
            "candidates": candidates,
            "corpus": inputs.dataset.digests["corpus"],
        }
        shown = (provider, short) if slash else ("", model)
        return Domain(*shown, space, str(render), candidates, digest_of(parts)), parts


def _models(pipeline: Pipeline) -> list[str]:
    """Return the names of all the models that decide a pipeline's scores."""
    first = pipeline.retrieve
    retrievers = list(first.fuse) if isinstance(first, Fuse) else [first] if isinstance(first, str) else []
    return retrievers + ([pipeline.reranker] if pipeline.reranker else [])


def _space(first_stage: str) -> ScoreSpace:
    if first_stage == BM25:
        return "bm25"
    if first_stage.startswith("fuse("):
        return "rank"
    return "unknown" if first_stage.startswith("run(") else "cosine"
