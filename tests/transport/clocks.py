"""A clock that jumps instead of waiting."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class FakeClock:
    """Time that passes only when someone sleeps; `slept` has each wait."""

    time: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Return the time."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(max(seconds, 0.0))
        self.time += max(seconds, 0.0)
