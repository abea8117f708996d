"""The recommended thresholds: what each promises, on how much evidence, and where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalkit.report.figures import percent, plural
from evalkit.report.section import Content, section
from evalkit.report.view import View

OVERALL = "all queries"
RISKS = {
    "lost_answer": "lose every relevant document",
    "false_answer": "show something although nothing answers",
    "miss": "relevant documents dropped",
    "false_discovery": "irrelevant among the kept",
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
    rows = [_row(name, entry, overall) for name, entry, overall in [*entries, (OVERALL, policy["default"], True)]]
    known = [name for name in SHOWN if any(name in row["estimates"] for row in rows)]
    return {
        "pipeline": view.subject,
        "goal": goal_sentence(policy["goal"]),
        "model": policy["domain"].get("model", ""),
        "rows": rows,
        "shares": {name for name in SHOWN if name != "kept"},
        "estimates": {name: SHOWN[name] for name in known},
        "others": [name for name in view.policies if name != view.subject],
    }


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
    """Say a threshold's status as a sentence that can be quoted.

    >>> meaning({"status": "unusable", "threshold": None, "n_queries": 9})
    'No threshold does what was asked.'
    """
    status, promise = entry["status"], entry.get("promise")
    needs = entry.get("needs_queries") or 0
    more = f" {plural(needs, 'more labelled query', 'more labelled queries')} would be needed." if needs else ""
    if status == "unusable":
        return f"No threshold does what was asked.{more}"
    if status == "fallback":
        source = entry.get("source", "overall")
        where = OVERALL if source == "overall" else source
        return f"Uses the threshold of {where}: too few queries of its own for a promise.{more}"
    if status == "estimated" or promise is None:
        return f"An estimate, no promise: chosen for the best balance on these queries.{more}"
    return promise_sentence(promise)


def promise_sentence(promise: Mapping[str, Any]) -> str:
    """Say what a threshold promises, with its evidence."""
    risk = RISKS.get(promise["risk"], promise["risk"].replace("_", " "))
    limit = f"{percent(promise['at_most']).replace('.0 %', ' %')} of queries {risk}"
    if promise["risk"] not in ("lost_answer", "false_answer"):
        limit = f"{percent(promise['at_most']).replace('.0 %', ' %')} {risk}"
    bound = percent(promise["upper_bound"])
    if promise.get("kind", "confidence") == "expectation":
        return f"On average at most {limit} (expected {bound}, {plural(promise['n'], 'query', 'queries')})."
    confidence = percent(promise["confidence"]).replace(".0 %", " %")
    return (
        f"At most {limit}, with {confidence} confidence "
        f"(bound {bound}, {plural(promise['n'], 'query', 'queries')})."
    )


def goal_sentence(goal: Mapping[str, Any]) -> str:
    """Say a goal as a reader would; a goal of another shape is spelled out as it was written."""
    risk, at_most, then = goal.get("risk"), goal.get("at_most"), goal.get("then")
    if isinstance(risk, str) and isinstance(at_most, int | float):
        words = RISKS.get(risk, risk.replace("_", " "))
        told = f"at most {percent(at_most).replace('.0 %', ' %')} of queries {words}"
        if isinstance(goal.get("confidence"), int | float):
            told += f", with {percent(goal['confidence']).replace('.0 %', ' %')} confidence"
        return f"{told}; then the most {then}" if then else told
    return "; ".join(f"{key}: {value}" for key, value in goal.items())
