"""Score sanity: what is odd is counted, what is not is not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from evalkit.records import Run
from evalkit.report.sanity import sanity


def made(*lists: list[float]) -> Run:
    """Return a run with these scores, one list a query."""
    query = np.repeat(np.arange(len(lists)), [len(one) for one in lists]).astype(np.int32)
    doc = np.concatenate([np.arange(len(one)) for one in lists]).astype(np.int32)
    score = np.concatenate([np.array(one, dtype=np.float64) for one in lists])
    ids = pa.array([f"d{n}" for n in range(int(doc.max()) + 1)])
    return Run("r", pa.array([f"q{n}" for n in range(len(lists))]), ids, query, doc, score)


def test_ordinary_scores_are_not_odd() -> None:
    """Distinct scores inside (0, 1): nothing to say."""
    found = sanity(made([0.9, 0.5, 0.1], [0.8, 0.2]))

    assert found.sentences() == []
    assert (found.rows, found.lists) == (5, 2)


def test_mass_at_the_ends() -> None:
    """Scores of exactly 0 and 1 are counted."""
    found = sanity(made([1.0, 1.0, 0.4], [1.0, 0.0]))

    assert (found.at_one, found.at_zero) == (3, 1)
    assert "3 of 5 scores are exactly 1" in " ".join(found.sentences())


def test_lists_without_any_order() -> None:
    """A server that answers .5 for all is found out; a list of one document is none."""
    found = sanity(made([0.5] * 4, [0.5], [0.5, 0.6]))

    assert (found.all_equal, found.lists) == (1, 2)


@pytest.mark.parametrize(("place", "tied"), [(8, 1), (9, 0)])
def test_ties_count_among_the_first_ten(place: int, tied: int) -> None:
    """A tie of ranks 9 and 10 counts, one of 10 and 11 does not."""
    scores = [1 - 0.01 * n for n in range(20)]
    scores[place + 1] = scores[place]

    assert sanity(made(scores)).tied_top == tied


def test_logits_are_said_to_be_none() -> None:
    """Scores outside [0, 1] are counted."""
    assert sanity(made([7.7, -11.0, 0.5])).outside_unit == 2


def test_an_empty_run_is_not_odd() -> None:
    """No rows, no counts, no sentences."""
    empty = Run(
        "r", pa.array([], pa.string()), pa.array([], pa.string()), *(np.zeros(0, np.int32),) * 2, np.zeros(0)
    )

    assert sanity(empty).sentences() == []
