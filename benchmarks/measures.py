"""`evalkit measure` beside its peers: whole processes, data in memory, and peak memory.

Peers that are not at hand are left out and named. trec_eval is used where `TREC_EVAL` is the path of a binary
(9.0.8, built with -O3); ranx, whose compiler takes a minute, where `RANX_PYTHON` is an interpreter that can
import it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.table import Row, at_least, at_most, publish

NAMES = ["nDCG@10", "nDCG", "RR@10", "AP", "AP@100", "P@5", "R@100", "Success@10", "Kept"]
TREC_NAMES = [
    "ndcg_cut.10",
    "ndcg",
    "recip_rank",  # trec_eval has none with a cut-off
    "map",
    "map_cut.100",
    "P.5",
    "recall.100",
    "success.10",
    "num_ret",
]
REPEATS = 5
REPEATS_IN_MEMORY = 9
Command = Sequence[str]

PYTREC_EVAL = """
import sys, pytrec_eval
with open(sys.argv[1]) as judgments, open(sys.argv[2]) as results:
    qrels, run = pytrec_eval.parse_qrel(judgments), pytrec_eval.parse_run(results)
names = set("ndcg_cut.10 ndcg recip_rank map map_cut.100 P.5 recall.100 success.10 num_ret".split())
told = pytrec_eval.RelevanceEvaluator(qrels, names).evaluate(run)
sys.stdout.write("".join(f"{name}\\t{q}\\t{v:.4f}\\n" for q, of in told.items() for name, v in of.items()))
"""
IR_MEASURES = """
import sys, ir_measures
from ir_measures import nDCG, RR, AP, P, R, Success, NumRet
names = [nDCG@10, nDCG, RR@10, AP, AP@100, P@5, R@100, Success@10, NumRet]
qrels, run = list(ir_measures.read_trec_qrels(sys.argv[1])), ir_measures.read_trec_run(sys.argv[2])
for value in ir_measures.iter_calc(names, qrels, run):
    print(value.measure, value.query_id, f"{value.value:.4f}", sep="\\t")
"""
PARSE_ONLY = """
import sys, pyarrow as pa, pyarrow.csv as csv
text = pa.string()
for path, names, types in (
    (sys.argv[1], "qidg", {"q": text, "d": text, "g": pa.int32()}),
    (sys.argv[2], "qidrst", {"q": text, "d": text, "s": pa.float64()}),
):
    csv.read_csv(
        path,
        read_options=csv.ReadOptions(column_names=list(names)),
        parse_options=csv.ParseOptions(delimiter=" ", quote_char=False),
        convert_options=csv.ConvertOptions(include_columns=list(types), column_types=types),
    )
"""
RANX = """
import json, sys, time, ranx
qrels = ranx.Qrels.from_file(sys.argv[1], kind="trec")
run = ranx.Run.from_file(sys.argv[2], kind="trec")
names = ["ndcg@10", "ndcg", "mrr@10", "map", "map@100", "precision@5", "recall@100", "hit_rate@10"]
times = []
for _ in range(10):
    start = time.perf_counter()
    ranx.evaluate(qrels, run, names, return_mean=False)
    times.append(time.perf_counter() - start)
means = ranx.evaluate(qrels, run, names)
print(json.dumps({"seconds": sorted(times[1:])[4], "means": [float(means[name]) for name in names]}))
"""


class Spent(NamedTuple):
    """What whole processes took: median seconds on the wall and on all cores, and peak memory."""

    wall: float
    cpu: float
    mebibytes: float


def spent(commands: dict[str, Command], repeats: int = REPEATS) -> dict[str, Spent]:
    """Run each command in turn, `repeats` times round, so that all meet the same disturbances."""
    told: dict[str, list[Spent]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            told[name].append(_once(command))
    return {
        name: Spent(*(statistics.median(column) for column in zip(*of, strict=True)))
        for name, of in told.items()
    }


def _once(command: Command) -> Spent:
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[:4]} ended with {process.returncode}")
    return Spent(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def commands(qrels: Path, run: Path) -> dict[str, Command]:
    """Return the processes that measure these files, those of absent peers left out."""
    files = [str(qrels), str(run)]
    options = [part for name in NAMES for part in ("-m", name)]
    found: dict[str, Command] = {
        "evalkit": [sys.executable, "-m", "evalkit", "measure", *files, *options, "--per-query"],
        "pytrec_eval": [sys.executable, "-c", PYTREC_EVAL, *files],
        "pyarrow, parsing only": [sys.executable, "-c", PARSE_ONLY, *files],
    }
    if binary := os.environ.get("TREC_EVAL"):
        found["trec_eval"] = [binary, "-q", *(part for name in TREC_NAMES for part in ("-m", name)), *files]
    return found


def in_memory(qrels: Path, run: Path) -> tuple[float, float]:
    """Return the seconds that evalkit and pytrec_eval take for what is in memory, each in its own form."""
    import pytrec_eval

    from evalkit.data.trec import read_qrels, read_run
    from evalkit.measures import evaluate, judge

    judgments, results = read_qrels(qrels), read_run(run)
    ours = _median(lambda: evaluate(judge(results, judgments, judged_rows_only=True), NAMES))
    with qrels.open() as file:
        their_qrels = pytrec_eval.parse_qrel(file)
    with run.open() as file:
        their_run = pytrec_eval.parse_run(file)
    evaluator = pytrec_eval.RelevanceEvaluator(their_qrels, set(TREC_NAMES))
    return ours, _median(lambda: evaluator.evaluate(their_run))


def _median(work: Callable[[], object]) -> float:
    """Return the median time, the first turn left out, as for ranx: it pays for memory and compilers."""
    work()
    times = []
    for _ in range(REPEATS_IN_MEMORY):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def rows(quick: bool) -> list[Row]:
    """Measure every job of the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large = _generated(folder / "large", 698 if quick else 6_980, 1_000)
        small = _generated(folder / "small", 500, 100, 12)
        told = spent(commands(*large))
        slow = spent({"ir_measures": [sys.executable, "-c", IR_MEASURES, *map(str, large)]}, 1)
        imports = [sys.executable, "-c", "import typer, numpy, pyarrow.csv"]
        little = spent(commands(*small) | {"imports of NumPy, pyarrow and typer only": imports}, 9)
        ranx, untied = _ranx(large), _ranx(small)
        ours, theirs = in_memory(*large)  # last: what it holds would leave ranx too little memory
        apart = _apart(small, untied["means"]) if untied else 0.0
    told |= slow
    mine = told["evalkit"]
    found = [
        at_least(f"large files, process: faster than {peer}", told[peer].wall / mine.wall, limit)
        for peer, limit in (("pytrec_eval", 9), ("trec_eval", 6), ("ir_measures", 25))
        if peer in told
    ]
    parse = told["pyarrow, parsing only"].wall
    found += [
        Row(
            f"... faster than {peer} is a process that only parses",
            f"{told[peer].wall / parse:.2f} times",
            "",
            None,
        )
        for peer in ("pytrec_eval", "ir_measures")
    ]
    found += [
        at_most("... of a process that parses them with pyarrow", mine.wall / parse, 1.6),
        Row(
            "... of that one in processor time",
            f"{mine.cpu / told['pyarrow, parsing only'].cpu:.2f} times",
            "",
            None,
        ),
        at_most("... peak memory", mine.mebibytes, 700, "MiB"),
        at_most("large data in memory: of pytrec_eval's time", ours / theirs, 0.2),
    ]
    if ranx is not None:
        found.append(at_most("... of ranx's time, warm", ours / ranx["seconds"], 0.2))
        found.append(
            Row(
                "... largest difference of a mean from ranx's, without ties",
                f"{apart:.1e}",
                "at most 1e-9",
                apart <= 1e-9,
            )
        )
    found.append(
        at_most(
            "small files, process: of pytrec_eval's", little["evalkit"].wall / little["pytrec_eval"].wall, 1.3
        )
    )
    found += [
        Row(
            f"large files: {peer}",
            f"{of.wall:.2f} s, {of.cpu:.2f} s of processor, {of.mebibytes:.0f} MiB",
            "",
            None,
        )
        for peer, of in told.items()
    ]
    found += [Row(f"small files: {peer}", f"{of.wall:.3f} s", "", None) for peer, of in little.items()]
    within = {"evalkit": ours, "pytrec_eval": theirs} | ({"ranx, warm": ranx["seconds"]} if ranx else {})
    found += [Row(f"large data in memory: {peer}", f"{of:.3f} s", "", None) for peer, of in within.items()]
    return found


def _generated(folder: Path, queries: int, documents: int, decimals: int = 5) -> tuple[Path, Path]:
    """Write the data from another process: what this one touches would count as its children's memory."""
    folder.mkdir()
    command = [
        sys.executable,
        "-m",
        "benchmarks.generated",
        str(folder),
        *map(str, (queries, documents, decimals)),
    ]
    subprocess.run(command, check=True)
    return folder / "qrels.trec", folder / "run.trec"


def _apart(files: tuple[Path, Path], means: Sequence[float]) -> float:
    """Return how far the farthest mean is from ours; ranx has all but the last measure, and its own ties."""
    import evalkit

    frame = evalkit.measure(*files, NAMES[:-1])
    return max(abs(ours - theirs) for ours, theirs in zip(frame["value"], means, strict=True))


def _ranx(files: tuple[Path, Path]) -> dict[str, Any] | None:
    python = os.environ.get("RANX_PYTHON")
    if not python:
        return None
    done = subprocess.run([python, "-c", RANX, *map(str, files)], capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def main() -> None:
    """Print the table; `--write` keeps it, `--quick` measures a tenth of the data."""
    absent = [
        peer for peer, key in (("trec_eval", "TREC_EVAL"), ("ranx", "RANX_PYTHON")) if key not in os.environ
    ]
    notes = "Large: 6,980 queries of 1,000 documents, small: 500 of 100; nine measures per query."
    if absent:
        notes += f" Not at hand, and left out: {' and '.join(absent)}."
    publish("measures", "Measuring runs, beside its peers", rows("--quick" in sys.argv), notes)


if __name__ == "__main__":
    sys.exit(main())
