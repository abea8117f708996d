"""What a run leaves behind: its tables, its summary, its policies, and how it was made."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from evalkit import runs
from evalkit.data import splits
from evalkit.experiment.execute import Outcome
from evalkit.experiment.heldout import choose, rules
from evalkit.experiment.physical import physical_of
from evalkit.experiment.prepare import Inputs
from evalkit.experiment.prices import prices
from evalkit.experiment.sources import Source
from evalkit.experiment.tables import judgment_table, measure_table, score_table, text_table
from evalkit.measures import evaluate, judge
from evalkit.pipelines.rerank import found_rank
from evalkit.records import Ints, Judged
from evalkit.report.sanity import sanity
from evalkit.report.summary import Extras, summarise
from evalkit.stats.duplicates import clusters
from evalkit.thresholds.goals import Goal

RECORDED = ("evalkit-rerank", "cohere", "numpy", "onnxruntime", "faiss-cpu", "bm25s")


def files_of(inputs: Inputs, outcomes: Mapping[str, Outcome], goal: Goal) -> dict[str, bytes]:
    """Return every data file of the run directory by name: measured, compared and calibrated."""
    suite = inputs.suite
    judged = {
        name: judge(outcome.run, inputs.qrels, categories=inputs.categories)
        for name, outcome in outcomes.items()
    }
    values = {name: evaluate(one, suite.measures) for name, one in judged.items()}
    files = {
        runs.SCORES: runs.to_parquet(score_table(outcomes, inputs)),
        runs.MEASURES: runs.to_parquet(measure_table(judged, values)),
        runs.JUDGMENTS: runs.to_parquet(judgment_table(inputs.qrels)),
        runs.TEXTS: runs.to_parquet(text_table(outcomes, inputs)),
    }
    files[runs.PHYSICAL] = runs.to_json(physical_of(inputs))
    if inputs.parts:
        files[runs.SPLITS] = splits.written(inputs.parts)
    together = _clusters(inputs, judged[suite.baseline_name].query_ids)
    sources = _sources(inputs, outcomes, judged, together)
    made = {name: choose(source, goal, suite.seed) for name, source in sources.items()}
    files |= {runs.policy_file(name): runs.to_json(one.policy.to_dict()) for name, one in made.items()}
    files[runs.THRESHOLDS] = files[runs.policy_file(suite.threshold_pipeline)]
    files[runs.SUMMARY] = runs.to_json(
        summarise(
            judged,
            values,
            suite.baseline_name,
            suite.depth,
            suite.seed,
            _extras(inputs, outcomes, judged, together),
        )
        | {"sanity": {name: sanity(outcome.run).to_dict() for name, outcome in outcomes.items()}}
        | {"rules": rules(sources[suite.threshold_pipeline], goal, suite.seed)}
        | {"held_out": {name: one.policy.held_out for name, one in made.items() if one.policy.held_out}}
    )
    return files


def _sources(
    inputs: Inputs, outcomes: Mapping[str, Outcome], judged: Mapping[str, Judged], together: Ints | None
) -> dict[str, Source]:
    """Return what the thresholds of each pipeline are chosen from."""
    return {
        name: Source(
            name=name,
            run=outcome.run,
            qrels=inputs.qrels,
            judged=judged[name],
            domain=outcome.domain,
            failed=tuple(outcome.failed),
            clusters=together,
            parts=inputs.parts,
            by=inputs.suite.thresholds.by,
        )
        for name, outcome in outcomes.items()
    }


def _extras(
    inputs: Inputs, outcomes: Mapping[str, Outcome], judged: Mapping[str, Judged], together: Ints | None
) -> Extras:
    """Return what a summary says beyond measures: depth, cost, dependent queries, declared margins."""
    suite = inputs.suite
    return Extras(
        found_rank={
            name: found_rank(outcome.run)[judged[name].row]
            for name, outcome in outcomes.items()
            if suite.pipelines[name].rerank is not None
        },
        stages={name: [stage.to_dict() for stage in outcome.stages] for name, outcome in outcomes.items()},
        asked=len(inputs.queries),
        clusters=together,
        prices=prices(suite),
        margins=suite.margins,
    )


def _clusters(inputs: Inputs, query_ids: Sequence[str]) -> Ints | None:
    """Return a label a query, equal for queries that are declared or detected to belong together."""
    queries = inputs.dataset.queries
    return clusters([queries[i].group for i in query_ids], [queries[i].text for i in query_ids])


def info_of(
    inputs: Inputs, outcomes: Mapping[str, Outcome], limit: int | None, started: datetime
) -> dict[str, Any]:
    """Return what `run.json` says of how the run was made."""
    suite, dataset = inputs.suite, inputs.dataset
    finished = datetime.now(UTC)
    return {
        "name": suite.name,
        "started": started.isoformat(timespec="seconds"),
        "seconds": (finished - started).total_seconds(),
        "suite": suite.canonical,
        "suite_digest": suite.digest,
        "seed": suite.seed,
        "limit": limit,
        "dataset": {
            "name": dataset.name,
            "digests": dict(dataset.digests),
            "documents": len(dataset.corpus),
            "candidates": len(inputs.doc_ids),
            "queries": len(inputs.queries),
            "judged_queries": inputs.judged_queries,
            "relevant_from": dataset.qrels.relevant_from,
            "gains": {str(grade): gain for grade, gain in dataset.qrels.gains.items()},
            "grades": {str(grade): meaning for grade, meaning in dataset.grades.items()},
            "licence": dataset.licence,
        },
        "pipelines": {
            name: {
                "domain": asdict(outcome.domain),
                "digested": dict(outcome.digested),
                "stages": [stage.to_dict() for stage in outcome.stages],
            }
            for name, outcome in outcomes.items()
        },
        "thresholds_of": suite.threshold_pipeline,
        "failures": {name: outcome.failures for name, outcome in outcomes.items() if outcome.failures},
        "warnings": [str(finding) for finding in inputs.warnings],
        "versions": {"python": platform.python_version()} | _versions(),
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in RECORDED:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
