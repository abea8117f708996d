"""Ids that differ in case or blanks only, among documents and queries and between them and ratings."""

from __future__ import annotations

from collections.abc import Iterable

from evalkit.data.corpus import plain
from evalkit.data.importers.sink import Sink

REMEDY = "Say --alike merge to take them for one, or --alike keep to take them for different ones"
SEPARATOR = "\n"


def fold(name: str) -> str:
    """Return what two ids share that a person would take for the same."""
    return " ".join(name.casefold().split())


def spellings(names: Iterable[str]) -> dict[str, str]:
    """Return the first spelling of each folded id."""
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(fold(name), name)
    return first


def settle(sink: Sink) -> tuple[dict[str, str], dict[str, str]]:
    """Settle ids that are alike, as the options say; return by which id a query and a document now go.

    The mappings hold other spellings only. Under "merge" the first spelling stays, documents and queries of a
    later one are left out.
    """
    queries = _merge("queries", sink, sink.queries)
    documents = _merge("documents", sink, sink.documents)
    for name in documents:
        sink.superseded.add(sink.documents.pop(name))
    for name in queries:
        other = sink.queries.pop(name)
        kept = sink.queries[queries[name]]
        kept.categories += [one for one in other.categories if one not in kept.categories]
    return queries, documents


def elsewhere(sink: Sink, kind: str, unknown: list[str], known: Iterable[str]) -> dict[str, str]:
    """Return, for ids of ratings that nothing has, the id that differs in case or blanks only, if any.

    Under `options.alike` None they are findings; under "keep" they stay unknown.
    """
    if not unknown or sink.options.alike == "keep":
        return {}
    first = spellings(known)
    found = {name: first[fold(name)] for name in unknown if fold(name) in first}
    if sink.options.alike == "merge":
        return found
    for name, other in found.items():
        what = f"ratings name the {kind} {name!r:.60}, which is {other!r:.60} elsewhere"
        sink.books.tell(f"ids of a {kind} in another spelling", "ratings", None, what, REMEDY)
    return {}


def _merge(kind: str, sink: Sink, names: Iterable[str]) -> dict[str, str]:
    if sink.options.alike == "keep":
        return {}
    names = list(names)
    if plain(names):  # nothing to fold but case
        joined = SEPARATOR.join(names)
        lower = joined.lower()
        if lower == joined or len(set(lower.split(SEPARATOR))) == len(names):
            return {}
    first = spellings(names)
    if len(first) == len(names):
        return {}
    others = {name: first[fold(name)] for name in names if first[fold(name)] != name}
    if sink.options.alike == "merge":
        sink.books.leave_out(kind, "of another spelling (--alike)", len(others))
        sink.books.accounts[kind].written -= len(others)
        return others
    for name, other in others.items():
        what = f"the ids {other!r:.60} and {name!r:.60} differ in case or blanks only"
        sink.books.tell(f"{kind} with ids that are alike", kind, None, what, REMEDY)
    return {}
