"""What was run, so that a reader can repeat it."""

from __future__ import annotations

from typing import Any

import yaml

from evalkit.report.figures import gains
from evalkit.report.section import Content, section
from evalkit.report.sections.pipelines import warnings
from evalkit.report.view import View
from evalkit.words import plural

FAILURES_SHOWN = 50


@section("provenance", "What was run", order=120)
def provenance(view: View) -> Content | None:
    """The suite, digests, versions, seed, spend, failures and warnings."""
    info = view.info
    failures = [
        {"pipeline": name, **failure} for name, found in info.get("failures", {}).items() for failure in found
    ]
    return {
        "suite": yaml.safe_dump(_said(info["suite"]), sort_keys=False, allow_unicode=True, width=100),
        "facts": list(_facts(view).items()),
        "digests": dict(info["dataset"]["digests"]) | {"suite": info["suite_digest"]},
        "versions": dict(info["versions"]),
        "stages": [
            {"pipeline": name, **stage}
            for name, pipeline in info["pipelines"].items()
            for stage in pipeline["stages"]
        ],
        "failures": failures[:FAILURES_SHOWN],
        "failed": len(failures),
        "warnings": warnings(view),
    }


def _said(suite: Any) -> Any:
    """Return the suite without what it leaves to the defaults."""
    if isinstance(suite, dict):
        said = {key: _said(value) for key, value in suite.items()}
        return {key: value for key, value in said.items() if value not in (None, {}, [])}
    return [_said(value) for value in suite] if isinstance(suite, list) else suite


def _facts(view: View) -> dict[str, str]:
    info, data = view.info, view.info["dataset"]
    facts = {
        "Data set": f"{data['name']}, {plural(data['documents'], 'document')}, "
        f"{plural(data['queries'], 'query')} "
        f"({data['judged_queries']:,} judged)",
        "Relevant": f"grade {data['relevant_from']} or higher",
        **({"Gains": f"by grade {gains(data['gains'])}"} if data.get("gains") else {}),
        "Started": str(info["started"]).replace("T", " ").replace("+00:00", " UTC"),
        "Took": f"{info['seconds']:.0f} s",
        "Seed": str(info["seed"]),
    }
    if info.get("limit"):
        facts["Limited"] = f"to the first {plural(info['limit'], 'query')}"
    if info.get("sandbox"):
        facts["Sandbox"] = "models were simulated: the scores mean nothing"
    return facts
