"""Comparisons for the terminal: the verdict, then tables of differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evalkit.cli.output import plain_console, say
from evalkit.cli.tables import table
from evalkit.report.figures import short
from evalkit.report.verdict import categories_alike
from evalkit.words import plural

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

CHANGES_SHOWN = 10  # settings and queries; --json has all


def show_summary(summary: Mapping[str, Any]) -> None:
    """Print a comparison of runs: verdict, means, differences, and the primary measure per category."""
    console = plain_console()
    say(console, *summary["verdict"])
    console.print()
    overall = [row for row in summary["differences"] if row["category"] is None]
    console.print(_means(summary))
    console.print(_differences(f"Difference from {summary['baseline']}", overall, "measure"))
    primary = [
        row for row in summary["differences"] if row["category"] and row["measure"] == summary["primary"]
    ]
    if primary:
        console.print(_differences(f"{summary['primary']} per category", primary, "category"))
        if alike := categories_alike(summary, summary["primary"]):
            say(console, alike)
    if any(row["margin"] or row["tests"] for row in overall):
        console.print(_more_tests(overall))
    family = summary["family"]
    tested = f"p: randomisation, after Holm over {plural(family['counted'], 'comparison')}"
    console.print(f"95 % intervals (Student's t); {tested if family['counted'] else 'no query differs'}.")
    for row in overall:
        if row["measure"] == summary["primary"] and not row["shown"] and row["differing"]:
            needed = [f"{n:,} for {difference}" for difference, n in row["queries_needed"].items() if n]
            console.print(
                f"{row['pipeline']}: queries needed, at this spread: {', '.join(needed) or 'unknown'}."
            )
    for told, key in (
        ("not in the run, with the worst value", "without_results"),
        ("ordered by document id where scores are equal", "tied"),
    ):
        for run, number in summary["queries"][key].items():
            if number:
                console.print(f"{run}: {plural(number, 'judged query')} {told}.")
    units, judged = summary["queries"]["units"], summary["queries"]["judged"]
    if units < judged:
        console.print(f"{judged:,} queries count as {units:,}: groups and near-duplicates are one each.")


def show_changes(told: Mapping[str, Any]) -> None:
    """Print what changed between run directories."""
    console = plain_console()
    for change in told["changes"]:
        console.print(f"{change['after']['folder']} against {change['before']['folder']}", soft_wrap=True)
        say(console, *change["notes"], *change["verdict"])
        console.print()
        rows = [row for row in change["differences"] if row["category"] is None]
        console.print(_differences("Differences, after minus before", rows, "measure"))
        _show_moved(console, change)


def _show_moved(console: Console, change: Mapping[str, Any]) -> None:
    if change["configuration"]:
        made = table("Configuration", ["setting", "before", "after"], right=False)
        for row in change["configuration"][:CHANGES_SHOWN]:
            made.add_row(*(_cut(row[key]) for key in ("setting", "before", "after")))
        console.print(made)
        _more(console, change["configuration"])
    made = table("Scores of the same query and document", ["pipeline", "pairs", "changed", "largest change"])
    for row in change["scores"]:
        largest = "-" if row["largest_change"] is None else f"{row['largest_change']:.4f}"
        made.add_row(row["pipeline"], str(row["pairs"]), str(row["changed"]), largest)
    console.print(made)
    if change["kept"]:
        made = table("Behind the thresholds", ["pipeline", "category", "keep >=", "kept", "lost", "gained"])
        for row in change["kept"]:
            cuts = " → ".join(_threshold(row["threshold"][side]) for side in ("before", "after"))
            kept = f"{row['kept']['before']} → {row['kept']['after']}"
            made.add_row(
                row["pipeline"], row["category"] or "", cuts, kept, str(row["lost"]), str(row["gained"])
            )
        console.print(made)
    if change["flipped"]:
        made = table("Queries that moved", ["query", "pipeline", "measure", "before", "after"])
        for row in change["flipped"][:CHANGES_SHOWN]:
            figures = short(row["before"]), short(row["after"])
            made.add_row(_cut(row["query_id"]), row["pipeline"], row["measure"], *figures)
        console.print(made)
        _more(console, change["flipped"])


def _differences(title: str, rows: Iterable[Mapping[str, Any]], by: str) -> Table:
    made = table(title, ["run", by, "difference", "p", "better/same/worse"])
    for row in rows:
        counts = f"{row['wins']}/{row['ties']}/{row['losses']}"
        made.add_row(row["pipeline"], row[by], _signed(row), _p(row), counts)
    return made


def _more_tests(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the tests that were asked for beside the randomisation test, and the declared margins."""
    names = list(rows[0]["tests"])
    made = table("Other tests (p after Holm)", ["run", "measure", *names, "margin", "within it"])
    for row in rows:
        ps = ["-" if (p := row["tests"][name]["p_holm"]) != p else f"{p:.3f}" for name in names]
        margin = row["margin"]
        made.add_row(
            row["pipeline"],
            row["measure"],
            *ps,
            f"{margin['margin']:g}" if margin else "",
            margin["says"] if margin else "",
        )
    return made


def _means(summary: Mapping[str, Any]) -> Table:
    made = table("Means", ["run", "measure", "mean", "if unjudged were", "judged", "n"])
    for row in summary["measures"]:
        if row["category"] is None:
            open_ends = (
                "" if row["lowest"] is None else f"{_plain(row['lowest'])} to {_plain(row['highest'])}"
            )
            judged = "" if row["judged"] is None else f"{100 * row['judged']:.0f} %"
            ends = f"{_plain(row['point'])} [{_plain(row['low'])}, {_plain(row['high'])}]"
            made.add_row(row["pipeline"], row["measure"], ends, open_ends, judged, str(row["n"]))
    return made


def _signed(row: Mapping[str, Any]) -> str:
    if row["point"] != row["point"]:
        return "-"
    if row["low"] != row["low"]:
        return f"{row['point']:+.3f}"
    return f"{row['point']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]"


def _p(row: Mapping[str, Any]) -> str:
    p = row["p_holm"]
    if p != p:
        return "-"
    return ("<.001" if p < 0.001 else short(p)) + ("*" if row["shown"] else "")


def _plain(value: float) -> str:
    return "-" if value != value else short(value)


def _threshold(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"


def _cut(value: object) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= 30 else text[:29] + "…"


def _more(console: Console, rows: Sequence[object]) -> None:
    if len(rows) > CHANGES_SHOWN:
        console.print(f"... and {len(rows) - CHANGES_SHOWN} more: --json")
