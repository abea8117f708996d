"""How often something happens in simulated runs."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """How often something happened in `runs` runs."""

    count: int
    runs: int

    @property
    def share(self) -> float:
        """The share of the runs."""
        return self.count / self.runs

    @property
    def error(self) -> float:
        """The standard error of the share, never below that of a single event."""
        p = min(max(self.share, 1 / self.runs), 1 - 1 / self.runs)
        return math.sqrt(p * (1 - p) / self.runs)
