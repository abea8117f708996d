"""What a document must pass besides its threshold: standard library only, as production applies it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evalkit.errors import InputError

SHAPE = "a rule is {of_top: 0.8} (a share of the query's top score), {top_k: 5} (the best few), or both"


@dataclass(frozen=True, slots=True)
class Rule:
    """A cut that knows the query's other candidates: None is no cut.

    `of_top` keeps what scores at least this share of the query's top score, `top_k` so many documents at
    most. Both look at scores only and are declared beforehand, so that a promise holds as it does without.
    """

    of_top: float | None = None
    top_k: int | None = None

    def __bool__(self) -> bool:
        """Whether anything is cut."""
        return self.of_top is not None or self.top_k is not None

    @classmethod
    def parse(cls, given: Any) -> Rule:
        """Read a rule as goals and `thresholds.json` write it.

        Raises:
            InputError: an unknown key or an impossible number.
        """
        if not isinstance(given, Mapping) or not given or not set(given) <= {"of_top", "top_k"}:
            raise InputError(f"{given!r} is no rule: {SHAPE}")
        share, count = given.get("of_top"), given.get("top_k")
        if "of_top" in given and (
            isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1
        ):
            raise InputError(f"`of_top` is a share above 0, such as 0.8, not {share!r}")
        if "top_k" in given and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
            raise InputError(f"`top_k` is a number of documents, at least 1, not {count!r}")
        return cls(share, count)

    def to_dict(self) -> dict[str, Any]:
        """Return what `parse` reads; empty where nothing is cut."""
        parts = {"of_top": self.of_top, "top_k": self.top_k}
        return {name: value for name, value in parts.items() if value is not None}

    def __str__(self) -> str:
        """Read as `score >= 0.8 x top and among the 5 best`."""
        parts = [] if self.of_top is None else [f"score >= {self.of_top:g} x top"]
        if self.top_k is not None:
            parts.append("the query's best" if self.top_k == 1 else f"among the {self.top_k} best")
        return " and ".join(parts)

    def passing(self, scores: Sequence[float]) -> list[bool]:
        """Return which of one query's documents pass; of equal scores the earlier stand before the later."""
        passes = [True] * len(scores)
        if self.of_top is not None and scores:
            least = self.of_top * max(scores)
            passes = [score >= least for score in scores]
        if self.top_k is not None:
            best = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)
            for place in best[self.top_k :]:
                passes[place] = False
        return passes


NO_RULE = Rule()
