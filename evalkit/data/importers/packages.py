"""Packages that some formats need, where they are installed; what fails in them is told as the source's."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from evalkit.errors import InputError

T = TypeVar("T")


def package(name: str, install: str) -> Any:
    """Return an optional package.

    Raises:
        InputError: it is not installed, with what to install.
    """
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:  # a mere folder of that name is no package
        raise InputError(f"this format needs the package {install!r}. Install it: pip install {install}")
    return importlib.import_module(name)


class Blamed:
    """Calls into a package for one source: its errors are the user's, with its own words."""

    def __init__(self, name: str, source: str, errors: tuple[type[Exception], ...]) -> None:
        self._name, self._source, self._errors = name, source, errors

    def call(self, function: Callable[..., T], *given: Any) -> T:
        """Return what the package's function returns.

        Raises:
            InputError: the package cannot get or read the source.
        """
        with self._blamed():
            return function(*given)

    def rows(self, iterate: Callable[[], Iterable[T]]) -> Iterator[T]:
        """Yield what the package iterates over, with errors as those of `call`."""
        with self._blamed():
            yield from iterate()

    @contextmanager
    def _blamed(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            told = str(error).split("\n", 1)[0][:200]
            raise InputError(
                f"{self._source}: the package {self._name} cannot read it: {type(error).__name__}: {told}. "
                "Check the name and the connection"
            ) from error
