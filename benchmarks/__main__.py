"""`make bench`: every benchmark in a process of its own, one after the other, and the README's table of them.

python -m benchmarks [NAME ...] [--write]
"""

from __future__ import annotations

import argparse
import compileall
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.table import RESULTS

ROOT = Path(__file__).parents[1]
NAMES = ("local", "measures", "compare", "calibrate", "transport", "data", "report")
START, END = "<!-- make bench writes from here -->", "<!-- to here -->"
ROW = re.compile(r"^\| (?!what|---)")


def main() -> None:
    """Run the benchmarks that are named, or all; with `--write` keep their tables and renew the README's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(NAMES)}")
    parser.add_argument(
        "--write", action="store_true", help="write benchmarks/results/ and the README's table"
    )
    wanted = parser.parse_args()
    # As pip leaves an installed package; an editable one may never be compiled.
    compileall.compile_dir(ROOT / "evalkit", quiet=1)
    for name in wanted.names or NAMES:
        if (ROOT / "benchmarks" / f"{name}.py").is_file():
            command = [sys.executable, "-m", f"benchmarks.{name}", *(["--write"] if wanted.write else [])]
            subprocess.run(command, cwd=ROOT, check=True)
    if wanted.write:
        readme = ROOT / "README.md"
        readme.write_text(with_table(readme.read_text("utf-8")), "utf-8")


def with_table(readme: str) -> str:
    """Return the README with the rows of every written result between its two marks."""
    rows = [
        line
        for name in NAMES
        if (RESULTS / f"{name}.md").is_file()
        for line in (RESULTS / f"{name}.md").read_text("utf-8").splitlines()
        if ROW.match(line)
    ]
    table = "\n".join(["| what | measured | target | met |", "|---|---|---|---|", *rows])
    before, rest = readme.split(START)
    return f"{before}{START}\n{table}\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    main()
