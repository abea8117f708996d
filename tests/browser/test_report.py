"""The report in a real browser: what it says first, what moves, what hostile text does not do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest import TempPathFactory

from evalkit.experiment.report import render
from evalkit.report.sections.explorer import curve_points
from evalkit.runs import RunDirectory
from tests.browser.pages import A4, WIDTHS, on_first_screen, opened, serious, too_wide
from tests.report.hostile import HOSTILE, MARK, UNSEEN
from tests.report.small import GOAL, QUERIES, SUITE, fixed, small_run

pytestmark = pytest.mark.browser
READINGS = """() => Object.fromEntries(["precision", "recall", "kept", "lost", "false"].map(
    (name) => [name, document.getElementById("explorer-" + name).textContent]))"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: TempPathFactory) -> RunDirectory:
    """A tiny run with a hostile name, category, query and documents, rendered as a sandbox's."""
    done = small_run(tmp_path_factory.mktemp("run"), hostile=True)
    done = fixed(done, name=HOSTILE[0], sandbox=True)
    render(done)
    return done


@pytest.fixture
def address(run: RunDirectory) -> str:
    """Where the report is opened, as a reader would: from disk."""
    return (run.folder / "report.html").as_uri()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_first_screen_says_the_verdict(
    new_page: Callable[..., Any], address: str, run: RunDirectory, width: int
) -> None:
    """The sentences of summary.json stand where the eye falls first, at both widths."""
    page = opened(new_page, address, width)
    said = page.locator("#verdict p").all_text_contents()

    assert said[: len(run.summary["verdict"])] == run.summary["verdict"]
    assert on_first_screen(page, page.locator("#verdict p.lead"))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_sandbox_run_is_marked_on_the_first_screen(
    new_page: Callable[..., Any], address: str, width: int
) -> None:
    """Nobody takes simulated scores for a model's."""
    page = opened(new_page, address, width)
    banner = page.get_by_text("Sandbox scores, not Cohere’s.")

    assert on_first_screen(page, banner)
    assert page.title().startswith("Sandbox: ")


def test_the_page_asks_for_nothing(new_page: Callable[..., Any], address: str) -> None:
    """The file itself is the only thing that is loaded."""
    page = opened(new_page, address)

    assert page.requests == [address]


@pytest.mark.parametrize("category", [None, "even"])
def test_the_sliders_figures_are_the_curves(
    new_page: Callable[..., Any], address: str, run: RunDirectory, category: str | None
) -> None:
    """At every cut that the arrow keys step to, the page shows what the curve has there."""
    page = opened(new_page, address)
    page.locator("#explorer-pipeline").select_option("best")
    page.locator("#explorer-category").select_option(category or "")
    policy = run.view.policies["best"]
    entry = policy["default"] if category is None else policy["categories"][category]
    curve = curve_points(run.view.curve("best", category), entry)
    slider = page.locator("#explorer-slider")

    assert float(slider.input_value()) == pytest.approx(curve["threshold"][curve["cut"]])
    page.locator("#explorer-slider").focus()
    page.keyboard.press("Home")
    for place, threshold in enumerate(curve["threshold"]):
        assert float(slider.input_value()) == pytest.approx(threshold)
        told = f"{threshold:.4f}".removeprefix("0") + ", recommended" * (place == curve["cut"])
        assert slider.get_attribute("aria-valuetext") == told
        shown = page.evaluate(READINGS)
        assert shown == {
            "precision": percent(curve["precision"][place]),
            "recall": percent(curve["recall"][place]),
            "kept": f"{curve['kept'][place]:.1f}",
            "lost": counted(curve["lost"][place], curve["answerable"]),
            "false": counted(curve["false"][place], curve["negative"]),
        }
        page.keyboard.press("ArrowRight")
    page.locator("#explorer-reset").focus()
    page.keyboard.press("Enter")
    assert float(slider.input_value()) == pytest.approx(curve["threshold"][curve["cut"]])


@pytest.mark.parametrize("width", WIDTHS)
def test_the_sliders_knob_stands_below_the_charts_line(
    new_page: Callable[..., Any], address: str, width: int
) -> None:
    """Dragged anywhere, the knob goes to the nearest cut and the chart's line with it, right above."""
    page = opened(new_page, address, width)
    slider, points = page.locator("#explorer-slider"), page.evaluate(POINTS)
    slider.scroll_into_view_if_needed()
    knob = 16
    box = slider.bounding_box()
    low, high = points[0], points[-1]
    for share in (0.0, 0.21, 0.5, 0.83, 1.0):
        x = box["x"] + knob / 2 + share * (box["width"] - knob)
        page.mouse.click(x, box["y"] + box["height"] / 2)
        score = float(slider.input_value())
        asked = low + share * (high - low)
        assert score == pytest.approx(min(points, key=lambda point: abs(point - asked)))
        stands = box["x"] + knob / 2 + (score - low) / (high - low) * (box["width"] - knob)
        line = page.locator("#explorer-chart .marker").bounding_box()
        assert line["x"] + line["width"] / 2 == pytest.approx(stands, abs=1.5)


POINTS = """() => JSON.parse(document.getElementById("data-explorer").textContent)[
    document.getElementById("explorer-pipeline").value][document.getElementById("explorer-category").value].threshold
"""
# Where the shaded stretch begins and ends, as scores: the reverse of how the page places them.
STRETCH = """() => {
    const svg = document.querySelector("#explorer-chart svg"), band = svg.querySelector(".spread");
    const left = 46, right = svg.viewBox.baseVal.width - 12, points = JSON.parse(
        document.getElementById("data-explorer").textContent)[document.getElementById("explorer-pipeline").value][
        document.getElementById("explorer-category").value].threshold;
    const low = points[0], high = points[points.length - 1];
    const score = (x) => low + (x - left) / (right - left) * (high - low);
    return [score(band.x.baseVal.value), score(band.x.baseVal.value + band.width.baseVal.value), low, high];
}"""


def test_the_stretch_that_keeps_a_promise_is_the_policys(
    new_page: Callable[..., Any], address: str, run: RunDirectory
) -> None:
    """Shaded from end to end of `reach` in the policy, and said not to be an interval."""
    reach = run.policies["best"].default.reach
    page = opened(new_page, address)
    start, end, low, high = page.evaluate(STRETCH)

    assert reach is not None
    assert start == pytest.approx(low if reach.low is None else reach.low, abs=1e-3)
    assert end == pytest.approx(high if reach.high is None else reach.high, abs=1e-3)
    said = page.locator("#explorer-note").text_content()
    assert f"every cut up to {reach.high:.4f}".replace("0.", ".") in said
    assert "no interval of where the best cut lies" in said
    assert "shaded: cuts that keep the promise" in page.locator("#explorer-chart").text_content()


def test_the_interval_of_an_estimate_is_the_policys(new_page: Callable[..., Any], tmp_path: Path) -> None:
    """The bootstrap interval of the threshold, from the policy's estimates, and what it is."""
    done = small_run(tmp_path, suite=SUITE.replace(GOAL, "{maximise: F1}"))
    spread = done.policies["best"].default.estimates["threshold"]
    page = opened(new_page, (done.folder / "report.html").as_uri())
    start, end, _, _ = page.evaluate(STRETCH)

    assert (start, end) == (pytest.approx(spread.low, abs=1e-3), pytest.approx(spread.high, abs=1e-3))
    assert "95 % of the cuts chosen on resampled queries lie" in page.locator("#explorer-note").text_content()
    assert "shaded: its interval" in page.locator("#explorer-chart").text_content()


def percent(share: float | None) -> str:
    """Return a share as the page writes it."""
    return "–" if share is None else f"{100 * share:.1f} %"


def counted(part: int, whole: int) -> str:
    """Return a share with the counts that it is made of."""
    return percent(part / whole if whole else None) + f"{part} of {whole}"


def test_queries_are_filtered_and_sorted_with_the_keyboard(
    new_page: Callable[..., Any], address: str, run: RunDirectory
) -> None:
    """Search, category and order work without a mouse, and so does opening a query."""
    page = opened(new_page, address)
    values = run.view.values
    change = values["best"]["nDCG@10"] - values["words"]["nDCG@10"]
    best = max(range(len(change)), key=lambda place: (change[place] == change[place], change[place]))
    page.locator("#browser-sort").focus()
    page.keyboard.type("greatest gain")
    first = page.locator("#browser-list button").first
    assert first.locator(".change").text_content() == f"+{change[best]:.3f}".replace("0.", ".")

    page.locator("#browser-search").focus()
    page.keyboard.type("case17 work")
    assert page.locator("#browser-count").text_content() == "1 query"
    page.locator("#browser-list button").focus()
    page.keyboard.press("Enter")
    assert page.locator("#browser-list .orders ol").count() == 2
    page.keyboard.press("Enter")
    assert page.locator("#browser-list .orders").count() == 0

    page.locator("#browser-search").fill("")
    page.locator("#browser-category").focus()
    page.keyboard.type("even")
    assert page.locator("#browser-count").text_content() == f"{QUERIES // 2} queries"


def test_hostile_text_is_shown_and_does_nothing(new_page: Callable[..., Any], address: str) -> None:
    """Tags in names and documents are read, not run."""
    page = opened(new_page, address)
    page.locator("#browser-search").fill("hostile1")
    page.locator("#browser-list button").first.click()
    documents = page.locator(".orders .document")
    shown = "\n".join(documents.all_text_contents())

    for text in (*HOSTILE, *UNSEEN.values()):
        assert text in shown
    assert page.evaluate(f"window.{MARK}") is None
    assert page.locator("main img, main iframe, main script").count() == 0
    assert page.evaluate("document.title").endswith("evalkit report")


def test_the_page_never_scrolls_sideways(new_page: Callable[..., Any], address: str) -> None:
    """At any width, and printed, with everything unfolded and a hostile query opened."""
    page = opened(new_page, address)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.locator("#browser-search").fill("hostile1")
    page.locator("#browser-list button").first.click()
    page.evaluate("document.querySelectorAll('.orders details').forEach((one) => { one.open = true; })")

    assert too_wide(page) == {}


def test_nothing_is_cut_off_on_paper(new_page: Callable[..., Any], address: str) -> None:
    """On A4 no part can only be scrolled to: neither tables, nor the suite, nor an opened document."""
    page = opened(new_page, address, A4, "dark")
    page.locator("#browser-search").fill("q02")
    page.locator("#browser-list button").first.click()
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.emulate_media(media="print")
    cut = page.evaluate("""() => [...document.querySelectorAll("main *")].filter((one) =>
        getComputedStyle(one).overflow !== "visible" && !one.closest(".unseen, svg")
        && (one.scrollWidth > one.clientWidth + 1 || one.scrollHeight > one.clientHeight + 1)
        && one.clientWidth).map((one) => one.outerHTML.slice(0, 80))""")

    assert cut == []


def test_paper_says_which_curve_it_shows(new_page: Callable[..., Any], address: str) -> None:
    """The controls are not printed: the note names pipeline and category, the chart fits the paper."""
    page = opened(new_page, address)
    page.locator("#explorer-category").select_option("even")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    svg = page.locator("#explorer-chart > svg")
    printed = svg.get_attribute("viewBox")
    page.evaluate("dispatchEvent(new Event('afterprint'))")

    assert not page.locator("#explorer-category").is_visible()
    assert page.locator("#explorer-threshold").is_visible()
    assert page.locator("#explorer-note").text_content().startswith("best, even: ")
    assert printed == "0 0 680 230"
    assert svg.get_attribute("viewBox") != printed


@pytest.mark.parametrize(
    ("width", "scheme"), [(400, "light"), (400, "dark"), (1280, "light"), (1280, "dark")]
)
def test_axe_finds_nothing_serious(
    new_page: Callable[..., Any], address: str, width: int, scheme: str
) -> None:
    """No serious or critical finding of axe-core, a query opened, in both colour schemes."""
    page = opened(new_page, address, width, scheme)
    page.locator("#browser-list button").first.click()

    assert serious(page) == {}


def test_the_page_keeps_its_own_policy(new_page: Callable[..., Any], address: str) -> None:
    """A script that was smuggled in would not run: the policy takes this page's own only."""
    page = opened(new_page, address)
    page.evaluate(
        "(mark) => { const one = document.createElement('script');"
        " one.textContent = `window.${mark} = 1`; document.body.append(one); }",
        MARK,
    )

    assert page.evaluate(f"window.{MARK}") is None
    assert ["Content Security Policy" in trouble for trouble in page.troubles] == [True]
    page.troubles.clear()
