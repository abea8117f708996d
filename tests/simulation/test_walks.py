"""Losses without a safe end are certified as honestly as those with one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulation.studies import DELTA
from tests.simulation.walks import ASKED, walk_broken

pytestmark = pytest.mark.simulation
RUNS = 40


@pytest.mark.parametrize(("loss", "options", "limits"), ASKED, ids=[asked[0] for asked in ASKED])
def test_no_certified_threshold_breaks_its_limit_more_often_than_promised(
    loss: str, options: dict[str, Any], limits: tuple[float, ...]
) -> None:
    """Of all thresholds that a search certifies, not only the chosen one, where the risk is not monotone."""
    for population in ("junk on top", "with a rule"):
        rate = walk_broken(population, loss, options, limits[1], 150, RUNS, 1)

        assert rate.certified > 0.5, population
        assert rate.share <= DELTA + 3 * rate.error, population
