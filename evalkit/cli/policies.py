"""Tables of threshold policies for the terminal, 80 columns wide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evalkit.cli.output import say
from evalkit.cli.tables import table
from evalkit.errors import ConditionFailed
from evalkit.report.figures import interval, short
from evalkit.thresholds.telling import remarks, statement
from evalkit.thresholds.tested import sentences
from evalkit.words import plural

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from evalkit.thresholds.entry import Entry, Estimate
    from evalkit.thresholds.policy import ThresholdPolicy
    from evalkit.thresholds.transfer import Transfer


def show_policy(console: Console, policy: ThresholdPolicy, heterogeneity: str = "") -> None:
    """Print what a policy states, its table, and what is to be said of single categories."""
    say(console, statement(policy), *sentences(policy.held_out), *filter(None, [heterogeneity]))
    console.print()
    console.print(policy_table(policy))
    say(console, *(f"- {line}" for line in remarks(policy)))


def refuse_unusable(policy: ThresholdPolicy) -> None:
    """Leave with the exit code of a condition that did not hold.

    Raises:
        ConditionFailed: a category has no threshold.
    """
    if lacking := policy.unusable():
        raise ConditionFailed(f"no usable threshold for {', '.join(lacking)}")


def policy_table(policy: ThresholdPolicy) -> Table:
    """Return one row a category: threshold, status, what was measured on queries held out."""
    made = table(
        f"Keep documents with score >= ... ({policy.domain.get('model') or 'scores'})",
        ["category", "score >=", "status", "precision", "recall", "n"],
    )
    for name, entry in (("(all)", policy.default), *policy.categories.items()):
        made.add_row(name, *_cells(entry))
    made.caption = "precision and recall: on held-out queries, 95 % intervals; n: queries"
    made.caption_justify = "left"
    return made


def _cells(entry: Entry) -> list[str]:
    threshold = "none" if entry.threshold is None else f"{entry.threshold:.4f}"
    figures = (_figure(entry.estimates.get(name)) for name in ("precision", "recall"))
    return [threshold, entry.status, *figures, str(entry.n_queries)]


def _figure(estimate: Estimate | None) -> str:
    if estimate is None or estimate.point is None:
        return "-"
    if estimate.low is None or estimate.high is None:
        return _two(estimate.point)
    return f"{_two(estimate.point)} [{_two(estimate.low)}, {_two(estimate.high)}]"


def _two(value: float) -> str:
    return f"{value:.2f}".replace("0.", ".", 1).replace("1.00", "1")


def rule_table(compared: Mapping[str, Any]) -> Table:
    """Return one row a cut rule: what it reaches on held-out queries, against the absolute threshold."""
    criterion, part = compared["criterion"], f"{compared['part']} " if compared["part"] else ""
    n = plural(compared["n_queries"], f"{part}query")
    made = table(f"Rules, {criterion} held out in turn, {n}", ["rule", criterion, "against absolute", ""])
    for row in compared["compared"]:
        value, gap = row["value"], row["difference"]
        told = interval(gap, sign=True)
        first = row["rule"] == "absolute"
        made.add_row(
            row["told"], short(value["point"]), "" if first else told, "better" if row["better"] else ""
        )
    return made


def probability_table(fitted: Mapping[str, Mapping[str, Any]]) -> Table:
    """Return one row a category: the map from scores to probabilities and how well it is calibrated."""
    made = table(
        "Probability of relevance, on held-out queries", ["category", "map", "log loss", "Brier", "ECE"]
    )
    for name, one in fitted.items():
        cells = [
            f"{short(one[key]['point'])} [{short(one[key]['low'])}, {short(one[key]['high'])}]"
            for key in ("brier", "ece")
        ]
        made.add_row(name, one["method"], short(one["log_loss"][one["method"]]), *cells)
    return made


def transfer_table(found: Transfer) -> Table:
    """Return one row a category: both thresholds, and the share of candidates kept before and after."""
    made = table("Moved", ["category", "old", "quantile", "new", "kept", "old on new", "after"])
    for name, one in found.categories.items():
        shares = (one.kept_before, one.kept_naive, one.kept_after)
        limits = (one.old, one.start, one.new)
        told = ["none" if t is None else f"{t:.4f}" for t in limits]
        made.add_row("(all)" if name == "overall" else name, *told, *(f"{share:.0%}" for share in shares))
    made.caption = "quantile: reached by as many candidates, only a start; kept: share of candidates"
    made.caption_justify = "left"
    return made


def flip_table(flips: Sequence[Mapping[str, Any]], total: int) -> Table:
    """Return documents that are kept by one policy and dropped by the other, the gravest first."""
    title = f"Flips, {len(flips)} of {total}"
    made = table(title, ["query", "document", "change", "grade", "old", "new"])
    for row in flips:
        grade = "-" if row["grade"] is None else str(row["grade"])
        scores = (f"{row[key]:.3f}" for key in ("old_score", "new_score"))
        made.add_row(row["query_id"], row["doc_id"], row["change"], grade, *scores)
    return made
