"""Reading a goal: every mistake is told with what would have been right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.errors import InputError
from evalkit.thresholds.goals import CRITERIA, LOSSES, Goal, Risk, make
from evalkit.thresholds.rule import Rule

SHAPES = (
    "a goal is {risk: lost_answer, at_most: 0.10, confidence: 0.90, then: precision} (a promise; without "
    "`confidence` it holds in expectation), {maximise: F1} (an estimate), or {method: borderline_mean}"
)
FALLBACKS = ("parent", "overall", "most_conservative")
COMMON = {"family": ("joint", "each"), "empty_result": ("none", "keep_top_1")}
SHARED = ("confidence", "then", "fallback", "rule", *COMMON)


def parse(goal: Mapping[str, Any] | Sequence[Mapping[str, Any]] | Goal) -> Goal:
    """Read a goal; see `Goal.parse`."""
    if isinstance(goal, Goal):
        return goal
    if isinstance(goal, Mapping):
        text = dict(goal)
        parts = [dict(part) for part in text.get("risks", ())] if "risks" in text else [dict(text)]
        shared = {key: value for key, value in text.items() if key != "risks"} if "risks" in text else {}
    elif isinstance(goal, Sequence) and goal and all(isinstance(part, Mapping) for part in goal):
        parts, shared = [dict(part) for part in goal], {}
        text = {"risks": [dict(part) for part in goal]} if len(goal) > 1 else dict(goal[0])
    else:
        raise InputError(f"{goal!r} is no goal: {SHAPES}")
    shared |= _agreed(parts)
    kinds = [key for key in ("risk", "maximise", "minimise", "method") if any(key in part for part in parts)]
    if len(kinds) != 1:
        raise InputError(f"{dict(text)!r} is no goal: {SHAPES}")
    return _promise(parts, shared, text) if kinds == ["risk"] else _estimate(parts, shared, text)


def _agreed(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Take what concerns the whole goal out of its risks, which may repeat it but not disagree."""
    found: dict[str, Any] = {}
    for part in parts:
        for key in SHARED:
            if key in part:
                value = part.pop(key)
                if found.setdefault(key, value) != value:
                    raise InputError(f"the risks of a goal disagree on `{key}`: {found[key]!r} and {value!r}")
    return found


def _promise(parts: list[dict[str, Any]], shared: dict[str, Any], text: Mapping[str, Any]) -> Goal:
    risks = []
    for part in parts:
        name = part.pop("risk", None)
        if not isinstance(name, str):
            raise InputError(f"each risk of a goal has a name: one of {', '.join(LOSSES)}")
        at_most = _fraction("at_most", part.get("at_most"))
        loss = make(LOSSES, name, part)
        part.pop("at_most")
        _refuse_rest(part, f"risk {name!r}")
        risks.append(Risk(loss, at_most))
    names = [risk.loss.name for risk in risks]
    if len(set(names)) < len(names):
        raise InputError(f"a goal bounds each risk once, not {', '.join(names)}")
    if shared.get("rule") == "best":
        raise InputError(
            "a promise takes a rule that was declared before these queries were looked at: {of_top: 0.8} or "
            "{top_k: 5}. Choose it on other queries, such as with `evalkit calibrate --rules`"
        )
    confidence = shared.pop("confidence", None)
    then = shared.pop("then", None)
    options = {"text": text, "risks": tuple(risks), **_common(shared)}
    criterion = make(CRITERIA, _criterion(then) if then is not None else _then(risks), {})
    if confidence is None:
        loose = [risk.loss.name for risk in risks if not risk.loss.monotone]
        if len(risks) > 1 or loose:
            raise InputError(
                "a promise in expectation (conformal risk control) takes one risk that only grows towards "
                f"one end of the scores; {' and '.join(loose or names)} needs `confidence`, such as 0.90"
            )
        return Goal("expectation", criterion=criterion, **options)
    return Goal("confidence", confidence=_fraction("confidence", confidence), criterion=criterion, **options)


def _then(risks: list[Risk]) -> str:
    """Among certified thresholds, take the one that is best at what the risks do not look at."""
    ends = {risk.loss.safe for risk in risks}
    return {"lower": "precision", "higher": "recall"}.get(ends.pop() or "", "F1") if len(ends) == 1 else "F1"


def _criterion(name: Any) -> str:
    if not isinstance(name, str):
        raise InputError(f"`then` names one of {', '.join(CRITERIA)}, not {name!r}")
    return name


def _estimate(parts: list[dict[str, Any]], shared: dict[str, Any], text: Mapping[str, Any]) -> Goal:
    for key in ("confidence", "then"):
        if key in shared:
            raise InputError(
                f"`{key}` belongs to a goal with a risk: an optimum is an estimate and promises nothing"
            )
    (part,) = parts if len(parts) == 1 else ({},)
    if method := part.pop("method", None):
        if method != "borderline_mean":
            raise InputError(f"no method is called {method!r}; known: borderline_mean")
        grade = part.pop("grade", None)
        if "rule" in shared:
            raise InputError("borderline_mean is a recipe for the threshold alone: it takes no `rule`")
        _refuse_rest(part, "borderline_mean")
        return Goal("estimate", method="borderline_mean", grade=grade, text=text, **_common(shared))
    name = part.pop("maximise", None) or part.pop("minimise", None)
    minimised = "minimise" in text
    if not isinstance(name, str) or minimised != (name == "cost"):
        raise InputError(f"maximise one of {', '.join(sorted(set(CRITERIA) - {'cost'}))}, or minimise cost")
    criterion = make(CRITERIA, name, part)
    _refuse_rest(part, name)
    return Goal("estimate", criterion=criterion, text=text, **_common(shared))


def _common(shared: dict[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for key, allowed in COMMON.items():
        if key in shared:
            options[key] = shared.pop(key)
            if options[key] not in allowed:
                raise InputError(f"`{key}` is one of {', '.join(allowed)}, not {options[key]!r}")
    if "fallback" in shared:
        chain = shared.pop("fallback")
        chain = [chain] if isinstance(chain, str) else list(chain)
        chain = [] if chain == ["none"] else chain
        if not set(chain) <= set(FALLBACKS):
            raise InputError(f"`fallback` lists some of {', '.join(FALLBACKS)}, or is none; not {chain}")
        options["fallback"] = tuple(chain)
    if "rule" in shared:
        rule = shared.pop("rule")
        options["rule"] = rule if rule == "best" else Rule.parse(rule)
    _refuse_rest(shared, "goal")
    return options


def _refuse_rest(rest: Mapping[str, Any], owner: str) -> None:
    if rest:
        raise InputError(f"{owner} does not know {', '.join(map(repr, rest))}; {SHAPES}")


def _fraction(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        likely = "0.90" if name == "confidence" else "0.10"
        raise InputError(f"`{name}` is a number between 0 and 1, such as {likely}, not {value!r}")
    return float(value)
