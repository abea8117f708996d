"""evalkit: evaluate retrieve-then-rerank search and calibrate score thresholds per query category."""

__version__ = "0.1.0"
