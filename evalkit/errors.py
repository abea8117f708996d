"""Every error that evalkit raises on purpose.

    EvalkitError
    ├── ConditionFailed       1   a gate or --strict condition did not hold
    ├── InputError            2   the user's data, suite or arguments are wrong
    │   ├── DataError         2   ... with findings, each naming file, line and remedy
    │   ├── UnknownName       2   ... a name that no registry knows
    │   └── DomainError       2   ... scores of one model or rendering met a threshold of another
    └── ProviderError         3   a model provider failed; run again to resume
        └── LedgerError       3   ... or its responses cannot be kept on disk

The command line prints the message without a traceback and exits with the class's code. Anything else
is a bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, NamedTuple, TypeVar

T = TypeVar("T")


class Finding(NamedTuple):
    """One thing wrong (or remarkable) in the user's input, with where it is and what to do about it."""

    path: str
    line: int | None
    what: str
    remedy: str
    severity: str = "error"

    def __str__(self) -> str:
        """Read as `file:line: what. remedy`, the form that editors can jump to."""
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.what}{'' if self.what.endswith('?') else '.'} {self.remedy}"


class EvalkitError(Exception):
    """The root of the tree: catch it to catch all that evalkit raises on purpose."""

    exit_code: ClassVar[int] = 1


class ConditionFailed(EvalkitError):
    """A gate found a regression, or `--strict` met a condition that it forbids."""


class InputError(EvalkitError):
    """The user's input or configuration is wrong; the message says what, where and what to do."""

    exit_code = 2


class DataError(InputError):
    """Input files with findings, all of them at once."""

    SHOWN: ClassVar[int] = 50

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        lines = [str(finding) for finding in self.findings[: self.SHOWN]]
        if len(self.findings) > self.SHOWN:
            lines.append(f"... and {len(self.findings) - self.SHOWN} more")
        super().__init__("\n".join(lines))


class UnknownName(InputError):
    """A name that is in no registry, with the closest ones that are."""


class DomainError(InputError):
    """Scores of another model, rendering or candidate generator than the threshold was calibrated on."""


class ProviderError(EvalkitError):
    """A model provider failed and the run is incomplete; what was answered is kept."""

    exit_code = 3


class LedgerError(ProviderError):
    """The ledger of paid responses cannot be read or written; nothing is asked for that cannot be kept."""


def all_of(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Return what each call returns; where calls meet mistakes of the user, raise all of them at once."""
    done, wrong = [], []
    for call in calls:
        try:
            done.append(call())
        except InputError as error:
            wrong.append(error)
    if len(wrong) > 1:
        raise InputError("\n".join(dict.fromkeys(map(str, wrong))))
    if wrong:
        raise wrong[0]
    return done
