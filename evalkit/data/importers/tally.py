"""The books of an import: what came in is what went out and what was left out, by reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.data.csv_lines import Rows
from evalkit.errors import Finding

SHOWN = 20  # findings of one kind that are told one by one
KINDS = ("documents", "queries", "ratings")


@dataclass
class Account:
    """One kind of thing: how many were read, written, and left out by reason (which says who decided)."""

    read: int = 0
    written: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def balanced(self) -> bool:
        """Whether nothing got lost."""
        return self.read == self.written + sum(self.left_out.values())

    def __str__(self) -> str:
        """Read as `12 read, 10 written, 2 not rated`."""
        told = [f"{self.read} read", f"{self.written} written"]
        return ", ".join(told + [f"{count} {reason}" for reason, count in sorted(self.left_out.items())])

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"read": self.read, "written": self.written, "left_out": dict(self.left_out)}


class Books:
    """The accounts of an import and its findings; of each kind of finding, the first few with their lines.

    What is told of a row of a file that `rows` knows gets the line that the row begins on.
    """

    def __init__(self) -> None:
        self.accounts = {kind: Account() for kind in KINDS}
        self.findings: list[Finding] = []
        self.rows = Rows()
        self._of_rows: set[int] = set()  # which findings name a row
        self._told: Counter[tuple[str, str]] = Counter()

    @property
    def errors(self) -> list[Finding]:
        """The findings that forbid the import, with a last one for each kind that has more than was told."""
        return [one for one in self.all_findings() if one.severity == "error"]

    def note(self, finding: Finding) -> None:
        """Note a finding as it is."""
        self.findings.append(finding)

    def tell(self, kind: str, path: Path | str, line: int | None, what: str, remedy: str) -> None:
        """Note a finding of a kind that may come in thousands."""
        self._told[kind, remedy] += 1
        if self._told[kind, remedy] <= SHOWN:
            self._of_rows.add(len(self.findings))
            self.findings.append(Finding(str(path), line, what, remedy))

    def all_findings(self) -> list[Finding]:
        """Return all findings, the untold ones counted."""
        more = [
            Finding("in all", None, f"{count} times: {kind}; {SHOWN} of them are told", remedy)
            for (kind, remedy), count in self._told.items()
            if count > SHOWN
        ]
        return [self._placed(place, one) for place, one in enumerate(self.findings)] + more

    def _placed(self, place: int, finding: Finding) -> Finding:
        if place not in self._of_rows:
            return finding
        return finding._replace(line=self.rows.line(finding.path, finding.line))

    def leave_out(self, kind: str, reason: str, count: int = 1) -> None:
        """Book `count` things that were read and are not written."""
        if count:
            self.accounts[kind].left_out[reason] += count
