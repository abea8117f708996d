"""The decision in sentences: what the first screen, the pull request and the terminal say first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from evalkit.words import plural

Row = Mapping[str, Any]
ALPHA = 0.05


def verdict(summary: Mapping[str, Any]) -> list[str]:
    """Return sentences on the primary measure over all queries, the best news first.

    One a pipeline against the baseline, then what the dearer of two good pipelines adds, then whether the
    gain differs between categories, then what unjudged documents leave open. A difference counts as shown
    only where it stands after Holm's correction over the whole family.
    """
    measure = summary["primary"]
    rows = [row for row in summary["differences"] if row["measure"] == measure and row["category"] is None]
    rows.sort(key=lambda row: (_standing(row), not row["better"], -abs(row["point"] or 0.0)))
    counted = summary["family"]["counted"]
    return [
        *(_difference(row, counted) for row in rows),
        *_dearer(summary, measure, {row["pipeline"] for row in rows if row["shown"] and row["better"]}),
        *_categories(summary, measure),
        *_unjudged(rows),
    ]


def _standing(row: Row) -> int:
    """Return 0 for what is better, 1 for what is no worse, 2 for what is worse, 3 where nothing is shown."""
    if row["shown"]:
        return 0 if row["better"] else 2
    return 1 if row["margin"] and row["margin"]["says"] != "undecided" else 3


def categories_alike(summary: Mapping[str, Any], measure: str) -> str:
    """Return that no difference on `measure` is shown to depend on the category; "" where one is."""
    ps = [row["p_holm"] for row in summary["heterogeneity"] if row["measure"] == measure]
    ps = [p for p in ps if not _undefined(p)]
    if not ps or min(ps) <= ALPHA:
        return ""
    return f"No difference is shown to depend on the category (Cochran's Q, smallest Holm p = {min(ps):.3f})."


def _difference(row: Row, counted: int) -> str:
    name, baseline, measure, n = row["pipeline"], row["baseline"], row["measure"], row["n"]
    if _undefined(row["low"]):
        both = plural(n, "query has", "queries have")
        return f"{name} cannot be compared with {baseline}: {both} {measure} in both."
    figures, queries = f"{row['point']:+.3f} {measure} {_ends(row)}", plural(n, "query") + _thinly(row)
    if row["shown"]:
        verb = "beats" if row["better"] else "is worse than"
        return f"{name} {verb} {baseline}: {figures} over {queries}."
    margin = row["margin"]
    if margin and margin["says"] != "undecided":
        than = "to" if margin["says"] == "equivalent" else "than"
        told = f"by a margin of {margin['margin']:g}: {figures} over {queries}"
        return f"{name} is {margin['says']} {than} {baseline} {told}."
    if row["low"] > 0 or row["high"] < 0:
        many = f"among {plural(counted, 'comparison')} that may be chance (Holm p = {row['p_holm']:.3f})"
        return f"{name} against {baseline}: {figures} over {queries}; {many}."
    reach = "" if _undefined(row["detectable"]) else f"; they could have shown {row['detectable']:.3f}"
    return f"{name} shows no difference from {baseline} in {queries}: {figures}{reach}."


def _dearer(summary: Mapping[str, Any], measure: str, good: set[str]) -> Iterator[str]:
    """Say of each two pipelines that beat the baseline what the dearer one adds."""
    for pair in summary["trade_offs"]:
        if pair["measure"] != measure or not {pair["better"], pair["other"]} <= good:
            continue
        dearer = not pair["usd_per_1000"] or pair["usd_per_1000"] > 0
        name, other = (pair["better"], pair["other"]) if dearer else (pair["other"], pair["better"])
        times = pair["usd_times"]
        price = f"; it costs {max(times, 1 / times):.2f} times as much" if times and times != 1 else ""
        if not pair["shown"]:
            yield f"{name} adds nothing to {other} that {plural(pair['n'], 'query')} can show{price}."
        elif dearer:
            gain = pair["difference"]
            yield f"{name} adds {gain['point']:.3f} {measure} {_ends(gain)} to {other}{price}."


def _categories(summary: Mapping[str, Any], measure: str) -> Iterator[str]:
    for row in summary["heterogeneity"]:
        if row["measure"] == measure and not _undefined(row["p_holm"]) and row["p_holm"] <= ALPHA:
            share = f"I² {100 * row['i_squared']:.0f} %, p = {row['p_holm']:.3f}"
            yield f"The difference of {row['pipeline']} is not the same in all categories ({share})."


def _unjudged(rows: list[Row]) -> Iterator[str]:
    for row in rows:
        if row["shown"] and row["unjudged_could_turn_it"]:
            yield f"Unjudged documents could turn the difference of {row['pipeline']}: label them first."


def _thinly(row: Row) -> str:
    differ = row["differing"]
    if not row["thin"]:
        return ""
    if not differ:
        return ", none differing"
    them = "them" if row["units"] == row["n"] else f"their {row['units']} groups"
    return f", though only {differ} of {them} differ{'s' if differ == 1 else ''}"


def _ends(row: Row) -> str:
    return f"[{row['low']:+.3f}, {row['high']:+.3f}]"


def _undefined(value: float | None) -> bool:
    return value is None or value != value


def change_verdict(change: Mapping[str, Any]) -> list[str]:
    """Return sentences on a later run against the first: one a pipeline, then what thresholds moved.

    What got worse comes first, then what got better, what may have changed, and what did not.
    """
    if not change["pipelines"]["compared"]:
        return ["No pipeline is in both runs: there is nothing to compare."]
    rows = [row for row in change["differences"] if row["category"] is None]
    primary = rows[0]["measure"] if rows else None
    own = [row for row in rows if row["measure"] == primary]
    own.sort(key=lambda row: (not row["shown"], not (row["wins"] or row["losses"]), row["better"]))
    sentences = [_changed(row) for row in own]
    lost = sum(row["lost_relevant"] for row in change["kept"])
    gained = sum(row["gained_relevant"] for row in change["kept"])
    if lost or gained:
        sentences.append(f"Behind their thresholds, {lost} relevant documents are lost and {gained} gained.")
    return sentences


def _changed(row: Row) -> str:
    name, measure = row["pipeline"], row["measure"]
    if _undefined(row["low"]):
        both = plural(row["n"], "query has", "queries have")
        return f"{name} cannot be compared: {both} {measure} in both runs."
    figures = f"{row['point']:+.3f} {measure} {_ends(row)} over {plural(row['n'], 'query')}"
    if row["shown"]:
        return f"{name} got {'better' if row['better'] else 'worse'}: {figures}{_thinly(row)}."
    if not row["wins"] and not row["losses"]:
        return f"{name} is unchanged on {plural(row['n'], 'query')}."
    return f"{name} shows no change: {figures}{_thinly(row)}."
