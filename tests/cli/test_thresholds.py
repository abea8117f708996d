"""`evalkit thresholds`: showing, applying and moving policies."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import evalkit
from evalkit import ThresholdPolicy, runs
from evalkit.data import splits
from evalkit.experiment.run import Options, run
from tests.conftest import Cli
from tests.corpora import write_dataset, write_suite
from tests.thresholds.test_policy import policy

SUITE = """\
name: small
dataset: .
depth: 5
pipelines:
  v3.5: {retrieve: bm25, rerank: cohere/rerank-v3.5}
measures: [nDCG@10]
thresholds: {goal: {maximise: F1}}
"""
ROWS = pd.DataFrame(
    {
        "query_id": ["q1", "q1", "q2", "q2"],
        "doc_id": ["a", "b", "a", "b"],
        "score": [0.7, 0.4, 0.3, 0.2],
        "category": ["how-to", "how-to", "other", "other"],
        "note": ["x", "y", "", "z"],
    }
)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A policy: how-to at .5, all else at .9."""
    path = tmp_path / "thresholds.json"
    policy().save(path)
    return path


def test_show_prints_the_policy(cli: Cli, saved: Path) -> None:
    """Category, threshold and status."""
    told = cli("thresholds", "show", saved)

    assert told.code == 0, told
    assert "how-to" in told.out
    assert "0.5000" in told.out
    assert "promise nothing" in told.out


def test_show_exports_for_elasticsearch(cli: Cli, saved: Path) -> None:
    """min_score is on the scale s + 1."""
    told = cli("thresholds", "show", saved, "--scale", "elasticsearch", "--digits", 3)

    assert json.loads(told.out)["thresholds"] == {"": 1.9, "how-to": 1.5}


def test_show_strict_exits_1_on_an_unusable_category(cli: Cli, tmp_path: Path) -> None:
    """For pipelines that deploy policies."""
    policy(None).save(tmp_path / "t.json")

    assert cli("thresholds", "show", tmp_path / "t.json", "--strict").code == 1
    assert cli("thresholds", "show", tmp_path / "t.json").code == 0


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_apply_writes_the_rows_that_are_kept(cli: Cli, saved: Path, tmp_path: Path, suffix: str) -> None:
    """With every column as it was, in the format that was read."""
    path, out = tmp_path / f"scores{suffix}", tmp_path / f"kept{suffix}"
    if suffix == ".parquet":
        ROWS.to_parquet(path)
    elif suffix == ".jsonl":
        ROWS.to_json(path, orient="records", lines=True)
    else:
        ROWS.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    told = cli("thresholds", "apply", saved, path, "--out", out)
    kept = {".parquet": pd.read_parquet, ".jsonl": lambda p: pd.read_json(p, lines=True)}.get(
        suffix, lambda p: pd.read_csv(p, sep="\t" if suffix == ".tsv" else ",")
    )(out)

    assert told.code == 0, told
    assert kept["doc_id"].tolist() == ["a"]
    assert kept["note"].tolist() == ["x"]
    assert "1 of 4 documents kept, 1 of 2 queries left without any" in told.out


def test_apply_refuses_scores_of_another_model(cli: Cli, saved: Path, tmp_path: Path) -> None:
    """Exit code 2, and how to move the policy."""
    ROWS.to_csv(tmp_path / "scores.csv", index=False)
    told = cli(
        "thresholds", "apply", saved, tmp_path / "scores.csv", "--out", tmp_path / "k.csv",
        "--model", "rerank-v4.0-pro",
    )  # fmt: skip

    assert told.code == 2
    assert "thresholds transfer" in told.err
    assert not (tmp_path / "k.csv").exists()


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the small data set on the sandbox's rerank-v3.5."""
    folder = tmp_path_factory.mktemp("small")
    suite = write_suite(write_dataset(folder / "data"), SUITE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVALKIT_CACHE", str(folder / "cache"))
        run(suite, folder / "out", Options(sandbox=True))
    return folder / "out"


def test_a_plan_of_a_transfer_sends_nothing(cli: Cli, done: Path) -> None:
    """One search a query, with its price."""
    told = cli("thresholds", "transfer", done, "--from", "rerank-v3.5", "--to", "rerank-v4.0-pro", "--plan")

    assert told.code == 0, told
    assert "cohere/rerank-v4.0-pro" in told.out


def test_a_transfer_scores_the_same_pairs_again_and_calibrates_anew(
    cli: Cli, done: Path, tmp_path: Path
) -> None:
    """The new policy belongs to the new model; what changed is told, with the flips."""
    arguments = [
        "thresholds",
        "transfer",
        done,
        "--from",
        "rerank-v3.5",
        "--to",
        "rerank-v4.0-pro",
        "--sandbox",
    ]
    told = cli(*arguments, "--out", tmp_path / "t.json")
    again = cli(*arguments, "--out", tmp_path / "t.json", "--json")
    policy = ThresholdPolicy.load(tmp_path / "t.json")

    assert told.code == 0, told
    assert policy.domain["model"] == "rerank-v4.0-pro"
    assert policy.domain["digest"] != evalkit.open(done).policies["v3.5"].domain["digest"]
    assert "old on new" in told.out
    assert set(json.loads(again.out)["categories"]) == {"overall", "leave", "it"}


PARTS = {f"q{n}": "test" if n in (2, 4) else "calibration" for n in range(1, 6)}


@pytest.mark.parametrize(
    ("thresholds", "held", "compared"),
    [
        ("{goal: {maximise: F1}}", "", "on 5 queries, all of which chose the thresholds too."),
        ("{goal: {maximise: F1}, by: none}", "", "on 5 queries, all of which chose the thresholds too."),
        (
            "{goal: {risk: lost_answer, at_most: 0.4, confidence: 0.5}, split: calibration}",
            "Held out: thresholds were chosen on 3 queries and tested on 2 others.",
            "on 2 queries held out of choosing thresholds.",
        ),
    ],
)
def test_a_moved_policy_is_the_one_that_a_run_with_the_new_model_has(
    cli: Cli, tmp_path: Path, thresholds: str, held: str, compared: str
) -> None:
    """On the same queries, grouped alike, with the same promise, domain and test: nothing is another."""
    text = SUITE.replace("{goal: {maximise: F1}}", thresholds)
    data = write_dataset(tmp_path / "data")
    splits.save(data, PARTS)
    run(write_suite(data, text), tmp_path / "old", Options(sandbox=True))
    later = write_suite(data, text.replace("rerank-v3.5", "rerank-v4.0-pro"))
    run(later, tmp_path / "new", Options(sandbox=True))
    options = ["--from", "rerank-v3.5", "--to", "rerank-v4.0-pro", "--sandbox", "--out", tmp_path / "t.json"]
    told = cli("thresholds", "transfer", tmp_path / "old", *options)
    shown = cli("thresholds", "show", tmp_path / "t.json")

    assert told.code == 0, told
    moved = ThresholdPolicy.load(tmp_path / "t.json").to_dict()
    assert moved == evalkit.open(tmp_path / "new").policies["v3.5"].to_dict()
    assert held in told.out and held in shown.out
    assert f"Risks are compared {compared}" in told.out


def test_a_transfer_from_a_model_that_did_not_rerank_names_those_that_did(cli: Cli, done: Path) -> None:
    """Exit code 2."""
    told = cli(
        "thresholds", "transfer", done, "--from", "rerank-v3.0", "--to", "rerank-v4.0-pro", "--sandbox"
    )

    assert told.code == 2
    assert "cohere/rerank-v3.5 (v3.5)" in told.err


def test_a_transfer_from_a_run_whose_suite_has_other_keys_is_refused(
    cli: Cli, done: Path, tmp_path: Path
) -> None:
    """Another evalkit's suite is told as what it is, with exit code 2, and not as a bug."""
    own = evalkit.open(done)
    files = {name: (done / name).read_bytes() for name in own.info["files"]}
    kept = {key: value for key, value in own.info.items() if key not in ("schema", "files", "seal")}
    runs.write(tmp_path / "other", kept | {"suite": own.info["suite"] | {"later": 1}}, files)
    told = cli("thresholds", "transfer", tmp_path / "other", "--from", "v3.5", "--to", "x", "--plan")

    assert told.code == 2
    assert "its suite cannot be read (later: " in told.err


def test_a_transfer_offline_uses_the_ledger_alone(cli: Cli, done: Path, tmp_path: Path) -> None:
    """What was never asked cannot be answered: the run is incomplete, with exit code 3."""
    told = cli(
        "thresholds", "transfer", done, "--from", "v3.5", "--to", "rerank-v4.0-fast", "--offline",
        "--out", tmp_path / "t.json",
    )  # fmt: skip

    assert told.code in (2, 3)
    assert not (tmp_path / "t.json").exists()


def test_apply_tells_of_categories_that_the_policy_does_not_know(
    cli: Cli, saved: Path, tmp_path: Path
) -> None:
    """The default applies to them, which may be meant or a misspelt category."""
    ROWS.to_csv(tmp_path / "scores.csv", index=False)
    ROWS.assign(category="how-to").to_csv(tmp_path / "known.csv", index=False)
    told = cli("thresholds", "apply", saved, tmp_path / "scores.csv", "--out", tmp_path / "a.csv")
    known = cli("thresholds", "apply", saved, tmp_path / "known.csv", "--out", tmp_path / "b.csv")

    assert told.code == 0
    assert "the policy does not know the categories other: its default applies" in told.err
    assert not known.err
