r"""Halves of surrogate pairs in JSON, such as `"\ud83d"` where an emoji was cut: read as U+FFFD, and told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from evalkit.errors import Finding
from evalkit.words import plural

# A pair, half of one, or any other escape: what is matched as one is not looked at again inside.
_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
REPLACEMENT = rb"\ufffd"
NAMED = 3  # lines that the finding names


def whole(raw: bytes) -> tuple[bytes, int]:
    r"""Return JSON with U+FFFD for each half of a surrogate pair, and how many there were.

    >>> whole(rb'["cut \ud83d", "whole \ud83d\ude00", "no escape \\ud83d"]')
    (b'["cut \\ufffd", "whole \\ud83d\\ude00", "no escape \\\\ud83d"]', 1)
    """
    if rb"\ud" not in raw and rb"\uD" not in raw:
        return raw, 0
    halves = 0

    def replaced(found: re.Match[bytes]) -> bytes:
        nonlocal halves
        halves += found[1] is not None
        return REPLACEMENT if found[1] is not None else found[0]

    return _ESCAPE.sub(replaced, raw), halves


def finding(path: Path, n: int, lines: Sequence[int]) -> Finding:
    """Return the warning of `n` halves, on these lines where they are known."""
    named = ", ".join(map(str, lines[:NAMED])) + (f" and {len(lines) - NAMED} more" if lines[NAMED:] else "")
    where = f" on line{'s' * (len(lines) > 1)} {named}" if lines else ""
    halves = plural(n, "half of a surrogate pair", "halves of surrogate pairs")
    what = f"{halves}{where}, which is no character, read as U+FFFD"
    remedy = "Where characters were cut in two, export the texts again"
    return Finding(str(path), lines[0] if lines else None, what, remedy, severity="warning")
