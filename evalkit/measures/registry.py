"""What a measure is: a formula over judged rows, its parameters, and what it is defined on.

    @measure("P", at="cutoff", parameters={"cutoff": CUTOFF_NEEDED, "rel": REL, "judged_only": JUDGED_ONLY})
    def precision(rows: Rows, cutoff: int, rel: int | None, judged_only: bool) -> Floats: ...

One registration adds a measure everywhere: names, command line, suites, reports and the contract tests read
the registry and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from evalkit.records import Floats
from evalkit.registry import Registry

Kernel = Callable[..., Floats]
# On which queries a measure means something; elsewhere it is undefined (NaN).
DefinedOn = Literal["all", "answerable", "negative", "gainful"]
TieHandling = Literal["averaged", "immune", "one order"]


class Parameter(NamedTuple):
    """One parameter of a measure: its type, its default (`...`: it must be given) and what is allowed."""

    type: type
    default: Any = ...
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""


class Measure(NamedTuple):
    """A registered measure.

    `kernel(rows, **parameters)` returns one float per query. It need not think of queries outside
    `defined_on`, which become NaN, nor of queries that the run lacks, which get the value `worst`.
    `better` says which direction is good; None: neither. `ties` says whether the kernel knows the mean over
    all orders of equal scores ("averaged"), does not look at the order ("immune"), or needs one order.
    `needs_all_rows` is asked with the parameters: True where scores of rows without a judgment are read.
    """

    name: str
    kernel: Kernel
    at: str | None
    parameters: Mapping[str, Parameter]
    defined_on: DefinedOn
    worst: float
    better: Literal["higher", "lower"] | None
    ties: TieHandling
    needs_all_rows: Callable[[Mapping[str, Any]], bool]

    @property
    def summary(self) -> str:
        """Return the first line of the documentation."""
        return (self.kernel.__doc__ or "").strip().split("\n", 1)[0]


MEASURES: Registry[Measure] = Registry("measure")
ALIASES: dict[str, str] = {}

CUTOFF = Parameter(int, None, low=1, help="ranks that count; all without it")
CUTOFF_NEEDED = Parameter(int, low=1, help="ranks that count")
REL = Parameter(int, None, help="lowest grade that is relevant; without it, what the judgments declare")
GAINS = Parameter(dict, None, help="what grades are worth, where it is not the grade itself")
JUDGED_ONLY = Parameter(
    bool, False, help="rank the judged documents alone, as if the others were not returned"
)


def reads_all_scores(parameters: Mapping[str, Any]) -> bool:
    """Return whether documents are counted by score, judged or not."""
    return parameters["min_score"] is not None


def measure(
    name: str,
    *,
    parameters: Mapping[str, Parameter],
    at: str | None = "cutoff",
    aliases: tuple[str, ...] = (),
    defined_on: DefinedOn = "answerable",
    worst: float = 0.0,
    better: Literal["higher", "lower"] | None = "higher",
    ties: TieHandling = "one order",
    needs_all_rows: Callable[[Mapping[str, Any]], bool] = lambda _: False,
) -> Callable[[Kernel], Kernel]:
    """Return a decorator that registers a kernel as the measure `name`, under its `aliases` too."""

    def file(kernel: Kernel) -> Kernel:
        made = Measure(name, kernel, at, parameters, defined_on, worst, better, ties, needs_all_rows)
        MEASURES.register(name)(made)
        for alias in aliases:
            if alias in MEASURES or ALIASES.setdefault(alias, name) != name:
                raise ValueError(f"the measure {alias!r} is registered already")
        return kernel

    return file
