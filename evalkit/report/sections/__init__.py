"""The sections of a report, one decorated function each; importing this package registers them."""

from evalkit.report.sections import (
    attribution,
    categories,
    explorer,
    labelling,
    physical,
    pipelines,
    provenance,
    queries,
    scores,
    thresholds,
    tradeoff,
)

__all__ = [
    "attribution",
    "categories",
    "explorer",
    "labelling",
    "physical",
    "pipelines",
    "provenance",
    "queries",
    "scores",
    "thresholds",
    "tradeoff",
]
