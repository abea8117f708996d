"""`evalkit run` and `evalkit demo` as a newcomer uses them: the real models, no account."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import evalkit
from tests.conftest import Cli
from tests.corpora import SUITE, write_dataset, write_suite

SMALL_SUITE = (
    SUITE + "thresholds: {goal: {risk: lost_answer, at_most: 0.2, confidence: 0.8, then: precision}}\n"
)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A data set of five queries with its suite."""
    return write_suite(write_dataset(tmp_path / "small"), SMALL_SUITE)


def test_a_run_leaves_all_that_a_second_look_needs(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """The directory holds scores, measures, summary, thresholds and a report, and opens from Python."""
    told = cli("run", suite, "--out", tmp_path / "out")
    done = evalkit.open(tmp_path / "out")

    assert told.code == 0, told
    assert set(done.scores.columns) == {
        "pipeline", "query_id", "doc_id", "score", "rank", "grade", "category",
    }  # fmt: skip
    assert set(done.scores["pipeline"]) == {"embed", "late"}
    assert set(done.measures["measure"]) == {"nDCG@10", "RR@10", "Judged@10"}
    assert set(done.policies) == {"embed", "late"}
    assert (tmp_path / "out" / "report.html").is_file()
    assert str(tmp_path / "out" / "report.html") in told.out.replace("\n", "")


def test_every_pipeline_reranks_the_same_candidates(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """Reranking changes the order and nothing else."""
    cli("run", suite, "--out", tmp_path / "out")
    scores = evalkit.open(tmp_path / "out").scores
    pairs = {
        name: set(zip(rows["query_id"], rows["doc_id"], strict=True))
        for name, rows in scores.groupby("pipeline")
    }

    assert pairs["embed"] == pairs["late"]


def test_two_runs_are_equal_to_the_byte(
    cli: Cli, suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same suite and seed give the same scores and the same summary, with and without the ledger."""
    cli("run", suite, "--out", tmp_path / "first")
    cli("run", suite, "--out", tmp_path / "resumed")
    monkeypatch.setenv("EVALKIT_CACHE", str(tmp_path / "another cache"))
    cli("run", suite, "--out", tmp_path / "afresh")

    for name in ("scores.parquet", "measures.parquet", "summary.json", "thresholds.json"):
        first = (tmp_path / "first" / name).read_bytes()
        assert (tmp_path / "resumed" / name).read_bytes() == first, name
        assert (tmp_path / "afresh" / name).read_bytes() == first, name


def test_a_second_run_encodes_nothing(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """All texts and scores of an earlier run come from the ledger."""
    cli("run", suite, "--out", tmp_path / "first")
    cli("run", suite, "--out", tmp_path / "second")
    stages = [
        stage
        for pipeline in evalkit.open(tmp_path / "second").info["pipelines"].values()
        for stage in pipeline["stages"]
    ]

    assert sum(stage["calls"] for stage in stages) == 0
    assert all(stage["from_ledger"] for stage in stages)


def test_only_and_limit_narrow_a_run(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """--only keeps the baseline, --limit the first queries."""
    told = cli("run", suite, "--out", tmp_path / "out", "--only", "embed", "--limit", 2)
    done = evalkit.open(tmp_path / "out")

    assert told.code == 0, told
    assert set(done.scores["pipeline"]) == {"embed"}
    assert set(done.scores["query_id"]) == {"q1", "q2"}
    assert set(done.measures["query_id"]) == {"q1", "q2"}


def test_json_is_the_summary(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """--json prints what summary.json holds and nothing else to standard output."""
    told = cli("run", suite, "--out", tmp_path / "out", "--json")

    assert json.loads(told.out) == json.loads((tmp_path / "out" / "summary.json").read_text())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--only", "laet"], "no pipeline is called 'laet'; the suite has embed, late"),
        (["--out", "taken"], "holds files that are no run of evalkit"),
    ],
)
def test_a_users_mistake_exits_with_2(
    cli: Cli, suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    """A mistake is told in a line, without a traceback."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.doc").write_text("mine")
    result = cli("run", suite, *arguments)

    assert result.code == 2
    assert told in result.err
    assert "Traceback" not in result.err


def test_a_suite_with_mistakes_runs_nothing(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """The findings come before any work."""
    suite.write_text(SMALL_SUITE.replace("nDCG@10", "nDGC@10"))
    result = cli("run", suite, "--out", tmp_path / "out")

    assert result.code == 2
    assert "nDGC" in result.err
    assert not (tmp_path / "out").exists()


def test_another_systems_order_is_a_first_stage(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """`retrieve: {run: FILE}` measures and reranks what somebody else's index returned."""
    (suite.parent / "first.trec").write_text(
        "q1 Q0 d2 1 0.9 mine\nq1 Q0 d1 2 0.8 mine\nq3 Q0 d3 1 0.7 mine\n"
    )
    suite.write_text(SMALL_SUITE.replace("{retrieve: local/minilm-l6}", "{retrieve: {run: first.trec}}"))
    result = cli("run", suite, "--out", tmp_path / "out")
    scores = evalkit.open(tmp_path / "out").scores

    assert result.code == 0, result
    assert scores.loc[scores["pipeline"] == "embed", "doc_id"].tolist() == ["d2", "d1", "d3"]


def test_excluded_documents_are_no_candidates(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """A query's `metadata.excluded_ids` keep out of every pipeline."""
    queries = suite.parent / "queries.jsonl"
    queries.write_text(
        queries.read_text().replace('"category": "leave"}', '"category": "leave", "excluded_ids": ["d2"]}', 1)
    )
    cli("run", suite, "--out", tmp_path / "out")
    scores = evalkit.open(tmp_path / "out").scores

    assert "d2" not in set(scores.loc[scores["query_id"] == "q1", "doc_id"])
    assert "d2" in set(scores.loc[scores["query_id"] == "q2", "doc_id"])


def test_an_unjudged_query_takes_no_part_in_measures(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """A query without any judgment is run, counted, and neither a zero nor a query of the measures."""
    with (suite.parent / "queries.jsonl").open("a") as file:
        file.write('{"_id": "q6", "text": "parking", "metadata": {"category": "it"}}\n')
    cli("run", suite, "--out", tmp_path / "out")
    done = evalkit.open(tmp_path / "out")

    assert "q6" in set(done.scores["query_id"])
    assert "q6" not in set(done.measures["query_id"])
    assert (done.info["dataset"]["queries"], done.info["dataset"]["judged_queries"]) == (6, 5)


def test_a_measure_with_a_long_name_leaves_room_for_pipelines(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """Its heading takes two lines; before, names were broken into pieces of two letters."""
    text = suite.read_text("utf-8").replace("RR@10", "\"nDCG(dcg='exp-log2')@10\"")
    suite.write_text(text, "utf-8")
    told = cli("run", suite, "--out", tmp_path / "out")

    assert "exp-log2" in text
    assert any(line.split()[:1] == ["embed"] for line in told.out.splitlines()), told.out


def test_the_verdict_comes_first_and_all_fits_80_columns(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """A long name is folded, nothing is coloured, and the last line names the file to open."""
    name = "a-pipeline-whose-name-says-everything-about-it"
    suite.write_text(suite.read_text().replace("late:", f"{name}:"))
    told = cli("run", suite, "--out", tmp_path / "out")
    *lines, last = told.out.rstrip().splitlines()

    assert told.out.startswith(evalkit.open(tmp_path / "out").summary["verdict"][0][:60])
    assert max(len(line) for line in lines) <= 80
    assert "\x1b" not in told.out
    assert last == f"Report: {tmp_path / 'out' / 'report.html'}"


def test_a_structured_document_has_the_title_that_is_one_of_its_fields(cli: Cli, tmp_path: Path) -> None:
    """The report names documents by their titles, not by the beginning of their YAML."""
    suite = write_suite(
        write_dataset(tmp_path), SUITE.replace("local/minilm-l6", "bm25").replace("  late:", "  # late:")
    )
    rows = [
        {"_id": "d1", "fields": {"title": "Annual leave", "body": "days of annual leave"}},
        {"_id": "d2", "fields": {"title": 7, "body": "old leave days"}},
    ]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\n", "utf-8")
    told = cli("run", suite, "--out", tmp_path / "out")
    texts = pq.read_table(tmp_path / "out" / "texts.parquet").to_pylist()

    assert told.code == 0, told
    assert {row["id"]: row["title"] for row in texts if row["kind"] == "document"} == {
        "d1": "Annual leave",
        "d2": "",
    }


def test_a_run_does_without_pandas(suite: Path, tmp_path: Path) -> None:
    """Neither the run nor its report imports pandas, which takes longer than either on a small suite."""
    code = (
        "import sys; from evalkit.cli import main\n"
        f"try: main(['run', {str(suite)!r}, '--out', {str(tmp_path / 'out')!r}])\n"
        "except SystemExit as left: print(left.code)\n"
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-2:] == ["0", "False"]


@pytest.mark.parametrize("content", ["other Q0 d2 1 0.9 mine\n", ""])
def test_an_order_of_other_queries_is_no_first_stage(
    cli: Cli, suite: Path, tmp_path: Path, content: str
) -> None:
    """A run file without a result for any query of the data set; reranking it ended in a traceback."""
    (suite.parent / "first.trec").write_text(content)
    suite.write_text(SMALL_SUITE.replace("{retrieve: local/minilm-l6,", "{retrieve: {run: first.trec},"))
    told = cli("run", suite, "--out", tmp_path / "out")

    assert told.code == 2
    assert "first.trec: no result for any query of the data set" in told.err


def test_a_first_stage_that_finds_nothing_is_told(cli: Cli, suite: Path, tmp_path: Path) -> None:
    """The first queries may all be ones that the run file lacks: no traceback of what reranks them."""
    (suite.parent / "first.trec").write_text("q3 Q0 d3 1 0.7 mine\n")
    suite.write_text(SMALL_SUITE.replace("{retrieve: local/minilm-l6,", "{retrieve: {run: first.trec},"))
    told = cli("run", suite, "--limit", "1", "--out", tmp_path / "out")

    assert told.code == 2
    assert "no judged query has a candidate" in told.err


@pytest.mark.parametrize("command", ["run", "plan", "check"])
def test_every_name_that_a_suite_gets_wrong_is_told_before_any_work(
    cli: Cli, suite: Path, command: str
) -> None:
    """Measures, margins, models, run files at once, with lines; before, one a try, and after calls."""
    text = SMALL_SUITE.replace("[nDCG@10,", "[ndcg@10, P,").replace("local/late", "local/lade")
    text += "margins: {AP: 0.1}\n"
    suite.write_text(text.replace("embed: {retrieve: local/minilm-l6}", "embed: {retrieve: {run: no.trec}}"))
    told = cli(command, suite)
    lines = told.out + told.err

    assert told.code == 2
    assert "suite.yaml:8: `measures`: no measure is called 'ndcg'; did you mean nDCG" in lines
    assert "suite.yaml:8: `measures`: P: P needs cutoff" in lines
    assert "suite.yaml:10: `margins.AP`: no such measure is taken" in lines
    assert "suite.yaml:5: `pipelines.embed.retrieve`: " in lines
    assert "no.trec: there is no such file" in lines
    assert "`pipelines.late.rerank`: no reranker is called 'local/lade-interaction'; did you mean" in lines


def test_a_baseline_that_is_no_pipeline_is_told_in_plain_words(cli: Cli, suite: Path) -> None:
    """No phrase of the library that reads the suite."""
    suite.write_text(SMALL_SUITE.replace("baseline: embed", "baseline: bm25"))
    told = cli("run", suite)

    assert told.code == 2
    assert "suite.yaml:1: `baseline` is 'bm25', but the pipelines are embed, late" in told.err
