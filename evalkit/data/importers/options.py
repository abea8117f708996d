"""What a user decides about an import: where its parts lie, what grades mean, how contradictions end."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from evalkit.data.qrels import whole
from evalkit.errors import InputError

Several = Literal["majority", "mean", "max", "first", "last"]
Twice = Literal["first", "last"]
Alike = Literal["keep", "merge"]
Outside = Literal["drop", "clip"]
Categories = Literal["first", "join"]
SKIP = "skip"


@dataclass(frozen=True)
class Options:
    """The decisions; None everywhere means: refuse, and say how often it occurs.

    `columns` maps our names to theirs. `grades` maps their words to our grades (None: leave the rating out),
    `gains` says what our grades are worth to nDCG, `bins` are ascending bounds that turn a number into how
    many of them it reaches. `several` settles ratings of one pair that differ, `twice` an id that stands
    twice with different content, `alike` ids that differ in case or blanks only, `outside` grades beyond
    `scale`, `categories` queries with more than one. With `drop_unknown`, ratings of unknown queries and
    documents are left out.
    """

    corpus: Path | None = None
    queries: Path | None = None
    qrels: Path | None = None
    split: str = "test"
    columns: Mapping[str, str] = field(default_factory=dict)
    grades: Mapping[str, int | None] = field(default_factory=dict)
    bins: tuple[float, ...] = ()
    gains: Mapping[int, float] = field(default_factory=dict)
    scale: tuple[int, int] | None = None
    relevant_from: int = 1
    several: Several | None = None
    twice: Twice | None = None
    alike: Alike | None = None
    outside: Outside | None = None
    categories: Categories | None = None
    drop_unknown: bool = False


def pairs(written: Sequence[str], option: str) -> dict[str, str]:
    """Return `["a=b", ...]` as a mapping.

    Raises:
        InputError: one of them has no `=`, or a name stands twice.
    """
    found: dict[str, str] = {}
    for one in written:
        name, equals, value = one.partition("=")
        if not equals or not name.strip():
            raise InputError(f"{option} {one!r}: write {option} OURS=THEIRS")
        if name.strip() in found:
            raise InputError(f"{option}: {name.strip()!r} is given twice")
        found[name.strip()] = value.strip()
    return found


def grades(written: Sequence[str]) -> dict[str, int | None]:
    """Return `["Exact=3", "Unsure=skip"]` as grades by their words; None leaves a rating out.

    Raises:
        InputError: one of them is no whole number and not `skip`.
    """
    found: dict[str, int | None] = {}
    for name, value in pairs(written, "--grade").items():
        number = whole(value)
        if number is None and value != SKIP:
            raise InputError(f"--grade {name}={value}: write a whole number, or `{SKIP}` to leave it out")
        found[name] = number
    return found


def gains(written: Sequence[str]) -> dict[int, float]:
    """Return `["3=100", "2=10"]` as what grades are worth.

    Raises:
        InputError: one of them is no whole number with a number of at least 0.
    """
    found: dict[int, float] = {}
    for name, value in pairs(written, "--gain").items():
        grade = whole(name)
        try:
            worth = float(value)
        except ValueError:
            worth = -1.0
        if grade is None or not 0 <= worth < float("inf"):
            raise InputError(
                f"--gain {name}={value}: write GRADE=WORTH, a whole number and one of at least 0"
            )
        found[grade] = worth
    ranked = [worth for _, worth in sorted(found.items())]
    if ranked != sorted(ranked):
        raise InputError("--gain: a higher grade is worth at least as much as a lower one")
    return found


def bins(written: str | None) -> tuple[float, ...]:
    """Return `"0.25,0.5"` as ascending bounds.

    Raises:
        InputError: they are no ascending numbers.
    """
    try:
        found = tuple(float(one) for one in written.split(",")) if written else ()
    except ValueError:
        raise InputError(f"--bins {written}: write numbers with commas between") from None
    if any(not low < high for low, high in itertools.pairwise(found)):
        raise InputError(f"--bins {written}: write them in ascending order")
    return found


def scale(written: str | None) -> tuple[int, int] | None:
    """Return `"0:3"` as the least and the greatest grade.

    Raises:
        InputError: it is not of that form.
    """
    if not written:
        return None
    low, _, high = written.partition(":")
    least, greatest = whole(low), whole(high)
    if least is None or greatest is None or least >= greatest:
        raise InputError(f"--scale {written}: write the least and the greatest grade, such as 0:3")
    return least, greatest
