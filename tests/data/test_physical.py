"""The physical of a data set: each figure against a collection made to have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.data import beir
from evalkit.data.language import language, languages
from evalkit.data.physical import Category, Physical, examine
from evalkit.data.render import Render
from evalkit.data.survey import survey
from tests.corpora import DOCUMENTS, QUERIES, write_dataset


def physical(folder: Path, limits: dict[str, int] | None = None, **parts: object) -> Physical:
    """Return the physical of a small data set."""
    dataset = beir.load(write_dataset(folder, **parts))  # type: ignore[arg-type]
    return examine(dataset, survey(dataset.corpus, Render()), limits or {})


def test_queries_are_answerable_negative_or_unjudged(tmp_path: Path) -> None:
    """Every query is exactly one of the three, in each category and in all."""
    found = physical(tmp_path, grades=[("q1", "d1", 3), ("q2", "d2", 0), ("q3", "d3", 1)])

    assert found.whole == Category(queries=5, answerable=2, negative=1, unjudged=2)
    assert found.categories == {"it": Category(3, 1, 0, 2), "leave": Category(2, 1, 1, 0)}


def test_unjudged_queries_are_told_apart_wherever_they_stand(tmp_path: Path) -> None:
    """The judgments of a query are its own, also where queries before it have none."""
    found = physical(tmp_path, grades=[("q2", "d2", 0), ("q4", "d6", 3), ("q4", "d3", 0)])

    assert found.whole == Category(queries=5, answerable=1, negative=1, unjudged=3)
    assert found.categories == {"it": Category(3, 1, 0, 2), "leave": Category(2, 0, 1, 1)}


def test_depth_and_grades_are_counted(tmp_path: Path) -> None:
    """Judgments a judged query, relevant documents an answerable one, and how often each grade was given."""
    found = physical(tmp_path)

    assert found.depth == (1, 2.0, 2)
    assert found.relevant == (1, 1.0, 2)
    assert found.grades == {0: 3, 1: 1, 3: 4}


def test_near_duplicates_are_grouped(tmp_path: Path) -> None:
    """A query asked twice with another comma, a document that was copied."""
    found = physical(
        tmp_path,
        documents=DOCUMENTS | {"d7": DOCUMENTS["d1"].upper()},
        queries=QUERIES | {"q6": ("How many days of annual leave, do I get?", "leave")},
    )

    assert found.near_queries == (("q1", "q6"),)
    assert found.near_documents == (("d1", "d7"),)


def test_a_query_that_stands_in_a_document_is_a_leak(tmp_path: Path) -> None:
    """Word for word, whatever the case and the marks; a short query may stand there by chance."""
    found = physical(
        tmp_path,
        queries={"q1": ("Annual LEAVE may be carried over?", ""), "q2": ("annual leave", "")},
        grades=[("q1", "d2", 1)],
    )

    assert found.leaks == (("q1", "d2"),)


def test_documents_beyond_a_models_limit_are_counted(tmp_path: Path) -> None:
    """By the estimate of four bytes a token."""
    found = physical(tmp_path, limits={"small": 16, "large": 4096})

    assert found.fits["small"].cut == sum(len(text) > 64 for text in DOCUMENTS.values())
    assert found.fits["large"].cut == 0


def test_grades_without_a_meaning_are_found(tmp_path: Path) -> None:
    """dataset.yaml says what grades mean; one that it does not know is told."""
    assert physical(tmp_path, card="grades: {0: wrong, 1: near}\n").undeclared_grades == (3,)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("How do I reset the password of my account?", "English"),
        ("Wie kann ich das Passwort für mein Konto ändern, und was ist zu tun?", "German"),
        ("Comment est-ce que je change le mot de passe pour mon compte ?", "French"),
        ("¿Qué tengo que hacer para cambiar la contraseña de mi cuenta?", "Spanish"),
        ("Как сбросить пароль?", "Cyrillic"),
        ("What is the Cyrillic spelling of пароль in the login form?", "English"),
        ("パスワードを忘れた", "Japanese"),
        ("如何重置密码", "Chinese"),
        ("password reset", "unknown"),
        ("404 !!", "unknown"),
    ],
)
def test_languages_are_guessed(text: str, name: str) -> None:
    """By script and by common words; too little text is unknown rather than wrong."""
    assert language(text) == name


def test_empty_texts_have_no_language() -> None:
    """They are not counted as unknown."""
    assert languages(["", "  "]) == {}
