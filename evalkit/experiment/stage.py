"""What one stage of a pipeline did and spent, against what the plan expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from evalkit.pipelines.ports import PlanLine, Usage


@dataclass
class Stage:
    """What one stage did: the calls, the spend, the latency of each answer, the failures.

    `units` is what its answers were billed whenever they were asked for, `billed` what this run was billed of
    it and `planned` what the plan expected, all in `unit` (search or token). `usd` is this run's.
    """

    stage: str
    model: str
    calls: int = 0
    from_ledger: int = 0
    units: float = 0.0
    unit: str = ""
    planned: float = 0.0
    billed: float = 0.0
    usd: float = 0.0
    seconds: list[float] = field(default_factory=list)
    failures: list[dict[str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def note_plan(self, *lines: PlanLine) -> None:
        """Add what a plan expects."""
        for line in lines:
            self.planned += line.units
            self.unit = line.unit or self.unit

    def to_dict(self) -> dict[str, Any]:
        """Return what a run directory keeps: the latencies as their median and 95th percentile."""
        latency = None
        if self.seconds:
            latency = {f"p{level}": float(np.percentile(self.seconds, level)) for level in (50, 95)}
        return {name: value for name, value in vars(self).items() if name != "seconds"} | {"seconds": latency}


@contextmanager
def spending(usage: Usage, stage: Stage) -> Iterator[None]:
    """Note in a stage what the providers use inside the block, however it ends."""
    before, said = replace(usage), len(usage.warnings)
    try:
        yield
    finally:
        stage.calls += usage.calls - before.calls
        stage.from_ledger += usage.from_ledger - before.from_ledger
        stage.billed += usage.units + usage.tokens - (before.units + before.tokens)
        stage.usd += usage.usd - before.usd
        stage.warnings.extend(usage.warnings[said:])


def bills(stages: Iterable[Stage]) -> list[dict[str, Any]]:
    """Return what this run was billed for each model, beside what was planned; nothing where nothing was."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for stage in stages:
        if stage.billed:
            empty = {"model": stage.model, "unit": stage.unit, "billed": 0.0, "planned": 0.0, "usd": 0.0}
            bill = found.setdefault((stage.model, stage.unit), empty)
            for name in ("billed", "planned", "usd"):
                bill[name] += getattr(stage, name)
    return list(found.values())


def together(stages: Iterable[Stage]) -> Stage:
    """Return the stages of the parts of a fused first stage as one."""
    stages = list(stages)
    whole = Stage("retrieve", f"fuse({', '.join(stage.model for stage in stages)})")
    for stage in stages:
        whole.calls += stage.calls
        whole.from_ledger += stage.from_ledger
        whole.units += stage.units
        whole.planned += stage.planned
        whole.billed += stage.billed
        whole.unit = whole.unit or stage.unit
        whole.usd += stage.usd
        whole.warnings += stage.warnings
    return whole
