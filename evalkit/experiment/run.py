"""A suite from beginning to end: load, check, run, measure, calibrate, write."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from evalkit import runs
from evalkit import suite as suites
from evalkit.errors import InputError, UnknownName
from evalkit.experiment.execute import Executor, Outcome, Watch, quiet
from evalkit.experiment.prepare import Inputs, prepare
from evalkit.experiment.prices import prices
from evalkit.experiment.recheck import recheck
from evalkit.experiment.session import session
from evalkit.experiment.tables import judgment_table, measure_table, score_table, text_table
from evalkit.measures import evaluate, judge, parse
from evalkit.pipelines.rerank import found_rank
from evalkit.records import Judged
from evalkit.report.sanity import sanity
from evalkit.report.summary import Extras, summarise
from evalkit.runs import RunDirectory
from evalkit.stats.duplicates import clusters
from evalkit.suite import Pipeline, Suite

RECORDED = ("evalkit-rerank", "cohere", "numpy", "onnxruntime", "faiss-cpu", "bm25s")


@dataclass(frozen=True)
class Options:
    """What a user asks of one run beyond its suite.

    `only` names the pipelines to run (the baseline comes along), `limit` keeps the first queries, the maxima
    bound what the run may be billed, `offline` forbids every call that leaves this machine. `recheck` is the
    share of queries to ask again in other company and order.
    """

    only: Sequence[str] = ()
    limit: int | None = None
    max_units: float | None = None
    max_usd: float | None = None
    offline: bool = False
    sandbox: bool = False
    recheck: float = 0.0
    watch: Watch = field(default=quiet)


def run(
    suite: Suite | str | Path, out: str | Path | None = None, options: Options | None = None
) -> RunDirectory:
    """Run a suite and write its run directory; what the ledger holds is not asked for again.

    `out` is `runs/NAME` where it is not given. Queries that a provider failed stand in the result's
    `info["failures"]`; run again to resume.

    Raises:
        DataError: the suite or its data set is wrong; all findings at once.
        InputError: an option is wrong, or `out` holds something that is no run.
        ProviderError: a provider refused to work at all (a wrong key, a used-up quota).
    """
    options = options or Options()
    suite = suite if isinstance(suite, Suite) else suites.load(suite)
    folder = Path(out) if out is not None else Path("runs") / suite.name
    _refuse_strange(folder)
    suite = replace_pipelines(suite, options.only)
    for name in suite.measures:
        parse(name)
    inputs = prepare(suite, options.limit)
    started = datetime.now(UTC)
    with session(
        suite,
        sandbox=options.sandbox,
        offline=options.offline,
        max_units=options.max_units,
        max_usd=options.max_usd,
    ) as context:
        executor = Executor(inputs, context, options.watch)
        outcomes = {name: executor.run(name, pipeline) for name, pipeline in suite.pipelines.items()}
        sandbox = context.sandbox
        rechecks = (
            recheck(suite, executor, options.recheck, started.date().isoformat()) if options.recheck else []
        )
    info = _info(inputs, outcomes, options, started) | {
        "sandbox": sandbox,
        "recheck": [{**one.to_dict(), "sentence": one.sentence()} for one in rechecks],
    }
    return runs.write(folder, info, _files(inputs, outcomes))


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


def _files(inputs: Inputs, outcomes: Mapping[str, Outcome]) -> dict[str, bytes]:
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
    files[runs.SUMMARY] = runs.to_json(
        summarise(
            judged, values, suite.baseline_name, suite.depth, suite.seed, _extras(inputs, outcomes, judged)
        )
        | {"sanity": {name: sanity(outcome.run).to_dict() for name, outcome in outcomes.items()}}
    )
    return files


def _extras(inputs: Inputs, outcomes: Mapping[str, Outcome], judged: Mapping[str, Judged]) -> Extras:
    """Return what a summary says beyond measures: depth, cost, dependent queries, declared margins."""
    suite, queries = inputs.suite, inputs.dataset.queries
    ids = judged[suite.baseline_name].query_ids
    return Extras(
        found_rank={
            name: found_rank(outcome.run)[judged[name].row]
            for name, outcome in outcomes.items()
            if suite.pipelines[name].rerank is not None
        },
        stages={name: [stage.to_dict() for stage in outcome.stages] for name, outcome in outcomes.items()},
        asked=len(inputs.queries),
        clusters=clusters([queries[i].group for i in ids], [queries[i].text for i in ids]),
        prices=prices(suite),
        margins=suite.margins,
    )


def _info(
    inputs: Inputs, outcomes: Mapping[str, Outcome], options: Options, started: datetime
) -> dict[str, Any]:
    suite, dataset = inputs.suite, inputs.dataset
    finished = datetime.now(UTC)
    return {
        "name": suite.name,
        "started": started.isoformat(timespec="seconds"),
        "seconds": (finished - started).total_seconds(),
        "suite": suite.canonical,
        "suite_digest": suite.digest,
        "seed": suite.seed,
        "limit": options.limit,
        "dataset": {
            "name": dataset.name,
            "digests": dict(dataset.digests),
            "documents": len(dataset.corpus),
            "candidates": len(inputs.doc_ids),
            "queries": len(inputs.queries),
            "judged_queries": inputs.judged_queries,
            "relevant_from": dataset.qrels.relevant_from,
            "grades": {str(grade): meaning for grade, meaning in dataset.grades.items()},
            "licence": dataset.licence,
        },
        "pipelines": {
            name: {
                "domain": asdict(outcome.domain),
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
    import importlib.metadata

    found = {}
    for package in RECORDED:
        try:
            found[package] = version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def _refuse_strange(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file. Name a folder with --out")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / runs.RUN).is_file():
        raise InputError(f"{folder} holds files that are no run of evalkit. Name another folder with --out")
