"""A name for every measure, model, goal and report section, found without importing them all."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar, cast

from evalkit.errors import UnknownName

T = TypeVar("T")


class Registry(Generic[T]):
    """A mapping from names to things, or to `"module:attribute"` strings that are imported on first use.

    A name is registered once: registering it again raises `ValueError`, so that two plug-ins cannot
    shadow each other in silence. Looking up an unknown name raises `UnknownName` with the closest names.

    >>> colours = Registry[str]("colour")
    >>> _ = colours.register("blue")("#00f")
    >>> colours["blue"]
    '#00f'
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._things: dict[str, T] = {}
        self._lazy: dict[str, str] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that files its argument under `name`.

        Raises:
            ValueError: the name is taken.
        """

        def file(thing: T) -> T:
            self._refuse_taken(name)
            self._things[name] = thing
            return thing

        return file

    def register_lazy(self, name: str, target: str) -> None:
        """File the `"module:attribute"` string `target`, imported when `name` is first looked up.

        Raises:
            ValueError: the name is taken, or `target` is not of that form.
        """
        self._refuse_taken(name)
        if target.count(":") != 1:
            raise ValueError(f"a lazy {self.kind} is written 'module:attribute', not {target!r}")
        self._lazy[name] = target

    def __getitem__(self, name: str) -> T:
        if name not in self._things and name in self._lazy:
            module, attribute = self._lazy[name].split(":")
            self._things[name] = cast(T, getattr(importlib.import_module(module), attribute))
        try:
            return self._things[name]
        except KeyError:
            raise UnknownName(self._advice(name)) from None

    def __contains__(self, name: object) -> bool:
        return name in self._things or name in self._lazy

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*self._things, *self._lazy}))

    def __len__(self) -> int:
        return len({*self._things, *self._lazy})

    def _refuse_taken(self, name: str) -> None:
        if name in self:
            raise ValueError(f"the {self.kind} {name!r} is registered already")

    def _advice(self, name: str) -> str:
        known = {one.lower(): one for one in self}
        close = [known[one] for one in difflib.get_close_matches(name.lower(), known, n=3)]
        hint = f"did you mean {' or '.join(close)}?" if close else f"known: {', '.join(self)}"
        return f"no {self.kind} is called {name!r}; {hint}"
