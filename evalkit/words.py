"""Numbers with their words, as every layer tells them."""

from __future__ import annotations

import re


def plural(n: int, word: str, many: str = "") -> str:
    """Return a number with the word that agrees with it; `many` where English does not make it of `word`.

    >>> plural(1, "query"), plural(2, "query"), plural(1200, "document"), plural(2, "pair is", "pairs are")
    ('1 query', '2 queries', '1,200 documents', '2 pairs are')
    """
    return f"{n:,} {word if n == 1 else many or re.sub('(?<![aeiou])y$', 'ie', word) + 's'}"
