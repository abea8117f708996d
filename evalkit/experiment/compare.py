"""Runs from anywhere against one baseline: files in, a summary out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from evalkit.data import beir
from evalkit.data.sources import qrels_from, run_from
from evalkit.data.trec import name_of
from evalkit.errors import InputError, all_of
from evalkit.measures import evaluate, judge, refuse_strange_queries
from evalkit.measures.parse import specs
from evalkit.records import Ints, Judged, Qrels, Run
from evalkit.report.summary import Extras, summarise
from evalkit.stats.compare import OTHER_TESTS
from evalkit.stats.duplicates import clusters

DEFAULT_MEASURES = ("nDCG@10", "RR@10", "Judged@10")


@dataclass(frozen=True)
class QueryFacts:
    """What is known of the queries: category, declared group and text, by id; "" where it is unknown."""

    category: Mapping[str, str] = field(default_factory=dict)
    group: Mapping[str, str] = field(default_factory=dict)
    text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wish:
    """How to compare: measures (the first decides the verdict), seed, tests beside randomisation, margins."""

    measures: Sequence[str] = DEFAULT_MEASURES
    seed: int = 7
    tests: Sequence[str] = ()
    margins: Mapping[str, float] = field(default_factory=dict)


def compare_runs(
    qrels: Qrels, runs: Mapping[str, Run], baseline: str, asked: QueryFacts, wish: Wish
) -> dict[str, Any]:
    """Return the summary of `runs` over the judged queries, aligned by query id; as `summary.json`.

    A query that a run lacks takes the measure's worst value and is counted.

    Raises:
        InputError: fewer than two runs, or an unknown baseline, test or margin.
        UnknownName: a measure does not exist.
    """
    _refuse(runs, baseline, wish)
    judged = {name: judge(run, qrels, categories=asked.category) for name, run in runs.items()}
    all_of(partial(refuse_strange_queries, name, one) for name, one in judged.items())
    values = {name: evaluate(one, list(wish.measures)) for name, one in judged.items()}
    depth = max(int(one.retrieved.max(initial=1)) for one in judged.values())
    extras = Extras(
        clusters=_clusters(judged[baseline], asked), margins=wish.margins, tests=tuple(wish.tests)
    )
    return summarise(judged, values, baseline, depth, wish.seed, extras)


def read_judgments(path: Path) -> tuple[Qrels, QueryFacts]:
    """Read judgments of any form, or a data set's folder, which also knows categories, groups and texts.

    Raises:
        DataError: the file or the data set is wrong; all findings at once.
    """
    if not path.is_dir():
        return qrels_from(path), QueryFacts()
    dataset = beir.load(path)
    queries = dataset.queries.values()
    return dataset.qrels, QueryFacts(
        {query.id: query.category for query in queries},
        {query.id: query.group for query in queries},
        {query.id: query.text for query in queries},
    )


def read_runs(paths: Sequence[Path]) -> dict[str, Run]:
    """Read run files of any form; each is called by its file's name, with its folder's where two are alike.

    Raises:
        DataError: a file is wrong.
        InputError: a file is missing, or given twice.
    """
    named: dict[str, Path] = {}
    short = [name_of(path) for path in paths]
    for path, name in zip(paths, short, strict=True):
        name = name if short.count(name) == 1 else str(path)
        if name in named:
            raise InputError(f"{path} is given twice")
        named[name] = path
    read = all_of(partial(run_from, path, name) for name, path in named.items())
    return dict(zip(named, read, strict=True))


def _clusters(judged: Judged, asked: QueryFacts) -> Ints | None:
    ids = judged.query_ids
    return clusters([asked.group.get(i, "") for i in ids], [asked.text.get(i, "") for i in ids])


def _refuse(runs: Mapping[str, Run], baseline: str, wish: Wish) -> None:
    if wrong := list(_wrong(runs, baseline, wish)):
        raise InputError("\n".join(wrong))
    if not any(spec.measure.better for spec in specs(wish.measures).values()):
        raise InputError("no measure to compare on: add one such as -m nDCG@10")


def _wrong(runs: Mapping[str, Run], baseline: str, wish: Wish) -> Iterator[str]:
    if len(runs) < 2:
        yield "a comparison takes at least two runs"
    elif baseline not in runs:
        yield f"the baseline {baseline!r} is none of the runs: {', '.join(runs)}"
    for name in wish.tests:
        if name not in OTHER_TESTS:
            yield f"no test is called {name!r}; beside randomisation there are {', '.join(OTHER_TESTS)}"
    for name, margin in wish.margins.items():
        if name not in wish.measures:
            yield f"a margin for {name}, which is not measured: add -m {name}"
        if not margin > 0:
            yield f"a margin of {margin} for {name}: it is a positive number, like 0.01"
