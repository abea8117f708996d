"""How a document becomes the text that models see."""

from __future__ import annotations

import datetime
import hashlib
from typing import Any, get_args

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from evalkit.data.render import VERSIONS, Render, Style, estimate_tokens, fit
from evalkit.documents import Document


def document(**fields: object) -> Document:
    """Return a structured document."""
    return Document("d", "", "", fields)


def test_yaml_keeps_the_order_of_the_fields() -> None:
    """The declared order is kept, as the tail is what a model cuts."""
    text = Render(style="yaml", fields=("title", "body"))(document(body="second", title="first"))

    assert text == "title: first\nbody: second\n"


RENDERS = (
    Render(),
    Render(fields=("title", "body")),
    Render(style="yaml"),
    Render(style="yaml", fields=("source", "title", "body")),
    Render(style="template", template="{title} ({source})\n{body}"),
)
LINES = [
    "",
    "one",
    " two ",
    "- three\n\nfour: 4\n",
    "no",
    "1e3",
    "007",
    "'",
    "five\r\nsix",
    "\u2028",
    "é ☃",
    "#",
    "a: b",
]
DOCUMENTS = (
    Document("plain", "A title", "Some text."),
    Document("bare", "", " Some text.\n"),
    *(
        document(title=line, body=f"{line}\nmore", source=line, list=[line], n=1.50, when=None)
        for line in LINES
    ),
)


MADE = {"text": (1, "6f6d1030826afe50"), "yaml": (2, "d18fabab07df875b"), "template": (1, "fb690c26c2244eec")}


@pytest.mark.parametrize("style", get_args(Style))
def test_a_style_that_writes_other_texts_has_another_version(style: Style) -> None:
    """Other texts are another domain: where this fails, raise the style's version and note the new digest."""
    texts = [render(one) for render in RENDERS if render.style == style for one in DOCUMENTS]
    made = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]

    assert (VERSIONS[style], made) == MADE[style]


@pytest.mark.parametrize("style", get_args(Style))
def test_a_new_version_changes_digests_of_its_style_only(
    style: Style, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that thresholds of the old texts are refused, and those of other styles stand."""
    before = [render.digest for render in RENDERS]
    monkeypatch.setitem(VERSIONS, style, VERSIONS[style] + 1)
    changed = [render.style for render, old in zip(RENDERS, before, strict=True) if render.digest != old]

    assert set(changed) == {style}
    assert len(changed) == sum(render.style == style for render in RENDERS)


def test_yaml_never_folds_a_line() -> None:
    """A long value stays on one line, so that its length is the text's."""
    words = "word " * 100

    assert Render(style="yaml")(document(body=words.strip())).count("\n") == 1


def test_what_yaml_would_misread_round_trips() -> None:
    """Strings that look like other things come back as the strings that they were."""
    fields = {"a": "no", "b": "1e3", "c": "007", "d": "---", "e": "key: value", "f": "é ☃", "g": "two\nlines"}

    assert yaml.safe_load(Render(style="yaml")(document(**fields))) == fields


def test_text_of_several_lines_is_a_literal_block() -> None:
    """Lines stay lines: no quotes, no doubled breaks, so that the tokens are the text's own."""
    text = Render(style="yaml")(document(title="Restart", body="First drain.\nThen restart.\n\nWait."))

    assert text == "title: Restart\nbody: |-\n  First drain.\n  Then restart.\n\n  Wait.\n"


def test_dates_numbers_lists_and_objects_keep_their_types() -> None:
    """What is no string is written as YAML writes it, nested as deep as it is."""
    fields = {
        "updated": datetime.date(2025, 3, 1),
        "version": 1.29,
        "port": 8080,
        "draft": False,
        "tags": ["no", "on call", 7],
        "owner": {"team": "platform", "pager": {"level": 2}},
        "retired": None,
    }

    assert yaml.safe_load(Render(style="yaml")(document(**fields))) == fields


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(min_size=1, max_size=8), values, min_size=1, max_size=4))
def test_any_fields_round_trip_through_yaml(fields: dict[str, Any]) -> None:
    """Whatever the fields hold comes back equal, in the same order."""
    back = yaml.safe_load(Render(style="yaml")(Document("d", "", "", fields)))

    assert back == fields
    assert list(back) == list(fields)


def test_a_plain_document_shows_title_and_text() -> None:
    """Title and text stand on lines of their own; a missing title leaves none."""
    render = Render()

    assert render(Document("d", "Leave", "Twenty-five days.")) == "Leave\nTwenty-five days."
    assert render(Document("d", "", "Twenty-five days.")) == "Twenty-five days."


padded = st.sampled_from(["", " ", "\n", "a", " a\n", "a\nb ", "\u2028a"])


@given(
    st.lists(
        st.builds(Document, st.just("d"), padded, padded, st.none() | st.dictionaries(padded, padded)),
        max_size=4,
    )
)
def test_many_documents_are_rendered_as_each_is(documents: list[Document]) -> None:
    """Plain and structured ones, with and without titles, blanks around them."""
    for render in (Render(), Render(style="yaml"), Render(fields=("title", "text"))):
        assert render.texts(documents) == [render(one) for one in documents]
    for one in documents:
        if one.fields is None:
            parts = [part.strip() for part in (one.title, one.text) if part.strip()]
            assert Render()(one) == "\n".join(parts)


def test_two_renderings_differ_in_their_digest() -> None:
    """The order of fields is part of what a score means."""
    assert Render(fields=("a", "b")).digest != Render(fields=("b", "a")).digest


def test_a_digest_stays_what_it_was() -> None:
    """A rendering that was calibrated on keeps its name as long as it makes the same texts."""
    assert Render(fields=("title", "body")).digest == "0df8ee234f8b"
    assert Render(style="yaml", fields=("title", "body")).digest == "064f05e9ee02"


def test_a_template_writes_fields_where_it_names_them() -> None:
    """Braces hold a field's name, doubled ones are braces, a missing field leaves nothing."""
    render = Render(style="template", template="{title} [{source}] {{x}}\n{body}")

    assert render(document(title="Drain", body="One node.")) == "Drain [] {x}\nOne node."
    assert render(document(other="nothing that is named")) == ""


def test_a_documents_text_is_never_a_template() -> None:
    """Braces in a document are text."""
    render = Render(style="template", template="{title}: {body}")

    assert render(document(title="{body}", body="{title.__class__}")) == "{body}: {title.__class__}"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"style": "template"}, "that style needs one"),
        ({"style": "text", "template": "{a}"}, "belongs to"),
        ({"style": "template", "template": "{a.__class__}"}, "no plain field name"),
        ({"style": "template", "template": "{a!r}"}, "no formats"),
        ({"style": "template", "template": "{a:>10}"}, "no formats"),
        ({"style": "template", "template": "fixed"}, "names no field"),
        ({"style": "template", "template": "{a"}, "expected '}'"),
        ({"style": "template", "template": "{a}", "fields": ["a"]}, "names its fields itself"),
    ],
)
def test_a_wrong_template_is_refused(settings: dict[str, Any], told: str) -> None:
    """A template holds plain names only, and says what it lacks."""
    with pytest.raises(ValidationError, match=told):
        Render.model_validate(settings)


def test_the_share_that_would_be_cut_is_counted() -> None:
    """Texts longer than the limit are counted, with the longest one's size."""
    found = fit(np.array([estimate_tokens(text) for text in ("a" * 400, "é" * 400, "")]), limit=100)

    assert (found.n, found.cut, found.longest, found.share) == (3, 1, 200, 1 / 3)
