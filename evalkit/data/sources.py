"""Judgments and runs from any file or Python object that is known here, by what its name or type says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from evalkit.data import trec
from evalkit.errors import InputError
from evalkit.measures import judge
from evalkit.records import Judged, Qrels, Run

if TYPE_CHECKING:
    from evalkit.data.tables import Tabular

TABLES = (".csv", ".tsv", ".jsonl", ".json", ".parquet")


def qrels_from(given: Tabular | Qrels, relevant_from: int | None = None) -> Qrels:
    """Return judgments: TREC qrels, a data set's folder, a table, a DataFrame or a dict of dicts.

    `relevant_from` is the lowest relevant grade, 1 where nothing says otherwise.

    Raises:
        InputError: there is no such file, or it is of another form; DataError names the lines.
    """
    if isinstance(given, Qrels):
        qrels = given
    elif isinstance(given, str | Path) and Path(given).is_dir():
        from evalkit.data import beir

        qrels = beir.load(given).qrels
    elif _is_trec(given):
        qrels = trec.read_qrels(given)
    else:
        from evalkit.data import tables

        qrels = tables.qrels_of_table(given)
    if not len(qrels.grade):
        raise InputError("there are no judgments: nothing can be measured")
    return qrels if relevant_from is None else replace(qrels, relevant_from=relevant_from)


def run_from(given: Tabular | Run, name: str = "run") -> Run:
    """Return a run: a TREC run, a table, a DataFrame or a dict of dicts.

    Raises:
        InputError: there is no such file, or it is of another form; DataError names the lines.
    """
    if isinstance(given, Run):
        return given
    if _is_trec(given):
        return trec.read_run(_file(given))
    from evalkit.data import tables

    return tables.run_of_table(given, name)


def judged_from(given: Tabular | Run, qrels: Qrels, name: str = "run", **options: Any) -> Judged:
    """Return a run of any source joined with judgments; the options are those of `judge`.

    TREC files are joined block by block, so that a large one is never held whole.

    Raises:
        InputError: as `run_from` and `judge`; DataError names the lines.
    """
    if _is_trec(given):
        return trec.judge_run(_file(given), qrels, **options)
    return judge(run_from(given, name), qrels, **options)


def refuse_missing(paths: Sequence[Path]) -> None:
    """Refuse paths at which there is nothing, all at once.

    Raises:
        InputError: with each of them.
    """
    missing = dict.fromkeys(path for path in paths if not path.exists())
    if missing:
        raise InputError("\n".join(f"{path}: there is no such file. Check the path" for path in missing))


def _is_trec(given: object) -> TypeGuard[str | Path]:
    """Return whether this names a file, and the name says of no table."""
    return isinstance(given, str | Path) and not Path(given).name.removesuffix(".gz").endswith(TABLES)


def _file(given: str | Path) -> Path:
    path = Path(given)
    if path.is_dir():
        raise InputError(f"{path} is a folder: give a file")
    return path
