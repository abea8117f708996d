"""`evalkit compare`: run files against a baseline, run directories over time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Cli, Told
from tests.corpora import DOCUMENTS, GRADES, QUERIES, write_dataset, write_suite

MEASURES = ("-m", "nDCG@10", "-m", "P@1")


@pytest.fixture
def trec(tmp_path: Path) -> Path:
    """Judgments of 60 queries and three runs; `fast` and `pro` are better than `embed`, and alike."""
    rng = np.random.default_rng(3)
    judgments, runs = [], {"embed": [], "fast": [], "pro": []}
    for query in range(60):
        grades = rng.permutation([3, 1, 0, 0, 0, 0])
        judgments += [f"q{query} 0 d{document} {grade}" for document, grade in enumerate(grades)]
        noise = rng.normal(size=6)
        for (name, lines), sharpness in zip(runs.items(), (0.3, 1.2, 1.25), strict=True):
            scores = sharpness * grades + noise
            lines += [f"q{query} Q0 d{doc} 0 {score:.4f} {name}" for doc, score in enumerate(scores)]
    (tmp_path / "qrels").write_text("\n".join(judgments) + "\n")
    for name, lines in runs.items():
        (tmp_path / f"{name}.trec").write_text("\n".join(lines) + "\n")
    return tmp_path


def compare(cli: Cli, trec: Path, *options: object) -> Told:
    """Compare the three runs."""
    files = [trec / f"{name}.trec" for name in ("embed", "fast", "pro")]
    return cli("compare", "--qrels", trec / "qrels", *files, *MEASURES, *options)


def test_it_says_the_verdict_first_and_fits_80_columns(cli: Cli, trec: Path) -> None:
    """The first line is who beats the baseline; tables follow, none wider than 80 columns."""
    told = compare(cli, trec)

    assert told.code == 0, told
    assert told.out.splitlines()[0].split()[1:3] == ["beats", "embed:"]
    assert "adds nothing to fast that 60 queries can show" in told.out.replace("\n", " ")
    assert max(map(len, told.out.splitlines())) <= 80


def test_where_nothing_is_shown_it_says_how_many_queries_it_would_take(cli: Cli, trec: Path) -> None:
    """Two runs that do not differ beyond noise: the number of queries for .01, .02 and .05."""
    told = cli("compare", "--qrels", trec / "qrels", trec / "fast.trec", trec / "pro.trec", *MEASURES)

    assert "shows no difference" in told.out
    assert "pro: queries needed, at this spread:" in told.out


def test_where_nothing_differs_there_is_nothing_to_test(cli: Cli, trec: Path) -> None:
    """A run against its copy: no count of comparisons, no number of queries."""
    (trec / "copy.trec").write_text((trec / "pro.trec").read_text())
    told = cli("compare", "--qrels", trec / "qrels", trec / "pro.trec", trec / "copy.trec", *MEASURES)

    assert "intervals (Student's t); no query differs." in told.out
    assert "Holm over" not in told.out
    assert "queries needed" not in told.out


def test_queries_are_aligned_by_id(cli: Cli, trec: Path) -> None:
    """Shuffled lines and reversed files change nothing."""
    first = compare(cli, trec, "--json").out
    for path in trec.glob("*.trec"):
        path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    again = compare(cli, trec, "--json").out

    rows, others = (json.loads(out)["differences"] for out in (first, again))
    for row, other in zip(rows, others, strict=True):
        assert (row["wins"], row["ties"], row["losses"]) == (other["wins"], other["ties"], other["losses"])
        assert row["point"] == pytest.approx(other["point"])


def test_a_query_that_a_run_lacks_takes_the_worst_value(cli: Cli, trec: Path) -> None:
    """Dropping a query from a run is no way to a better mean."""
    path = trec / "fast.trec"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("q0 ")))
    told = json.loads(compare(cli, trec, "--json").out)
    row = next(row for row in told["measures"] if row["pipeline"] == "fast")

    assert row["n"] == 60
    assert told["queries"]["without_results"] == {"embed": 0, "fast": 1, "pro": 0}
    assert "fast: 1 judged query not in the run, with the worst value." in compare(cli, trec).out


def test_a_run_whose_order_hangs_on_ties_is_told(cli: Cli, tmp_path: Path) -> None:
    """Where equal scores order documents of different grades, the comparison says in how many queries."""
    (tmp_path / "qrels").write_text("p 0 a 1\np 0 b 0\nq 0 a 1\nq 0 b 0\n", "utf-8")
    (tmp_path / "one.trec").write_text("p Q0 a 1 2 t\np Q0 b 2 1 t\nq Q0 a 1 2 t\nq Q0 b 2 1 t\n", "utf-8")
    (tmp_path / "tied.trec").write_text("p Q0 a 1 2 t\np Q0 b 2 1 t\nq Q0 a 1 2 t\nq Q0 b 2 2 t\n", "utf-8")
    asked = (
        "compare",
        "--qrels",
        tmp_path / "qrels",
        tmp_path / "one.trec",
        tmp_path / "tied.trec",
        "-m",
        "RR",
    )

    assert "tied: 1 judged query ordered by document id where scores are equal." in cli(*asked).out
    assert json.loads(cli(*asked, "--json").out)["queries"]["tied"] == {"one": 0, "tied": 1}


def test_margins_and_other_tests_are_asked_for(cli: Cli, trec: Path) -> None:
    """--margin and --test bring their rows; without them nothing is said."""
    told = compare(cli, trec, "--margin", "nDCG@10=0.02", "--test", "t", "--test", "wilcoxon", "--json")
    row = json.loads(told.out)["differences"][0]

    assert set(row["tests"]) == {"t", "wilcoxon"}
    assert row["margin"]["says"] == "not worse"
    assert "Other tests" not in compare(cli, trec).out


def test_a_data_set_brings_categories_and_groups(cli: Cli, tmp_path: Path) -> None:
    """With a data set's folder as judgments, differences come per category too."""
    folder = write_dataset(tmp_path / "data")
    for name, order in (("up", list(DOCUMENTS)), ("down", list(reversed(DOCUMENTS)))):
        lines = [f"{q} Q0 {d} 0 {-rank} x" for q in QUERIES for rank, d in enumerate(order)]
        (tmp_path / f"{name}.trec").write_text("\n".join(lines) + "\n")
    told = cli("compare", "--qrels", folder, tmp_path / "up.trec", tmp_path / "down.trec", "--json")

    assert {row["category"] for row in json.loads(told.out)["differences"]} == {None, "leave", "it"}


@pytest.mark.parametrize(
    ("options", "advice"),
    [
        (["--margin", "nDCG@10"], "write a measure and a positive number"),
        (["--margin", "R@5=0.1"], "add -m R@5"),
        (["--test", "z"], "beside randomisation there are t, wilcoxon"),
        (["--baseline", "v4"], "is none of the runs: embed, fast, pro"),
        (["--common"], "belong to a comparison of run directories"),
    ],
)
def test_wrong_options_say_what_to_do(cli: Cli, trec: Path, options: list[str], advice: str) -> None:
    """Each mistake is told in a line, with exit code 2."""
    told = compare(cli, trec, *options)

    assert told.code == 2
    assert advice in told.err


RUN_SUITE = """\
name: small
dataset: .
depth: 5
pipelines:
  mine: {{retrieve: {{run: {file}}}}}
  bm25: {{retrieve: bm25}}
baseline: bm25
measures: [nDCG@10, RR@10]
thresholds: {{by: none, goal: {{risk: lost_answer, at_most: 0.2, confidence: 0.8, then: precision}}}}
"""


@pytest.fixture
def two_runs(cli: Cli, tmp_path: Path) -> tuple[Path, Path]:
    """Two run directories over one data set; `mine` was turned round between them."""
    folder = write_dataset(tmp_path / "data")
    for name, order in (("monday", list(DOCUMENTS)), ("tuesday", list(reversed(DOCUMENTS)))):
        lines = [f"{q} Q0 {d} 0 {1 - rank / 10} x" for q in QUERIES for rank, d in enumerate(order)]
        (folder / f"{name}.trec").write_text("\n".join(lines) + "\n")
        suite = write_suite(folder, RUN_SUITE.format(file=f"{name}.trec"))
        assert cli("run", suite, "--out", tmp_path / name).code == 0
    return tmp_path / "monday", tmp_path / "tuesday"


def test_runs_over_time_tell_what_changed(cli: Cli, two_runs: tuple[Path, Path]) -> None:
    """Configuration, scores and queries that moved are told, and which pipeline did not change."""
    told = cli("compare", *two_runs, "--json")
    change = json.loads(told.out)["changes"][0]

    assert told.code == 0, told
    assert {row["setting"] for row in change["configuration"]} >= {"suite.pipelines.mine.retrieve.run"}
    moved = {row["pipeline"]: row["changed"] for row in change["scores"]}
    assert moved["mine"] > 0
    assert moved["bm25"] == 0
    assert {row["pipeline"] for row in change["flipped"]} == {"mine"}
    assert "bm25 is unchanged on 4 queries." in change["verdict"]


def test_the_first_run_directory_is_what_the_others_are_compared_with(
    cli: Cli, two_runs: tuple[Path, Path]
) -> None:
    """Turning the order round turns the sign of the difference."""
    forth, back = (
        json.loads(cli("compare", *runs, "--json").out)["changes"][0] for runs in (two_runs, two_runs[::-1])
    )
    points = [change["differences"][0]["point"] for change in (forth, back)]

    assert points[0] == pytest.approx(-points[1])
    assert points[0] != 0


def test_three_runs_are_one_family(cli: Cli, two_runs: tuple[Path, Path]) -> None:
    """Each later run is compared with the first."""
    told = json.loads(cli("compare", *two_runs, two_runs[0], "--json").out)

    assert [change["after"]["folder"] for change in told["changes"]] == [str(two_runs[1]), str(two_runs[0])]
    assert all(row["point"] == 0 for row in told["changes"][1]["differences"])


def test_changes_fit_80_columns(cli: Cli, two_runs: tuple[Path, Path]) -> None:
    """The tables of a comparison over time fit the terminal."""
    told = cli("compare", *two_runs)

    assert told.code == 0, told
    assert "Queries that moved" in told.out
    assert all(len(line) <= 80 for line in told.out.splitlines()[1:-1])  # paths are whole


def test_other_judgments_are_refused_or_left_out(
    cli: Cli, two_runs: tuple[Path, Path], tmp_path: Path
) -> None:
    """Runs on other judgments are not compared; --common compares the queries judged alike, and says so."""
    regraded = [(query, doc, 1 if (query, doc) == ("q1", "d1") else grade) for query, doc, grade in GRADES]
    folder = write_dataset(tmp_path / "data", grades=regraded)
    cli("run", folder, "--out", tmp_path / "regraded")
    refused = cli("compare", two_runs[0], tmp_path / "regraded")
    told = cli("compare", two_runs[0], tmp_path / "regraded", "--common", "--json")
    change = json.loads(told.out)["changes"][0]

    assert refused.code == 2
    assert "have different judgments" in refused.err
    assert change["queries"] == 4
    assert "Compared on 4 of 5 judged queries." in change["notes"]


def test_the_page_is_written_beside_the_last_run(cli: Cli, two_runs: tuple[Path, Path]) -> None:
    """The terminal names the file; both runs are as they were, and can be read again."""
    told = cli("compare", *two_runs)
    page = two_runs[1].parent / "tuesday-against-monday.html"

    assert told.out.splitlines()[-1] == f"Page: {page}"
    assert "bm25 is unchanged on 4 queries." in page.read_text("utf-8")
    assert cli("compare", *two_runs, "--json").code == 0


def test_the_page_goes_where_it_is_told(cli: Cli, two_runs: tuple[Path, Path], tmp_path: Path) -> None:
    """--out names the file, with --json too, which writes no page by itself."""
    cli("compare", *two_runs, "--json")
    assert not list(tmp_path.glob("*.html"))
    told = cli("compare", *two_runs, "--json", "--out", tmp_path / "new" / "page.html")

    assert json.loads(told.out)["schema"] == "evalkit.changes/1"
    assert (tmp_path / "new" / "page.html").is_file()


@pytest.mark.parametrize(
    ("place", "advice"),
    [
        ("monday/compare.html", "is inside the run directory"),
        ("monday/plots/deep/compare.html", "is inside the run directory"),
        (".", "Name a file with --out"),
    ],
)
def test_a_run_directory_takes_no_page(
    cli: Cli, two_runs: tuple[Path, Path], tmp_path: Path, place: str, advice: str
) -> None:
    """Nothing is written among a run's data, nor in the place of a folder."""
    before = sorted(two_runs[0].rglob("*"))
    told = cli("compare", *two_runs, "--out", tmp_path / place)

    assert told.code == 2
    assert advice in told.err
    assert sorted(two_runs[0].rglob("*")) == before


def test_the_page_of_three_runs_says_every_verdict_first(
    cli: Cli, two_runs: tuple[Path, Path], tmp_path: Path
) -> None:
    """Two folders of one name are told apart by number."""
    page = tmp_path / "page.html"
    told = cli("compare", *two_runs, two_runs[0], "--out", page)
    titles = [line for line in page.read_text("utf-8").splitlines() if line.startswith("<h2")]

    assert told.code == 0, told
    assert ["Verdict: tuesday (2)" in titles[0], "Verdict: monday (3)" in titles[1]] == [True, True]


def test_runs_of_other_pipelines_still_have_a_page(
    cli: Cli, two_runs: tuple[Path, Path], tmp_path: Path
) -> None:
    """Nothing to compare is said, in the terminal and in the page."""
    suite = RUN_SUITE.format(file="monday.trec").replace("mine:", "ours:").replace("bm25:", "words:")
    folder = write_suite(tmp_path / "data", suite.replace("baseline: bm25", "baseline: words"))
    assert cli("run", folder, "--out", tmp_path / "other").code == 0
    told = cli("compare", two_runs[0], tmp_path / "other")
    page = (tmp_path / "other-against-monday.html").read_text("utf-8")

    assert told.code == 0, told
    assert "No pipeline is in both runs" in told.out
    assert "No pipeline is in both runs" in page
    assert "mine, bm25" in page


def test_a_run_of_other_queries_is_not_compared(cli: Cli, trec: Path) -> None:
    """Its zeros would be a defeat on every query; before, the verdict said so."""
    other = trec / "other.trec"
    other.write_text((trec / "fast.trec").read_text().replace("q", "topic-"))
    told = cli("compare", "--qrels", trec / "qrels", trec / "embed.trec", other)

    assert told.code == 2
    assert "other: no query of it is judged" in told.err


def test_all_that_is_wrong_with_a_comparison_is_told_at_once(cli: Cli, trec: Path) -> None:
    """An unknown baseline, test and margin in one try."""
    told = compare(cli, trec, "--baseline", "slow", "--test", "sign", "--margin", "AP=0.1")

    assert told.code == 2
    assert "'slow' is none of the runs" in told.err
    assert "no test is called 'sign'" in told.err
    assert "a margin for AP, which is not measured" in told.err


def test_all_files_that_a_comparison_lacks_are_told_at_once(cli: Cli, trec: Path) -> None:
    """Judgments and runs alike."""
    told = cli("compare", "--qrels", trec / "qrel", trec / "embed.trec", trec / "slow.trec")

    assert told.code == 2
    assert told.err.count("there is no such file. Check the path") == 2
