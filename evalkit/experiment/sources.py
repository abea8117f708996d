"""What is calibrated: the scores of a run directory or of a table, joined with their judgments."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np

from evalkit import runs
from evalkit.data import splits
from evalkit.data.files import write_file
from evalkit.data.labels import quoted
from evalkit.data.scores import scores_of
from evalkit.data.sources import qrels_from, run_from
from evalkit.errors import InputError, UnknownName
from evalkit.measures import judge
from evalkit.records import Domain, Ints, Judged, Qrels, Run, ScoreSpace
from evalkit.report.viewing import gains_of
from evalkit.stats.duplicates import clusters
from evalkit.suite import DEFAULT_GOAL

if TYPE_CHECKING:
    import pandas as pd

    from evalkit.data.scores import ScoresLike
    from evalkit.runs import RunDirectory
    from evalkit.thresholds.policy import ThresholdPolicy

SEED = 7
QUEUE = ("place", "query_id", "doc_id", "category", "score", "threshold", "query", "document", "grade")


@dataclass(frozen=True, eq=False)
class Source:
    """Judged scores with all that calibrating them needs; `goal`, `by`, `seed` are the suite's, or defaults.

    Thresholds are `by` "category" or "none"; `parts` has each query's part of the split, if there is one.
    """

    name: str
    run: Run
    qrels: Qrels
    judged: Judged
    domain: Domain
    failed: tuple[str, ...] = ()
    clusters: Ints | None = None
    goal: Any = field(default_factory=lambda: dict(DEFAULT_GOAL))
    seed: int = SEED
    texts: Mapping[tuple[str, str], str] = field(default_factory=dict)  # (kind, id) -> text
    parts: Mapping[str, str] = field(default_factory=dict)
    by: str = "category"

    def to_judge(self, policy: ThresholdPolicy, most: int | None = None) -> list[dict[str, Any]]:
        """Return the labelling queue: one row a pair, with its texts where they are known."""
        from evalkit.thresholds.readings import to_judge

        queue = to_judge(self.judged, policy)[:most]
        rows = []
        for place, one in enumerate(queue, start=1):
            query_id, doc_id = self.judged.query_ids[one.query], self.document(one.row)
            rows.append(
                {
                    "place": place,
                    "query_id": query_id,
                    "doc_id": doc_id,
                    "category": one.category,
                    "score": one.score,
                    "threshold": one.threshold,
                    "query": self.texts.get(("query", query_id), ""),
                    "document": self.texts.get(("document", doc_id), ""),
                    "grade": "",
                }
            )
        return rows

    def document(self, row: int) -> str:
        """Return the id of the document in a row of the judged run."""
        doc_id: str = self.run.doc_ids[int(self.run.doc[self.judged.row[row]])].as_py()
        return doc_id


def from_directory(done: RunDirectory, pipeline: str | None = None) -> Source:
    """Return one pipeline of a run directory; the one whose thresholds the suite asks for by default.

    Raises:
        UnknownName: the run has no such pipeline.
    """
    name = pipeline or done.info["thresholds_of"]
    if name not in done.info["pipelines"]:
        known = ", ".join(done.info["pipelines"])
        raise UnknownName(f"{done.folder} has no pipeline {name!r}; it has {known}")
    rows = done.scores[done.scores["pipeline"] == name]
    run, qrels = run_from(rows, name), qrels_of(done)
    asked = done.measures  # unlike the scores it has queries that no candidate was found for
    categories = dict(zip(asked["query_id"], asked["category"], strict=True))
    suite, texts = done.info["suite"], done.texts
    judged = judge(run, qrels, categories=categories)
    return Source(
        name=name,
        run=run,
        qrels=qrels,
        judged=judged,
        domain=Domain(**done.info["pipelines"][name]["domain"]),
        failed=tuple(one["query_id"] for one in done.info["failures"].get(name, ())),
        clusters=clusters_of(done, judged.query_ids),
        goal=suite["thresholds"]["goal"],
        seed=done.info["seed"],
        texts=dict(zip(zip(texts["kind"], texts["id"], strict=True), texts["text"], strict=True)),
        parts=done.parts,
        by=suite["thresholds"]["by"],
    )


def clusters_of(run: RunDirectory, query_ids: Sequence[str]) -> Ints | None:
    """Return a label a query, equal for queries that are declared or detected to belong together."""
    texts = run.texts[run.texts["kind"] == "query"].set_index("id").reindex(list(query_ids), fill_value="")
    return clusters(texts["group"].tolist(), texts["text"].tolist())


def qrels_of(done: RunDirectory) -> Qrels:
    """Return a run directory's judgments."""
    qrels = qrels_from(done.judgments, done.info["dataset"]["relevant_from"])
    return replace(qrels, gains=gains_of(done.info))


def from_table(
    given: ScoresLike,
    *,
    by: str = "category",
    model: str = "",
    score_space: str = "",
    candidates: str = "",
    relevant_from: int = 1,
) -> Source:
    """Return scores from a table; `model`, `score_space` and `candidates` say where they come from.

    The score space is taken to be "unit" where all scores lie in [0, 1], unless it is named.

    Raises:
        InputError: the table cannot be read or lacks a column, or the score space is unknown.
        DataError: it holds values that cannot be.
    """
    scores = scores_of(given, by=by, relevant_from=relevant_from)
    values = scores.run.score
    space = score_space or ("unit" if np.all((values >= 0) & (values <= 1)) else "unknown")
    if space not in get_args(ScoreSpace):
        raise InputError(f"no score space is called {space!r}; known: {', '.join(get_args(ScoreSpace))}")
    provider, _, short = model.rpartition("/")
    digest = hashlib.sha256(repr((model, space, candidates)).encode()).hexdigest()[:16]
    domain = Domain(provider, short, cast(ScoreSpace, space), "", candidates, digest)
    judged = judge(scores.run, scores.qrels, categories={} if by == "none" else scores.category)
    texts, named = dict(_texts(scores.frame)), "none" if by == "none" else "category"
    return Source("scores", scores.run, scores.qrels, judged, domain, texts=texts, by=named)


def _texts(frame: pd.DataFrame) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield the texts of a table that carries them in the columns `query` and `document`."""
    for kind in ("query", "document"):
        if kind in frame:
            ids = frame["query_id" if kind == "query" else "doc_id"]
            yield from (((kind, i), str(text)) for i, text in zip(ids, frame[kind], strict=True))


def source(
    given: Any,
    pipeline: str | None = None,
    split: str | Path | None = None,
    by: str | None = None,
    **table: Any,
) -> Source:
    """Return what is calibrated: a run directory (a path or opened), or a table of scores.

    `split` is a file like `splits.tsv`, `by` how thresholds are grouped; a run directory may have its own.

    Raises:
        InputError: it is neither, or options of a table are given for a run directory.
        DataError: `split` is wrong; all findings at once.
    """
    found = _source(given, pipeline, by, **table)
    return found if split is None else replace(found, parts=splits.read(Path(split)))


def _source(given: Any, pipeline: str | None, by: str | None, **table: Any) -> Source:
    if isinstance(given, str | Path) and Path(given).is_dir():
        given = runs.read(given)
    if isinstance(given, runs.RunDirectory):
        named = [key for key, value in table.items() if value not in ("", 1)]
        named += ["by"] if by not in (None, "category", "none") else []
        if named:
            raise InputError(f"a run directory knows its own {', '.join(named)}: leave the option out")
        found = from_directory(given, pipeline)
        return found if by is None else replace(found, by=by)
    if pipeline:
        raise InputError("--pipeline belongs to a run directory: a table of scores has no pipelines")
    return from_table(given, by=by or "category", **table)


def refuse_queue(path: Path) -> None:
    """Refuse a file that no labelling queue should be written to.

    Raises:
        InputError: another ending than .csv or .jsonl, or the file is there already and may hold judgments.
    """
    if path.suffix not in (".csv", ".jsonl"):
        raise InputError(f"{path}: a labelling queue is written to a file that ends in .csv or .jsonl")
    if path.exists():
        raise InputError(f"{path} is there already and may hold judgments. Name another file with --queue")


def write_queue(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write a labelling queue as CSV or JSON Lines, by the file's ending.

    In CSV a text that a spreadsheet would compute has a quote before it, which is taken off on the way back.

    Raises:
        InputError: as `refuse_queue`.
    """
    import csv
    import io

    import jsonlines

    refuse_queue(path)
    sink = io.StringIO()
    if path.suffix == ".jsonl":
        with jsonlines.Writer(sink) as lines:
            lines.write_all(rows)
    else:
        table = csv.DictWriter(sink, QUEUE, lineterminator="\n")
        table.writeheader()
        table.writerows(
            {name: quoted(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
            for row in rows
        )
    write_file(path, sink.getvalue().encode())
