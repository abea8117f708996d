"""A tiny run for the report's tests: the real pipeline over plain word counts, the same on every machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pytest import MonkeyPatch

from evalkit.experiment.run import run
from evalkit.pipelines.ports import Answer, PlanLine, Request
from evalkit.providers.base import RERANKERS, Context
from evalkit.runs import RunDirectory
from tests.corpora import write_dataset, write_suite
from tests.report.hostile import DOCUMENTS, HOSTILE, QUERY

GOAL = "{risk: lost_answer, at_most: 0.2, confidence: 0.8, then: precision}"
SUITE = f"""\
name: tiny
dataset: .
seed: 7
depth: 10
pipelines:
  words: {{retrieve: bm25}}
  best: {{retrieve: bm25, rerank: test/shared-words}}
baseline: words
measures: [nDCG@10, RR@10, Judged@10]
thresholds: {{goal: {GOAL}}}
"""
QUERIES = 48
TOPICS = ("leave", "laptop", "travel", "badge", "pension", "canteen")


class SharedWords:
    """A reranker whose score is the share of the query's words that the document has."""

    address = ""
    score_space = "unit"

    def __init__(self, name: str, context: Context) -> None:  # noqa: ARG002  it needs no ledger
        self.name = name

    def rerank(self, requests: Sequence[Request]) -> Iterator[Answer]:
        """Answer each request from its words alone."""
        for request in requests:
            asked = set(request.query.split())
            shares = [len(asked & set(text.split())) / len(asked) for text in request.documents]
            yield Answer(request.query_id, np.array(shares))

    def plan_rerank(self, requests: Sequence[Request]) -> PlanLine:  # noqa: ARG002  nothing is sent
        """Send nothing."""
        return PlanLine(self.name, "rerank", 0, 0, 0.0, "", 0, 0.0, 0.0)


if "test/shared-words" not in RERANKERS:
    RERANKERS.register("test/shared-words")(SharedWords)


def small_run(
    folder: Path, *, hostile: bool = False, suite: str = SUITE, out: str = "out", unjudged: int = 0
) -> RunDirectory:
    """Run 48 queries in two categories, `even` and `odd`; `hostile` ones have texts that attack the report.

    One document answers a query, a shorter one repeats its topic: counts prefer the second, shares the first.
    Each fourth query has no answer. `unjudged` further queries of the category `new` have no judgment. The
    ledger is the run's own.
    """
    texts, asked, grades = {}, {}, []
    odd = HOSTILE[1] if hostile else "odd"
    for number in range(QUERIES):
        topic = TOPICS[number % len(TOPICS)]
        query, answer, near = f"q{number:02}", f"a{number:02}", f"n{number:02}"
        asked[query] = (f"how does {topic} case{number} work", odd if number % 2 else "even")
        texts[near] = f"{topic} case{number} case{number} {topic} notes"
        grades.append((query, near, 0))
        if number % 4:
            texts[answer] = f"how {topic} case{number} does work " + "and more " * (number % 7)
            grades.append((query, answer, 1))
    for number in range(unjudged):
        asked[f"u{number:02}"] = (f"how does {TOPICS[number % len(TOPICS)]} case{number} work", "new")
    if hostile:
        texts |= DOCUMENTS
        asked["q01"] = (QUERY, odd)
    path = write_suite(write_dataset(folder / "data", texts, asked, grades), suite)
    with MonkeyPatch.context() as patch:
        patch.setenv("EVALKIT_CACHE", str(path.parent / "cache"))
        return run(path, folder / out)


def fixed(run: RunDirectory, **changed: Any) -> RunDirectory:
    """Return the run without what differs from day to day: its time, durations and versions.

    `changed` replaces parts of what run.json says.
    """
    pipelines = {
        name: {**one, "stages": [{**stage, "seconds": {"p50": 0.1, "p95": 0.2}} for stage in one["stages"]]}
        for name, one in run.info["pipelines"].items()
    }
    info = {
        **run.info,
        "pipelines": pipelines,
        "started": "2026-01-02T03:04:05+00:00",
        "seconds": 1.0,
        "versions": {"evalkit": "0"},
        **changed,
    }
    return replace(run, info=info)
