"""Text from data is text: made visible, and escaped for the place where it is shown.

HTML is escaped by Jinja. What HTML escaping leaves (controls, direction overrides, halves of surrogate pairs)
is made visible here, for every output alike.
"""

from __future__ import annotations

import hashlib
import re

# What changes how its neighbours are read: controls, direction overrides and isolates, line separators.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~$:@-])")
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
}
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # a spreadsheet runs a cell that starts with one of these


def visible(text: str) -> str:
    """Return `text` with what cannot be seen written out: NUL as ␀, a direction override as [U+202E].

    Halves of surrogate pairs, which no file can hold, become U+FFFD. Tabs and line ends stay.

    >>> visible("a\\x00b\\u202ec")
    'a␀b[U+202E]c'
    """
    return _UNSEEN.sub(lambda found: _written_out(found[0]), text.replace("\r\n", "\n"))


def _written_out(sign: str) -> str:
    code = ord(sign)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else f"[U+{code:04X}]"


def markdown(text: str) -> str:
    """Return `text` as one line of Markdown that reads as itself: no table cell, link, mention or HTML.

    >>> markdown("a|b <script> @team [x](y)")
    'a\\\\|b &lt;script&gt; \\\\@team \\\\[x\\\\]\\\\(y\\\\)'
    """
    line = " ".join(visible(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(_in_words, line)


def _in_words(found: re.Match[str]) -> str:
    """Escape a sign, unless it stands inside a word where Markdown reads it as itself."""
    sign, text, place = found[1], found.string, found.start()
    inside = 0 < place < len(text) - 1 and text[place - 1].isalnum() and text[place + 1].isalnum()
    plain = (sign in "-+:()" and place > 0) or (sign == "_" and inside) or (sign == "@" and inside)
    return sign if plain and sign != "_" else f"\\{sign}"


def latex(text: str) -> str:
    """Return `text` as one line of LaTeX that is set as itself.

    >>> latex("50 % of A_1 & B")
    '50 \\\\% of A\\\\_1 \\\\& B'
    """
    return "".join(_LATEX.get(sign, sign) for sign in " ".join(visible(text).split()))


def csv_cell(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula: such a cell starts with an apostrophe.

    >>> csv_cell("=HYPERLINK(1)")
    "'=HYPERLINK(1)"
    """
    text = visible(text)
    return f"'{text}" if text.startswith(FORMULA) else text


def slug(name: str) -> str:
    """Return a file name for `name`: letters, digits, `.`, `_` and `-`, never a path.

    A name that had to change carries a digest, so that two names never share a file.

    >>> slug("v4-pro"), slug("../etc")
    ('v4-pro', 'etc-7d3cf36b')
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60]
    if plain == name:
        return plain
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain}-{digest}".strip("-")
