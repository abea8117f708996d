"""How a document becomes the text that models see."""

from __future__ import annotations

import hashlib
import json
import string
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, model_validator

from evalkit.documents import Document
from evalkit.records import Ints

Style = Literal["text", "yaml", "template"]
# Of the texts that a style makes: another text for any document takes another number.
VERSIONS: dict[Style, int] = {"text": 1, "yaml": 2, "template": 1}
BREAKS = ("\x85", "\u2028", "\u2029")  # YAML takes these for line ends, and would fold them
BYTES_A_TOKEN = 4  # English text has about 4.5; other scripts fewer characters, but more bytes each


class Render(BaseModel):
    r"""A rendering: `yaml` keeps the fields' names and order, `text` joins their values by line breaks.

    `fields` chooses and orders; without it a structured document shows all of its own fields in their
    order, a plain one its title and text. The order matters: models cut the tail of what is too long.
    `template` writes the fields where it names them: `"{title} ({source})\n{body}"`; a doubled brace is a
    brace, a field that a document lacks leaves nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    style: Style = "text"
    fields: tuple[str, ...] | None = None
    template: str | None = None

    @model_validator(mode="after")
    def _template_fits_style(self) -> Render:
        if (self.template is not None) != (self.style == "template"):
            raise ValueError("`template` belongs to `style: template`, and that style needs one")
        if self.template is not None:
            if self.fields is not None:
                raise ValueError("a template names its fields itself: leave `fields` out")
            if not any(name for _, name in _parts(self.template)):
                raise ValueError("the template names no field: write one in braces, such as {title}")
        return self

    def __call__(self, document: Document) -> str:
        """Return the text of `document`; empty where it has none of the fields."""
        if self._joins_title_and_text and document.fields is None:
            return f"{document.title.strip()}\n{document.text.strip()}".strip()
        values = self._values(document)
        if not values:
            return ""
        if self.style == "yaml":
            return _yaml(values)
        if self.template is not None:
            filled = {name: _plain(value) for name, value in values.items()}
            if not any(filled.get(name or "") for _, name in _parts(self.template)):
                return ""
            return "".join(
                text + (filled.get(name, "") if name else "") for text, name in _parts(self.template)
            )
        return "\n".join(text for text in map(_plain, values.values()) if text)

    def texts(self, documents: Sequence[Document]) -> list[str]:
        """Return the text of each document: the usual rendering of plain ones in a single step."""
        if self._joins_title_and_text and all(one.fields is None for one in documents):
            return [f"{one.title.strip()}\n{one.text.strip()}".strip() for one in documents]
        return [self(one) for one in documents]

    @property
    def _joins_title_and_text(self) -> bool:
        return self.style == "text" and self.fields is None

    @property
    def digest(self) -> str:
        """Return what stands for the rendering in a domain: equal for equal renderings of one version."""
        told = self.model_dump(exclude={"template"} if self.template is None else set())
        if VERSIONS[self.style] > 1:
            told["version"] = VERSIONS[self.style]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]

    def __str__(self) -> str:
        """Read as `yaml(title, body)`."""
        if self.template is not None:
            return f"template({self.template!r})"
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


class Fit(NamedTuple):
    """How many of `n` texts a model would cut at `limit` tokens, by estimate, and the longest one's size."""

    n: int
    cut: int
    longest: int
    limit: int

    @property
    def share(self) -> float:
        """The share of the texts that would be cut; 0 where there are none."""
        return self.cut / self.n if self.n else 0.0


def fit(tokens: Ints, limit: int) -> Fit:
    """Return how texts of so many tokens fit a model that reads `limit` of them."""
    return Fit(len(tokens), int((tokens > limit).sum()), int(tokens.max(initial=0)), limit)


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text: its UTF-8 bytes by four, rounded up; no vendor's tokenizer is asked."""
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    return -(-size // BYTES_A_TOKEN)


def estimate_all(texts: Sequence[str]) -> Ints:
    """Estimate the tokens of each text."""
    if all(map(str.isascii, texts)):
        return -(-np.fromiter(map(len, texts), np.int64, len(texts)) // BYTES_A_TOKEN)
    return np.fromiter(map(estimate_tokens, texts), np.int64, len(texts))


def _parts(template: str) -> list[tuple[str, str | None]]:
    """Return the template as (text, name of the field after it); only plain names stand in braces."""
    parts: list[tuple[str, str | None]] = []
    for text, name, form, conversion in string.Formatter().parse(template):
        if form or conversion or (name is not None and not name.replace("_", "").replace("-", "").isalnum()):
            raise ValueError(f"{{{name}}} is no plain field name: a template has no formats and no look-ups")
        parts.append((text, name))
    return parts


class _Dumper(yaml.SafeDumper):
    """Text of several lines as a literal block: as long as the text itself, where quotes would double it."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text and text == text.strip() else None
    if any(mark in text for mark in BREAKS):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def _yaml(values: dict[str, Any]) -> str:
    return yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"))


def _plain_fields(document: Document) -> tuple[tuple[str, str], ...]:
    return (("title", document.title), ("text", document.text))


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False, default=str)
