"""Reading responses with suspicion: the SDK validates nothing on a 200, and servers differ."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from evalkit.pipelines.ports import Matrix
from evalkit.records import Floats
from evalkit.transport.pool import Invalid

LARGEST_AMOUNT = 1e15  # of billed units: beyond it a number is nonsense


def read_json(body: bytes) -> Any:
    """Parse a body.

    Raises:
        Invalid: it is no JSON in UTF-8.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass  # Python's parser takes NaN too, which is told better as a score that is not finite
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError and JSONDecodeError are ValueErrors
        raise Invalid(f"it is no JSON ({error})") from error


def read_scores(body: bytes, documents: int) -> Floats:
    """Return the score of each of `documents` documents, in their order.

    Takes `results`, `data` or a list at the top; `relevance_score` or `score`; any order. Every document must
    have exactly one finite score.

    Raises:
        Invalid: otherwise.
    """
    content = read_json(body)
    results = content if isinstance(content, list) else _first(content, "results", "data")
    if not isinstance(results, list):
        raise Invalid("it has no list of results")
    scores: dict[int, float] = {}
    for result in results:
        index, score = _first(result, "index"), _first(result, "relevance_score", "score")
        if type(index) is not int or not 0 <= index < documents:
            raise Invalid(f"the index {index!r} is none of the {documents} documents")
        if index in scores:
            raise Invalid(f"the index {index} comes twice")
        scores[index] = score if type(score) is float and math.isfinite(score) else _finite(score, "score")
    if len(scores) < documents:
        missing = [index for index in range(documents) if index not in scores]
        raise Invalid(f"{len(missing)} of {documents} documents have no score, first number {missing[0]}")
    return np.array([scores[index] for index in range(documents)], dtype=np.float64)


def read_vectors(body: bytes, texts: int, dimension: int | None) -> Matrix:
    """Return one float32 row a text, as received (not normalised).

    Raises:
        Invalid: there is not one vector of finite numbers a text, all of one length (`dimension` if given),
            none of them zero.
    """
    content = read_json(body)
    rows = _first(_first(content, "embeddings"), "float")
    if not isinstance(rows, list) or len(rows) != texts:
        found = len(rows) if isinstance(rows, list) else "no"
        raise Invalid(f"it has {found} embeddings for {texts} texts")
    length = dimension or (len(rows[0]) if isinstance(rows[0], list) else 0)
    if not length or any(not isinstance(row, list) or len(row) != length for row in rows):
        raise Invalid(f"an embedding does not have {length or 'any'} numbers")
    for row in rows:
        if not all(type(value) is float or type(value) is int for value in row):
            raise Invalid("an embedding holds something that is no number")
    with np.errstate(over="ignore"):
        matrix = np.array(rows, dtype=np.float64).astype(np.float32)
    if not np.isfinite(matrix).all():
        raise Invalid("an embedding holds a number that is not finite")
    if not np.linalg.norm(matrix, axis=1).all():
        raise Invalid("an embedding is zero")
    return matrix


def billed_units(body: bytes) -> Mapping[str, float]:
    """Return `meta.billed_units` with what is a plain number in it; empty where there is none."""
    units = _first(_meta(body), "billed_units")
    if not isinstance(units, dict):
        return {}
    return {name: float(value) for name, value in units.items() if _is_amount(value)}


def warnings(body: bytes) -> tuple[str, ...]:
    """Return `meta.warnings`."""
    told = _first(_meta(body), "warnings")
    return tuple(text for text in told if isinstance(text, str)) if isinstance(told, list) else ()


def response_id(body: bytes) -> str | None:
    """Return the response's `id`, if it has one."""
    try:
        found = _first(read_json(body), "id")
    except Invalid:
        return None
    return found if isinstance(found, str) else None


def _meta(body: bytes) -> Any:
    try:
        return _first(read_json(body), "meta")
    except Invalid:
        return None


def _first(mapping: Any, *names: str) -> Any:
    """Return the first of `names` that a mapping has; None where it is no mapping or has none."""
    if not isinstance(mapping, dict):
        return None
    for name in names:
        if name in mapping:
            return mapping[name]
    return None


def _finite(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(f"the {what} {value!r} is no number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Invalid(f"the {what} {number} is not finite")
    return number


def _is_amount(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < LARGEST_AMOUNT
