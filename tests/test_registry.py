"""The registry: one name, one thing, and help for a name that is none."""

import pytest

from evalkit.errors import UnknownName
from evalkit.registry import Registry


def test_a_registered_thing_is_found_by_its_name() -> None:
    """What was registered comes back."""
    registry = Registry[int]("number")
    registry.register("one")(1)

    assert registry["one"] == 1


def test_a_name_cannot_be_taken_twice() -> None:
    """A second registration of a name is refused, whatever its form."""
    registry = Registry[int]("number")
    registry.register("one")(1)

    with pytest.raises(ValueError, match="registered already"):
        registry.register("one")(2)
    with pytest.raises(ValueError, match="registered already"):
        registry.register_lazy("one", "math:pi")


def test_a_lazy_name_is_imported_on_first_use() -> None:
    """A lazy entry resolves to the attribute that it names."""
    registry = Registry[float]("constant")
    registry.register_lazy("pi", "math:pi")

    assert registry["pi"] == pytest.approx(3.14159, abs=1e-5)


def test_a_malformed_lazy_target_is_refused_at_once() -> None:
    """The mistake shows where it was made, not at the first look-up."""
    with pytest.raises(ValueError, match="module:attribute"):
        Registry[float]("constant").register_lazy("pi", "math.pi")


def test_an_unknown_name_is_answered_with_close_ones() -> None:
    """A misspelt name gets a suggestion."""
    registry = Registry[int]("number")
    registry.register("three")(3)

    with pytest.raises(UnknownName, match=r"'thre'; did you mean three\?"):
        registry["thre"]


def test_names_are_listed_in_order_whatever_their_form() -> None:
    """Iteration and length cover eager and lazy entries alike."""
    registry = Registry[object]("thing")
    registry.register_lazy("b", "math:pi")
    registry.register("a")(object())

    assert list(registry) == ["a", "b"]
    assert len(registry) == 2
    assert "b" in registry
