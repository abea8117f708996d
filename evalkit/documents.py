"""The documents of a corpus, apart from other records: measuring runs needs none, nor what decodes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Document(msgspec.Struct, frozen=True, gc=False, rename={"id": "_id"}):
    """One document of a corpus: plain (`title`, `text`) or structured (`fields`, order kept).

    A struct is decoded from a line of JSON in one step, which a million documents need.
    """

    id: str
    title: str = ""
    text: str = ""
    fields: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] = msgspec.field(default_factory=dict)
