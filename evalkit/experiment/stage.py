"""What one stage of a pipeline did and spent, against what the plan expected."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
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


class Spending:
    """Notes in a stage what the providers used between entering and leaving."""

    def __init__(self, usage: Usage, stage: Stage) -> None:
        self._usage, self._stage = usage, stage

    def __enter__(self) -> None:
        usage = self._usage
        self._before = usage.calls, usage.from_ledger, usage.units + usage.tokens, usage.usd
        self._warnings = len(usage.warnings)

    def __exit__(self, *_: object) -> None:
        usage, stage = self._usage, self._stage
        calls, from_ledger, billed, usd = self._before
        stage.calls += usage.calls - calls
        stage.from_ledger += usage.from_ledger - from_ledger
        stage.billed += usage.units + usage.tokens - billed
        stage.usd += usage.usd - usd
        stage.warnings.extend(usage.warnings[self._warnings :])


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
