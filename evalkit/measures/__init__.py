"""Pure: from judged runs to one float per query."""

from evalkit.measures import gain, pooled, ranking, sets  # noqa: F401  importing them registers their measures
from evalkit.measures.evaluate import evaluate
from evalkit.measures.join import judge
from evalkit.measures.parse import parse
from evalkit.measures.registry import MEASURES
from evalkit.measures.table import Mean, Measured, measured, refuse_strange_queries

__all__ = ["MEASURES", "Mean", "Measured", "evaluate", "judge", "measured", "parse", "refuse_strange_queries"]
