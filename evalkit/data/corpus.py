"""A collection kept as the lines that it was read from: a document becomes an object when it is asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import ItemsView, Iterator, Mapping, Sequence, ValuesView
from functools import cached_property

import msgspec

from evalkit.data.lines import Block
from evalkit.documents import Document

LINE = msgspec.json.Decoder(Document)


class Corpus(Mapping[str, Document]):
    """Documents by id, in the order that they were added.

    An object and its texts for each of a million documents cost more time and memory than their lines do, and
    most work needs one document after the other, once.
    """

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        self._starts: list[int] = []  # the place of each block's first document
        self._ids: dict[str, None] = {}  # in order

    def add(self, block: Block, ids: Sequence[str]) -> bool:
        """Add lines that `LINE` decodes, each by itself, to documents with these ids.

        Return False, and add none, where an id is there already or stands twice.
        """
        before = len(self._ids)
        self._ids.update(dict.fromkeys(ids))
        if len(self._ids) < before + len(ids):  # what was there keeps its place, so the end alone is new
            while len(self._ids) > before:
                self._ids.popitem()
            return False
        self._blocks.append(block)
        self._starts.append(before)
        self.__dict__.pop("_places", None)
        return True

    @cached_property
    def _places(self) -> dict[str, int]:
        return {doc_id: place for place, doc_id in enumerate(self._ids)}

    def __getitem__(self, doc_id: str) -> Document:
        """Return the document with this id."""
        place = self._places[doc_id]
        number = bisect_right(self._starts, place) - 1
        return LINE.decode(self._blocks[number].line(place - self._starts[number]))

    def __contains__(self, doc_id: object) -> bool:
        """Return whether there is a document with this id."""
        return doc_id in self._ids

    def __iter__(self) -> Iterator[str]:
        """Yield the ids."""
        return iter(self._ids)

    def __len__(self) -> int:
        """Return how many documents there are."""
        return len(self._ids)

    def values(self) -> ValuesView[Document]:
        """Return the documents, which are decoded a block at a time."""
        return _Documents(self)

    def items(self) -> ItemsView[str, Document]:
        """Return the ids with their documents, which are decoded a block at a time."""
        return _Items(self)

    def _documents(self) -> Iterator[Document]:
        for block in self._blocks:
            yield from LINE.decode_lines(block.content)


class _Documents(ValuesView[Document]):
    _mapping: Corpus

    def __iter__(self) -> Iterator[Document]:
        return self._mapping._documents()


class _Items(ItemsView[str, Document]):
    _mapping: Corpus

    def __iter__(self) -> Iterator[tuple[str, Document]]:
        return ((document.id, document) for document in self._mapping._documents())


def plain(ids: Sequence[str]) -> bool:
    """Return whether every id is of printable ASCII without blanks, as nearly all are: one look at all."""
    joined = "".join(ids)
    return joined.isascii() and joined.isprintable() and " " not in joined and "" not in ids
