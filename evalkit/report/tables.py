"""The tables of a run as plain rows: for CSV files, for LaTeX, for notebooks.

@table("pipelines")
def pipelines(view: View) -> Rows:
    ...
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from evalkit.registry import Registry
from evalkit.report.escape import csv_cell, latex
from evalkit.report.figures import interval, short
from evalkit.report.sections.pipelines import cost, latency
from evalkit.report.view import View

Rows = Iterable[Mapping[str, Any]]
Make = Callable[[View], Rows]
TABLES: Registry[Make] = Registry("table")
DIFFERENCE = ("point", "low", "high", "n", "wins", "ties", "losses", "p", "p_holm", "shown")


def table(name: str) -> Callable[[Make], Make]:
    """Return a decorator that files a function as the table `name`."""
    return TABLES.register(name)


@table("pipelines")
def pipelines(view: View) -> Rows:
    """One row a pipeline, category and measure."""
    wanted = ("pipeline", "category", "measure", "point", "low", "high", "level", "method", "n", "undefined")
    return [{key: row.get(key) for key in wanted} for row in view.summary["measures"]]


@table("differences")
def differences(view: View) -> Rows:
    """One row a pipeline, category and measure: the difference from the baseline."""
    wanted = ("pipeline", "baseline", "category", "measure", *DIFFERENCE)
    return [{key: row[key] for key in wanted if key in row} for row in view.summary["differences"]]


@table("thresholds")
def thresholds(view: View) -> Iterator[Mapping[str, Any]]:
    """One row a pipeline and category, and one of all queries with an empty category."""
    for name, policy in view.policies.items():
        for category, entry in [*policy["categories"].items(), ("", policy["default"])]:
            promise = entry.get("promise") or {}
            yield {
                "pipeline": name,
                "category": category,
                "threshold": entry["threshold"],
                "status": entry["status"],
                "risk": promise.get("risk"),
                "at_most": promise.get("at_most"),
                "confidence": promise.get("confidence"),
                "upper_bound": promise.get("upper_bound"),
                "n_queries": entry["n_queries"],
                "needs_queries": entry.get("needs_queries"),
                **{
                    f"{figure}_{end}": entry["estimates"].get(figure, {}).get(end)
                    for figure in ("precision", "recall", "kept", "lost_answer", "false_answer")
                    for end in ("point", "low", "high")
                },
            }


@table("queries")
def queries(view: View) -> Iterator[Mapping[str, Any]]:
    """One row a judged query: each pipeline's value on the headline measure."""
    columns = {name: view.values[name][view.headline].tolist() for name in view.pipelines}
    for place, query_id in enumerate(view.query_ids):
        values = {name: column[place] for name, column in columns.items()}
        yield {
            "query_id": query_id,
            "category": view.category[place],
            "query": view.queries.get(query_id, ""),
            **{name: None if value != value else value for name, value in values.items()},
        }


@table("labelling_queue")
def labelling(view: View) -> Iterator[Mapping[str, Any]]:
    """One row an unjudged pair in some pipeline's top 10, the most telling first."""
    for row in view.labelling_queue:
        yield {**row, "pipelines": ", ".join(row["pipelines"])}


def to_csv(rows: Rows) -> bytes:
    """Return rows as CSV; a text that a spreadsheet would run starts with an apostrophe."""
    rows = list(rows)
    cell = cache(csv_cell)  # ids, names and texts come again and again
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, lineterminator="\n")
    if rows:
        writer.writerow([cell(key) for key in rows[0]])
    writer.writerows(
        [cell(value) if isinstance(value, str) else value for value in row.values()] for row in rows
    )
    return sink.getvalue().encode()


def to_latex(view: View) -> str:
    """Return the comparison of the pipelines as a LaTeX table (booktabs)."""
    lines = [
        r"\begin{tabular}{lrr" + "r" * (len(view.measures) - 1) + "rr}",
        r"\toprule",
        " & ".join(
            ["Pipeline", latex(view.headline), "Difference"]
            + [latex(name) for name in view.measures if name != view.headline]
            + ["USD per 1,000", "Median s"]
        )
        + r" \\",
        r"\midrule",
    ]
    for name in view.pipelines:
        main, *others = (
            view.row("measures", pipeline=name, category=None, measure=measure)
            for measure in [view.headline, *(one for one in view.measures if one != view.headline)]
        )
        difference = view.row("differences", pipeline=name, category=None, measure=view.headline)
        time = latency(view.info, name)
        cells = [
            latex(name),
            interval(main) if main else "--",
            interval(difference, sign=True) if difference else "--",
            *(short(other["point"]) if other else "--" for other in others),
            short(cost(view, name), 2),
            short(time["p50"] if time else None),
        ]
        lines.append(" & ".join(cell.replace("–", "--") for cell in cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])
