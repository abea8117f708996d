"""What a gate found, as plain data, lines, Markdown, JUnit XML and GitHub annotations."""

from __future__ import annotations

import re
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from evalkit.report.escape import markdown, visible

SCHEMA = "evalkit.gate/1"
Outcome = Literal["held", "worse", "cannot tell"]
WIDTH = 80
SIGNS = {"held": "✅", "worse": "❌", "cannot tell": "❔"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a gate looked at: `kind` is measure, promise or spend; `told` is the evidence."""

    kind: Literal["measure", "promise", "spend"]
    name: str
    outcome: Outcome
    told: str


@dataclass(frozen=True, slots=True)
class Found:
    """All checks of a gate; `strict` says that what cannot be told fails too."""

    run: str
    baseline: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    strict: bool = False

    def fails(self, check: Check) -> bool:
        """Return whether a check closes the gate."""
        return check.outcome == "worse" or (self.strict and check.outcome == "cannot tell")

    @property
    def failing(self) -> tuple[Check, ...]:
        """The checks that close the gate."""
        return tuple(check for check in self.checks if self.fails(check))

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of all checks; `cannot tell` where nothing was checked."""
        found = {check.outcome for check in self.checks}
        if "worse" in found:
            return "worse"
        return "held" if found == {"held"} else "cannot tell"

    @property
    def verdict(self) -> str:
        """The gate in one sentence."""
        counts = ", ".join(
            f"{sum(check.outcome == outcome for check in self.checks)} {outcome}" for outcome in SIGNS
        )
        return f"Gate {'closed' if self.failing else 'open'}: {self.outcome} ({counts})."

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, schema `evalkit.gate/1`."""
        return {
            "schema": SCHEMA,
            "run": self.run,
            "baseline": self.baseline,
            "outcome": self.outcome,
            "passed": not self.failing,
            "verdict": self.verdict,
            "notes": list(self.notes),
            "checks": [asdict(check) | {"fails": self.fails(check)} for check in self.checks],
        }


def lines(found: Found) -> Iterator[str]:
    """Yield the verdict, notes and checks in at most 80 columns.

    A CI system reads a line that starts with two colons as its command: names from data are kept from it.
    """
    for text in (found.verdict, *found.notes, *(_line(check) for check in found.checks)):
        plain = re.sub(r":(?=:)|##(?=\[)", r"\g<0> ", " ".join(visible(text).split()))
        yield from textwrap.wrap(plain, WIDTH, subsequent_indent="    ")


def _line(check: Check) -> str:
    return f"{check.outcome.upper():<12}{check.name}: {check.told}"


def summary(found: Found) -> str:
    """Return the gate as Markdown for a pull request or a step summary."""
    rows = [
        f"| {SIGNS[check.outcome]} {check.outcome} | {markdown(check.name)} | {markdown(check.told)} |"
        for check in found.checks
    ]
    head = [f"### {markdown(found.verdict)}", "", f"{markdown(found.run)} against {markdown(found.baseline)}"]
    notes = [f"- {markdown(note)}" for note in found.notes]
    parts = [*head, "", *notes, "", "| outcome | check | evidence |", "| --- | --- | --- |", *rows]
    return "\n".join(parts) + "\n"


def junit(found: Found) -> bytes:
    """Return JUnit XML: a failure closes the gate, what cannot be told and does not is skipped."""
    skipped = sum(check.outcome == "cannot tell" and not found.fails(check) for check in found.checks)
    counts = {"tests": str(len(found.checks)), "failures": str(len(found.failing)), "errors": "0"}
    suite = ET.Element("testsuite", {"name": "evalkit gate", **counts, "skipped": str(skipped)})
    for check in found.checks:
        names = {"classname": f"evalkit.gate.{check.kind}", "name": visible(check.name)}
        case = ET.SubElement(suite, "testcase", names)
        told = visible(check.told)
        if found.fails(check):
            ET.SubElement(case, "failure", {"type": check.outcome, "message": told}).text = told
        elif check.outcome == "cannot tell":
            ET.SubElement(case, "skipped", {"message": told})
        else:
            ET.SubElement(case, "system-out").text = told
    root = ET.Element("testsuites", counts)
    root.append(suite)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def workflow_commands(found: Found) -> Iterator[str]:
    """Yield GitHub workflow commands: an error for what fails, a warning for what cannot be told."""
    for check in found.checks:
        if check.outcome != "held":
            level = "error" if found.fails(check) else "warning"
            title = _data(f"evalkit gate: {check.outcome}").replace(":", "%3A").replace(",", "%2C")
            yield f"::{level} title={title}::{_data(f'{check.name}: {check.told}')}"


def _data(text: str) -> str:
    """Escape what a workflow command gives a meaning; the percent sign goes first."""
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
