"""From a judged run to one float per query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalkit.errors import InputError
from evalkit.measures.gain import declared, gain_of
from evalkit.measures.parse import Spec, specs
from evalkit.measures.registry import MEASURES
from evalkit.measures.rows import Rows
from evalkit.records import Bools, Floats, Judged


def evaluate(judged: Judged, names: Sequence[str]) -> dict[str, Floats]:
    """Return, under each name as given, one value per query in the order of `judged.query_ids`.

    NaN: undefined for that query, by its judgments. A query that the run lacks has the measure's worst value.

    Raises:
        UnknownName, InputError: a name is no measure.
        InputError: a measure reads rows without a judgment, and `judged` was joined without them; ties are
            averaged, and a measure cannot; grades are out of a measure's scale.
    """
    asked = specs(names)
    rows = Rows(judged)
    return {name: _values(rows, spec) for name, spec in asked.items()}


def needs_all_rows(names: Sequence[str]) -> bool:
    """Return whether one of these measures reads the scores of documents without a judgment.

    Raises:
        UnknownName, InputError: a name is no measure.
    """
    return any(spec.measure.needs_all_rows(spec.parameters) for spec in specs(names).values())


def _values(rows: Rows, spec: Spec) -> Floats:
    measure, parameters = spec.measure, spec.parameters
    if rows.source.judged_rows_only and measure.needs_all_rows(parameters):
        raise InputError(f"{spec} reads the scores of all documents: join them with judged_rows_only=False")
    if rows.averaged and measure.ties == "one order":
        averaged = ", ".join(name for name in MEASURES if MEASURES[name].ties != "one order")
        raise InputError(f"{spec} needs one order and cannot average ties; these can: {averaged}")
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.asarray(measure.kernel(rows, **parameters), np.float64)
    values = np.where(rows.source.retrieved == 0, measure.worst, values)
    return np.where(_defined(rows, spec), values, np.nan)


def _defined(rows: Rows, spec: Spec) -> Bools:
    match spec.measure.defined_on:
        case "all":
            return np.ones(rows.n, np.bool_)
        case "answerable":
            return np.asarray(rows.n_relevant(spec.parameters.get("rel")) > 0, np.bool_)
        case "negative":
            return np.asarray(rows.n_relevant(spec.parameters.get("rel")) == 0, np.bool_)
        case "gainful":
            named = spec.parameters
            gains = gain_of(
                rows.source.ideal, declared(rows.source, named.get("gains"), named.get("dcg", "log2"))
            )
            defined: Bools = rows.n_ideal(gains > 0) > 0
            return defined
