"""The report: time, memory and size at 10,000 queries x 3 pipelines x 50 documents; the handbook's time."""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.table import Row, at_most, publish
from evalkit.experiment.bundled import folder

REPEATS = 3
QUERIES, DOCUMENTS, DEPTH, WORDS = 10_000, 30_000, 50, 80
PIPELINES = ("first", "second", "third")
CATEGORIES = ("how-to", "lookup", "eligibility", "troubleshooting", "vague", "comparison")
# Time and peak memory of rendering alone, in a process of its own as `evalkit report` is.
RENDER = """
import resource, sys, time
start = time.perf_counter()
from evalkit import runs
from evalkit.experiment.report import render
render(runs.read(sys.argv[1]))
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


def write_large(at: Path, seed: int = 1) -> Path:
    """Write generated texts and the runs of three systems, the third the best; return the suite."""
    rng = np.random.default_rng(seed)
    words = np.array([f"word{number}" for number in range(5_000)])
    texts = [" ".join(row) for row in words[rng.integers(0, len(words), (DOCUMENTS, WORDS))]]
    lines = [json.dumps({"_id": f"d{i}", "title": text[:40], "text": text}) for i, text in enumerate(texts)]
    (at / "qrels").mkdir(parents=True)
    (at / "corpus.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    asked = [
        json.dumps({"_id": f"q{i}", "text": texts[i][:60], "metadata": {"category": CATEGORIES[i % 6]}})
        for i in range(QUERIES)
    ]
    (at / "queries.jsonl").write_text("\n".join(asked) + "\n", "utf-8")
    found = np.stack([rng.choice(DOCUMENTS, DEPTH, replace=False) for _ in range(QUERIES)])
    grades = (rng.random((QUERIES, 20)) < 0.15).astype(int)
    grades[::8] = 0  # negative queries
    rows = [f"q{q}\td{found[q, j]}\t{grades[q, j]}" for q in range(QUERIES) for j in range(20)]
    (at / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "\n".join(rows) + "\n", "utf-8")
    for skill, name in enumerate(PIPELINES):
        score = rng.normal(0, 1, found.shape)
        score[:, :20] += grades * (0.5 + 0.7 * skill)
        told = [
            f"q{q} Q0 d{d} 1 {s:.5f} {name}"
            for q in range(QUERIES)
            for d, s in zip(found[q], score[q], strict=True)
        ]
        (at / f"{name}.trec").write_text("\n".join(told) + "\n", "utf-8")
    suite = {
        "name": "large",
        "dataset": ".",
        "depth": DEPTH,
        "pipelines": {name: {"retrieve": {"run": f"{name}.trec"}} for name in PIPELINES},
        "measures": ["nDCG@10", "RR@10", "Judged@10"],
    }
    (at / "suite.yaml").write_text(json.dumps(suite), "utf-8")  # JSON is YAML
    return at / "suite.yaml"


def made(suite: Path, out: Path) -> Path:
    """Run a suite in a process of its own, so that this one stays small: its children inherit its peak."""
    command = [sys.executable, "-m", "evalkit", "run", str(suite), "--offline", "--out", str(out)]
    subprocess.run(command, check=True, capture_output=True)
    return out


def rendered(run_directory: Path) -> tuple[float, float]:
    """Return the seconds and the peak GiB of a process that renders the report."""
    command = [sys.executable, "-c", RENDER, str(run_directory)]
    told = [
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        for _ in range(REPEATS)
    ]
    return statistics.median(float(one[0]) for one in told), max(float(one[1]) for one in told)


def first_screen(page: Path) -> float | None:
    """Return the seconds until Chromium has drawn the page's first text; None without Chromium."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        shown = browser.new_page(viewport={"width": 1280, "height": 900})
        shown.goto(page.resolve().as_uri())
        shown.locator("#verdict p").first.wait_for()
        drawn = shown.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000")
        browser.close()
    return float(drawn)


def large(work: Path) -> list[Row]:
    """10,000 queries, three pipelines, 50 documents each."""
    seconds, memory = rendered(made(write_large(work / "data"), work / "large"))
    page = work / "large" / "report.html"
    drawn = first_screen(page)
    rows = [
        at_most("report of 10,000 queries x 3 pipelines x 50 documents", seconds, 20, "s"),
        at_most("the same, peak memory", memory, 1.0, "GiB"),
        at_most("the same, report.html", page.stat().st_size / 1e6, 15, "MB"),
    ]
    return [*rows, at_most("the same, first screen drawn in Chromium", drawn, 1.5, "s")] if drawn else rows


def small(work: Path) -> list[Row]:
    """The bundled handbook."""
    return [
        at_most("report of the handbook", rendered(made(folder("handbook"), work / "handbook"))[0], 3, "s")
    ]


def main() -> None:
    """Render both and print the table."""
    with tempfile.TemporaryDirectory() as work:
        rows = [*small(Path(work)), *large(Path(work))]
    publish("report", "Speed of the report", rows, "Seconds include starting Python and all imports.")


if __name__ == "__main__":
    main()
