"""The data set's physical as a run keeps it: what `evalkit check` says of the data, for the report."""

from __future__ import annotations

from typing import Any

from evalkit.data.physical import examine, lines
from evalkit.data.survey import survey
from evalkit.experiment.check import Checked, limits, warnings
from evalkit.experiment.prepare import Inputs

SCHEMA = "evalkit.physical/1"
EXAMINED = 2_000  # documents; looking for near-duplicates among more takes longer than many a run


def physical_of(inputs: Inputs) -> dict[str, Any]:
    """Return the content of `physical.json`: that of `check --json`, of the whole data set, limited or not.

    Which categories are too few for the goal is left out: after a run its thresholds know that better.
    A collection of more than `EXAMINED` documents is left to `evalkit check`: its `physical` is None.
    """
    suite, dataset = inputs.suite, inputs.dataset
    if len(dataset.corpus) > EXAMINED:
        return {"schema": SCHEMA, **Checked((), ()).to_dict()}
    found = examine(dataset, survey(dataset.corpus, inputs.render), limits(suite))
    folder = suite.folder / suite.dataset
    findings = tuple(warnings(folder, found, dataset.grades))
    return {"schema": SCHEMA, **Checked(findings, tuple(lines(dataset.name, found)), found).to_dict()}
