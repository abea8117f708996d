"""A suite from beginning to end: load, check, run, measure, calibrate, write."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from evalkit import runs
from evalkit.errors import InputError, ProviderError
from evalkit.experiment.execute import Executor, Watch, quiet
from evalkit.experiment.findings import sound
from evalkit.experiment.outputs import files_of, info_of
from evalkit.experiment.plan import lines
from evalkit.experiment.prepare import prepare
from evalkit.experiment.recheck import Recheck, recheck
from evalkit.experiment.report import render
from evalkit.experiment.session import session
from evalkit.experiment.stage import Stage, bills, spending
from evalkit.pipelines.ports import PlanLine
from evalkit.runs import RunDirectory
from evalkit.suite import Suite
from evalkit.thresholds.goals import Goal


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
    """Run a suite and write its run directory with its report; what the ledger holds is not asked for again.

    `out` is `runs/NAME` where it is not given. Queries that a provider failed stand in the result's
    `info["failures"]`; run again to resume.

    Raises:
        DataError: the suite or its data set is wrong; all findings at once.
        InputError: an option is wrong, or `out` holds something that is no run; `max_usd` is given, and a
            model that would be called has no known price.
        ProviderError: a provider refused to work at all (a wrong key, a used-up quota).
    """
    options = options or Options()
    suite = sound(suite, options.only)
    folder = Path(out) if out is not None else Path("runs") / suite.name
    _refuse_strange(folder)
    goal = Goal.parse(suite.thresholds.goal)
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
        if options.max_usd is not None:
            _refuse_unpriced(lines(inputs, executor))
        outcomes = {name: executor.run(name, pipeline) for name, pipeline in suite.pipelines.items()}
        sandbox = context.sandbox
        again = Stage("recheck", "")
        with spending(context.usage, again):
            rechecks, stopped = _rechecked(suite, executor, options.recheck, started)
    info = info_of(inputs, outcomes, options.limit, started) | {
        "sandbox": sandbox,
        "bills": bills(executor.stages),
        "recheck": [{**one.to_dict(), "sentence": one.sentence()} for one in rechecks],
        "recheck_stopped": stopped,
        "recheck_spent": {"calls": again.calls, "usd": again.usd},
    }
    done = runs.write(folder, info, files_of(inputs, outcomes, goal))
    render(done)
    return done


def _rechecked(
    suite: Suite, executor: Executor, share: float, started: datetime
) -> tuple[list[Recheck], str]:
    """Return what asking again found, and why it ended early: the run itself is whole, and is kept."""
    found: list[Recheck] = []
    try:
        for one in recheck(suite, executor, share, started.date().isoformat()) if share else ():
            found.append(one)  # each as it comes: the next may be refused
    except ProviderError as error:
        return found, str(error)
    return found, ""


def _refuse_unpriced(planned: Iterable[PlanLine]) -> None:
    """Raise before anything is paid: a bound on money needs the price of all that is to be sent."""
    unpriced = {
        line.model: None for line in planned if line.usd is None and line.calls > line.calls_in_ledger
    }
    if unpriced:
        raise InputError(
            f"--max-usd cannot be kept: the price of {', '.join(unpriced)} is unknown, so nothing was sent. "
            "Give it in the suite under `providers: {cohere: {catalog: ...}}`, or use --max-units"
        )


def _refuse_strange(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file. Name a folder with --out")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / runs.RUN).is_file():
        raise InputError(f"{folder} holds files that are no run of evalkit. Name another folder with --out")
