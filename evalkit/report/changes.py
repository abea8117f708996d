"""The page of `evalkit compare RUN_DIR RUN_DIR`: what changed, the verdict first, as sections of a report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from evalkit.report.render import Shown
from evalkit.report.scale import forest
from evalkit.report.section import Content
from evalkit.report.sections.queries import queries
from evalkit.report.view import View

FLIPPED = 10  # queries of a pipeline in the table; all can be browsed below it
Row = Mapping[str, Any]


def sections(told: Mapping[str, Any], labels: Sequence[str], view: View | None) -> list[Shown]:
    """Return the sections for `changes` as `compare --json` tells them (no NaN), one set a later run.

    All verdicts come first. `labels` names the runs, the first one first. `view` has both orders of every
    query that all runs share (see `evalkit.experiment.changes_page`); None where there is none.
    """
    found = []
    several = len(told["changes"]) > 1
    verdicts = [(place, *VERDICT) for place in range(len(told["changes"]))]
    details = [(place, *part) for place in range(len(told["changes"])) for part in DETAILS]
    for place, name, title, make in [*verdicts, *details]:
        content = make(told["changes"][place], view)
        if content is not None:
            names = {"before": labels[0], "after": labels[1 + place]}
            own = f"{title}: {names['after']}" if several else title
            key = f"{name}-{place + 1}" if several else name
            found.append(Shown(key, own, names | content, f"changes/{name}.html", ""))
    if view is not None:
        browsed = queries(view)
        assert browsed is not None  # noqa: S101  it has something to say of every view
        found.append(Shown("queries", "Queries", browsed, "sections/queries.html", ""))
    runs = [told["changes"][0]["before"], *(change["after"] for change in told["changes"])]
    rows = [{"label": label, **run} for label, run in zip(labels, runs, strict=True)]
    found.append(Shown("compared", "What was compared", {"rows": rows}, "changes/compared.html", ""))
    return found


def _verdict(change: Row, _: View | None) -> Content:
    parts = change["pipelines"]
    return {
        "sentences": change["verdict"],
        "notes": change["notes"],
        "only": {side: parts[f"only_{side}"] for side in ("before", "after") if parts[f"only_{side}"]},
    }


def _differences(change: Row, _: View | None) -> Content | None:
    rows = change["differences"]
    if not rows:
        return None
    primary = rows[0]["measure"]
    own = [row for row in rows if row["measure"] == primary]
    return {
        "measure": primary,
        **forest(own, sorted({row["category"] for row in own} - {None})),
        "others": [row for row in rows if row["category"] is None and row["measure"] != primary],
    }


def _flipped(change: Row, view: View | None) -> Content | None:
    overall = [row for row in change["differences"] if row["category"] is None]
    if not overall:
        return None
    counts = [row for row in overall if row["measure"] == overall[0]["measure"]]
    rows = [row for name in change["pipelines"]["compared"] for row in _first(change["flipped"], name)]
    texts = {} if view is None else view.queries
    return {
        "measure": counts[0]["measure"],
        "counts": counts,
        "rows": [
            {**row, "text": texts.get(row["query_id"], ""), "change": row["after"] - row["before"]}
            for row in rows
        ],
    }


def _first(flipped: Sequence[Row], pipeline: str) -> Sequence[Row]:
    return [row for row in flipped if row["pipeline"] == pipeline][:FLIPPED]


def _configuration(change: Row, _: View | None) -> Content:
    rows = change["configuration"]
    return {"rows": [{key: _written(value) for key, value in row.items()} for row in rows]}


def _written(value: Any) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _scores(change: Row, _: View | None) -> Content | None:
    others = [row["pipeline"] for row in change["scores"] if not row["same_model"]]
    return {"rows": change["scores"], "others": others} if change["scores"] else None


def _kept(change: Row, _: View | None) -> Content | None:
    rows = [{**row, "category": row["category"] or "all queries"} for row in change["kept"]]
    return {"rows": rows} if rows else None


VERDICT = ("verdict", "Verdict", _verdict)
DETAILS = (
    ("differences", "Differences", _differences),
    ("flipped", "Queries that flipped", _flipped),
    ("kept", "Thresholds and documents kept", _kept),
    ("scores", "Scores", _scores),
    ("configuration", "Configuration", _configuration),
)
