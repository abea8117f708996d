"""What two runs have in common: queries that were asked and judged alike in both."""

from __future__ import annotations

from dataclasses import dataclass, field

from evalkit.errors import InputError
from evalkit.runs import RunDirectory

PARTS = {"corpus": "documents", "queries": "queries", "qrels": "judgments"}


@dataclass(frozen=True)
class Common:
    """The queries on which runs can be compared, in order, and in sentences what was left out and why."""

    query_ids: list[str]
    notes: list[str] = field(default_factory=list)


def common(before: RunDirectory, after: RunDirectory, restrict: bool = False) -> Common:
    """Return what two runs can be compared on.

    Data of equal digests are compared query by query. Where documents, queries or judgments differ,
    `restrict` keeps the queries that both runs asked with the same text and judged alike, document by
    document.

    Raises:
        InputError: the data differ and `restrict` is not set, or no query is common.
    """
    differing = _differing(before, after)
    if differing and not restrict:
        raise InputError(
            f"{before.folder} and {after.folder} have different {' and '.join(differing)}: their figures are "
            "not comparable query by query. Run both on the same data, or give --common to compare the "
            "queries that are alike in both"
        )
    own = before.info["dataset"]["relevant_from"], after.info["dataset"]["relevant_from"]
    if own[0] != own[1]:
        raise InputError(
            f"a document is relevant from grade {own[0]} in {before.folder}, from {own[1]} in "
            f"{after.folder}: measure both alike before comparing them"
        )
    if before.info["dataset"].get("gains", {}) != after.info["dataset"].get("gains", {}):
        raise InputError(
            f"{before.folder} and {after.folder} declare different gains for grades: their nDCG is not the "
            "same measure. Declare the same in dataset.yaml and run both"
        )
    ids = {run.folder: list(dict.fromkeys(run.measures["query_id"])) for run in (before, after)}
    both = [query_id for query_id in ids[before.folder] if query_id in set(ids[after.folder])]
    notes = [f"Different {' and '.join(differing)}: only what is alike is compared."] if differing else []
    kept = both
    if differing:
        texts = [run.texts[run.texts["kind"] == "query"].set_index("id")["text"] for run in (before, after)]
        kept = [query_id for query_id in both if texts[0].get(query_id) == texts[1].get(query_id)]
    if "judgments" in differing:
        regraded = _regraded(before, after)
        kept = [query_id for query_id in kept if query_id not in regraded]
    asked = max(len(one) for one in ids.values())
    if len(kept) < asked:
        notes.append(f"Compared on {len(kept)} of {asked} judged queries.")
    if not kept:
        raise InputError(f"{before.folder} and {after.folder} have no query in common")
    return Common(kept, notes)


def _differing(before: RunDirectory, after: RunDirectory) -> list[str]:
    digests = [run.info["dataset"]["digests"] for run in (before, after)]
    return [name for part, name in PARTS.items() if digests[0].get(part) != digests[1].get(part)]


def _regraded(before: RunDirectory, after: RunDirectory) -> set[str]:
    """Return the queries with a pair that has another grade in the other run, or is judged in one only."""
    pair = ["query_id", "doc_id"]
    both = before.judgments.merge(after.judgments, on=pair, how="outer", suffixes=("_before", "_after"))
    differ = both["grade_before"] != both["grade_after"]  # a missing grade equals nothing
    return set(both.loc[differ, "query_id"])
