"""What a report's files hold: every section, the golden Markdown, hostile texts as text."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from pytest import MonkeyPatch, TempPathFactory

from evalkit import runs
from evalkit.experiment.report import render
from evalkit.report.drilldown import pack
from evalkit.report.escape import FORMULA
from evalkit.report.render import CUT, Charts, Shown, html, markdown, shown
from evalkit.report.section import SECTIONS, in_order
from evalkit.runs import RunDirectory
from evalkit.thresholds.telling import winner
from tests.report.hostile import HOSTILE, RUNS, UNSEEN
from tests.report.small import GOAL, SUITE, fixed, small_run

GOLDEN = Path(__file__).with_name("golden.md")


def made(folders: TempPathFactory, *, hostile: bool) -> RunDirectory:
    """Return a tiny run without what differs from day to day."""
    done = small_run(folders.mktemp("run"), hostile=hostile)
    return fixed(done, **({"name": HOSTILE[0]} if hostile else {}))


@pytest.fixture(scope="module")
def run(tmp_path_factory: TempPathFactory) -> Iterator[RunDirectory]:
    """A tiny run, rendered."""
    done = made(tmp_path_factory, hostile=False)
    render(done, latex=True)
    yield done


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: TempPathFactory) -> Iterator[RunDirectory]:
    """The same with hostile texts, rendered."""
    done = made(tmp_path_factory, hostile=True)
    render(done, latex=True)
    yield done


class Page(HTMLParser):
    """What a parser finds in a page: elements with their attributes, and scripts' texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        self._open = tag
        if tag in self.inside:
            self.inside[tag].append("")

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002  a text after any end is not a script's
        """Note that a script or style is over."""
        self._open = ""

    def handle_data(self, data: str) -> None:
        """Keep what stands in a script or style."""
        if self._open in self.inside:
            self.inside[self._open][-1] += data


def page(run: RunDirectory) -> Page:
    """Parse a run's report."""
    return Page((run.folder / "report.html").read_text("utf-8"))


def test_every_registered_section_is_in_the_report(run: RunDirectory) -> None:
    """A run that has everything shows each section that is registered, in order."""
    found = [attributes["id"] for tag, attributes in page(run).elements if tag == "section"]
    optional = {one.name for one in in_order() if one.make(run.view) is None}

    assert found == [one.name for one in in_order() if one.name not in optional]
    assert {one.name for one in in_order()} == set(SECTIONS)
    assert optional == set()


@pytest.mark.parametrize("name", [one.name for one in in_order()])
def test_a_section_renders_by_itself(attacked: RunDirectory, name: str) -> None:
    """Each section's template takes what its function gives, hostile texts among it."""
    view = attacked.view
    own = [one for one in shown(view) if one.name == name]
    text = html(view, own, Charts(view), "0")

    assert f'<section id="{name}"' in text
    assert "None" not in re.sub(r"<script.*?</script>|<svg.*?</svg>", "", text, flags=re.DOTALL)


def test_the_markdown_report_is_the_golden_one(run: RunDirectory) -> None:
    """Byte for byte; EVALKIT_GOLDEN=1 writes the file anew, to be looked at before it is committed."""
    text = (run.folder / "report.md").read_bytes()
    if os.environ.get("EVALKIT_GOLDEN"):
        GOLDEN.write_bytes(text)

    assert text.decode() == GOLDEN.read_text("utf-8")


def test_both_reports_say_which_cut_rule_wins_on_held_out_queries(run: RunDirectory) -> None:
    """Every rule that was compared is in the page, and a sentence says which wins, or that none does."""
    found = run.summary["rules"]
    said = winner(found)

    assert [row["rule"] for row in found["compared"]][:3] == ["absolute", "relative", "top_k"]
    assert "than the threshold alone" in said
    assert said in (run.folder / "report.md").read_text("utf-8")
    assert said in (run.folder / "report.html").read_text("utf-8")
    assert "Cut rules compared" in (run.folder / "report.html").read_text("utf-8")


def test_a_rule_cuts_in_every_part_of_the_page(tmp_path: Path, monkeypatch: MonkeyPatch) -> None:
    """The explorer's counts, and the lists of judged and unjudged queries: two documents at most."""
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path / "cache"))
    suite = SUITE.replace(GOAL, "{maximise: recall, rule: {top_k: 2}}")
    view = small_run(tmp_path, suite=suite, unjudged=3).view
    packed = pack(view, view.values["best"][view.headline])
    curves = SECTIONS["explorer"].make(view)["data"]["best"]
    lists = [one["lists"][view.pipelines.index("best")] for one in packed["queries"]]

    assert len(lists) == 51
    assert max(one["kept"] for one in lists) == max(one["kept"] for one in lists[48:]) == 2
    assert min(one["total"] for one in lists[48:]) > 2
    assert 1 < max(curves[""]["kept"]) <= 2
    assert "its rule cuts too: among the 2 best." in render(runs.read(tmp_path / "out")).read_text("utf-8")


def test_markdown_tables_end_before_what_follows(run: RunDirectory) -> None:
    """A line right under a table would be read as its last row."""
    lines = (run.folder / "report.md").read_text("utf-8").splitlines()
    pairs = pairwise(lines)

    assert [after for row, after in pairs if row.startswith("|") and after[:1] not in ("", "|", "<")] == []


def long(sections: list[Shown], name: str, rows: int) -> list[Shown]:
    """Return the sections with one table that is repeated so many times."""
    key = {"categories": "groups", "thresholds": "rows"}[name]
    return [
        replace(one, content={**one.content, key: list(one.content[key]) * rows}) if one.name == name else one
        for one in sections
    ]


def test_a_long_report_leaves_details_out_of_the_comment(run: RunDirectory) -> None:
    """Queries go first, then the categories that are too long; it is said, and the rest is as it was."""
    sections = shown(run.view)
    whole, text = markdown(sections), markdown(long(sections, "categories", 400))
    kept = [part for part in whole.split("\n\n<details>") if "Queries with" not in part]
    kept = [part for part in kept if "Differences from" not in part]

    assert len(text) <= 60_000
    assert "Left out, to fit a comment: Queries, Differences by category. See report.html." in text
    assert text.split("\n\n<details>")[0] == whole.split("\n\n<details>")[0]
    assert all(part.strip() in text for part in kept)


def test_what_does_not_fit_even_so_is_cut_at_a_line(run: RunDirectory) -> None:
    """A thousand categories' thresholds: whole rows, and a note that nothing folded could hide."""
    text = markdown(long(shown(run.view), "thresholds", 1_000))
    lines = text.removesuffix(CUT).splitlines()

    assert text.endswith(CUT)
    assert len(text) <= 60_000 + len(CUT)
    assert lines[-1].startswith("| ") and lines[-1].endswith(" |")
    assert "<details>" not in text


def test_the_policy_takes_the_pages_own_style_and_script_only(attacked: RunDirectory) -> None:
    """Nothing is loaded from anywhere, and the two hashes are those of what the page holds."""
    parsed = page(attacked)
    (policy,) = [
        str(attributes["content"])
        for tag, attributes in parsed.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))

    assert rules == {
        "default-src": "'none'",
        "style-src": digest(parsed.inside["style"][0]),
        "script-src": digest(parsed.inside["script"][-1]),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert not any(
        name in attributes
        for _, attributes in parsed.elements
        for name in ("src", "style", "onerror", "onclick", "onload")
    )


def digest(text: str) -> str:
    """Return how a policy names a script or style."""
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_hostile_texts_add_no_element(run: RunDirectory, attacked: RunDirectory) -> None:
    """The page of hostile texts has the kinds of elements that the plain one has."""
    plain, other = page(run), page(attacked)

    assert {tag for tag, _ in other.elements} == {tag for tag, _ in plain.elements}
    assert len(other.inside["script"]) == len(plain.inside["script"])
    assert RUNS not in other.inside["script"][-1]


def test_what_cannot_be_seen_is_written_out(attacked: RunDirectory) -> None:
    """NUL and direction overrides reach no file of the report."""
    for name in ("report.html", "report.md", "tables/pipelines.tex"):
        text = (attacked.folder / name).read_text("utf-8")
        assert not re.search("[\x00\u202a-\u202e\u2066-\u2069]", text), name
    documents = json.loads(next(text for text in page(attacked).inside["script"] if '"documents"' in text))[
        "documents"
    ]
    (hostile,) = [text for doc_id, _, text, _ in documents if doc_id == "n01"]
    assert all(text in hostile for text in (*HOSTILE, *UNSEEN.values()))


def test_hostile_texts_stay_in_their_markdown_cell(attacked: RunDirectory) -> None:
    """Every table row has the columns of its head, and no text becomes HTML or a link."""
    text = (attacked.folder / "report.md").read_text("utf-8")
    tags = set(re.findall(r"(?<!\\)</?([a-z]+)", text))

    assert tags <= {"details", "summary", "bdi"}
    assert "](http" not in text
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}) == 1, table


def test_no_cell_of_a_table_is_a_formula(attacked: RunDirectory) -> None:
    """A spreadsheet that opens the tables runs nothing."""
    tables = sorted((attacked.folder / "tables").glob("*.csv"))
    cells = [
        cell
        for path in tables
        for row in csv.reader(io.StringIO(path.read_text("utf-8"), ""))
        for cell in row
    ]

    assert tables
    assert [cell for cell in cells if cell.startswith(FORMULA) and not number(cell)] == []


def number(cell: str) -> bool:
    """Return whether a cell is a figure, which may start with a sign."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def test_files_stay_in_the_run_directory(attacked: RunDirectory) -> None:
    """Names from data become no paths: nothing is written beside the run's folder."""
    beside = {path.name for path in attacked.folder.parent.iterdir()}

    assert beside == {"data", "out"}


def test_rendering_changes_no_data_of_the_run(run: RunDirectory) -> None:
    """What the run wrote is read back with its digests after any number of reports."""
    render(runs.read(run.folder))

    assert runs.read(run.folder).info["files"] == run.info["files"]


@pytest.mark.parametrize("sandbox", [True, False])
def test_a_sandbox_run_is_marked_in_both_reports(run: RunDirectory, sandbox: bool) -> None:
    """Simulated scores are called so in the page and in the pull request, real ones are not."""
    render(RunDirectory(run.folder, {**run.info, "sandbox": sandbox}))
    said = [
        "Sandbox scores, not Cohere’s." in (run.folder / name).read_text("utf-8")
        for name in ("report.html", "report.md")
    ]

    assert said == [sandbox, sandbox]


def test_charts_keep_the_size_of_their_text(run: RunDirectory) -> None:
    """The policy forbids inline styles: what matplotlib says there becomes attributes."""
    texts = re.findall(r"<text [^>]*>", (run.folder / "report.html").read_text("utf-8"))
    charts = [text for text in texts if "transform=" in text]

    assert charts
    assert [text for text in charts if "font-size=" not in text] == []


def test_the_page_bounds_each_mean_by_what_the_unjudged_could_be(run: RunDirectory) -> None:
    """The bounds of summary.json stand beside what nobody has judged; before, in no report."""
    row = next(one for one in run.summary["measures"] if one["pipeline"] == "best" and not one["category"])
    text = (run.folder / "report.html").read_text("utf-8")

    assert f"{row['lowest']:.3f}".lstrip("0") + " to " + f"{row['highest']:.3f}".lstrip("0") in text
    assert "nDCG@10 could be" in text


def test_the_page_says_that_categories_are_not_shown_to_differ(run: RunDirectory) -> None:
    """The test of heterogeneity is told where it does not stand, too."""
    for name in ("report.html", "report.md"):
        assert "shown to depend on the category" in (run.folder / name).read_text("utf-8")


def test_the_page_has_units_beside_dollars(run: RunDirectory) -> None:
    """What 1,000 queries are billed, as summary.json has it; before, dollars alone."""
    text = (run.folder / "report.html").read_text("utf-8")
    section = text[text.index('id="tradeoff"') :]

    assert '<th scope="col" class="figure">Units</th>' in section
