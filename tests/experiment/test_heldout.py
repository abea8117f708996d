"""Thresholds chosen on one part of the queries and tested on the other."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import evalkit
from evalkit import ThresholdPolicy
from evalkit.data import splits
from evalkit.errors import InputError
from tests.cli.test_calibrate import table
from tests.conftest import Cli
from tests.corpora import SUITE, write_dataset, write_suite

LOST = {"risk": "lost_answer", "at_most": 0.1, "confidence": 0.9}
SPLIT = "thresholds: {split: calibration, goal: {risk: lost_answer, at_most: 0.2, confidence: 0.8}}\n"


def halves(scores: pd.DataFrame) -> dict[str, str]:
    """Return every second query of the table for calibration, the others for the test."""
    ids = list(dict.fromkeys(scores["query_id"]))
    return {name: (splits.CALIBRATION, splits.TEST)[place % 2] for place, name in enumerate(ids)}


def written(folder: Path, parts: dict[str, str]) -> Path:
    """Write a split and return its file."""
    folder.mkdir(exist_ok=True)
    return splits.save(folder, parts)


@pytest.fixture
def scores() -> pd.DataFrame:
    """Scores of two categories with enough queries to certify on half of them."""
    return table({"how-to": 240, "lookup": 260})


def test_the_test_part_has_no_say(scores: pd.DataFrame, tmp_path: Path) -> None:
    """Other scores of the held-out queries change what is found there, and no threshold."""
    parts = halves(scores)
    split = written(tmp_path, parts)
    other = scores.copy()
    held = other["query_id"].map(parts) == splits.TEST
    other.loc[held, "score"] = 1 - other.loc[held, "score"]
    alone = scores[scores["query_id"].map(parts) == splits.CALIBRATION]
    first, second = (evalkit.calibrate(one, goal=LOST, split=split) for one in (scores, other))

    assert first.held_out is not None and second.held_out is not None
    assert first.categories == second.categories == evalkit.calibrate(alone, goal=LOST).categories
    assert first.default == second.default
    assert (first.held_out["n_chosen"], first.held_out["n_queries"]) == (250, 250)
    assert "broken" not in {one["verdict"] for one in first.held_out["promises"]}
    assert {one["verdict"] for one in second.held_out["promises"]} == {"broken"}


def test_figures_are_those_of_the_held_out_queries(scores: pd.DataFrame, tmp_path: Path) -> None:
    """Lost answers by category, precision as applied: counted again with pandas."""
    parts = halves(scores)
    policy = evalkit.calibrate(scores, goal=LOST, split=written(tmp_path, parts))
    rows = scores[scores["query_id"].map(parts) == splits.TEST].fillna({"grade": 0})
    limit = rows["category"].map({name: entry.threshold for name, entry in policy.categories.items()})
    kept = rows["score"] >= limit
    relevant = rows["grade"] >= 1
    answered = (kept & relevant).groupby(rows["query_id"]).any()
    precision = relevant[kept].groupby(rows["query_id"]).mean()
    assert policy.held_out is not None
    estimates = policy.held_out["estimates"]

    for name in ("how-to", "lookup"):
        own = answered[answered.index.str.startswith(name)]
        assert estimates[name]["lost_answer"]["point"] == pytest.approx(1 - own.mean())
        assert estimates[name]["n_queries"] == len(own)
    assert estimates["overall"]["precision"]["point"] == pytest.approx(precision.mean())
    assert estimates["overall"]["n_queries"] == 250


def test_a_rule_is_tested_on_the_held_out_queries_as_it_is_applied(
    scores: pd.DataFrame, tmp_path: Path
) -> None:
    """One document at most is kept, of all the candidates that a query has."""
    split = written(tmp_path, halves(scores))
    policy = evalkit.calibrate(scores, goal={"maximise": "F1", "rule": {"top_k": 1}}, split=split)
    assert policy.held_out is not None

    assert policy.held_out["estimates"]["overall"]["kept"]["point"] <= 1


def test_rules_are_compared_on_the_calibration_part_and_the_queue_is_of_it(
    cli: Cli, scores: pd.DataFrame, tmp_path: Path
) -> None:
    """What the test part holds changes neither; the terminal says which queries were compared."""
    parts = halves(scores)
    split, seen = written(tmp_path, parts), []
    for name in ("as they are", "turned"):
        held = (scores["query_id"].map(parts) == splits.TEST) & (name == "turned")
        scores.loc[held, "score"] = 1 - scores.loc[held, "score"]
        scores.to_csv(tmp_path / "scores.csv", index=False)
        given = (tmp_path / "scores.csv", "--goal", "{maximise: F1}", "--split", split)
        queue, out = tmp_path / f"{name}.csv", ("--rules", "--out", tmp_path / "t.json")
        plain = cli("calibrate", *given, *out, "--queue", queue)
        compared = json.loads(cli("calibrate", *given, *out, "--json").out)["rules"]
        seen.append((compared, queue.read_text()))

    assert seen[0] == seen[1]
    assert (seen[0][0]["n_queries"], seen[0][0]["part"]) == (250, "calibration")
    assert {parts[one] for one in pd.read_csv(queue)["query_id"]} <= {splits.CALIBRATION}
    assert "compared on 250 queries of the calibration part, each held out of choosing" in " ".join(
        plain.out.split()
    )
    assert "Rules, F1 held out in turn, 250 calibration queries" in plain.out
    assert max(map(len, plain.out.partition("Rules, F1")[2].partition("Cut rules")[0].splitlines())) <= 80


def test_what_was_held_out_is_told_and_kept(cli: Cli, scores: pd.DataFrame, tmp_path: Path) -> None:
    """In the terminal, in JSON, and in a policy file that comes back as it was."""
    path, out = tmp_path / "scores.csv", tmp_path / "t.json"
    scores.to_csv(path, index=False)
    split = written(tmp_path, halves(scores))
    goal = "{risk: lost_answer, at_most: 0.1, confidence: 0.9}"
    plain = cli("calibrate", path, "--goal", goal, "--split", split, "--out", out)
    told = json.loads(cli("calibrate", path, "--goal", goal, "--split", split, "--out", out, "--json").out)

    assert plain.code == 0, plain
    assert "Held out: thresholds were chosen on 250 queries and tested on 250 others." in plain.out
    assert "Held out, lookup: lost_answer, promised to be at most 10.0%, is " in plain.out
    assert "Held out, as applied to 250 queries: precision " in plain.out
    assert told["held_out"][0].startswith("Held out: thresholds were chosen on 250 queries")
    assert ThresholdPolicy.load(out).held_out == told["policy"]["held_out"]


def test_without_a_split_nothing_is_held_out(scores: pd.DataFrame, tmp_path: Path) -> None:
    """The policy file has no word of it."""
    policy = evalkit.calibrate(scores, goal={"maximise": "F1"})
    policy.save(tmp_path / "t.json")

    assert policy.held_out is None
    assert "held_out" not in json.loads((tmp_path / "t.json").read_text("utf-8"))


def test_what_makes_a_split_worth_less_is_told(scores: pd.DataFrame, tmp_path: Path) -> None:
    """Queries in neither part are counted."""
    parts = halves(scores)
    fewer = dict(list(parts.items())[:-4])
    policy = evalkit.calibrate(scores, goal={"maximise": "F1"}, split=written(tmp_path, fewer))
    assert policy.held_out is not None

    assert policy.held_out["doubts"] == [
        "4 judged queries in neither part and without a say: make the split again."
    ]


def test_a_split_without_a_test_part_is_refused(scores: pd.DataFrame, tmp_path: Path) -> None:
    """There would be nothing to test on."""
    split = written(tmp_path, dict.fromkeys(halves(scores), splits.CALIBRATION))

    with pytest.raises(InputError, match="no judged query is in the test part"):
        evalkit.calibrate(scores, goal=LOST, split=split)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set of five queries whose suite asks for a split."""
    folder = write_dataset(tmp_path / "small")
    write_suite(folder, SUITE + SPLIT)
    return folder


def test_a_run_holds_out_what_its_suite_says(cli: Cli, folder: Path, tmp_path: Path) -> None:
    """In the terminal, the summary, both reports and the run directory, which `calibrate` reads again."""
    parts = {"q1": "calibration", "q2": "test", "q3": "calibration", "q4": "test", "q5": "calibration"}
    splits.save(folder, parts)
    told = cli("run", folder, "--out", tmp_path / "out")
    done = evalkit.open(tmp_path / "out")
    sentence = "thresholds were chosen on 3 queries and tested on 2 others."

    assert told.code == 0, told
    assert sentence in told.out
    assert done.parts == parts
    assert done.summary["held_out"]["late"]["n_queries"] == 2
    assert done.policies["late"].held_out == done.summary["held_out"]["late"]
    assert all(sentence in (done.folder / name).read_text("utf-8") for name in ("report.html", "report.md"))
    assert evalkit.calibrate(done).to_dict() == done.policies["late"].to_dict()
    assert (done.summary["rules"]["n_queries"], done.summary["rules"]["part"]) == (3, "calibration")
    rules = "3 queries of the calibration part"
    assert all(rules in (done.folder / name).read_text("utf-8") for name in ("report.html", "report.md"))


def test_a_run_is_calibrated_again_as_its_suite_groups(cli: Cli, folder: Path, tmp_path: Path) -> None:
    """By none, where the suite says so; by category where the call does."""
    write_suite(folder, SUITE + "thresholds: {by: none, goal: {maximise: F1}}\n")
    cli("run", folder, "--out", tmp_path / "out")
    done = evalkit.open(tmp_path / "out")

    assert evalkit.calibrate(done).to_dict() == done.policies["late"].to_dict()
    assert not evalkit.calibrate(done).categories
    assert evalkit.calibrate(done, by="category").categories


def test_near_duplicates_in_both_parts_are_told(cli: Cli, folder: Path, tmp_path: Path) -> None:
    """A split by hand may tear what belongs together; then the test is not of new questions."""
    with (folder / "queries.jsonl").open("a") as file:
        file.write('{"_id": "q6", "text": "How many days of annual leave, do I get?"}\n')
    with (folder / "qrels" / "test.tsv").open("a") as file:
        file.write("q6\td1\t3\n")
    splits.save(folder, {f"q{n}": "test" if n in (2, 6) else "calibration" for n in range(1, 7)})
    told = cli("run", folder, "--out", tmp_path / "out")

    assert "1 group of near-duplicate queries in both parts" in told.out.replace("\n", " ")


def test_a_split_that_is_missing_is_told_before_anything_runs(cli: Cli, folder: Path) -> None:
    """By `run` and by `check`, with the command that makes one."""
    ran, checked = cli("run", folder), cli("check", folder)

    assert ran.code == 2
    for told in (ran.err, checked.err + checked.out):
        assert "splits.tsv" in told and "Make one with `evalkit split`" in told


def test_check_counts_the_calibration_part(cli: Cli, folder: Path) -> None:
    """What a promise takes is held against the queries that will choose the threshold."""
    splits.save(folder, {f"q{n}": "test" if n in (1, 3) else "calibration" for n in range(1, 6)})
    told = cli("check", folder)

    assert "`leave` has 1 in the calibration part" in (told.out + told.err).replace("\n", " ")
