"""The labelling page in a real browser, with the keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.labelling.test_session import Page, lines, write_pool

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Page]:
    """A pool of four pairs with hostile texts, served."""
    running = Page(write_pool(tmp_path / "pool.jsonl", text=HOSTILE), tmp_path / "log")
    yield running
    running.end()


def test_a_pool_is_judged_with_the_keyboard(served: Page, browser_page: Any, tmp_path: Path) -> None:
    """Grade, skip, undo and grade again; what the page counts is what is on disk."""
    browser_page.goto(served.address)
    count = browser_page.locator("#count")
    count.get_by_text("0 of 4 judged").wait_for()
    browser_page.keyboard.press("2")
    count.get_by_text("1 of 4 judged").wait_for()
    assert lines(tmp_path / "log") == [("d0", 2)]
    browser_page.keyboard.press("s")
    count.get_by_text("1 of 4 judged, 1 skipped").wait_for()
    browser_page.keyboard.press("0")
    count.get_by_text("2 of 4 judged, 1 skipped").wait_for()
    browser_page.keyboard.press("u")
    count.get_by_text("1 of 4 judged, 1 skipped").wait_for()
    for judged in (2, 3, 4):
        browser_page.keyboard.press("1")
        count.get_by_text(f"{judged} of 4 judged").wait_for()
    browser_page.get_by_text("Everything is judged").wait_for()

    assert lines(tmp_path / "log") == [
        ("d0", 2), ("d2", 0), ("d2", None), ("d2", 1), ("d3", 1), ("d1", 1),
    ]  # fmt: skip


def test_a_documents_text_is_never_markup(served: Page, browser_page: Any) -> None:
    """Tags in a document are shown as they are written and do nothing."""
    browser_page.goto(served.address)
    browser_page.get_by_text("0 of 4 judged").wait_for()

    assert browser_page.locator("#document").text_content() == f"{HOSTILE} d0"
    assert browser_page.locator("#document *").count() == 0
    assert browser_page.title() == "Judge a pool"


def test_the_criteria_stand_beside_their_keys(served: Page, browser_page: Any) -> None:
    """The grades of the data set with what they mean, as buttons too."""
    browser_page.goto(served.address)
    browser_page.get_by_text("0 of 4 judged").wait_for()

    assert browser_page.locator("#grades button").all_text_contents() == ["0no", "1near", "2yes"]
    browser_page.get_by_role("button", name="near").click()
    browser_page.get_by_text("1 of 4 judged").wait_for()


def test_a_page_whose_session_ended_says_so(browser_page: Any, tmp_path: Path) -> None:
    """Nothing is taken for saved that is not."""
    running = Page(write_pool(tmp_path / "pool.jsonl"), tmp_path / "log")
    browser_page.goto(running.address)
    browser_page.get_by_text("0 of 4 judged").wait_for()
    running.end()
    browser_page.keyboard.press("1")
    browser_page.get_by_role("alert").get_by_text("Not saved").wait_for()

    assert browser_page.locator("#count").text_content() == "0 of 4 judged"
    assert ["ERR_CONNECTION_REFUSED" in trouble for trouble in browser_page.troubles] == [True]
    browser_page.troubles.clear()
