"""How far from the chosen cut a promise holds as well: the other cuts that are certified with it."""

from __future__ import annotations

import numpy as np

from evalkit.thresholds.entry import Reach
from evalkit.thresholds.proof import Proof


def reach(proof: Proof) -> Reach | None:
    """Return the unbroken stretch of certified cuts around the chosen one.

    They are certified all at once: a walk from the safe end errs with probability delta in all
    (fixed-sequence testing). So any of them may be chosen afterwards, by whatever argument. It is no interval
    of uncertainty: it says nothing of where another sample would have put the cut. Between two certified cuts
    of a monotone loss every cut is as good. None where none is chosen, and for a loss that may rise and fall
    again where not every observed score was tested.
    """
    curve, allowed = proof.group.curve, proof.certified.allowed
    if proof.column is None:
        return None
    monotone = all(table.risk.loss.monotone for table in proof.certified.tables)
    if not monotone and len(curve.thresholds) <= len(np.unique(curve.score[np.isfinite(curve.score)])):
        return None
    broken = np.flatnonzero(~allowed)
    after = int(np.searchsorted(broken, proof.column))
    first = int(broken[after - 1]) + 1 if after else 0
    last = int(broken[after]) - 1 if after < len(broken) else len(allowed) - 1
    return Reach(
        float(curve.thresholds[first]) if first else None,
        float(curve.thresholds[last]) if last < len(allowed) - 1 else None,
    )
