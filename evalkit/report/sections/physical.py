"""What is in the data set, and what will spoil an evaluation on it: the physical of `evalkit check`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evalkit.report.section import Content, section
from evalkit.report.view import View

SHOWN = 10  # groups of near-duplicates, and leaks
TOLD_OF = ("documents", "queries")


@section("physical", "The data set", order=115)
def physical(view: View) -> Content | None:
    """Sizes, categories, grades, depth of judging, near-duplicates, long documents, leaks, languages."""
    if view.physical is None:
        return None
    found = view.physical["physical"]
    content: dict[str, Any] = {"documents": view.info["dataset"]["documents"], "found": found}
    if found is None:
        return content | {"told": [], "findings": []}
    return content | {
        "told": view.physical["told"],
        "findings": [f"{one['what']}. {one['remedy']}" for one in view.physical["findings"]],
        "grades": list(_grades(found, view.info["dataset"].get("grades", {}))),
        "alike": [_alike(found, kind) for kind in ("queries", "documents")],
        "leaks": found["leaks"][:SHOWN],
        "leaked": len(found["leaks"]),
        "languages": [
            {
                "kind": kind,
                "counts": ", ".join(f"{n:,} {name}" for name, n in found["languages"][kind].items()),
            }
            for kind in TOLD_OF
            if kind in found["languages"]
        ],
    }


def _grades(found: Mapping[str, Any], meanings: Mapping[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "grade": grade,
            "meaning": meanings.get(grade, ""),
            "count": count,
            "share": count / found["judgments"],
        }
        for grade, count in found["grades"].items()
    ]


def _alike(found: Mapping[str, Any], kind: str) -> dict[str, Any]:
    groups = found[f"near_{kind}"]
    return {
        "kind": kind,
        "groups": groups[:SHOWN],
        "count": len(groups),
        "inside": sum(len(group) for group in groups),
        "whole": found["compared"][kind] == found[kind],
    }
