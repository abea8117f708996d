"""`evalkit calibrate`: tables and run directories in, a policy and what it is worth out."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import evalkit
from evalkit import ThresholdPolicy
from evalkit.errors import InputError
from tests.conftest import Cli
from tests.corpora import SUITE, write_dataset, write_suite

LOST = "{risk: lost_answer, at_most: 0.1, confidence: 0.9}"


def table(sizes: dict[str, int], separation: float = 3.0, seed: int = 5) -> pd.DataFrame:
    """Return scores of queries of each category with 20 candidates; some junk is unjudged."""
    rng = np.random.default_rng(seed)
    rows = []
    for category, size in sizes.items():
        for number in range(size):
            relevant = rng.integers(1, 4)
            for document in range(20):
                grade = int(document < relevant)
                score = 1 / (1 + np.exp(-(rng.normal(-2) + separation * grade)))
                known = grade if grade or rng.random() < 0.9 else None
                rows.append((f"{category}-{number}", f"d{document}", score, known, category))
    return pd.DataFrame(rows, columns=["query_id", "doc_id", "score", "grade", "category"])


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """A table with two categories that have evidence and one that has little."""
    path = tmp_path / "scores.csv"
    table({"how-to": 90, "lookup": 110, "vague": 9}).to_csv(path, index=False)
    return path


def test_a_table_becomes_a_policy_and_a_table_that_fits_the_terminal(
    cli: Cli, scores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Threshold, status, promise, held-out figures and what is missing, per category, in 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    told = cli(
        "calibrate", scores, "--goal", LOST, "--model", "cohere/rerank-v3.5", "--out", tmp_path / "t.json"
    )
    policy = ThresholdPolicy.load(tmp_path / "t.json")

    assert told.code == 0, told
    assert policy.domain["model"] == "rerank-v3.5"
    assert [policy.categories[name].status for name in ("how-to", "lookup", "vague")] == [
        "certified", "certified", "fallback",
    ]  # fmt: skip
    rows = told.out.split("Policy: ")[0].splitlines()
    assert max(map(len, rows)) <= 80
    assert "vague" in told.out
    assert "the promise is likely" in " ".join(told.out.split())
    assert "lost_answer bounded by" in told.out


def test_python_gives_the_same_policy_as_the_command_line(cli: Cli, scores: Path, tmp_path: Path) -> None:
    """The call of the guide, on the path and on the frame."""
    cli("calibrate", scores, "--goal", "{maximise: F1}", "--out", tmp_path / "t.json")
    goal = {"maximise": "F1"}

    assert evalkit.calibrate(scores, goal=goal) == ThresholdPolicy.load(tmp_path / "t.json")
    assert (
        evalkit.calibrate(pd.read_csv(scores), goal=goal).categories
        == evalkit.calibrate(scores, goal=goal).categories
    )


def test_strict_exits_1_where_a_category_is_unusable(cli: Cli, tmp_path: Path) -> None:
    """The policy is written all the same, with no number in it."""
    path = tmp_path / "scores.csv"
    table({"noise": 60}, separation=0.0).to_csv(path, index=False)
    told = cli("calibrate", path, "--goal", LOST, "--strict", "--out", tmp_path / "t.json")

    assert told.code == 1
    assert "no usable threshold for noise" in told.err
    assert ThresholdPolicy.load(tmp_path / "t.json").categories["noise"].threshold is None


def test_the_labelling_queue_can_be_filled_in(cli: Cli, scores: Path, tmp_path: Path) -> None:
    """One row a document to judge, in CSV or JSON Lines, with an empty grade."""
    for name in ("queue.csv", "queue.jsonl"):
        told = cli(
            "calibrate", scores, "--goal", "{maximise: F1}", "--queue", tmp_path / name, "--queue-size", 7,
            "--out", tmp_path / "t.json",
        )  # fmt: skip
        assert told.code == 0, told
    with (tmp_path / "queue.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    unjudged = pd.read_csv(scores).query("grade.isna()")

    assert len(rows) == 7
    assert {(row["query_id"], row["doc_id"]) for row in rows} <= set(
        zip(unjudged["query_id"], unjudged["doc_id"], strict=True)
    )
    assert len((tmp_path / "queue.jsonl").read_text("utf-8").splitlines()) == 7


def test_a_queue_that_may_hold_judgments_is_kept(cli: Cli, scores: Path, tmp_path: Path) -> None:
    """A queue that is there is not written over, and neither is the policy."""
    queue, policy = tmp_path / "queue.csv", tmp_path / "t.json"
    queue.write_text("filled in\n")
    told = cli("calibrate", scores, "--goal", "{maximise: F1}", "--queue", queue, "--out", policy)

    assert told.code == 2
    assert "queue.csv is there already and may hold judgments" in told.err
    assert queue.read_text() == "filled in\n"
    assert not policy.exists()


def test_no_text_in_a_queue_is_a_formula(cli: Cli, tmp_path: Path) -> None:
    """A spreadsheet shows a document that starts with a sign as text, as it does those of a pool."""
    scores, queue = tmp_path / "scores.csv", tmp_path / "queue.csv"
    table({"how-to": 40}).assign(document="=HYPERLINK(1)").to_csv(scores, index=False)
    cli("calibrate", scores, "--goal", "{maximise: F1}", "--queue", queue, "--out", tmp_path / "t.json")
    with queue.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))

    assert {row["document"] for row in rows} == {"'=HYPERLINK(1)"}


def test_json_holds_everything_that_is_printed(cli: Cli, scores: Path, tmp_path: Path) -> None:
    """Policy, findings, remarks, rules and probabilities."""
    told = cli(
        "calibrate", scores, "--goal", "{maximise: F1}", "--rules", "--probabilities", "--json",
        "--out", tmp_path / "t.json",
    )  # fmt: skip
    data = json.loads(told.out)

    assert ThresholdPolicy.from_dict(data["policy"]) == ThresholdPolicy.load(tmp_path / "t.json")
    assert data["rules"]["compared"][0]["rule"] == "absolute"
    assert set(data["probabilities"]) == {"overall", "how-to", "lookup"}
    assert data["statement"].startswith("Estimates (F1)")
    assert data["findings"][0]["severity"] == "note"


def test_tables_of_rules_and_probabilities_are_printed(cli: Cli, scores: Path, tmp_path: Path) -> None:
    """For people, beside the thresholds."""
    told = cli(
        "calibrate", scores, "--goal", LOST, "--rules", "--probabilities", "--out", tmp_path / "t.json"
    )

    assert "Rules, F1 held out in turn" in told.out
    assert "Probability of relevance" in told.out


def test_a_column_of_predicted_categories_can_be_calibrated_by(
    cli: Cli, scores: Path, tmp_path: Path
) -> None:
    """Thresholds are certified under the label that production will know."""
    frame = pd.read_csv(scores)
    frame["predicted"] = np.where(frame["category"] == "vague", "lookup", frame["category"])
    frame.to_csv(scores, index=False)
    cli("calibrate", scores, "--goal", LOST, "--by", "predicted", "--out", tmp_path / "t.json")

    assert set(ThresholdPolicy.load(tmp_path / "t.json").categories) == {"how-to", "lookup"}


def test_several_goals_are_the_risks_of_one(cli: Cli, scores: Path, tmp_path: Path) -> None:
    """Lost answers and misses together."""
    told = cli(
        "calibrate",
        scores,
        "--goal",
        LOST,
        "--goal",
        "{risk: miss, at_most: 0.3}",
        "--out",
        tmp_path / "t.json",
    )
    promise = ThresholdPolicy.load(tmp_path / "t.json").default.promise

    assert told.code == 0, told
    assert promise is not None
    assert [promise.risk, *(other.risk for other in promise.also)] == ["lost_answer", "miss"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--goal", "{maximise: F"], "no YAML"),
        (["--goal", "{maximise: G1}"], "F"),
        (["--score-space", "metres"], "known: unit"),
        (["--pipeline", "late"], "run directory"),
        (["--by", "colour"], "no column colour"),
        (["--queue", "queue.txt"], ".csv or .jsonl"),
    ],
)
def test_a_wrong_option_is_told(
    cli: Cli, scores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], told: str
) -> None:
    """In a line that says what would be right, with exit code 2."""
    monkeypatch.chdir(tmp_path)
    said = cli("calibrate", scores, *options)

    assert said.code == 2
    assert told in said.err


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run directory of the small data set, with the embedded models."""
    folder = tmp_path_factory.mktemp("small")
    suite = write_suite(write_dataset(folder / "data"), SUITE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVALKIT_CACHE", str(folder / "cache"))
        evalkit.run(suite, folder / "out")
    return folder / "out"


def test_a_run_directory_is_calibrated_with_its_own_goal_and_domain(
    cli: Cli, done: Path, tmp_path: Path
) -> None:
    """The suite's pipeline, goal and seed, and the domain of its scores."""
    told = cli("calibrate", done, "--out", tmp_path / "t.json")
    policy = ThresholdPolicy.load(tmp_path / "t.json")

    assert told.code == 0, told
    assert policy.domain == evalkit.open(done).policies["late"].domain
    assert policy.categories == evalkit.open(done).policies["late"].categories


def test_the_queue_of_a_run_directory_has_texts(cli: Cli, done: Path, tmp_path: Path) -> None:
    """Whoever judges reads the query and the document as the model saw them."""
    cli(
        "calibrate",
        done,
        "--goal",
        "{maximise: F1}",
        "--queue",
        tmp_path / "q.jsonl",
        "--out",
        tmp_path / "t.json",
    )
    rows = [json.loads(line) for line in (tmp_path / "q.jsonl").read_text("utf-8").splitlines()]

    assert all(row["query"] and row["document"] for row in rows)


def test_options_of_tables_do_not_belong_to_run_directories(done: Path) -> None:
    """A run directory knows its model."""
    with pytest.raises(InputError, match="knows its own model"):
        evalkit.calibrate(done, model="cohere/rerank-v3.5")
    with pytest.raises(InputError, match="late"):
        evalkit.calibrate(done, pipeline="v4")


def test_a_goal_carries_its_rule_into_the_policy_and_the_tables(
    cli: Cli, scores: Path, tmp_path: Path
) -> None:
    """Declared, it is said, saved, and applied by `thresholds apply`."""
    out, kept = tmp_path / "t.json", tmp_path / "kept.csv"
    told = cli("calibrate", scores, "--goal", "{maximise: F1, rule: {top_k: 1}}", "--rules", "--out", out)
    applied = cli("thresholds", "apply", out, scores, "--out", kept)

    assert told.code == 0, told
    assert "pass the rule: the query's best." in told.out
    assert "than the threshold alone" in " ".join(told.out.split())
    assert applied.code == 0, applied
    assert pd.read_csv(kept).groupby("query_id").size().max() == 1


def test_a_promise_with_the_best_rule_is_refused_with_the_remedy(cli: Cli, scores: Path) -> None:
    """Exit code 2: the rule has to be declared."""
    told = cli("calibrate", scores, "--goal", LOST[:-1] + ", rule: best}")

    assert told.code == 2
    assert "{of_top: 0.8}" in told.err


def test_grades_that_are_all_empty_are_told(cli: Cli, tmp_path: Path) -> None:
    """An unfilled column of grades is most likely what is wrong; before, only ids were suspected."""
    (tmp_path / "scores.csv").write_text("query_id,doc_id,score,grade\nq1,a,0.5,\nq2,a,0.4,\n")
    told = cli("calibrate", tmp_path / "scores.csv", "--goal", "{maximise: F1}")

    assert told.code == 2
    assert "Check that the grades are filled in" in told.err


def test_a_size_without_a_queue_is_refused(cli: Cli, tmp_path: Path) -> None:
    """Nothing would be written; before, the option did nothing."""
    (tmp_path / "scores.csv").write_text("query_id,doc_id,score,grade\nq1,a,0.5,1\nq1,b,0.4,0\n")
    told = cli("calibrate", tmp_path / "scores.csv", "--goal", "{maximise: F1}", "--queue-size", "5")

    assert told.code == 2
    assert "--queue-size belongs to --queue" in told.err


def test_scores_in_a_dict_are_refused_with_what_to_give() -> None:
    """A user's mistake is an InputError and no AttributeError."""
    with pytest.raises(InputError, match="scores are a path or a DataFrame, not a dict"):
        evalkit.calibrate({"q1": {"a": 0.5}}, goal={"maximise": "F1"})  # type: ignore[arg-type]


def test_a_confidence_in_per_cent_is_told_what_to_write(cli: Cli, tmp_path: Path) -> None:
    """The example is a confidence; before, it was a risk's limit."""
    (tmp_path / "scores.csv").write_text("query_id,doc_id,score,grade\nq1,a,0.5,1\nq1,b,0.4,0\n")
    goal = "{risk: miss, at_most: 0.1, confidence: 90}"
    told = cli("calibrate", tmp_path / "scores.csv", "--goal", goal)

    assert told.code == 2
    assert "such as 0.90, not 90" in told.err
