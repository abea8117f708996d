"""What every benchmark shares: a row with its target, and the Markdown table that it prints and writes."""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

RESULTS = Path(__file__).parent / "results"


class Row(NamedTuple):
    """One figure beside its target; `met` is None where there is none."""

    what: str
    measured: str
    target: str
    met: bool | None


def publish(name: str, title: str, rows: Sequence[Row], notes: str = "") -> None:
    """Print the table, and write it to `benchmarks/results/NAME.md` where `--write` was given."""
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--write", action="store_true", help=f"write benchmarks/results/{name}.md")
    text = markdown(title, rows, notes)
    print(text)
    if parser.parse_known_args()[0].write:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.md").write_text(text, "utf-8")


def markdown(title: str, rows: Sequence[Row], notes: str = "") -> str:
    """Return the table with its heading and the machine that it was measured on."""
    said = {True: "yes", False: "**no**", None: ""}
    lines = [f"# {title}", "", "| what | measured | target | met |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.measured} | {row.target} | {said[row.met]} |" for row in rows]
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}"
    lines += [
        "",
        f"Measured on {time.strftime('%Y-%m-%d')}: {machine}. Ratios are of one run. {notes}".rstrip(),
    ]
    return "\n".join(lines) + "\n"


def at_most(what: str, value: float, limit: float, unit: str = "times") -> Row:
    """Return the row of a figure that must not exceed its limit."""
    return Row(what, f"{value:.2f} {unit}", f"at most {limit:g} {unit}", value <= limit)


def at_least(what: str, value: float, limit: float, unit: str = "times") -> Row:
    """Return the row of a figure that must reach its limit."""
    return Row(what, f"{value:.2f} {unit}", f"at least {limit:g} {unit}", value >= limit)


def seconds(work: Callable[[], object], repeats: int = 5) -> float:
    """Return the median wall time of `work`."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def process_seconds(*command: str, repeats: int = 9, environment: dict[str, str] | None = None) -> float:
    """Return the median wall time of a whole process."""
    env = os.environ | (environment or {})
    return seconds(lambda: subprocess.run(command, check=True, capture_output=True, env=env), repeats)
