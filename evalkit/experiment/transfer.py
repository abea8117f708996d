"""Moving a run's thresholds to another model: its labelled pairs scored again, and calibrated anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from evalkit.errors import InputError, ProviderError
from evalkit.experiment.domain import digest_of, with_model
from evalkit.experiment.execute import Watch, quiet
from evalkit.experiment.heldout import choose, held_out
from evalkit.experiment.session import session
from evalkit.experiment.sources import Source, from_directory
from evalkit.measures import judge
from evalkit.pipelines.ports import PlanLine, Request
from evalkit.providers.base import reranker
from evalkit.records import Domain, Floats, Ints, Run
from evalkit.suite import Suite, recorded
from evalkit.thresholds.calibrate import Calibration
from evalkit.thresholds.goals import Goal
from evalkit.thresholds.transfer import Flip, Transfer, transfer
from evalkit.words import plural

if TYPE_CHECKING:
    from evalkit.pipelines.ports import Reranker
    from evalkit.runs import RunDirectory


@dataclass(frozen=True, eq=False)
class Move:
    """The pairs of one pipeline, and the model that is to score them again."""

    done: RunDirectory
    source: Source
    new_name: str

    @property
    def suite(self) -> Suite:
        """The suite that the run was made with."""
        return recorded(self.done.info["suite"], self.done.folder)


@dataclass(frozen=True, eq=False)
class MovedPolicy:
    """The old and the new calibration on the same pairs, and what changed between them.

    Risks were compared on `n_measured` queries: those held out of both calibrations, or with no split all.
    """

    before: Calibration
    after: Calibration
    transfer: Transfer
    source: Source
    failed: tuple[str, ...]
    n_measured: int

    def measured(self) -> str:
        """Say which queries the risks before and after were compared on."""
        compared = f"Risks are compared on {plural(self.n_measured, 'query')}"
        if self.source.parts:
            return f"{compared} held out of choosing thresholds."
        return f"{compared}, all of which chose the thresholds too."

    def flips(self) -> list[dict[str, Any]]:
        """Return each flipped document with its ids, label, scores and texts."""
        return [self._flip(one) for one in self.transfer.flips]

    def _flip(self, one: Flip) -> dict[str, Any]:
        doc_id = self.source.run.doc_ids[int(self.source.run.doc[one.row])].as_py()
        return {
            "query_id": one.query_id,
            "doc_id": doc_id,
            "category": one.category,
            "change": "kept -> dropped" if one.was_kept else "dropped -> kept",
            "grade": one.grade,
            "old_score": one.old_score,
            "new_score": one.new_score,
        }


def move(done: RunDirectory, old: str, new: str) -> Move:
    """Find the pipeline whose reranker is `old`; `new` is a model of the same provider unless it names one.

    Raises:
        InputError: no pipeline of the run reranks with `old`, or several do; or its documents were rendered
            apart from the suite's, of which the run keeps no text.
    """
    named = {
        name: f"{info['domain']['provider']}/{info['domain']['model']}"
        for name, info in done.info["pipelines"].items()
        if done.info["suite"]["pipelines"][name]["rerank"]
    }
    found = [name for name, model in named.items() if old in (model, model.split("/")[-1], name)]
    if len(found) != 1:
        known = ", ".join(f"{model} ({name})" for name, model in named.items()) or "none"
        how = "several pipelines rerank" if found else "no pipeline reranks"
        raise InputError(f"{how} with {old!r} in {done.folder}; its rerankers: {known}")
    if done.info["suite"]["pipelines"][found[0]].get("render"):
        raise InputError(
            f"{found[0]} renders documents in its own way, and the run keeps only the suite's rendering. "
            "Make that one the suite's `render`, run again, and transfer from there"
        )
    provider = named[found[0]].rpartition("/")[0].removeprefix("sandbox/")
    return Move(done, from_directory(done, found[0]), new if "/" in new else f"{provider}/{new}")


def plan(what: Move, *, sandbox: bool = False) -> PlanLine:
    """Say what rescoring would send, less what the ledger holds."""
    with session(what.suite, sandbox=sandbox, offline=True) as context:
        return reranker(what.new_name, context).plan_rerank(list(_requests(what.source)))


def perform(
    what: Move,
    goal: Any = None,
    *,
    sandbox: bool = False,
    offline: bool = False,
    max_units: float | None = None,
    watch: Watch = quiet,
) -> MovedPolicy:
    """Score the pairs again, calibrate for the suite's goal (or `goal`), and compare.

    Thresholds are grouped, and chosen on the queries, as the run's own: with a split on its calibration part.

    Raises:
        ProviderError: no query was answered at all.
    """
    source = what.source
    parsed = Goal.parse(source.goal if goal is None else goal)
    requests = list(_requests(source))
    with session(what.suite, sandbox=sandbox, offline=offline, max_units=max_units) as context:
        model = reranker(what.new_name, context)
        score, failed = _rescored(source.run, model, requests, watch)
    domain = _domain(what, model, sandbox=context.sandbox)
    answered = np.flatnonzero(~np.isnan(score))
    new = _scored_again(source, score, answered, domain, (*source.failed, *failed))
    before, after = (choose(one, parsed, source.seed) for one in (source, new))
    measured = held_out(source)
    compared = transfer(
        source.judged,
        replace(new.judged, row=answered[new.judged.row]),  # the numbers that rows have in the old run
        before.policy,
        after.policy,
        source.seed,
        source.clusters,
        measured,
    )
    n_measured = len(source.judged.query_ids) if measured is None else int(measured.sum())
    return MovedPolicy(before, after, compared, source, failed, n_measured)


def _rescored(
    run: Run, model: Reranker, requests: list[Request], watch: Watch
) -> tuple[Floats, tuple[str, ...]]:
    rows = {
        query_id: np.flatnonzero(run.query == code) for code, query_id in enumerate(run.query_ids.to_pylist())
    }
    score = np.full(len(run.score), np.nan)
    failures: dict[str, str] = {}
    progress = watch(f"{model.name}: queries")
    for count, answer in enumerate(model.rerank(requests), start=1):
        if answer.scores is None:
            failures[answer.query_id] = answer.failure or "no answer"
        else:
            score[rows[answer.query_id]] = answer.scores
        progress(count, len(requests))
    if len(failures) == len(requests):
        reason = next(iter(failures.values()), "there was nothing to ask")
        raise ProviderError(f"{model.name} scored none of {plural(len(requests), 'query')}: {reason}")
    return score, tuple(failures)


def _scored_again(
    source: Source, score: Floats, answered: Ints, domain: Domain, failed: tuple[str, ...]
) -> Source:
    """Return the source with the new scores of the pairs that were `answered`, judged as before."""
    run = source.run
    part = Run(run.name, run.query_ids, run.doc_ids, run.query[answered], run.doc[answered], score[answered])
    categories = dict(zip(source.judged.query_ids, source.judged.category, strict=True))
    judged = judge(part, source.qrels, categories=categories)
    return replace(source, run=part, judged=judged, domain=domain, failed=failed)


def _requests(source: Source) -> Iterator[Request]:
    run = source.run
    for code, query_id in enumerate(run.query_ids.to_pylist()):
        rows = np.flatnonzero(run.query == code)
        documents = [run.doc_ids[int(doc)].as_py() for doc in run.doc[rows]]
        texts = tuple(source.texts[("document", doc_id)] for doc_id in documents)
        yield Request(query_id, source.texts[("query", query_id)], texts)


def _domain(what: Move, model: Reranker, *, sandbox: bool) -> Domain:
    """Return the domain that a run of the same pipeline with the new model would have."""
    old, name = what.source.domain, what.new_name
    # A run that did not keep the parts has its digest in their place: a domain of its own, no other run's.
    parts = what.done.info["pipelines"][what.source.name].get("digested")
    parts = parts or {"model": old.digest, "addresses": {}}
    provider, _, short = name.partition("/")
    shown = f"sandbox/{provider}" if sandbox and provider == "cohere" else provider
    digest = digest_of(with_model(parts, name, model.address))
    return replace(old, provider=shown, model=short, score_space=model.score_space, digest=digest)
