"""Import and check of a million documents, against the time that pyarrow takes to read the same files."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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


def measured(code: str, folder: Path) -> tuple[float, float]:
    """Return the seconds that `code` takes in a process of its own, and the process's peak memory in GiB."""
    program = f"from pathlib import Path\nfolder = Path({str(folder)!r})\n{code}\n" + PEAK
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return time.perf_counter() - start, float(done.stdout) / 2**20


PEAK = "import resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"


def rows(folder: Path) -> list[Row]:
    """Return the table: the three works take turns, so that a busy machine slows them alike."""
    taken: dict[str, list[tuple[float, float]]] = {PYARROW: [], IMPORT: [], CHECK: []}
    for _ in range(REPEATS):
        for code, found in taken.items():
            found.append(measured(code, folder))
    reading, importing, checking = (statistics.median(one[0] for one in found) for found in taken.values())
    memory = {code: max(one[1] for one in found) for code, found in taken.items()}
    return [
        Row("pyarrow reads the three files, whole process", f"{reading:.2f} s", "", None),
        at_most("`import beir`, over pyarrow", importing / reading, 3),
        at_most("`check`, over pyarrow", checking / reading, 3),
        at_most("`import beir`, peak memory", memory[IMPORT], 3, "GiB"),
        at_most("`check`, peak memory", memory[CHECK], 3, "GiB"),
    ]


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
