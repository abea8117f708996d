"""Equivalence and non-inferiority: is a difference too small to matter, by a margin declared beforehand?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from evalkit.stats.significance import holm, t_tail


@dataclass(frozen=True, slots=True)
class Margin:
    """The tests against `margin`: one-sided t-tests, p-values corrected over their family by Holm.

    `p_not_worse` tests "worse by the margin or more", `p_equivalent` that or "better by it or more" (two
    one-sided tests: Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987).
    """

    margin: float
    p_not_worse: float
    p_equivalent: float

    def says(self, alpha: float) -> str:
        """Return `equivalent`, `not worse` or `undecided`, at `alpha`."""
        if self.p_equivalent <= alpha:
            return "equivalent"
        return "not worse" if self.p_not_worse <= alpha else "undecided"


def against_margin(gain: float, standard_error: float, freedom: int, margin: float | None) -> Margin | None:
    """Test `gain` (positive is better) against `margin`; None where none was declared.

    p-values are NaN with fewer than two units; with a standard error of 0 they are 0 inside the margin.
    """
    if margin is None:
        return None
    error = np.array([standard_error])
    not_worse = float(t_tail(np.array([gain + margin]), error, freedom)[0])
    not_better = float(t_tail(np.array([margin - gain]), error, freedom)[0])
    return Margin(margin, not_worse, max(not_worse, not_better))


def correct_margins(margins: Sequence[Margin | None]) -> list[Margin | None]:
    """Return the same with p-values corrected: all claims of one kind are one family."""
    nan = float("nan")
    not_worse = holm(np.array([one.p_not_worse if one else nan for one in margins]))
    equivalent = holm(np.array([one.p_equivalent if one else nan for one in margins]))
    return [
        replace(one, p_not_worse=float(not_worse[index]), p_equivalent=float(equivalent[index]))
        if one
        else None
        for index, one in enumerate(margins)
    ]
