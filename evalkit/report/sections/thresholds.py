"""The recommended thresholds: what each promises, on how much evidence, and where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalkit.report.figures import percent
from evalkit.report.section import Content, section
from evalkit.report.view import View
from evalkit.thresholds.groups import OVERALL
from evalkit.thresholds.policy import ThresholdPolicy
from evalkit.thresholds.telling import statement, winner
from evalkit.thresholds.tested import sentences
from evalkit.words import plural

ALL = "all queries"
TITLES = {
    "miss": "of relevant candidates dropped",
    "lost_answer": "lost answers",
    "false_answer": "false answers",
    "false_discovery": "irrelevant among the kept",
    "micro_false_discovery": "irrelevant among all kept",
}
SHOWN = {  # an entry's estimates, in the order of the table's columns
    "precision": "Precision",
    "recall": "Recall",
    "kept": "Kept",
    "lost_answer": "Lost answers",
    "false_answer": "False answers",
}


@section("thresholds", "Thresholds", order=30)
def thresholds(view: View) -> Content | None:
    """One row a category and one for all queries, with the status in plain language."""
    policy = view.policies.get(view.subject)
    if policy is None:
        return None
    entries = [(name, entry, False) for name, entry in policy["categories"].items()]
    rows = [_row(name, entry, overall) for name, entry, overall in [*entries, (ALL, policy["default"], True)]]
    known = [name for name in SHOWN if any(name in row["estimates"] for row in rows)]
    return {
        "pipeline": view.subject,
        "goal": statement(ThresholdPolicy.from_dict(policy)),
        "model": policy["domain"].get("model", ""),
        "rows": rows,
        "shares": {name for name in SHOWN if name != "kept"},
        "estimates": {name: SHOWN[name] for name in known},
        "held_out": list(sentences(policy.get("held_out"))),
        "notes": [{"category": row["category"], "text": note} for row in rows for note in row["notes"]],
        "others": [name for name in view.policies if name != view.subject],
        **_rules(view),
    }


def _rules(view: View) -> dict[str, Any]:
    """Return which cut rule wins on held-out queries, and all that were compared; empty in an older run."""
    found = view.summary.get("rules")
    if not found or found["pipeline"] != view.subject:
        return {"winner": "", "rules": []}
    return {"winner": winner(found), "rules": found["compared"], "criterion": found["criterion"]}


def _row(name: str, entry: Mapping[str, Any], overall: bool) -> dict[str, Any]:
    return {
        "category": name,
        "overall": overall,
        "threshold": entry["threshold"],
        "status": entry["status"],
        "meaning": meaning(entry),
        "n_queries": entry["n_queries"],
        "needs": entry.get("needs_queries") or 0,
        "estimates": entry.get("estimates", {}),
        "notes": list(entry.get("notes", ())),
    }


def meaning(entry: Mapping[str, Any]) -> str:
    """Say a threshold's status as sentences that can be quoted.

    >>> meaning({"status": "unusable", "threshold": None, "promise": None})
    'No threshold does what was asked.'
    """
    needs = entry.get("needs_queries") or 0
    more = f" {plural(needs, 'more labelled query')} would likely do." if needs else ""
    if entry["status"] == "unusable":
        return f"No threshold does what was asked.{more}"
    if entry["status"] == "fallback":
        source = entry.get("source", OVERALL)
        where = ALL if source == OVERALL else source
        mixture = ", promised for their mixture and not inside this category" if entry["promise"] else ""
        return f"Uses the threshold of {where}{mixture}.{more}"
    if entry["status"] == "estimated" or entry["promise"] is None:
        return f"An estimate: it promises nothing.{more}"
    return f"The promise holds: {_evidence(entry['promise'])}"


def _evidence(promise: Mapping[str, Any]) -> str:
    word = "at most" if promise.get("kind", "confidence") == "confidence" else "on average at most"
    parts = (promise, *promise.get("also", ()))
    bounds = (f"{percent(one['upper_bound'])} {TITLES.get(one['risk'], one['risk'])}" for one in parts)
    return f"{word} {', '.join(bounds)}, on {plural(promise['n'], 'query')}."
