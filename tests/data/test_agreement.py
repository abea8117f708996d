"""Agreement against worked examples that were published."""

from __future__ import annotations

import numpy as np
import pytest

from evalkit.data.agreement import agreement

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", section C: four observers, twelve units,
# missing data. He gives alpha .743 nominal and .815 ordinal.
OBSERVERS = {
    "A": "1 2 3 3 2 1 4 1 2 . . .",
    "B": "1 2 3 3 2 2 4 1 2 5 . 3",
    "C": ". 3 3 3 2 3 4 2 2 5 1 .",
    "D": "1 2 3 3 2 4 4 1 2 5 1 .",
}


def rows(told: dict[str, str]) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray]:
    """Return unit, rater, names and grade of a table with dots for what is missing."""
    found = [
        (unit, rater, int(cell))
        for rater, line in enumerate(told.values())
        for unit, cell in enumerate(line.split())
        if cell != "."
    ]
    unit, rater, grade = (np.array(column) for column in zip(*found, strict=True))
    return unit.astype(np.int64), rater.astype(np.int32), list(told), grade.astype(np.int32)


def test_alpha_of_krippendorffs_own_example() -> None:
    """Ordinal alpha .815; the unit that one observer rated does not count."""
    found = agreement(*rows(OBSERVERS))

    assert found.alpha == pytest.approx(0.815, abs=0.0005)
    assert (found.n, found.raters) == (11, 4)


def test_kappa_of_a_published_table() -> None:
    """Two readers of fifty proposals, 20 both yes, 15 both no, 5 and 10 apart: kappa .4 exactly."""
    first = "1 " * 20 + "1 " * 5 + "0 " * 10 + "0 " * 15
    second = "1 " * 20 + "0 " * 5 + "1 " * 10 + "0 " * 15
    found = agreement(*rows({"A": first, "B": second}))

    assert found.kappas[0].kappa == pytest.approx(0.4)
    assert found.kappas[0].n == 50


def test_raters_who_use_one_grade_have_no_agreement_to_speak_of() -> None:
    """Undefined, not 1: they might not look at all."""
    found = agreement(*rows({"A": "1 1 1", "B": "1 1 1"}))

    assert np.isnan(found.alpha)
    assert np.isnan(found.kappas[0].kappa)
    assert found.to_dict()["alpha"] is None


def test_raters_without_a_common_pair_have_none() -> None:
    """Nothing was rated twice."""
    found = agreement(*rows({"A": "1 0 . .", "B": ". . 1 0"}))

    assert (found.n, found.kappas) == (0, ())
    assert "undefined" in str(found)
