"""What tests of a page do and look at: open it, its first screen, its width, what axe-core finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

WIDTHS = (400, 1280)
ALL_WIDTHS = (320, 400, 719, 721, 1000, 1161, 1280)  # WCAG's reflow, a phone, both sides of each breakpoint

A4 = 688  # pixels between margins of 14 mm


def opened(new_page: Callable[..., Any], address: str, width: int = 1280, scheme: str = "light") -> Any:
    """Return the page once its queries are listed."""
    page = new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(address)
    page.locator("#browser-count").get_by_text("quer").wait_for()
    return page


def on_first_screen(page: Any, part: Any) -> bool:
    """Return whether `part` lies wholly within the window before anything is scrolled."""
    box, size = part.bounding_box(), page.viewport_size
    return box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def too_wide(page: Any) -> dict[tuple[int, str], int]:
    """Return the widths at which the page scrolls sideways, on the screen and printed."""
    found = {}
    for width, media in [*((width, "screen") for width in ALL_WIDTHS), (760, "print"), (A4, "print")]:
        page.emulate_media(media=media)
        page.set_viewport_size({"width": width, "height": 900})
        found[width, media] = page.evaluate("document.documentElement.scrollWidth")
    return {at: wide for at, wide in found.items() if wide > at[0]}


def serious(page: Any) -> dict[str, list[str]]:
    """Return the serious and critical findings of axe-core, with the elements where they are."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    return {
        one["id"]: [node["html"] for node in one["nodes"]][:3]
        for one in axe.Axe().run(page).response["violations"]
        if one["impact"] in ("serious", "critical")
    }
