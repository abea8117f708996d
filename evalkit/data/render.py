"""How a document becomes the text that models see."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict

from evalkit.records import Document


class Render(BaseModel):
    """A rendering: `yaml` keeps the fields' names and order, `text` joins their values by line breaks.

    `fields` chooses and orders; without it a structured document shows all of its own fields in their
    order, a plain one its title and text. The order matters: models cut the tail of what is too long.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    style: Literal["text", "yaml"] = "text"
    fields: tuple[str, ...] | None = None

    def __call__(self, document: Document) -> str:
        """Return the text of `document`; empty where it has none of the fields."""
        values = self._values(document)
        if self.style == "yaml":
            return (
                yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=float("inf"))
                if values
                else ""
            )
        return "\n".join(text for text in map(_plain, values.values()) if text)

    @property
    def digest(self) -> str:
        """Return what the rendering's name in a domain is made of: equal for equal renderings only."""
        canonical = json.dumps(self.model_dump(), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def __str__(self) -> str:
        """Read as `yaml(title, body)`."""
        return f"{self.style}({', '.join(self.fields) if self.fields else 'all'})"

    def _values(self, document: Document) -> dict[str, Any]:
        own: Mapping[str, Any] = (
            document.fields
            if document.fields is not None
            else {name: value for name, value in _plain_fields(document) if value}
        )
        if self.fields is None:
            return dict(own)
        return {name: own[name] for name in self.fields if own.get(name) not in (None, "")}


def _plain_fields(document: Document) -> tuple[tuple[str, str], ...]:
    return (("title", document.title), ("text", document.text))


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    return json.dumps(value, ensure_ascii=False, default=str)
