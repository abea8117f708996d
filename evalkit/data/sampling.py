"""A subset of a query log that is worth labelling: near-duplicates merged, categories and traffic covered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from evalkit.data.files import write_file
from evalkit.data.importers.parts import named, refuse_unknown, unmet
from evalkit.data.importers.sink import Sink
from evalkit.data.importers.sources import only_file
from evalkit.data.importers.tabular import records
from evalkit.errors import DataError, InputError
from evalkit.stats.duplicates import near_duplicates

BANDS = ("head", "torso", "tail")
COMPARED = 20_000  # distinct texts among which near-duplicates are looked for
WORD = re.compile(r"\w+")


class Logged(NamedTuple):
    """One line of a query log, and how often it was asked."""

    text: str
    times: int
    category: str


@dataclass(frozen=True)
class Sampled:
    """One query to label, for `count` times that it or a near-duplicate was asked.

    `weight` is how many distinct queries of its category and band it stands for; a mean weighted by it is
    about the log's distinct queries.
    """

    id: str
    text: str
    category: str
    band: str
    count: int
    weight: float

    def to_line(self) -> dict[str, Any]:
        """Return it as a line of `queries.jsonl`."""
        metadata = {"category": self.category, "band": self.band, "count": self.count, "weight": self.weight}
        return {"_id": self.id, "text": self.text, "metadata": metadata}


@dataclass(frozen=True)
class Sample:
    """The sampled queries, and what became of the log: lines read, without text, distinct after merging."""

    queries: tuple[Sampled, ...]
    lines: int
    empty: int
    distinct: int
    bands: Mapping[str, int]


def read_log(path: Path, columns: Mapping[str, str]) -> tuple[list[Logged], int]:
    """Return the queries of a log (CSV, JSON lines or Parquet), and how many of its lines have no text.

    Columns: query (or text), and optionally count and category; a log without counts has a line each time.

    Raises:
        DataError: the file cannot be read, has no column of queries, or a count that is no number.
    """
    from evalkit.data.importers.options import Options

    refuse_unknown(columns, ("query", "count", "category"))
    sink = Sink(None, Options(columns=dict(columns)))
    logged, empty = [], 0
    for line, row in records(sink, only_file(path)):
        key = named(row, columns, "query", ("text",) if "query" not in row else ())
        if key is None or key not in row:
            remedy = f"Say --map query=COLUMN; the columns are {', '.join(map(str, row))}"
            sink.books.tell("rows without a query", path, line, "no column for `query`", remedy)
            continue
        text = " ".join(str(row[key] or "").split())
        count = row.get(named(row, columns, "count") or "", 1)
        category = row.get(named(row, columns, "category") or "") or ""
        try:
            times = int(float(count)) if count not in (None, "") else 1
        except (ValueError, OverflowError):
            what = f"the count {count!r:.40} is no number"
            sink.books.tell("counts that are no number", path, line, what, "Correct it")
            continue
        if text and times > 0:
            logged.append(Logged(text, times, str(category)))
        else:
            empty += 1
    for finding in unmet(sink, str(path), columns):
        sink.books.note(finding)
    if sink.books.errors:
        raise DataError(sink.books.all_findings())
    return logged, empty


def sample(logged: Sequence[Logged], n: int, by_category: bool, seed: int, empty: int = 0) -> Sample:
    """Return `n` distinct queries, or `n` of each category, spread evenly over the bands of traffic.

    Distinct queries by descending count make up the bands: those that bring the first third of the traffic
    are the head, the next third the torso, the rest the tail. Within a band every query is as likely.

    Raises:
        InputError: the log is empty.
    """
    merged = _merged(logged)
    if not merged:
        raise InputError("the log has no query with text. Name the column with --map query=COLUMN")
    rng = np.random.default_rng(seed)
    banded = _banded(merged)
    cells: dict[str, dict[str, list[Logged]]] = {}
    for band, one in banded:
        cells.setdefault(one.category if by_category else "", {}).setdefault(band, []).append(one)
    chosen: list[tuple[str, Logged, float]] = []
    for category in sorted(cells):
        bands = cells[category]
        for band, size in _sizes({band: len(bands.get(band, ())) for band in BANDS}, n).items():
            members = bands.get(band, [])
            for place in sorted(rng.choice(len(members), size, replace=False).tolist()) if size else []:
                chosen.append((band, members[place], len(members) / size))
    queries = tuple(
        Sampled(f"q{number}", one.text, one.category, band, one.times, weight)
        for number, (band, one, weight) in enumerate(chosen, start=1)
    )
    counts = {band: sum(found == band for found, _ in banded) for band in BANDS}
    return Sample(queries, len(logged) + empty, empty, len(merged), counts)


def write(sampled: Sample, path: Path) -> None:
    """Write the sample as `queries.jsonl`.

    Raises:
        InputError: `path` is there already.
    """
    if path.exists():
        raise InputError(f"{path} is there already. Name another file with --out")
    lines = [msgspec.json.encode(query.to_line()) + b"\n" for query in sampled.queries]
    write_file(path, b"".join(lines))


def _merged(logged: Sequence[Logged]) -> list[Logged]:
    """Return one entry a group of near-duplicates, under its most frequent wording and category."""
    equal: dict[str, list[Logged]] = {}
    for one in logged:
        key = " ".join(WORD.findall(one.text.casefold())) or one.text
        equal.setdefault(key, []).append(one)
    firsts = list(equal.values())
    groups: dict[int, list[Logged]] = {}
    label = near_duplicates(list(equal)).tolist() if len(equal) <= COMPARED else range(len(equal))
    for place, one_label in enumerate(label):
        groups.setdefault(int(one_label), []).extend(firsts[place])
    return [_together(group) for group in groups.values()]


def _together(group: Sequence[Logged]) -> Logged:
    texts: dict[str, int] = {}
    categories: dict[str, int] = {}
    for one in group:
        texts[one.text] = texts.get(one.text, 0) + one.times
        if one.category:
            categories[one.category] = categories.get(one.category, 0) + one.times
    text = max(texts, key=lambda name: (texts[name], name))
    category = max(categories, key=lambda name: (categories[name], name), default="")
    return Logged(text, sum(texts.values()), category)


def _banded(merged: Sequence[Logged]) -> list[tuple[str, Logged]]:
    ordered = sorted(merged, key=lambda one: (-one.times, one.text))
    counts = np.array([one.times for one in ordered], dtype=np.float64)
    before = (np.cumsum(counts) - counts) / counts.sum()
    return [(BANDS[min(int(share * 3), 2)], one) for share, one in zip(before, ordered, strict=True)]


def _sizes(available: Mapping[str, int], n: int) -> dict[str, int]:
    """Return how many to take of each band: as even as there are members, `n` in all if there are so many."""
    sizes = dict.fromkeys(available, 0)
    for _ in range(min(n, sum(available.values()))):
        open_bands = [band for band in available if sizes[band] < available[band]]
        sizes[min(open_bands, key=lambda band: sizes[band])] += 1
    return sizes
