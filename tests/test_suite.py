"""suite.yaml: what it may say, and how mistakes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit import suite as suites
from evalkit.errors import DataError
from tests.corpora import SUITE, write_suite


def test_a_suite_reads_as_the_design_draws_it(tmp_path: Path) -> None:
    """Every form of first stage and reranker is read."""
    text = """\
name: all forms
dataset: .
depth: 20
render: {style: yaml, fields: [title, body]}
pipelines:
  words: {retrieve: bm25}
  both: {retrieve: {fuse: [bm25, local/minilm-l6]}, rerank: local/late-interaction}
  mine: {retrieve: {run: first.trec}, rerank: {http: "http://127.0.0.1:1/rerank", model: bge}}
"""
    suite = suites.load(write_suite(tmp_path, text))

    assert [pipeline.first_stage for pipeline in suite.pipelines.values()] == [
        "bm25",
        "fuse(bm25, local/minilm-l6)",
        "run(first.trec)",
    ]
    assert suite.pipelines["mine"].reranker == "http/bge"
    assert suite.baseline_name == "words"
    assert suite.threshold_pipeline == "both"


def test_the_digest_is_of_the_meaning(tmp_path: Path) -> None:
    """Writing a default out changes nothing; changing the depth does."""
    digest = suites.load(write_suite(tmp_path)).digest

    assert suites.load(write_suite(tmp_path, SUITE + "seed: 7\n")).digest == digest
    assert suites.load(write_suite(tmp_path, SUITE.replace("depth: 5", "depth: 6"))).digest != digest


def test_all_mistakes_come_at_once_with_their_lines(tmp_path: Path) -> None:
    """An unknown key, a wrong number and a wrong type are told together."""
    text = "name: small\ndataset: .\ndeepth: 5\ndepth: 0\npipelines:\n  a: {retrieve: 5}\n"

    with pytest.raises(DataError) as error:
        suites.load(write_suite(tmp_path, text))

    assert {finding.line for finding in error.value.findings} == {3, 4, 6}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("baseline: embed", "baseline: emd", "`baseline` is 'emd', but the pipelines are embed, late"),
        ("  embed:", "  ../embed:", "pipeline names become file names"),
        ("name: small", "name: ../small", "name"),
        ("pipelines:", "pipelines: {", "not YAML"),
    ],
)
def test_a_mistake_is_explained(tmp_path: Path, old: str, new: str, told: str) -> None:
    """Names that do not exist or could leave the folder are refused in words."""
    with pytest.raises(DataError, match=told):
        suites.load(write_suite(tmp_path, SUITE.replace(old, new)))


@pytest.mark.parametrize(
    ("gate", "told"),
    [
        ("{margin: 0.02, measure: R@5}", "`gate.measure` is 'R@5', but measured are nDCG@10"),
        ("{}", "`gate` needs a margin"),
        ("{margin: 0.02, pipelines: [latte]}", "`gate.pipelines` names 'latte'"),
        ("{margin: -0.02}", "gate.margin"),
        ("{margin: 0.02, cannot_tell: ignore}", "gate.cannot_tell"),
        ("{margin: 0.02, marginn: 0.02}", "marginn"),
    ],
)
def test_a_mistake_in_the_gate_is_explained(tmp_path: Path, gate: str, told: str) -> None:
    """A gate that would check nothing, or something else than was meant, is refused."""
    with pytest.raises(DataError, match=told):
        suites.load(write_suite(tmp_path, SUITE + f"gate: {gate}\n"))


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        ("{retrieve: {fuse: [bm25]}}", "`pipelines.x.retrieve.fuse`: tuple should have at least 2 items"),
        ("{retrieve: {run: a.trec, foo: 1}}", "unknown key `pipelines.x.retrieve.foo`"),
        ("{retrieve: [bm25]}", "`pipelines.x.retrieve`: input should be a valid string"),
        ("{retrieve: bm25, rerank: {http: y}}", "`pipelines.x.rerank.model`: field required"),
    ],
)
def test_a_stage_of_several_forms_is_told_of_one(tmp_path: Path, stage: str, told: str) -> None:
    """One finding, of the form that is meant; before, one of each form, under names of our classes."""
    path = tmp_path / "suite.yaml"
    path.write_text(f"name: x\ndataset: .\npipelines:\n  x: {stage}\n")
    with pytest.raises(DataError) as error:
        suites.load(path)

    assert len(error.value.findings) == 1
    assert f"suite.yaml:4: {told}" in str(error.value)
