"""The thresholds that production applies: standard library only, so that a search service can afford it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from evalkit.errors import DomainError, InputError
from evalkit.thresholds.entry import Entry, read_entry
from evalkit.thresholds.rule import NO_RULE, Rule

SCHEMA = "evalkit.thresholds/1"
OPERATOR = ">="
RULED = ">= and rule"  # so that an evalkit that knows no rules refuses the file instead of cutting too little
PER_LABEL = "|"  # a query of two categories is written "how-to|german"

EmptyResult = Literal["none", "keep_top_1"]
Safe = Literal["lower", "higher", "neither"]
T = TypeVar("T")


@dataclass(frozen=True)
class ThresholdPolicy:
    """Thresholds per category for the scores of one domain; applied as `score >= threshold`.

    `domain` has provider, model, score_space, render, candidates, digest. `default` answers for categories
    that the policy does not know. `safe` is the side on which a threshold errs without breaking its promise.
    With a `rule` a document must pass that too.
    `held_out` says what the thresholds are worth on queries that were kept apart, where a split was declared.
    """

    domain: Mapping[str, Any]
    goal: Mapping[str, Any]
    default: Entry
    categories: Mapping[str, Entry]
    safe: Safe = "neither"
    empty_result: EmptyResult = "none"
    by: str = "category"
    family: str = ""
    rule: Rule = NO_RULE
    held_out: Mapping[str, Any] | None = None

    @classmethod
    def load(cls, path: str | Path) -> ThresholdPolicy:
        """Read `thresholds.json`.

        Raises:
            InputError: the file is missing, broken, of another schema, or holds an impossible value.
        """
        path = Path(path)
        try:
            data = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise InputError(f"{path} does not exist. Write one with `evalkit calibrate`") from None
        except ValueError as error:
            raise InputError(
                f"{path} is no JSON ({error}). Write it anew with `evalkit calibrate`"
            ) from error
        return cls.from_dict(data, str(path))

    @classmethod
    def from_dict(cls, data: Any, path: str = "thresholds") -> ThresholdPolicy:
        """Return the policy that `to_dict` wrote; keys that this version does not know are ignored.

        Raises:
            InputError: as `load`.
        """
        schema = data.get("schema") if isinstance(data, dict) else None
        if schema != SCHEMA:
            raise InputError(
                f"{path} has the schema {schema!r}, this evalkit reads {SCHEMA!r}. Update evalkit"
            )
        try:
            if data["operator"] != (RULED if "rule" in data else OPERATOR):
                raise ValueError(f"operator {data['operator']!r} is not {OPERATOR!r}")
            return cls(
                domain=dict(data["domain"]),
                goal=dict(data["goal"]),
                default=read_entry(data["default"]),
                categories={name: read_entry(entry) for name, entry in data["categories"].items()},
                safe=data.get("safe", "neither"),
                empty_result=data.get("empty_result", "none"),
                by=data.get("by", "category"),
                family=data.get("family", ""),
                rule=Rule.parse(data["rule"]) if "rule" in data else NO_RULE,
                held_out=data.get("held_out"),
            )
        except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
            raise InputError(
                f"{path} is damaged: {type(error).__name__}: {error}. Write it anew with `evalkit calibrate`"
            ) from error

    def to_dict(self) -> dict[str, Any]:
        """Return what `thresholds.json` holds."""
        data = {
            "schema": SCHEMA,
            "domain": dict(self.domain),
            "operator": RULED if self.rule else OPERATOR,
            **({"rule": self.rule.to_dict()} if self.rule else {}),
            "goal": dict(self.goal),
            "by": self.by,
            "family": self.family,
            "safe": self.safe,
            "empty_result": self.empty_result,
            "default": asdict(self.default),
            "categories": {name: asdict(entry) for name, entry in self.categories.items()},
        }
        return data if self.held_out is None else data | {"held_out": dict(self.held_out)}

    def save(self, path: str | Path) -> None:
        """Write `thresholds.json` whole or not at all; floats come back bit for bit."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")
        temporary.replace(path)

    def entry(self, category: str | Iterable[str] | None = None) -> Entry:
        """Return what applies to `category`: its own entry, or the default for one that is unknown.

        Of several categories ("a|b" or a sequence) the safest threshold applies: it keeps each promise.
        """
        labels = (category.split(PER_LABEL) if isinstance(category, str) else list(category or ())) or [""]
        found = [self.categories.get(label, self.default) for label in labels]
        lacking = [entry for entry in found if entry.threshold is None]
        if lacking or len(found) == 1:
            return (lacking or found)[0]
        pick = max if self.safe == "higher" else min
        return pick(found, key=lambda entry: entry.threshold or 0.0)

    def keep(
        self,
        results: Iterable[T],
        *,
        category: str | Iterable[str] | None = None,
        model: str | None = None,
        domain: str | None = None,
    ) -> list[T]:
        """Return the results to show, in their order: those with `score >= threshold` that pass the `rule`.

        `results` are Cohere's result objects (`.index`, `.relevance_score`) or (id, score) pairs, all that
        the query has: a rule compares them. A category without a usable threshold is not filtered. Where
        nothing is left, `empty_result` decides. `model` and `domain` (a digest) say where scores come from.

        Raises:
            DomainError: the scores come from another model or domain, or cannot be scores of this one.
            InputError: the results are neither of the two shapes.
        """
        self._refuse_others(model, domain)
        items = list(results)
        scores = self._scores(items)
        threshold = self.entry(category).threshold
        if threshold is None:
            return items
        kept = [item for item, score in zip(items, scores, strict=True) if score >= threshold]
        if self.rule:
            cut = zip(items, scores, self.rule.passing(scores), strict=True)
            kept = [item for item, score, passes in cut if passes and score >= threshold]
        if kept or not items or self.empty_result == "none":
            return kept
        return [items[scores.index(max(scores))]]

    def _repr_html_(self) -> str:
        from evalkit.thresholds.shown import as_html

        return as_html(self)

    def unusable(self) -> tuple[str, ...]:
        """Return the names of the categories that have no threshold."""
        return tuple(name for name, entry in self.categories.items() if entry.status == "unusable")

    def _refuse_others(self, model: str | None, domain: str | None) -> None:
        own = str(self.domain.get("model", ""))
        if model is not None and model not in (own, f"{self.domain.get('provider', '')}/{own}"):
            raise DomainError(
                f"these thresholds are for the scores of {own!r}, not {model!r}: scores of two models are "
                "not comparable. Calibrate on the new model, or move them with `evalkit thresholds transfer`"
            )
        if domain is not None and domain != self.domain.get("digest"):
            raise DomainError(
                f"these thresholds belong to the domain {self.domain.get('digest')}, the scores to {domain}: "
                "model, rendering or candidates changed. Calibrate again"
            )

    def _scores(self, items: Sequence[Any]) -> list[float]:
        try:
            if items and hasattr(items[0], "relevance_score"):
                scores = [item.relevance_score for item in items]
            else:
                scores = [item[1] for item in items]
            possible = not scores or (
                (min(scores) >= 0 and max(scores) <= 1)
                if self.domain.get("score_space") == "unit"
                else all(map(math.isfinite, scores))
            )
            nans = any(score != score for score in scores)
        except (AttributeError, TypeError, IndexError, KeyError) as error:
            raise InputError(
                "results are Cohere's result objects (.index, .relevance_score) or (id, score) pairs; "
                f"{type(error).__name__}: {error}"
            ) from error
        if nans or not possible:
            raise DomainError(
                f"{min(scores)} to {max(scores)} are no scores of {self.domain.get('model')!r} "
                f"({self.domain.get('score_space')}). Calibrate on the scores that you filter"
            )
        return scores
