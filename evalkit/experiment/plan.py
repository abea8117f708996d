"""What a run would send, less what the ledger holds: nothing is sent to find out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from evalkit.data.render import Render
from evalkit.experiment.execute import Executor, quiet
from evalkit.experiment.findings import sound
from evalkit.experiment.prepare import Inputs, prepare
from evalkit.experiment.session import session
from evalkit.pipelines.ports import PlanLine, Request
from evalkit.providers.base import Context, embedder
from evalkit.suite import BM25, FromRun, Fuse, Pipeline, Suite


def plan(
    suite: Suite | str | Path, *, only: Sequence[str] = (), limit: int | None = None, sandbox: bool = False
) -> list[PlanLine]:
    """Return one line for each model and operation of a suite.

    Where the candidates are not known before texts are embedded, a rerank line assumes a sample of the
    corpus, and says so in its warnings. Embedded models run if they must: they cost nothing.

    Raises:
        DataError: the suite or its data set is wrong.
    """
    suite = sound(suite, only)
    inputs = prepare(suite, limit)
    with session(suite, sandbox=sandbox, offline=True) as context:
        return lines(inputs, Executor(inputs, context, quiet))


def lines(inputs: Inputs, executor: Executor) -> list[PlanLine]:
    """Return `plan`'s lines for a suite that is ready to run."""
    together: dict[tuple[str, str], PlanLine] = {}
    for line in _stages(inputs, executor):
        key = line.model, line.operation
        together[key] = _sum(line, together[key]) if key in together else line
    return list(together.values())


def _stages(inputs: Inputs, executor: Executor) -> Iterator[PlanLine]:
    """Yield one line for each stage that pipelines do not share."""
    retrieving: dict[str, PlanLine] = {}
    asked: set[tuple[str, str, Render]] = set()
    for pipeline in inputs.suite.pipelines.values():
        for name in _embedders(pipeline.retrieve):
            if name not in retrieving:
                retrieving[name] = _embedding(inputs, executor.context, name)
                yield retrieving[name]
        stage = (str(pipeline.rerank), pipeline.first_stage, inputs.render_of(pipeline))
        if pipeline.rerank and stage not in asked:
            asked.add(stage)
            first = [retrieving[name] for name in _embedders(pipeline.retrieve)]
            known = all(line.calls == line.calls_in_ledger or not line.unit for line in first)
            yield _reranking(inputs, executor, pipeline, known=known)


def _embedding(inputs: Inputs, context: Context, name: str) -> PlanLine:
    model = embedder(name, context)
    renders = dict.fromkeys(
        inputs.render_of(pipeline)
        for pipeline in inputs.suite.pipelines.values()
        if name in _embedders(pipeline.retrieve)
    )
    line = model.plan_embed(list(inputs.queries.values()), "query")
    for texts in (inputs.rendered[render] for render in renders):
        line = _sum(model.plan_embed(texts, "document"), line)
    return line


def _reranking(inputs: Inputs, executor: Executor, pipeline: Pipeline, *, known: bool) -> PlanLine:
    model = executor.reranker(pipeline)
    if known:
        return model.plan_rerank(executor.requests(pipeline))
    line = model.plan_rerank(_sampled(inputs, inputs.rendered[inputs.render_of(pipeline)]))
    assumed = (
        "the candidates are not known before the texts are embedded: sampled documents stand in for them"
    )
    return replace(line, warnings=(*line.warnings, f"{model.name}: {assumed}"))


def _sampled(inputs: Inputs, texts: Sequence[str]) -> list[Request]:
    """Return a request for each query with as many documents as it will have, drawn with the suite's seed."""
    rng = np.random.default_rng(inputs.suite.seed)
    depth = min(inputs.suite.depth, len(texts))
    return [
        Request(
            query_id,
            text,
            tuple(texts[code] for code in rng.choice(len(texts), depth, replace=False)),
        )
        for query_id, text in inputs.queries.items()
    ]


def _embedders(retrieve: str | Fuse | FromRun) -> list[str]:
    names = list(retrieve.fuse) if isinstance(retrieve, Fuse) else [retrieve]
    return [name for name in names if isinstance(name, str) and name != BM25]


def _sum(one: PlanLine, other: PlanLine) -> PlanLine:
    usd = None if one.usd is None or other.usd is None else one.usd + other.usd
    return PlanLine(
        one.model,
        one.operation,
        one.calls + other.calls,
        one.calls_in_ledger + other.calls_in_ledger,
        one.units + other.units,
        one.unit,
        one.tokens + other.tokens,
        usd,
        one.minutes + other.minutes,
        tuple(dict.fromkeys((*one.warnings, *other.warnings))),
    )
