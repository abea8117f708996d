"""evalkit: evaluate retrieve-then-rerank search and calibrate score thresholds per query category.

Importing it imports nothing, not even `typing`: each name below loads its module when it is first used.
"""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["ThresholdPolicy", "calibrate", "compare", "measure", "open", "run"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from evalkit.api import calibrate, compare, measure, open, run  # noqa: A004  evalkit.open reads so
    from evalkit.thresholds.policy import ThresholdPolicy

_HOME = dict.fromkeys(__all__, "evalkit.api") | {"ThresholdPolicy": "evalkit.thresholds.policy"}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'evalkit' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
