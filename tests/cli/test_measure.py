"""`evalkit measure`, as a user types it."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import evalkit
from evalkit.errors import InputError, UnknownName
from tests.conftest import Cli

QRELS = "q1 0 a 2\nq1 0 b 0\nq1 0 c 1\nq2 0 a 1\nq3 0 a 0\n"
RUN = "q1 Q0 a 1 3.0 t\nq1 Q0 x 2 2.0 t\nq1 Q0 c 3 1.0 t\nq3 Q0 a 1 1.0 t\nq9 Q0 a 1 1.0 t\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with judgments and a run in every form."""
    (tmp_path / "qrels.trec").write_text(QRELS, "utf-8")
    (tmp_path / "run.trec").write_text(RUN, "utf-8")
    (tmp_path / "zipped.trec.gz").write_bytes(gzip.compress(RUN.encode()))
    rows = [line.split() for line in RUN.splitlines()]
    frame = pd.DataFrame(
        [(q, d, float(s)) for q, _, d, _, s, _ in rows], columns=["query_id", "doc_id", "score"]
    )
    frame.to_csv(tmp_path / "table.csv", index=False)
    frame.to_parquet(tmp_path / "columns.parquet")
    (tmp_path / "lines.jsonl").write_text(frame.to_json(orient="records", lines=True), "utf-8")
    nested = {
        query: dict(zip(of["doc_id"], of["score"], strict=True)) for query, of in frame.groupby("query_id")
    }
    (tmp_path / "nested.json").write_text(json.dumps(nested), "utf-8")
    return tmp_path


FORMS = ["run.trec", "zipped.trec.gz", "table.csv", "columns.parquet", "lines.jsonl", "nested.json"]


def test_means_with_their_counts(cli: Cli, files: Path) -> None:
    """The table has a mean per measure, the number of queries behind it, and those undefined."""
    told = cli("measure", files / "qrels.trec", files / "run.trec", "-m", "RR", "-m", "P@1")

    assert told.code == 0
    assert [line.split() for line in told.out.splitlines() if line.startswith(" ") and "." in line] == [
        ["RR", "0.5000", "2", "1"],
        ["P@1", "0.3333", "3", "0"],
    ]
    assert "run: 1 query of the judgments not in the run" in told.err
    assert "run: 1 query of the run without judgments, left out" in told.err


def test_every_form_of_file_measures_the_same(cli: Cli, files: Path) -> None:
    """Several runs at once, in six forms: one result."""
    told = cli(
        "measure",
        files / "qrels.trec",
        *(files / name for name in FORMS),
        "-m",
        "nDCG@10",
        "-m",
        "AP",
        "--json",
    )

    runs = json.loads(told.out)["runs"]
    assert [run["run"] for run in runs] == [name.split(".")[0] for name in FORMS]
    assert all(run["measures"] == runs[0]["measures"] for run in runs)
    assert runs[0]["measures"][1]["value"] == pytest.approx((1 / 1 + 2 / 3) / 2 / 2)


@pytest.mark.parametrize("name", ["none.trec", "none.trec.gz"])
def test_a_run_that_found_nothing_has_the_worst_values(cli: Cli, files: Path, name: str) -> None:
    """An empty file is a run without results: every judged query is missing, and told."""
    (files / name).write_bytes(gzip.compress(b"") if name.endswith(".gz") else b"")
    told = cli("measure", files / "qrels.trec", files / name, "-m", "RR", "-m", "Empty", "-q")

    assert told.code == 0
    rows = [line.split("\t") for line in told.out.splitlines()]
    assert [value for name, _, value in rows if name == "RR"] == ["0.0000", "0.0000", "nan"]
    assert [value for name, _, value in rows if name == "Empty"] == ["1.0000"] * 3
    assert "none: 3 queries of the judgments not in the run" in told.err


def test_judgments_of_a_data_set(cli: Cli, files: Path) -> None:
    """A data set's folder stands for its judgments."""
    run, folder = files / "handbook.json", Path(__file__).parents[2] / "datasets" / "handbook"
    query, doc, _ = (folder / "qrels" / "test.tsv").read_text("utf-8").splitlines()[1].split("\t")
    run.write_text(json.dumps({query: {doc: 1.0}}), "utf-8")

    told = cli("measure", folder, run, "-m", "Judged@1", "-q", "--found-only")

    assert told.out == f"Judged@1\t{query}\t1.0000\n"


def test_per_query(cli: Cli, files: Path) -> None:
    """A line a measure and query, tab-separated; undefined is nan."""
    told = cli("measure", files / "qrels.trec", files / "run.trec", "-m", "RR", "--per-query")

    assert told.out == "RR\tq1\t1.0000\nRR\tq2\t0.0000\nRR\tq3\tnan\n"


def test_json_per_query_has_null_for_undefined(cli: Cli, files: Path) -> None:
    """JSON has full precision per query, null where a measure is undefined, and the counts."""
    told = cli("measure", files / "qrels.trec", files / "run.trec", "-m", "R@5", "--json", "-q")

    run = json.loads(told.out)["runs"][0]
    assert run["per_query"] == {"R@5": {"q1": 1.0, "q2": 0.0, "q3": None}}
    assert run["queries"] == {"missing": 1, "unjudged": 1, "tied": 0}


def test_relevance_level_depth_and_found_only(cli: Cli, files: Path) -> None:
    """-l, -M and --found-only are trec_eval's -l, -M and the absence of its -c."""
    told = cli(
        "measure",
        files / "qrels.trec",
        files / "run.trec",
        "-m",
        "R@10",
        "-m",
        "Kept",
        "-l",
        2,
        "-M",
        1,
        "--found-only",
        "-q",
    )

    assert told.out == "R@10\tq1\t1.0000\nR@10\tq3\tnan\nKept\tq1\t1.0000\nKept\tq3\t1.0000\n"


def test_ties_are_told(cli: Cli, files: Path) -> None:
    """A run whose order hangs on equal scores is told so; averaged, it has the mean over the orders."""
    run = files / "tied.trec"
    run.write_text("q1 Q0 a 1 1 t\nq1 Q0 b 1 1 t\n", "utf-8")

    by_id = cli("measure", files / "qrels.trec", run, "-m", "RR", "-q", "--found-only")
    averaged = cli(
        "measure", files / "qrels.trec", run, "-m", "RR", "-q", "--found-only", "--ties", "averaged"
    )

    assert by_id.out == "RR\tq1\t0.5000\n"
    assert "order depends on equal scores in 1 query" in by_id.err
    assert averaged.out == "RR\tq1\t0.7500\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-m", "nDGC@10"], "did you mean nDCG"),
        (["-m", "P"], "P needs cutoff (ranks that count): write P@10"),
        (["-m", "P(level=2)@5"], "has no parameter 'level'; it has: cutoff, rel, judged_only"),
        (["-m", "P@0"], "cutoff is 0; it is at least 1"),
        (["-m", "ERR(max_rel=1)"], "the judgments have grade 2"),
        (["-m", "ERR", "--ties", "averaged"], "cannot average ties"),
        (["--score-precision", "half"], "it is one of float64, float32"),
        (["--ties", "random"], "it is one of document, averaged"),
        (["-m", "import os"], "is no measure"),
    ],
)
def test_what_is_wrong_and_what_to_do(cli: Cli, files: Path, arguments: list[str], told: str) -> None:
    """A wrong measure or option ends with 2 and one line that says what to write."""
    ended = cli("measure", files / "qrels.trec", files / "run.trec", *arguments)

    assert ended.code == 2
    assert told in ended.err
    assert ended.out == ""


def test_a_run_given_twice_is_refused(cli: Cli, files: Path) -> None:
    """Two columns of one name would be one: the run is named instead."""
    run = files / "run.trec"
    told = cli("measure", files / "qrels.trec", run, files / "table.csv", run)

    assert (told.code, told.out) == (2, "")
    assert f"{run}: given twice. Name each run once" in told.err


def test_a_scale_that_swamps_exponential_gain_is_refused(cli: Cli, files: Path) -> None:
    """Grades to 100 with gain 2^grade - 1 are refused, with what to do instead."""
    (files / "wide.trec").write_text("q1 0 a 100\nq1 0 b 1\n", "utf-8")

    ended = cli("measure", files / "wide.trec", files / "run.trec", "-m", "nDCG(dcg='exp-log2')@10")

    assert ended.code == 2
    assert "2^100 - 1, which swamps all other gains: use the linear gain" in ended.err


def test_wrong_lines_are_named(cli: Cli, files: Path) -> None:
    """A run with broken lines ends with 2 and names each."""
    (files / "bad.trec").write_text("q1 Q0 a 1 3.0 t\nq1 Q0 b one\nq1 Q0 c 1 x t\n", "utf-8")

    ended = cli("measure", files / "qrels.trec", files / "bad.trec")

    assert ended.code == 2
    assert "bad.trec:2: 4 columns instead of 6" in ended.err
    assert "bad.trec:3: 'x' is no score" in ended.err


def test_files_in_the_wrong_order_are_told(cli: Cli, files: Path) -> None:
    """Judgments where a run belongs are taken for what they are."""
    told = cli("measure", files / "run.trec", files / "qrels.trec")

    assert told.code == 2
    assert "qrels.trec:1: 4 columns instead of 6: is it a judgment? Judgments are named first" in told.err


def test_the_scores_of_several_pipelines_are_no_run(cli: Cli, files: Path) -> None:
    """A run directory's scores are refused for what they are, not for documents that stand twice."""
    frame = pd.read_csv(files / "table.csv")
    both = pd.concat([frame.assign(pipeline="embed"), frame.assign(pipeline="late")])
    both.to_parquet(files / "scores.parquet")

    ended = cli("measure", files / "qrels.trec", files / "scores.parquet")

    assert ended.code == 2
    assert "it holds the runs of 2 pipelines (embed, late)" in ended.err
    with pytest.raises(InputError, match="it holds the runs of 2 pipelines"):
        evalkit.measure(files / "qrels.trec", both, ["nDCG@10"])


def test_nothing_heavy_is_imported(files: Path) -> None:
    """Measuring TREC files imports neither pandas, SciPy nor scikit-learn, nor what imports them."""
    code = (
        "import sys; from evalkit.cli import main\n"
        f"try: main(['measure', {str(files / 'qrels.trec')!r}, {str(files / 'run.trec')!r}, '-q'])\n"
        "except SystemExit: pass\n"
        "heavy = {'pandas', 'scipy', 'sklearn', 'matplotlib', 'pydantic', 'pyarrow.compute', 'numpy.ma'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_measure_from_python(files: Path) -> None:
    """`evalkit.measure` takes paths, DataFrames and dicts, and returns a frame."""
    qrels = {"q1": {"a": 2, "b": 0, "c": 1}, "q2": {"a": 1}, "q3": {"a": 0}}
    frame = pd.DataFrame(
        [(q, d, g) for q, of in qrels.items() for d, g in of.items()], columns=["query_id", "doc_id", "grade"]
    )
    wanted = evalkit.measure(files / "qrels.trec", files / "run.trec", ["nDCG@10", "RR"])

    assert wanted.columns.tolist() == ["measure", "value", "n", "n_undefined"]
    assert wanted["n"].tolist() == [2, 2]
    assert wanted.attrs["warnings"][0] == "run: 1 query of the judgments not in the run"
    pd.testing.assert_frame_equal(evalkit.measure(qrels, files / "run.trec", ["nDCG@10", "RR"]), wanted)
    pd.testing.assert_frame_equal(evalkit.measure(frame, files / "table.csv", ["nDCG@10", "RR"]), wanted)


def test_measure_per_query_from_python() -> None:
    """Per query, the frame has a row a query and measure; NaN is undefined."""
    frame = evalkit.measure({"q": {"a": 1}, "r": {"a": 0}}, {"q": {"b": 2, "a": 1}}, ["RR"], per_query=True)

    assert frame.fillna(-1).values.tolist() == [["q", "RR", 0.5], ["r", "RR", -1]]


def test_errors_from_python() -> None:
    """What is wrong from Python is told as on the command line."""
    with pytest.raises(UnknownName, match="did you mean nDCG"):
        evalkit.measure({"q": {"a": 1}}, {"q": {"a": 1.0}}, ["nDCGG@10"])
    with pytest.raises(InputError, match="a score that is no number: 'high'"):
        evalkit.measure({"q": {"a": 1}}, {"q": {"a": "high"}}, ["RR"])  # type: ignore[dict-item]
    with pytest.raises(InputError, match="a score that is no number: None"):
        evalkit.measure({"q": {"a": 1}}, {"q": {"a": None}}, ["RR"])  # type: ignore[dict-item]
    with pytest.raises(InputError, match="nothing can be measured"):
        evalkit.measure({}, {"q": {"a": 1.0}}, ["RR"])


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"ties": "average"}, "ties 'average': it is one of document, averaged"),
        ({"score_precision": "float16"}, "it is one of float64, float32"),
        ({"depth": 0}, "a depth of 0: it is at least 1"),
    ],
)
def test_a_wrong_option_from_python_is_refused(option: dict[str, Any], told: str) -> None:
    """A mistyped option is an error, not the default in silence."""
    with pytest.raises(InputError, match=told):
        evalkit.measure({"q": {"a": 1}}, {"q": {"a": 1.0}}, ["RR"], **option)


def test_scores_beyond_float32_are_tied_in_silence() -> None:
    """Scores that are infinite as float32 are ties, as in C, and no warning of NumPy's."""
    frame = evalkit.measure(
        {"q": {"a": 1, "b": 0}}, {"q": {"a": 2e300, "b": 1e300}}, ["RR"], score_precision="float32"
    )

    assert frame["value"].tolist() == [0.5]


def test_every_file_that_is_missing_is_told_at_once(cli: Cli, files: Path) -> None:
    """One try tells all of them, and the measures that are wrong."""
    told = cli("measure", files / "qrels", files / "a.trec", files / "run.trec", files / "b.csv", "-m", "P")

    assert told.code == 2
    assert [line.split("/")[-1] for line in told.err.splitlines()] == [
        *(f"{name}: there is no such file. Check the path" for name in ("qrels", "a.trec", "b.csv")),
        "P: P needs cutoff (ranks that count): write P@10",
    ]


def test_every_run_that_is_wrong_is_told_at_once(cli: Cli, files: Path) -> None:
    """A broken line in one run does not hide the one in the next."""
    (files / "one.trec").write_text("q1 Q0 a 1 high t\n")
    (files / "two.trec").write_text("q1 Q0 a 1\n")
    told = cli("measure", files / "qrels.trec", files / "one.trec", files / "two.trec")

    assert told.code == 2
    assert "one.trec:1: 'high' is no score" in told.err
    assert "two.trec:1: 4 columns instead of 6" in told.err


def test_every_measure_that_is_wrong_is_told_at_once(cli: Cli, files: Path) -> None:
    """Each with what to write, also where only the case is wrong."""
    told = cli("measure", files / "qrels.trec", files / "run.trec", "-m", "ndcg@10", "-m", "P", "-m", "RR@0")

    assert told.code == 2
    assert "no measure is called 'ndcg'; did you mean nDCG" in told.err
    assert "write P@10" in told.err
    assert "cutoff is 0" in told.err


def test_a_run_of_other_queries_is_refused(cli: Cli, files: Path) -> None:
    """Zeros everywhere would look like a bad system; trec_eval refuses such a run too."""
    (files / "other.trec").write_text(RUN.replace("q", "x"))
    told = cli("measure", files / "qrels.trec", files / "other.trec")

    assert told.code == 2
    assert "other: no query of it is judged" in told.err
    assert "such as 'q1'" in told.err


def test_a_run_of_other_documents_is_told(cli: Cli, files: Path) -> None:
    """No returned document is judged: most likely the ids are spelt in another way."""
    (files / "other.trec").write_text("q1 Q0 doc-a 1 3.0 t\n")
    told = cli("measure", files / "qrels.trec", files / "other.trec")

    assert told.code == 0
    assert "other: no returned document is judged: are its ids those of the judgments?" in told.err


def test_averaged_ties_need_no_advice_to_average_them(cli: Cli, files: Path) -> None:
    """The advice is for an order that hangs on ids; before, it came whatever was asked for."""
    (files / "tied.trec").write_text("q1 Q0 a 1 1.0 t\nq1 Q0 b 2 1.0 t\n")
    advised = cli("measure", files / "qrels.trec", files / "tied.trec", "-m", "RR")
    averaged = cli("measure", files / "qrels.trec", files / "tied.trec", "-m", "RR", "--ties", "averaged")

    assert "try --ties averaged" in advised.err
    assert "equal scores" not in averaged.err


def test_measures_in_a_string_are_refused() -> None:
    """A string is no list of measures: its letters are none."""
    with pytest.raises(InputError, match=r"measures are a list: write \['nDCG@10'\]"):
        evalkit.measure({"q": {"a": 1}}, {"q": {"a": 1.0}}, "nDCG@10")


def test_counts_that_differ_between_runs_are_a_range(cli: Cli, files: Path) -> None:
    """From the least to the greatest; before, `1/2` read as one of two."""
    (files / "short.trec").write_text("q1 Q0 a 1 3.0 t\n")
    runs = files / "run.trec", files / "short.trec"
    told = cli("measure", files / "qrels.trec", *runs, "-m", "P@1", "--found-only")

    assert [line.split()[3:] for line in told.out.splitlines() if "P@1" in line] == [["1–2", "0"]]
