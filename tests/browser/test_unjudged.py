"""Queries that nobody has judged, in the page's drill-down."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest import TempPathFactory

from evalkit.errors import UnknownName
from evalkit.experiment.report import render
from evalkit.report import drilldown
from evalkit.runs import RunDirectory
from tests.browser.pages import opened, serious, too_wide
from tests.report.small import QUERIES, small_run

pytestmark = pytest.mark.browser
UNJUDGED = 5


@pytest.fixture(scope="module")
def run(tmp_path_factory: TempPathFactory) -> RunDirectory:
    """A tiny run with five unjudged queries."""
    return small_run(tmp_path_factory.mktemp("run"), unjudged=UNJUDGED)


@pytest.fixture
def page(new_page: Callable[..., Any], run: RunDirectory) -> Any:
    """The run's report, on a phone."""
    return opened(new_page, (run.folder / "report.html").as_uri(), 400)


def test_they_are_found_by_a_filter_with_the_keyboard(page: Any) -> None:
    """Unjudged, judged, all: the counts are the run's, and their category can be chosen."""
    counts = []
    for key in ("End", "ArrowUp", "Home"):
        page.locator("#browser-judged").focus()
        page.keyboard.press(key)
        counts.append(page.locator("#browser-count").text_content())
    page.locator("#browser-category").select_option("new")

    assert counts == [f"{UNJUDGED} queries", f"{QUERIES} queries", f"{QUERIES + UNJUDGED} queries"]
    assert page.locator("#browser-list li").count() == UNJUDGED
    assert f"and {UNJUDGED} queries that nobody has judged" in page.locator("#queries").text_content()


def test_one_shows_both_orders_and_what_is_kept_and_no_grade(page: Any, run: RunDirectory) -> None:
    """Documents, scores, threshold as for any query; every grade is a question mark, which is said."""
    page.locator("#browser-search").fill("u03")
    page.locator("#browser-list button").click()
    scores = run.scores[run.scores["query_id"] == "u03"]
    cut = run.policies["best"].default.threshold
    kept = int((scores[scores["pipeline"] == "best"]["score"] >= cut).sum())
    shown = page.locator(".orders > div")

    for side, name in enumerate(("words", "best")):
        ids = scores[scores["pipeline"] == name].sort_values("rank")["doc_id"].tolist()
        assert shown.nth(side).locator("li code").all_text_contents() == ids
    assert set(page.locator(".orders .grade [aria-hidden]").all_text_contents()) == {"?"}
    assert f"{kept} of {len(ids)} kept" in shown.nth(1).locator(".cut").first.text_content()
    assert "Nobody has judged this query" in page.locator(".orders .missing").text_content()
    assert page.locator("#browser-list .change").text_content() == "–"
    assert too_wide(page) == {}
    assert serious(page) == {}


def test_one_can_be_asked_for_where_not_all_have_room(
    run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--query` takes an unjudged query too; those without room are left out and counted."""
    monkeypatch.setattr(drilldown, "BUDGET", 1)
    text = render(run, first=["u04"]).read_text("utf-8")
    data = json.loads(text.split('id="data-queries">')[1].split("</script>")[0])

    assert [one["id"] for one in data["queries"] if "unjudged" in one] == ["u04"]
    assert sum("lists" in one for one in data["queries"]) == 1
    assert "This file has 1 of the unjudged queries." in text
    with pytest.raises(UnknownName, match="no query of this run has the id 'u99'"):
        render(run, first=["u99"])


def test_they_take_part_in_no_figure(run: RunDirectory) -> None:
    """Means, thresholds and the labelling queue are over judged queries."""
    queue = {row["query_id"] for row in run.table("labelling_queue").to_dict("records")}

    assert run.summary["queries"]["judged"] == QUERIES
    assert len(run.view.unjudged) == UNJUDGED
    assert not queue & set(run.view.unjudged)
