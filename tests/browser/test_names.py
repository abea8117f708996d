"""Long names in the report's tables on a phone: they break between words, never inside one that fits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evalkit.experiment.run import run
from tests.browser.pages import WIDTHS, opened, too_wide
from tests.corpora import write_dataset, write_suite
from tests.report.small import TOPICS

pytestmark = pytest.mark.browser
CATEGORIES = ("troubleshooting", "billing_and_payment_questions", "how-to-and-why-not-otherwise")
LONGEST = 15  # characters of a word that stands whole, also beside four columns at 400 pixels
SUITE = """\
name: names
dataset: .
depth: 5
pipelines:
  words: {retrieve: bm25}
  words-of-titles-first: {retrieve: bm25}
  words_again: {retrieve: {fuse: [bm25, bm25]}}
measures: [nDCG@10]
"""
# The words of names that stand on more than one line; a word ends where names may break.
DIVIDED = """() => [...document.querySelectorAll("main .word")].flatMap((name) => {
    const nodes = document.createTreeWalker(name, NodeFilter.SHOW_TEXT), divided = [];
    for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
        for (const found of node.data.matchAll(/[^-_./:@ ]+[-_./:@]?/g)) {
            const range = new Range();
            range.setStart(node, found.index);
            range.setEnd(node, found.index + found[0].length);
            if (new Set([...range.getClientRects()].map((one) => one.top)).size > 1) divided.push(found[0]);
        }
    }
    return divided;
})"""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a run whose categories and pipelines have long names."""
    folder: Path = tmp_path_factory.mktemp("names")
    queries = {
        f"q{n:02}": (f"how does {TOPICS[n % len(TOPICS)]} case{n}", CATEGORIES[n % 3]) for n in range(24)
    }
    documents = {
        f"d{n:02}": f"{TOPICS[n % len(TOPICS)]} case{n} explained, case{n + 1} not" for n in range(24)
    }
    data = write_dataset(folder, documents, queries, [(f"q{n:02}", f"d{n:02}", 1) for n in range(24)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVALKIT_CACHE", str(folder / "cache"))
        return (run(write_suite(data, SUITE), folder / "out").folder / "report.html").as_uri()


@pytest.mark.parametrize("width", WIDTHS)
def test_names_break_between_words(new_page: Callable[..., Any], address: str, width: int) -> None:
    """No word of a category or pipeline is divided, whatever joins the words."""
    page = opened(new_page, address, width)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    shown = set(page.locator("main .word").all_text_contents())

    assert set(CATEGORIES) < shown
    assert max(len(word) for word in CATEGORIES[0].split()) == LONGEST
    assert page.evaluate(DIVIDED) == []


def test_long_names_do_not_widen_the_page(new_page: Callable[..., Any], address: str) -> None:
    """At no width does the page scroll sideways."""
    page = opened(new_page, address)

    assert too_wide(page) == {}


def test_queries_are_shown_of_two_pipelines_where_the_baseline_is_recommended(
    new_page: Callable[..., Any], address: str
) -> None:
    """Left and right differ, whichever pipeline has the thresholds."""
    page = opened(new_page, address)

    assert page.locator("#browser-left").input_value() != page.locator("#browser-right").input_value()
