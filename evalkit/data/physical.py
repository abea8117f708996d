"""The physical of a data set: what is in it, how much is judged, what will spoil an evaluation."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pyarrow.compute as pc

from evalkit.data.render import Fit, fit
from evalkit.data.survey import COMPARED, Survey, guessed, leaks, near
from evalkit.measures.columns import arrow, positions, strings
from evalkit.records import Codes, Dataset, Ints
from evalkit.words import plural

NO_CATEGORY = "(no category)"


@dataclass(frozen=True)
class Category:
    """How many queries of a category are answerable (have a relevant document), negative, and unjudged."""

    queries: int = 0
    answerable: int = 0
    negative: int = 0
    unjudged: int = 0


@dataclass(frozen=True)
class Physical:
    """What was found. Lists of ids hold groups of two and more; `fits` are estimates by model.

    `depth` has the least, the median and the greatest number of judgments of a judged query. `compared` says
    among how many texts near-duplicates were looked for.
    """

    documents: int
    empty_documents: int
    queries: int
    judgments: int
    whole: Category
    categories: Mapping[str, Category]
    grades: Mapping[int, int]
    undeclared_grades: tuple[int, ...]
    depth: tuple[int, float, int]
    relevant: tuple[int, float, int]
    near_queries: tuple[tuple[str, ...], ...]
    near_documents: tuple[tuple[str, ...], ...]
    compared: Mapping[str, int]
    leaks: tuple[tuple[str, str], ...]
    fits: Mapping[str, Fit] = field(default_factory=dict)
    languages: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self) | {"fits": {name: one._asdict() for name, one in self.fits.items()}}


def examine(dataset: Dataset, seen: Survey, limits: Mapping[str, int]) -> Physical:
    """Return the physical of `dataset`, in whose documents, as models will see them, `seen` was seen.

    `limits` has the tokens that each model reads of a document.
    """
    n = len(dataset.corpus)
    asked = [query.text for query in dataset.queries.values()]
    judged, relevant = _judged(dataset)
    whole, categories = counts(dataset)
    return Physical(
        documents=n,
        empty_documents=seen.empty,
        queries=len(asked),
        judgments=len(dataset.qrels.grade),
        whole=whole,
        categories=categories,
        grades=_counts(dataset.qrels.grade),
        undeclared_grades=_undeclared(dataset),
        depth=_spread(judged[judged > 0]),
        relevant=_spread(relevant[relevant > 0]),
        near_queries=near(list(dataset.queries), asked),
        near_documents=seen.alike,
        compared={"queries": min(len(asked), COMPARED), "documents": min(n, COMPARED)},
        leaks=leaks(dataset.queries.values(), seen.sample),
        fits={name: fit(seen.tokens, limit) for name, limit in limits.items()},
        languages={
            "documents": guessed(seen.sample.values(), len(seen.sample)),
            "queries": guessed(asked, len(asked)),
        },
    )


def counts(dataset: Dataset, only: Collection[str] | None = None) -> tuple[Category, dict[str, Category]]:
    """Return what kinds of queries there are, in all and by category; `only` names those that count."""
    judged, relevant = _judged(dataset)
    members: dict[str, list[int]] = {}
    for place, query in enumerate(dataset.queries.values()):
        if only is None or query.id in only:
            members.setdefault(query.category or NO_CATEGORY, []).append(place)
    whole = np.array([place for places in members.values() for place in places], np.int64)
    by_name = {name: _category(judged, relevant, np.array(rows)) for name, rows in sorted(members.items())}
    return _category(judged, relevant, whole), by_name


def _judged(dataset: Dataset) -> tuple[Ints, Ints]:
    """Return how many judgments, and how many relevant documents, each query has."""
    qrels, n = dataset.qrels, len(dataset.queries)
    query = positions(qrels.query_ids, strings(list(dataset.queries)))[qrels.query]
    judged = np.bincount(query, minlength=n)
    relevant = np.bincount(query[qrels.grade >= qrels.relevant_from], minlength=n)
    return judged, relevant


def _category(judged: Ints, relevant: Ints, rows: Ints) -> Category:
    is_judged, is_answerable = judged[rows] > 0, relevant[rows] > 0
    return Category(
        len(rows),
        int(is_answerable.sum()),
        int((is_judged & ~is_answerable).sum()),
        int((~is_judged).sum()),
    )


def _counts(grade: Codes) -> dict[int, int]:
    counted = pc.value_counts(arrow(grade))
    return dict(sorted(zip(*(column.to_pylist() for column in counted.flatten()), strict=True)))


def _undeclared(dataset: Dataset) -> tuple[int, ...]:
    if not dataset.grades:
        return ()
    return tuple(grade for grade in _counts(dataset.qrels.grade) if grade not in dataset.grades)


def _spread(counts: Ints) -> tuple[int, float, int]:
    return (int(counts.min()), float(np.median(counts)), int(counts.max())) if len(counts) else (0, 0.0, 0)


def lines(name: str, found: Physical) -> Iterable[str]:
    """Tell the physical in plain lines of at most 80 columns."""
    whole = found.whole
    yield (
        f"{name}: {plural(found.documents, 'document')}, "
        f"{plural(found.queries, 'query')}, {plural(found.judgments, 'judgment')}"
    )
    yield (f"queries: {whole.answerable} answerable, {whole.negative} negative, {whole.unjudged} unjudged")
    yield "grades: " + ", ".join(f"{grade}: {count}" for grade, count in found.grades.items())
    yield f"judged a query: {_told(found.depth)}; relevant an answerable query: {_told(found.relevant)}"
    width = max((len(category) for category in found.categories), default=0)
    for category, one in found.categories.items():
        word = "query:  " if one.queries == 1 else "queries:"
        yield (
            f"  {category:<{min(width, 28)}}  {one.queries:>5} {word} {one.answerable} answerable, "
            f"{one.negative} negative" + (f", {one.unjudged} unjudged" if one.unjudged else "")
        )
    for kind, groups in (("queries", found.near_queries), ("documents", found.near_documents)):
        inside = sum(map(len, groups))
        what = (
            "nearly the same"
            if found.compared[kind] == getattr(found, kind)
            else "equal (too many to compare)"
        )
        shown = "; ".join(", ".join(group[:3]) for group in groups[:3])
        yield f"{kind} that are {what}: {inside} in {plural(len(groups), 'group')}" + (
            f" ({shown})" if shown else ""
        )
    for kind, counts in found.languages.items():
        yield f"languages of {kind} (guessed): " + ", ".join(f"{n} {lang}" for lang, n in counts.items())
    for limit in sorted({one.limit for one in found.fits.values()}):
        models = [model for model, one in found.fits.items() if one.limit == limit]
        cut = found.fits[models[0]]
        yield f"documents of more than {limit} tokens (estimated): {cut.cut} ({cut.share:.1%}), cut by"
        yield f"  {', '.join(models)}"


def _told(spread: tuple[int, float, int]) -> str:
    return f"{spread[0]} to {spread[2]}, median {spread[1]:g}"
