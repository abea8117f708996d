"""A policy as a notebook shows it: what was asked for, and a row a category."""

from __future__ import annotations

from html import escape

from evalkit.thresholds.entry import Entry, Estimate
from evalkit.thresholds.policy import ThresholdPolicy
from evalkit.thresholds.telling import ALL, bounds, statement

COLUMNS = ("Category", "Keep from", "Status", "Promise", "Precision", "Recall", "Queries")


def as_html(policy: ThresholdPolicy) -> str:
    """Return a table without style or script; names are text in it, whatever they hold."""
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    rows = "".join(_row(name, entry) for name, entry in ((ALL, policy.default), *policy.categories.items()))
    model = escape(str(policy.domain.get("model") or "scores"))
    return (
        f"<p>{escape(statement(policy))}</p><table><caption>Keep documents with score &gt;= ... "
        f"(<bdi>{model}</bdi>)</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(name: str, entry: Entry) -> str:
    cells = (
        "none" if entry.threshold is None else f"{entry.threshold:.4f}",
        entry.status,
        bounds(entry.promise) if entry.promise is not None and entry.status == "certified" else "",
        _figure(entry.estimates.get("precision")),
        _figure(entry.estimates.get("recall")),
        str(entry.n_queries),
    )
    told = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row"><bdi>{escape(name)}</bdi></th>{told}</tr>'


def _figure(estimate: Estimate | None) -> str:
    if estimate is None or estimate.point is None:
        return "–"
    ends = "" if estimate.low is None else f" [{estimate.low:.3f}, {estimate.high:.3f}]"
    return f"{estimate.point:.3f}{ends}"
