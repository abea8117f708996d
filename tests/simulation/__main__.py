"""`make prove`: the simulations at full size, written to docs/proofs/."""

from __future__ import annotations

from pathlib import Path

from tests.simulation import comparison, thresholds

PROOFS = Path(__file__).parents[2] / "docs" / "proofs"
SCALE = 5  # times the size that CI runs

if __name__ == "__main__":
    PROOFS.mkdir(parents=True, exist_ok=True)
    (PROOFS / "comparison.md").write_text(comparison.prove(SCALE), encoding="utf-8")
    (PROOFS / "thresholds.md").write_text(thresholds.prove(SCALE), encoding="utf-8")
