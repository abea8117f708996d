"""What is wrong with a suite that its form does not show: names of measures and models, goals, run files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from evalkit.data.yamls import Place, line_of
from evalkit.errors import Finding, InputError
from evalkit.measures import parse
from evalkit.providers.base import EMBEDDERS, RERANKERS, refuse_unknown
from evalkit.suite import BM25, FromRun, Fuse, Pipeline, Suite
from evalkit.thresholds.goals import Goal


def suite_findings(suite: Suite, path: Path) -> Iterator[Finding]:
    """Yield every mistake in the suite of the file `path`, before data are read or a model is asked."""
    for place, told in _mistakes(suite):
        key = ".".join(map(str, place))
        yield Finding(str(path), line_of(path, place), f"`{key}`: {told}", "Correct the value")


def _mistakes(suite: Suite) -> Iterator[tuple[tuple[Place, ...], str]]:
    for name in suite.measures:
        yield from _tried(("measures",), partial(parse, name))
    for name in suite.margins:
        if name not in suite.measures:
            yield ("margins", name), f"no such measure is taken; measured are {', '.join(suite.measures)}"
    yield from _tried(("thresholds", "goal"), partial(Goal.parse, suite.thresholds.goal))
    for name, pipeline in suite.pipelines.items():
        yield from _of_pipeline(suite, name, pipeline)


def _of_pipeline(suite: Suite, name: str, pipeline: Pipeline) -> Iterator[tuple[tuple[Place, ...], str]]:
    first, place = pipeline.retrieve, ("pipelines", name, "retrieve")
    if isinstance(first, FromRun):
        if not (suite.folder / first.run).is_file():
            yield place, f"{suite.folder / first.run}: there is no such file"
    else:
        for model in first.fuse if isinstance(first, Fuse) else (first,):
            if model != BM25:
                yield from _tried(place, partial(refuse_unknown, model, EMBEDDERS))
    if isinstance(pipeline.rerank, str):
        yield from _tried(("pipelines", name, "rerank"), partial(refuse_unknown, pipeline.rerank, RERANKERS))


def _tried(place: tuple[Place, ...], read: Callable[[], object]) -> Iterator[tuple[tuple[Place, ...], str]]:
    try:
        read()
    except InputError as error:
        yield place, str(error).split("\n", 1)[0]
