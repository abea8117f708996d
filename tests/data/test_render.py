"""How a document becomes the text that models see."""

from __future__ import annotations

import yaml

from evalkit.data.render import Render
from evalkit.records import Document


def document(**fields: object) -> Document:
    """Return a structured document."""
    return Document("d", "", "", fields)


def test_yaml_keeps_the_order_of_the_fields() -> None:
    """The declared order is kept, as the tail is what a model cuts."""
    text = Render(style="yaml", fields=("title", "body"))(document(body="second", title="first"))

    assert text == "title: first\nbody: second\n"


def test_yaml_never_folds_a_line() -> None:
    """A long value stays on one line, so that its length is the text's."""
    words = "word " * 100

    assert Render(style="yaml")(document(body=words.strip())).count("\n") == 1


def test_what_yaml_would_misread_round_trips() -> None:
    """Strings that look like other things come back as the strings that they were."""
    fields = {"a": "no", "b": "1e3", "c": "007", "d": "---", "e": "key: value", "f": "é ☃", "g": "two\nlines"}

    assert yaml.safe_load(Render(style="yaml")(document(**fields))) == fields


def test_a_plain_document_shows_title_and_text() -> None:
    """Title and text stand on lines of their own; a missing title leaves none."""
    render = Render()

    assert render(Document("d", "Leave", "Twenty-five days.")) == "Leave\nTwenty-five days."
    assert render(Document("d", "", "Twenty-five days.")) == "Twenty-five days."


def test_two_renderings_differ_in_their_digest() -> None:
    """The order of fields is part of what a score means."""
    assert Render(fields=("a", "b")).digest != Render(fields=("b", "a")).digest
