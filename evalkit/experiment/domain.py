"""The digest of a domain: equal where, and only where, thresholds may be carried over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def digest_of(parts: Mapping[str, Any]) -> str:
    """Return the digest of all that changes a score: model, settings, address, rendering, candidates, corpus.

    `parts` are kept in `run.json`, so that a transfer can say what a run of the new model would.
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def with_model(parts: Mapping[str, Any], model: str, address: str) -> dict[str, Any]:
    """Return the parts of the same pipeline with another reranker at `address` ("" for one in process)."""
    addresses = {name: at for name, at in parts["addresses"].items() if name != parts["model"]}
    if address:
        addresses[model] = address
    return {**parts, "model": model, "addresses": addresses}
