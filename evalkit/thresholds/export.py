"""Thresholds for where they are applied: other scales, fewer digits, never on the wrong side."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from evalkit.errors import InputError
from evalkit.thresholds.entry import Entry
from evalkit.thresholds.policy import Safe, ThresholdPolicy

# Elasticsearch adds 1 to a vector similarity and forbids negative scores: `min_score` is on that scale.
SCALES: Mapping[str, Callable[[float], float]] = {
    "plain": lambda score: score,
    "elasticsearch": lambda score: score + 1,
    "logit": lambda score: math.log(score / (1 - score)),
}


def export(policy: ThresholdPolicy, scale: str = "plain", digits: int | None = None) -> dict[str, Any]:
    """Return `{category: threshold}` on another scale, None where a category is not filtered.

    With `digits`, rounded to so many decimals towards the safe side: down where keeping more is safe (no
    answer is lost), up where keeping less is. Where neither side is, rounding is refused, unless nothing is
    promised. "" is the default for unknown categories. A `rule` is told as it is: its share and its number
    of documents are on no scale.

    Raises:
        InputError: an unknown scale, a score that the scale does not have, or rounding without a safe side.
    """
    if scale not in SCALES:
        raise InputError(f"no scale is called {scale!r}; known: {', '.join(SCALES)}")
    if scale == "logit" and policy.domain.get("score_space") != "unit":
        raise InputError(f"{policy.domain.get('score_space')} scores have no logit: only scores in [0, 1] do")
    rounded_policy = policy if digits is None or scale != "plain" else rounded(policy, digits)
    entries = {"": rounded_policy.default, **rounded_policy.categories}
    values = {name: _moved(entry.threshold, scale) for name, entry in entries.items()}
    if digits is not None and scale != "plain":
        direction = _direction(policy)
        values = {name: None if v is None else round_to(v, digits, direction) for name, v in values.items()}
    told = policy.to_dict()
    rule = {"rule": told["rule"]} if policy.rule else {}
    return {"scale": scale, "operator": told["operator"], **rule, "thresholds": values}


def rounded(policy: ThresholdPolicy, digits: int) -> ThresholdPolicy:
    """Return the policy with thresholds of `digits` decimals, rounded towards the safe side.

    Raises:
        InputError: the goal promises risks that pull apart, so that neither side is safe.
    """
    direction = _direction(policy)

    def short(entry: Entry) -> Entry:
        if entry.threshold is None:
            return entry
        return replace(entry, threshold=round_to(entry.threshold, digits, direction))

    categories = {name: short(entry) for name, entry in policy.categories.items()}
    return replace(policy, default=short(policy.default), categories=categories)


def round_to(threshold: float, digits: int, direction: Safe) -> float:
    """Return the nearest decimal number of `digits` places on the safe side, never beyond it as a float."""
    step = Decimal(1).scaleb(-digits)
    exact = Decimal(repr(threshold))
    if direction == "neither":
        return float(round(exact, digits))
    short = float(exact.quantize(step, ROUND_CEILING if direction == "higher" else ROUND_FLOOR))
    # A decimal may have no exact float: step once more where its float fell on the other side.
    if direction == "higher" and short < threshold:
        return float(exact.quantize(step, ROUND_CEILING) + step)
    if direction == "lower" and short > threshold:
        return float(exact.quantize(step, ROUND_FLOOR) - step)
    return short


def _direction(policy: ThresholdPolicy) -> Safe:
    promised = any(entry.promise is not None for entry in (policy.default, *policy.categories.values()))
    if policy.safe == "neither" and promised:
        raise InputError("the promises of this policy pull apart: no direction of rounding keeps them all")
    return policy.safe


def _moved(threshold: float | None, scale: str) -> float | None:
    if threshold is None:
        return None
    if scale == "logit":
        threshold = min(max(threshold, 5e-324), 1 - 2**-53)
    return SCALES[scale](threshold)
