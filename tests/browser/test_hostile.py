"""Texts that no reader would write, in a real browser: shown as text, and the layout holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest import TempPathFactory

from evalkit.experiment.report import render
from evalkit.report import render as pages
from evalkit.runs import RunDirectory
from tests import corpora
from tests.browser.pages import opened, serious, too_wide
from tests.conftest import Cli
from tests.corpora import write_dataset, write_suite
from tests.report.hostile import HUGE
from tests.report.small import small_run

pytestmark = pytest.mark.browser
HALF = "half \ud83d a pair \udc00"
CLIP = 2_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: TempPathFactory) -> RunDirectory:
    """A tiny run whose texts are hostile."""
    return small_run(tmp_path_factory.mktemp("run"), hostile=True)


def document(page: Any, query: str, doc_id: str) -> Any:
    """Search for a query, open it and unfold a document; return the element that holds its text."""
    page.locator("#browser-search").fill(query)
    page.locator("#browser-list button").first.click()
    found = page.locator(".orders li", has=page.locator("code", has_text=doc_id)).first
    found.locator("summary").click()
    return found.locator(".document")


@pytest.mark.parametrize("width", [400, 1280])
def test_a_document_of_a_megabyte_is_clipped_and_says_so(
    new_page: Callable[..., Any], run: RunDirectory, width: int
) -> None:
    """One word of a million letters: 2,000 are in the page, in a box that scrolls; nothing gets wider."""
    render(run)
    page = opened(new_page, (run.folder / "report.html").as_uri(), width)
    shown = document(page, "q02", "huge")
    left = len(HUGE) + len("travel case2 ") - CLIP

    assert (
        shown.text_content()
        == f"{f'travel case2 {HUGE}'[:CLIP]} … ({left:,} more characters in texts.parquet)"
    )
    assert shown.bounding_box()["height"] <= 400
    assert too_wide(page) == {}
    assert (run.folder / "report.html").stat().st_size < 2_000_000


def test_unseen_signs_are_written_out(new_page: Callable[..., Any], run: RunDirectory) -> None:
    """NUL and direction overrides stand in the text as names, and turn nothing round."""
    render(run)
    page = opened(new_page, (run.folder / "report.html").as_uri(), 400)
    text = document(page, "hostile1", "n01").text_content()

    assert "nul␀byte" in text
    assert "[U+202E]evil[U+202C]" in text
    assert (
        page.evaluate(r"/[\u0000\u202a-\u202e\u2066-\u2069]/.test(document.documentElement.innerHTML)")
        is False
    )


def test_half_a_surrogate_pair_is_a_mark_and_the_layout_holds(
    new_page: Callable[..., Any], run: RunDirectory, tmp_path: Path
) -> None:
    """Where such a text gets past the readers of files: the replacement character everywhere, axe-clean."""
    view = run.view
    documents = {doc_id: (HALF + title, f"{HALF} {text}") for doc_id, (title, text) in view.documents.items()}
    queries = {query_id: f"{text} {HALF}" for query_id, text in view.queries.items()}
    broken = replace(view, documents=documents, queries=queries, info={**view.info, "name": HALF})
    file = tmp_path / "report.html"
    text = pages.html(broken, pages.shown(broken), pages.Charts(broken), "0")
    file.write_text(text, "utf-8")  # fails on half a pair
    page = opened(new_page, file.as_uri(), 400)
    told = document(page, "q03", "a03").text_content()

    assert told.startswith("half \ufffd a pair \ufffd how badge case3")
    assert page.locator("h1").text_content() == "half \ufffd a pair \ufffd"
    assert "half \ufffd a pair" in page.locator("#browser-list .ask").first.text_content()
    assert too_wide(page) == {}
    assert serious(page) == {}


def test_half_a_surrogate_pair_in_a_file_is_a_mark_and_told(
    new_page: Callable[..., Any], cli: Cli, tmp_path: Path
) -> None:
    """`check` and the report count the halves and name their lines; U+FFFD stands in their place."""
    folder = write_dataset(tmp_path, queries={"q1": ("a question", "")}, grades=[("q1", "d1", 1)])
    rows = [
        {"_id": "d1", "title": "\ude00", "text": HALF},
        {"_id": "d2", "text": "whole \U0001f600 question"},
    ]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    suite = write_suite(
        folder, corpora.SUITE.replace("local/minilm-l6", "bm25").replace("  late:", "  # late:")
    )
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q1", "text": f"a question {HALF}"}), "utf-8")
    checked, done = cli("check", folder), cli("run", suite, "--out", tmp_path / "out")
    page = opened(new_page, (tmp_path / "out" / "report.html").as_uri(), 400)

    assert (checked.code, done.code) == (0, 0), (checked, done)
    assert "corpus.jsonl:1: 3 halves of surrogate pairs on line 1, which" in checked.out + checked.err
    assert "read as U+FFFD" in page.locator("#provenance").text_content()
    assert "half \ufffd a pair" in page.locator("#browser-list .ask").first.text_content()
    assert document(page, "q1", "d1").text_content() == "\ufffd\nhalf \ufffd a pair \ufffd"
