"""What a section of a report is, and the registry of them.

    @section("pipelines", "Pipelines", order=20)
    def pipelines(view: View) -> Content | None:
        ...

The content goes to the templates `sections/pipelines.html` and, where there is one, `sections/pipelines.md`.
None leaves the section out: a report shows what a run has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from evalkit.registry import Registry
from evalkit.report.view import View

Content = Mapping[str, Any]
Make = Callable[[View], Content | None]


@dataclass(frozen=True)
class Section:
    """A section: its title, its place (ascending `order`), and what makes its content."""

    name: str
    title: str
    order: int
    make: Make


SECTIONS: Registry[Section] = Registry("report section")


def section(name: str, title: str, *, order: int) -> Callable[[Make], Make]:
    """Return a decorator that files a function as the section `name`."""

    def file(make: Make) -> Make:
        SECTIONS.register(name)(Section(name, title, order, make))
        return make

    return file


def in_order() -> list[Section]:
    """Return all sections as they follow each other in a report."""
    from evalkit.report import sections  # noqa: F401  importing it registers them

    return sorted((SECTIONS[name] for name in SECTIONS), key=lambda one: (one.order, one.name))
