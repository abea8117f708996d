"""Equal to what trec_eval itself printed, for every measure that it and evalkit share."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evalkit.data.trec import judge_run, read_qrels, read_run
from evalkit.measures import evaluate, judge
from evalkit.records import Judged

pytestmark = pytest.mark.external

SAME = {
    "map": "AP",
    "Rprec": "Rprec",
    "bpref": "Bpref",
    "recip_rank": "RR",
    "infAP": "infAP",
    "ndcg": "nDCG",
    "set_P": "SetP",
    "set_recall": "SetR",
    "set_F": "SetF",
    "num_ret": "Kept",
}
AT = {"P": "P", "recall": "R", "ndcg_cut": "nDCG", "map_cut": "AP", "success": "Success"}
# expected output, qrels, run, -l, -M
CASES = [
    ("out.test.aq", "qrels.test", "results.test", 1, None),
    ("out.test.aqc", "qrels.test", "results.trunc", 1, None),
    ("out.test.aqcM", "qrels.test", "results.trunc", 1, 100),
    ("out.test.aql", "qrels.rel_level", "results.test", 2, None),
]


def ours(theirs: str) -> str | None:
    """Return evalkit's name of a measure of trec_eval's."""
    if theirs in SAME:
        return SAME[theirs]
    if found := re.fullmatch(r"iprec_at_recall_(.*)", theirs):
        return f"IPrec@{float(found[1])!r}"
    if (found := re.fullmatch(r"(\w+?)_(\d+)", theirs)) and found[1] in AT:
        return f"{AT[found[1]]}@{found[2]}"
    return None


def expected(path: Path) -> dict[tuple[str, str], float]:
    """Return trec_eval's value by our measure and query ("all" is the mean)."""
    found = {}
    for line in path.read_text("utf-8").splitlines():
        name, query, value = line.split("\t")
        measure = ours(name.strip())
        if measure is not None:
            found[measure, query] = float(value)
    return found


def joined(folder: Path, qrels: str, run: str, level: int, depth: int | None) -> Judged:
    """Return the joined files of a case."""
    judgments = replace(read_qrels(folder / qrels), relevant_from=level)
    return judge(read_run(folder / run), judgments, depth=depth)


@pytest.mark.parametrize(("output", "qrels", "run", "level", "depth"), CASES, ids=[case[0] for case in CASES])
def test_equal_to_trec_eval(
    real_data: Path, output: str, qrels: str, run: str, level: int, depth: int | None
) -> None:
    """Every value per query and every mean equals trec_eval's to the four places that it prints."""
    folder = real_data / "trec_eval"
    judged = joined(folder, qrels, run, level, depth)
    wanted = expected(folder / output)
    names = sorted({measure for measure, _ in wanted})
    values = {name: np.nan_to_num(found) for name, found in evaluate(judged, names).items()}
    got = {
        (name, query): value
        for name in names
        for query, value in zip(judged.query_ids, values[name].tolist(), strict=True)
    }
    # trec_eval counts retrieved documents in all; everything else it averages
    got |= {
        (name, "all"): float(values[name].sum() if name == "Kept" else values[name].mean()) for name in names
    }

    assert len(wanted) > 150
    wrong = {key: (got[key], value) for key, value in wanted.items() if abs(got[key] - value) > 0.5001e-4}
    assert wrong == {}


def test_means_equal_to_trec_eval(real_data: Path) -> None:
    """The means equal those of trec_eval without -q."""
    folder = real_data / "trec_eval"
    judged = joined(folder, "qrels.test", "results.test", 1, None)
    wanted = {name: value for (name, _), value in expected(folder / "out.test.a").items() if name != "Kept"}

    got = {name: float(values.mean()) for name, values in evaluate(judged, list(wanted)).items()}

    assert got == pytest.approx(wanted, abs=0.5001e-4)


def test_rank_biased_precision_equals_trec_eval(real_data: Path) -> None:
    """RBP with gains of 0 and 1, its residual, and the share of unjudged documents equal trec_eval's."""
    folder = real_data / "trec_eval"
    judged = joined(folder, "qrels.test", "results.test", 1, None)
    lines = (line.split("\t") for line in (folder / "out.test.aq").read_text("utf-8").splitlines())
    wanted = {(name.strip(), query): value for name, query, value in lines}
    values = evaluate(judged, ["RBP(p=0.9)", "RBPResidual(p=0.9)", "Judged@20"])

    for i, query in enumerate(judged.query_ids):
        assert values["RBP(p=0.9)"][i] == pytest.approx(float(wanted["rbp", query]), abs=0.5001e-4)
        assert values["RBPResidual(p=0.9)"][i] == pytest.approx(
            float(wanted["rbp_resid", query]), abs=0.5001e-4
        )
        assert 1 - values["Judged@20"][i] == pytest.approx(float(wanted["unj_20", query]), abs=0.5001e-4)


def test_ties_and_disorder_in_a_file_change_nothing(real_data: Path, tmp_path: Path) -> None:
    """A run whose lines are shuffled is measured as the run in order, whole or block by block."""
    folder = real_data / "trec_eval"
    lines = (folder / "results.test").read_text("utf-8").splitlines()
    shuffled = tmp_path / "shuffled.trec"
    order = np.random.default_rng(3).permutation(len(lines))
    shuffled.write_text("".join(f"{lines[i]}\n" for i in order), "utf-8")
    qrels = read_qrels(folder / "qrels.test")
    names = ["AP", "nDCG@10", "RR", "Bpref"]

    wanted = evaluate(judge(read_run(folder / "results.test"), qrels), names)
    got = evaluate(judge_run(shuffled, qrels, judged_rows_only=True), names)

    for name in names:
        np.testing.assert_array_equal(got[name], wanted[name])
