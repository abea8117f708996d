"""Names of measures: data that round-trips, in the spelling of ir_measures.

name       = MEASURE [ "(" key=value {, key=value} ")" ] [ "@" value ]
examples     nDCG@10   P(rel=2)@5   nDCG(dcg='exp-log2')@10   nDCG(gains={1:3,2:7})   IPrec@0.1
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from evalkit.errors import InputError, all_of
from evalkit.measures.registry import ALIASES, MEASURES, Measure, Parameter


@dataclass(frozen=True)
class Spec:
    """A measure with its parameters, defaults filled in; `str` gives its canonical name."""

    measure: Measure
    parameters: Mapping[str, Any]

    def __str__(self) -> str:
        inside, at = [], ""
        for name, parameter in self.measure.parameters.items():
            value = self.parameters[name]
            if value == parameter.default:
                continue
            if name == self.measure.at:
                at = f"@{value!r}"
            else:
                inside.append(f"{name}={_spell(value)}")
        return self.measure.name + (f"({','.join(inside)})" if inside else "") + at

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spec) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


def parse(name: str) -> Spec:
    """Return the measure that `name` spells.

    >>> str(parse("P(rel=2)@5")), str(parse("MRR@10"))
    ('P(rel=2)@5', 'RR@10')

    Raises:
        UnknownName: no measure is called so.
        InputError: the name is not of that form, or a parameter is unknown, missing or not allowed.
    """
    called, given = _read(name)
    measure = MEASURES[ALIASES.get(called, called)]
    if "@" in given:
        if measure.at is None:
            raise InputError(f"{name}: {measure.name} takes no @")
        given[measure.at] = given.pop("@")
    for key in given:
        if key not in measure.parameters:
            known = ", ".join(measure.parameters) or "none"
            raise InputError(f"{name}: {measure.name} has no parameter {key!r}; it has: {known}")
    return Spec(measure, {k: _value(name, k, p, given, measure) for k, p in measure.parameters.items()})


def specs(names: Sequence[str]) -> dict[str, Spec]:
    """Return the measure of each name, under the name as it was given.

    Raises:
        UnknownName: the only wrong name is that of no measure.
        InputError: names are wrong, all of them told; or `names` is no list.
    """
    if isinstance(names, str):
        raise InputError(f"measures are a list: write [{names!r}]")
    return dict(zip(names, all_of(partial(parse, name) for name in names), strict=True))


def _read(name: str) -> tuple[str, dict[str, Any]]:
    try:
        node = ast.parse(name.strip(), mode="eval").body
        given: dict[str, Any] = {}
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            given["@"] = ast.literal_eval(node.right)
            node = node.left
        if isinstance(node, ast.Call) and not node.args:
            given |= {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in node.keywords}
            node = node.func
        if isinstance(node, ast.Name):
            return node.id, given
    except (SyntaxError, ValueError):
        pass
    raise InputError(f"{name!r} is no measure; write it like nDCG@10, P(rel=2)@5 or nDCG(dcg='exp-log2')@10")


def _value(name: str, key: str, parameter: Parameter, given: Mapping[str, Any], measure: Measure) -> Any:
    if key not in given:
        if parameter.default is ...:
            wanted = f"{measure.name}@10" if key == "cutoff" else f"{measure.name}({key}=...)"
            raise InputError(f"{name}: {measure.name} needs {key} ({parameter.help}): write {wanted}")
        return parameter.default
    value = given[key]
    if parameter.type is float and type(value) is int:
        value = float(value)
    if parameter.type is dict:
        return _gains(name, value)
    kind: Any = parameter.type
    if type(value) is not kind:
        raise InputError(f"{name}: {key} is {value!r}, not of type {kind.__name__}")
    if parameter.choices and value not in parameter.choices:
        raise InputError(f"{name}: {key} is {value!r}; it is one of {', '.join(parameter.choices)}")
    low, high = parameter.low, parameter.high
    if (low is not None and value < low) or (high is not None and value > high):
        bounds = f"at least {parameter.low}" + (
            "" if parameter.high is None else f", at most {parameter.high}"
        )
        raise InputError(f"{name}: {key} is {value!r}; it is {bounds}")
    return value


def _gains(name: str, value: Any) -> dict[int, float]:
    if not isinstance(value, dict) or not all(
        type(grade) is int and type(gain) in (int, float) and 0 <= gain < float("inf")
        for grade, gain in value.items()
    ):
        raise InputError(
            f"{name}: gains maps grades to numbers of at least 0, like {{1:3,2:7}}, not {value!r}"
        )
    return value


def _spell(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{k}:{v!r}" for k, v in sorted(value.items())) + "}"
    return repr(value)
