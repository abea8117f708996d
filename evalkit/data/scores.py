"""Scores from elsewhere: a table with one row a candidate, its grade and its query's category."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from evalkit.data.csv_lines import at_lines
from evalkit.errors import DataError, Finding, InputError
from evalkit.records import Codes, Qrels, Run

if TYPE_CHECKING:
    import pandas as pd

    ScoresLike = str | Path | pd.DataFrame

COLUMNS = ("query_id", "doc_id", "score", "grade")
SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
SHOWN = 5  # findings of one kind


@dataclass(frozen=True, eq=False)
class Scores:
    """A table of scores as a run and its judgments; `category` maps the queries that have one.

    `frame` is the table as it was read, identifiers as strings.
    """

    run: Run
    qrels: Qrels
    category: dict[str, str]
    frame: pd.DataFrame


def read_frame(path: str | Path) -> pd.DataFrame:
    """Read CSV, TSV, JSON Lines or Parquet by the file's ending; identifiers stay strings ("007", "NA").

    Raises:
        InputError: the file is missing, of another kind, or cannot be read as its ending says.
    """
    import pandas as pd

    path = Path(path)
    if path.suffix not in SUFFIXES:
        raise InputError(f"{path} is no table of scores: name a file that ends in {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise InputError(f"{path} does not exist. Name a file of scores or a run directory")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        if path.suffix == ".jsonl":
            return pd.read_json(path, lines=True, dtype=False, encoding="utf-8-sig")
        separator = "\t" if path.suffix == ".tsv" else ","
        return pd.read_csv(path, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (ValueError, OSError, pa.ArrowException) as error:
        raise InputError(f"{path} cannot be read as {path.suffix[1:]}: {error}") from error


def scores_of(
    given: ScoresLike, *, by: str = "category", graded: bool = True, relevant_from: int = 1
) -> Scores:
    """Return scores from a path or a DataFrame `query_id, doc_id, score, grade` and optionally `category`.

    An empty grade is no judgment. `by` names the column that holds categories, for instance the ones that a
    classifier predicts in production. With `graded` False the grades are not needed.

    Raises:
        InputError: the file cannot be read, or a column is missing.
        DataError: values that cannot be, all findings at once, each with its row.
    """
    where = str(given) if isinstance(given, str | Path) else "scores"
    frame = read_frame(given) if isinstance(given, str | Path) else given
    if not hasattr(frame, "columns"):
        raise InputError(f"scores are a path or a DataFrame, not a {type(frame).__name__}")
    wanted = COLUMNS if graded else COLUMNS[:3]
    lacking = [name for name in wanted if name not in frame.columns]
    if by not in ("category", "none") and by not in frame.columns:
        lacking.append(by)
    if lacking:
        raise InputError(
            f"{where} has no column {', '.join(lacking)}; it has {', '.join(map(str, frame.columns))}. "
            f"A table of scores has {', '.join(COLUMNS)} and may have category"
        )
    first = 2 if where.endswith((".csv", ".tsv")) else 1
    table = _Table(where, first, frame, by)
    findings = list(table.findings(graded))
    if findings:
        raise DataError(at_lines(Path(where), findings))
    return table.scores(graded, relevant_from)


class _Table:
    """A frame whose columns are looked at before they are believed."""

    def __init__(self, where: str, first: int, frame: pd.DataFrame, by: str) -> None:
        import pandas as pd

        self._where, self._first = where, first
        ids = {name: frame[name].astype(str) for name in ("query_id", "doc_id")}
        blank = frame["grade"] if "grade" in frame else pd.Series("", index=frame.index)
        self._unjudged = (blank.isna() | (blank.astype(str).str.strip() == "")).to_numpy()
        self._grade = pd.to_numeric(blank.where(~self._unjudged), errors="coerce").to_numpy(np.float64)
        self._score = pd.to_numeric(frame["score"], errors="coerce").to_numpy(np.float64)
        label = frame[by] if by in frame else pd.Series("", index=frame.index)
        self._label = label.where(label.notna(), "").astype(str).to_numpy()
        self._query, self._doc = ids["query_id"].to_numpy(), ids["doc_id"].to_numpy()
        self._frame = frame.assign(**ids)

    def findings(self, graded: bool) -> Iterator[Finding]:
        """Yield what is wrong, at most `SHOWN` findings of a kind."""
        pairs = self._frame.duplicated(["query_id", "doc_id"]).to_numpy()
        wrong = ~self._unjudged & (np.isnan(self._grade) | (self._grade % 1 != 0))
        kinds = [
            (np.isnan(self._score), "the score is no number", "Score the pair again, or leave the row out"),
            (pairs, "the pair of query and document stands here twice", "Keep one row a pair"),
            (self._changes(), "the query has another category above", "Give each query one category"),
        ]
        if graded:
            kinds.append(
                (wrong, "the grade is no whole number", "Write 0, 1, 2, ..., or nothing: not judged")
            )
        for bad, what, remedy in kinds:
            rows = np.flatnonzero(bad)
            for row in rows[:SHOWN]:
                yield Finding(self._where, int(row) + self._first, what, remedy)
            if len(rows) > SHOWN:
                yield Finding(self._where, None, f"{what}, in {len(rows) - SHOWN} further rows", remedy)
        if not len(self._score):
            yield Finding(self._where, None, "there is no row", "Export the scores again")

    def _changes(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        import pandas as pd

        first = pd.Series(self._label).groupby(self._query).transform("first").to_numpy()
        return np.asarray(first != self._label, dtype=np.bool_)

    def scores(self, graded: bool, relevant_from: int) -> Scores:
        """Return the table as run and judgments."""
        (queries, query), (documents, doc) = _coded(self._query), _coded(self._doc)
        run = Run("scores", queries, documents, query, doc, self._score)
        rows = ~self._unjudged if graded else np.zeros(len(doc), dtype=np.bool_)
        asked, of_asked = _coded(self._query[rows])
        grade = self._grade[rows].astype(np.int32)
        qrels = Qrels(asked, documents, of_asked, doc[rows], grade, relevant_from)
        category = {q: c for q, c in zip(self._query.tolist(), self._label.tolist(), strict=True) if c}
        return Scores(run, qrels, category, self._frame)


def _coded(ids: np.ndarray[Any, Any]) -> tuple[pa.StringArray, Codes]:
    coded = pa.array(ids, pa.string()).dictionary_encode()
    return coded.dictionary, coded.indices.to_numpy(zero_copy_only=False).astype(np.int32)
