"""The run directory: all that a second look needs, written whole, read with suspicion."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evalkit.data.files import write_file
from evalkit.errors import InputError, UnknownName

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.figure import Figure

    from evalkit.report.view import View
    from evalkit.thresholds.policy import ThresholdPolicy

SCHEMA = "evalkit.run/1"
RUN, SUMMARY, SCORES, MEASURES = "run.json", "summary.json", "scores.parquet", "measures.parquet"
JUDGMENTS, TEXTS, THRESHOLDS = "judgments.parquet", "texts.parquet", "thresholds.json"
PHYSICAL = "physical.json"
SPLITS = "splits.tsv"  # where the suite declares one
NAMES = ["pipeline", "query_id", "doc_id", "category", "measure"]  # columns of few different texts


@dataclass(frozen=True)
class RunDirectory:
    """A run that was read back; data frames are read when first asked for.

    `info` is `run.json`: the suite, digests, versions, spend and failures.
    """

    folder: Path
    info: Mapping[str, Any]

    @cached_property
    def scores(self) -> pd.DataFrame:
        """One row a candidate: pipeline, query_id, doc_id, score, rank, grade (null: unjudged), category."""
        return _frame(self.folder / SCORES)

    @cached_property
    def measures(self) -> pd.DataFrame:
        """One row a query and measure: pipeline, query_id, category, measure, value (NaN: undefined)."""
        return _frame(self.folder / MEASURES)

    @cached_property
    def judgments(self) -> pd.DataFrame:
        """One row a judged pair of the queries asked: query_id, doc_id, grade."""
        return _frame(self.folder / JUDGMENTS)

    @cached_property
    def texts(self) -> pd.DataFrame:
        """One row a query or candidate document: kind, id, title, group, text as models saw it."""
        return _frame(self.folder / TEXTS)

    @cached_property
    def summary(self) -> Mapping[str, Any]:
        """`summary.json`: means and differences with their intervals, and the verdict in sentences."""
        summary: dict[str, Any] = json.loads((self.folder / SUMMARY).read_text("utf-8"))
        return summary

    @cached_property
    def physical(self) -> Mapping[str, Any] | None:
        """`physical.json`: what `evalkit check --json` says of the data; None in an older evalkit's run."""
        path = self.folder / PHYSICAL
        found: dict[str, Any] | None = json.loads(path.read_text("utf-8")) if path.is_file() else None
        return found

    @cached_property
    def parts(self) -> Mapping[str, str]:
        """The part of the split that each query is in, "calibration" or "test"; empty where there is none."""
        from evalkit.data import splits

        return splits.read(self.folder / SPLITS) if SPLITS in self.info["files"] else {}

    @cached_property
    def policies(self) -> Mapping[str, ThresholdPolicy]:
        """The threshold policy of every pipeline."""
        from evalkit.thresholds.policy import ThresholdPolicy

        paths = {name: self.folder / policy_file(name) for name in self.info["pipelines"]}
        return {name: ThresholdPolicy.load(path) for name, path in paths.items() if path.is_file()}

    @cached_property
    def view(self) -> View:
        """The run as the columns that reports, plots and tables read."""
        from evalkit.report.viewing import view_of

        tables = {
            name.removesuffix(".parquet"): _columns(self.folder / name)
            for name in (SCORES, MEASURES, JUDGMENTS, TEXTS)
        }
        policies = {name: policy.to_dict() for name, policy in self.policies.items()}
        return view_of(self.info, self.summary, policies, tables, self.physical)

    def plot(self, name: str, pipeline: str | None = None) -> Figure | None:
        """Draw scores, reliability (of one pipeline), differences, cost or latency; None: nothing to draw.

        `pipeline` is the one whose thresholds are recommended unless it is named.

        Raises:
            UnknownName: there is no such plot or pipeline.
        """
        from evalkit.report.plots import draw

        if pipeline is not None and pipeline not in self.info["pipelines"]:
            known = ", ".join(self.info["pipelines"])
            raise UnknownName(f"no pipeline is called {pipeline!r}; the run has {known}")
        drawn = draw(self.view, name, pipeline)
        return None if drawn is None else drawn.figure

    def table(self, name: str) -> pd.DataFrame:
        """Return one of the report's tables: pipelines, differences, thresholds, queries, labelling_queue.

        Raises:
            UnknownName: there is no such table.
        """
        import pandas as pd

        from evalkit.report.tables import TABLES

        return pd.DataFrame(list(TABLES[name](self.view)))

    def _repr_html_(self) -> str:
        from evalkit.report.render import fragment

        return fragment(self.view)


def policy_file(pipeline: str) -> str:
    """Return where a pipeline's policy stands in a run directory."""
    return f"thresholds/{pipeline}.json"


def write(folder: Path, info: Mapping[str, Any], files: Mapping[str, bytes]) -> RunDirectory:
    """Write `files` (name -> content) and then `run.json`, which holds their digests.

    Every file is written to a temporary name and renamed; `run.json` goes last, so that a directory whose
    writing was cut short is recognised.
    """
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    for name, content in files.items():
        write_file(folder / name, content)
    info = {"schema": SCHEMA, **info, "files": digests}
    info["seal"] = _seal(info)
    write_file(folder / RUN, to_json(info))
    return RunDirectory(folder, info)


def read(folder: str | Path) -> RunDirectory:
    """Open a run directory.

    Raises:
        InputError: there is none, it is incomplete, of another schema, or changed since it was written.
    """
    folder = Path(folder)
    path = folder / RUN
    if not path.is_file():
        raise InputError(
            f"{folder} is no run directory: it has no {RUN}. Name the folder that `evalkit run` wrote; "
            "if the run was cut short, run it again to resume"
        )
    try:
        info = json.loads(path.read_text("utf-8"))
        schema, digests = info["schema"], info["files"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read ({error}). Run the suite again") from error
    if schema != SCHEMA:
        raise InputError(f"{path} has the schema {schema!r}, this evalkit reads {SCHEMA!r}. Update evalkit")
    changed = [name for name, digest in digests.items() if _digest(folder / name) != digest]
    if info.get("seal") != _seal(info):
        changed.append(RUN)
    if changed:
        raise InputError(
            f"{folder}: {', '.join(changed)} changed since the run was written (or is missing). "
            "Run the suite again: what was paid for comes from the ledger"
        )
    return RunDirectory(folder, info)


def to_json(value: Any) -> bytes:
    """Return `value` as indented JSON in UTF-8; NaN becomes null, as JSON has none."""
    return (json.dumps(_without_nan(value), indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def flattened(value: Any, *path: str) -> Iterator[tuple[str, Any]]:
    """Yield nested plain data as (path with dots, value).

    >>> dict(flattened({"n": 3, "bootstrap": {"low": 0.1}}))
    {'n': 3, 'bootstrap.low': 0.1}
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flattened(inner, *path, key)
    else:
        yield ".".join(path), value


def to_parquet(table: pa.Table) -> bytes:
    """Return an Arrow table as the content of a Parquet file: equal tables, equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _columns(path: Path) -> pa.Table:
    """Return a table whose names and ids are dictionary-encoded."""
    import pyarrow.parquet as pq

    own = [name for name in NAMES if name in pq.read_schema(path).names]
    with pq.ParquetFile(path, read_dictionary=own) as file:  # read_table would import pyarrow's data sets
        return file.read()


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and value != value:
        return None
    if isinstance(value, Mapping):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return value


def _seal(info: Mapping[str, Any]) -> str:
    """Return the digest of all else that `run.json` says."""
    return hashlib.sha256(to_json({key: value for key, value in info.items() if key != "seal"})).hexdigest()


def _digest(path: Path) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _frame(path: Path) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(path)
