"""What is wrong with a suite that its form does not show: names of measures and models, goals, run files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from evalkit import suite as suites
from evalkit.data.yamls import Place, line_of
from evalkit.errors import DataError, Finding, InputError
from evalkit.experiment.prepare import replace_pipelines
from evalkit.measures import parse
from evalkit.providers.base import EMBEDDERS, RERANKERS, refuse_unknown
from evalkit.suite import BM25, FromRun, Fuse, Pipeline, Suite
from evalkit.thresholds.goals import Goal


def sound(suite: Suite | str | Path, only: Sequence[str] = ()) -> Suite:
    """Return the suite with the pipelines named in `only`, when nothing in it is wrong.

    Raises:
        DataError: the file is missing, or the suite is wrong; all findings at once.
        UnknownName: the suite has no pipeline of a name in `only`.
    """
    if isinstance(suite, Suite):
        path = Path(f"suite {suite.name}")  # made in Python: there is no file
    else:
        path = Path(suite) / "suite.yaml" if Path(suite).is_dir() else Path(suite)
        suite = suites.load(suite)
    suite = replace_pipelines(suite, only)
    if findings := list(suite_findings(suite, path)):
        raise DataError(findings)
    return suite


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
