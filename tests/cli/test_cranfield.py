"""The main job on real text: Cranfield's 1,400 abstracts and 225 questions, against pytrec_eval."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import pytrec_eval

from evalkit import runs
from evalkit.cli import main
from evalkit.experiment.sources import from_directory
from evalkit.runs import RunDirectory
from tests.simulation.halves import contest, expected, promises_kept

pytestmark = [pytest.mark.external, pytest.mark.timeout(600)]

PEER = {"nDCG@10": "ndcg_cut_10", "RR": "recip_rank", "AP": "map", "P@5": "P_5", "R@100": "recall_100"}
LOST = {"risk": "lost_answer", "at_most": 0.1, "confidence": 0.9}
SPLITS = 40
SUITE = """\
name: cranfield
dataset: {folder}
depth: 100
pipelines:
  bm25: {{retrieve: bm25}}
  embed: {{retrieve: local/minilm-l6}}
  late: {{retrieve: local/minilm-l6, rerank: local/late-interaction}}
baseline: embed
measures: [{measures}]
"""


@pytest.fixture(scope="module")
def done(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """The suite, run once through the command line."""
    folder = tmp_path_factory.mktemp("cranfield")
    text = SUITE.format(folder=real_data / "cranfield", measures=", ".join(PEER))
    (folder / "suite.yaml").write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVALKIT_CACHE", str(folder / "cache"))
        main_exit(["run", str(folder / "suite.yaml"), "--out", str(folder / "out"), "--offline"])
    return runs.read(folder / "out")


def main_exit(arguments: list[str]) -> None:
    """Run the command line, which leaves through SystemExit."""
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert not left.value.code


@pytest.mark.parametrize("pipeline", ["bm25", "embed", "late"])
def test_the_written_run_measures_as_pytrec_eval_says(
    done: RunDirectory, real_data: Path, pipeline: str
) -> None:
    """nDCG@10, RR, AP, P@5 and R@100 of every query equal the oracle's to 1e-9."""
    qrels = pd.read_csv(real_data / "cranfield" / "qrels" / "test.tsv", sep="\t", dtype={0: str, 1: str})
    judgments: dict[str, dict[str, int]] = {}
    for query, document, grade in qrels.itertuples(index=False):
        judgments.setdefault(query, {})[document] = int(grade)
    rows = done.scores[done.scores["pipeline"] == pipeline]
    scored: dict[str, dict[str, float]] = {}
    for query, document, score in zip(rows["query_id"], rows["doc_id"], rows["score"], strict=True):
        scored.setdefault(query, {})[document] = float(score)
    told = pytrec_eval.RelevanceEvaluator(judgments, set(PEER.values())).evaluate(scored)
    ours = done.measures[done.measures["pipeline"] == pipeline].pivot(
        index="query_id", columns="measure", values="value"
    )

    assert len(ours) == 225
    for measure, peer in PEER.items():
        theirs = np.array([told[query][peer] for query in ours.index])
        assert np.abs(ours[measure].to_numpy() - theirs).max() <= 1e-9, measure


def test_the_five_categories_are_reported(done: RunDirectory) -> None:
    """Every category has its figures and its threshold row."""
    expected = {"literature", "existence", "method", "effect", "finding"}

    assert {row["category"] for row in done.summary["measures"]} - {None} == expected
    assert set(done.policies["late"].categories) == expected


def test_the_source_paper_is_no_candidate(done: RunDirectory) -> None:
    """A query's `excluded_ids` appear in none of its candidates."""
    queries = pd.read_json(done.info["suite"]["dataset"] + "/queries.jsonl", lines=True, dtype=False)
    excluded = {
        (query, document)
        for query, metadata in zip(queries["_id"], queries["metadata"], strict=True)
        for document in metadata.get("excluded_ids", ())
    }

    assert len(excluded) >= 200
    assert not excluded & set(zip(done.scores["query_id"], done.scores["doc_id"], strict=True))


@pytest.mark.parametrize("pipeline", ["embed", "late"])
def test_promises_made_on_half_of_the_questions_hold_on_all_of_them(
    done: RunDirectory, pipeline: str
) -> None:
    """In at least 90 % of the splits all promises hold on the questions that the half was drawn from."""
    source = from_directory(done, pipeline)
    (kept,) = promises_kept(source.judged, [LOST], source.domain, SPLITS, seed=1)

    assert kept.population.share >= 0.9


@pytest.mark.parametrize("pipeline", ["embed", "late"])
def test_promises_look_on_the_other_half_as_promises_that_are_kept_do(
    done: RunDirectory, pipeline: str
) -> None:
    """The other half has noise of its own: what a kept promise looks like there is simulated.

    Collections of the same size are drawn from a population that is like the questions, whose truth is known.
    In truth nine promises of ten are kept, and some collection of the twenty looks no better than the real.
    """
    source = from_directory(done, pipeline)
    (found,) = expected(source.judged, [LOST], source.domain, 20, SPLITS, seed=1)
    (kept,) = promises_kept(source.judged, [LOST], source.domain, SPLITS, seed=1)
    truth, error = found.truth

    assert truth >= 0.9 - 3 * error
    assert found.as_low(kept.other_half.share) >= 1
    assert found.other_half.mean() > 0.8


def test_recommended_thresholds_are_at_least_as_good_as_other_ways(done: RunDirectory) -> None:
    """Held-out F1 against fixed thresholds, one optimum and separate optima: better, or a tie."""
    source = from_directory(done, "late")
    found = contest(source.judged, source.domain, 40, np.random.default_rng(2))

    assert found.gain("fixed 0.1")[0] > 0.05
    for way in ("fixed 0.5", "separate optima", "one optimum for all"):
        gain, spread = found.gain(way)
        assert gain > -spread / 2, way
