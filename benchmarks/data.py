"""Import and check of a million documents, against the time that pyarrow takes to read the same files."""

from __future__ import annotations

import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.table import Row, at_most, publish

DOCUMENTS, QUERIES, JUDGED = 1_000_000, 100_000, 50  # 5,000,000 rows of judgments
WORDS_A_DOCUMENT, WORDS_A_QUERY = 80, 8
REPEATS = 3
PYARROW = """
import pyarrow.csv, pyarrow.json
pyarrow.json.read_json(folder / "corpus.jsonl"), pyarrow.json.read_json(folder / "queries.jsonl")
pyarrow.csv.read_csv(folder / "qrels" / "test.tsv", parse_options=pyarrow.csv.ParseOptions(delimiter="\\t"))
"""
IMPORT = """
import shutil
from evalkit.data.importers.bring import bring
bring("beir", str(folder), folder.parent / "imported")
shutil.rmtree(folder.parent / "imported")
"""
CHECK = """
from evalkit.experiment.check import check
assert not check(folder).findings
"""


def write(folder: Path, documents: int, queries: int, judged: int) -> Path:
    """Write a data set of made-up words, as large as asked."""
    rng = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(20_000)]
    (folder / "qrels").mkdir(parents=True)
    with (folder / "corpus.jsonl").open("w") as file:
        for n in range(documents):
            text = " ".join(rng.choices(words, k=WORDS_A_DOCUMENT))
            title = " ".join(rng.choices(words, k=5))
            file.write(json.dumps({"_id": f"doc{n}", "title": title, "text": text}) + "\n")
    with (folder / "queries.jsonl").open("w") as file:
        for n in range(queries):
            text = " ".join(rng.choices(words, k=WORDS_A_QUERY))
            file.write(
                json.dumps({"_id": f"q{n}", "text": text, "metadata": {"category": f"c{n % 8}"}}) + "\n"
            )
    with (folder / "qrels" / "test.tsv").open("w") as file:
        file.write("query-id\tcorpus-id\tscore\n")
        for n in range(queries):
            rows = (
                f"q{n}\tdoc{(n * judged + k * 7919) % documents}\t{rng.choice('000123')}\n"
                for k in range(judged)
            )
            file.writelines(rows)
    return folder


class Taken(NamedTuple):
    """What one process took: seconds of all processors (user and system), seconds elapsed, peak GiB."""

    processor: float
    elapsed: float
    memory: float


def measured(code: str, folder: Path) -> Taken:
    """Return what `code` takes in a process of its own."""
    program = f"from pathlib import Path\nfolder = Path({str(folder)!r})\n{code}\n" + PEAK
    before, start = _processor(), time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    elapsed = time.perf_counter() - start
    return Taken(_processor() - before, elapsed, float(done.stdout) / 2**20)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


PEAK = "import resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"


def rows(folder: Path) -> list[Row]:
    """Return the table: the three works take turns, so that a busy machine slows them alike."""
    taken: dict[str, list[Taken]] = {PYARROW: [], IMPORT: [], CHECK: []}
    for _ in range(REPEATS):
        for code, found in taken.items():
            found.append(measured(code, folder))
    processor, elapsed = (
        {code: statistics.median(getattr(one, kind) for one in found) for code, found in taken.items()}
        for kind in ("processor", "elapsed")
    )
    told = [
        Row("pyarrow reads the three files, processor time", f"{processor[PYARROW]:.2f} s", "", None),
        Row("pyarrow reads the three files, elapsed", f"{elapsed[PYARROW]:.2f} s", "", None),
    ]
    for name, code in (("`import beir`", IMPORT), ("`check`", CHECK)):
        told += [
            at_most(f"{name}, processor time over pyarrow's", processor[code] / processor[PYARROW], 3),
            at_most(f"{name}, elapsed over pyarrow's on all cores", elapsed[code] / elapsed[PYARROW], 3),
            at_most(f"{name}, peak memory", max(one.memory for one in taken[code]), 3, "GiB"),
        ]
    return told


def main() -> None:
    """Print the table, and write it where `--write` was given."""
    with tempfile.TemporaryDirectory() as parent:
        folder = write(Path(parent) / "large", DOCUMENTS, QUERIES, JUDGED)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20
        title = (
            f"{DOCUMENTS:,} documents, {QUERIES:,} queries, {QUERIES * JUDGED:,} judgments ({size:.0f} MiB)"
        )
        publish("data", title, rows(folder), "Import reads, settles, and writes the files again.")


if __name__ == "__main__":
    main()
