"""The page of `evalkit compare RUN_DIR RUN_DIR` in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pytest import TempPathFactory

from evalkit.experiment.changes import changes
from evalkit.experiment.changes_page import write_page
from tests.browser.pages import WIDTHS, on_first_screen, opened, serious, too_wide
from tests.report.hostile import HOSTILE, MARK
from tests.report.small import SUITE, small_run

pytestmark = pytest.mark.browser
LATER = HOSTILE[1]  # the name of a folder may be hostile too


@pytest.fixture(scope="module")
def compared(tmp_path_factory: TempPathFactory) -> tuple[dict[str, Any], str]:
    """What changed between two tiny hostile runs, and where its page is: candidates became fewer."""
    folder = tmp_path_factory.mktemp("runs")
    before = small_run(folder, hostile=True)
    after = small_run(folder, hostile=True, suite=SUITE.replace("depth: 10", "depth: 1"), out=LATER)
    told = changes([before, after])
    return told["changes"][0], write_page(told, [before, after]).as_uri()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_first_screen_says_what_changed(
    new_page: Callable[..., Any], compared: tuple[dict[str, Any], str], width: int
) -> None:
    """The verdict of `compare --json` stands where the eye falls first, at both widths."""
    change, address = compared
    page = opened(new_page, address, width)
    said = page.locator("#verdict p").all_text_contents()

    assert said[: len(change["verdict"])] == change["verdict"]
    assert "got worse" in said[0]
    assert on_first_screen(page, page.locator("#verdict p.lead"))


def test_the_page_asks_for_nothing_and_runs_nothing(
    new_page: Callable[..., Any], compared: tuple[dict[str, Any], str]
) -> None:
    """The file alone is loaded; names of folders, categories and documents are text."""
    page = opened(new_page, compared[1])
    page.locator("#browser-search").fill("hostile1")
    page.locator("#browser-list button").first.click()

    assert page.requests == [compared[1]]
    assert page.evaluate(f"window.{MARK}") is None
    assert page.locator("main img, main iframe, main script").count() == 0
    assert page.locator("h1").text_content() == f"{LATER} against out"


def test_a_query_that_flipped_opens_with_both_runs_side_by_side(
    new_page: Callable[..., Any], compared: tuple[dict[str, Any], str]
) -> None:
    """The greatest loss of the recommended pipeline is listed first; before is left, after is right."""
    change, address = compared
    page = opened(new_page, address)
    page.locator("#browser-list button").first.focus()
    page.keyboard.press("Enter")
    worst = min(row["after"] - row["before"] for row in change["flipped"] if row["pipeline"] == "best")

    assert page.locator("#browser-list .change").first.text_content() == f"{worst:.3f}".replace("0.", ".")
    assert [text.split(" · ")[0] for text in page.locator(".orders h3").all_text_contents()] == [
        "best, out",
        f"best, {LATER}",
    ]
    before, after = (page.locator(".orders > div").nth(side).locator("li:not(.cut)") for side in (0, 1))
    assert before.count() > after.count() == 1


def test_tables_say_what_the_json_says(
    new_page: Callable[..., Any], compared: tuple[dict[str, Any], str]
) -> None:
    """Configuration, scores, documents kept and queries that flipped: the figures of `compare --json`."""
    change, address = compared
    page = opened(new_page, address)
    kept = page.locator("#kept tbody tr")
    settings = page.locator("#configuration tbody th").all_text_contents()
    scores = page.locator("#scores tbody tr").all()

    assert settings == [row["setting"] for row in change["configuration"]] == ["suite.depth"]
    assert kept.count() == len(change["kept"])
    for row, shown in zip(change["kept"], kept.all(), strict=True):
        told = [shown.locator("td").nth(place).text_content() for place in (3, 4, 5)]
        figures = row["kept"]["before"], row["kept"]["after"]
        assert told[0] == f"{figures[0]} → {figures[1]}"
        assert told[1:] == [
            f"{row['lost']} ({row['lost_relevant']})",
            f"{row['gained']} ({row['gained_relevant']})",
        ]
    for row, shown in zip(change["scores"], scores, strict=True):
        assert shown.locator("td").nth(0).text_content() == str(row["pairs"])
    assert page.locator("#flipped .flipped tbody tr").count() == len(
        [row for name in ("words", "best") for row in change["flipped"] if row["pipeline"] == name][:20]
    )


def test_the_page_never_scrolls_sideways(
    new_page: Callable[..., Any], compared: tuple[dict[str, Any], str]
) -> None:
    """At any width, and printed, with everything unfolded and a hostile query opened."""
    page = opened(new_page, compared[1])
    page.locator("#browser-search").fill("hostile1")
    page.locator("#browser-list button").first.click()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")

    assert too_wide(page) == {}


@pytest.mark.parametrize(
    ("width", "scheme"), [(400, "light"), (400, "dark"), (1280, "light"), (1280, "dark")]
)
def test_axe_finds_nothing_serious(
    new_page: Callable[..., Any], compared: tuple[dict[str, Any], str], width: int, scheme: str
) -> None:
    """No serious or critical finding of axe-core, a query opened, in both colour schemes."""
    page = opened(new_page, compared[1], width, scheme)
    page.locator("#browser-list button").first.click()

    assert serious(page) == {}
