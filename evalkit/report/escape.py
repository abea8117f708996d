"""Text from data is text: made visible, and escaped for the place where it is shown.

HTML is escaped by Jinja. What HTML escaping leaves (controls, direction overrides, halves of surrogate pairs)
is made visible here, for every output alike.
"""

from __future__ import annotations

import hashlib
import html
import re

# What changes how its neighbours are read: controls, direction overrides and isolates, line separators.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
_MARKDOWN = re.compile(
    r"[\\`*{}\[\]|~$]|(?<![^\W_])_|_(?![^\W_])|^[-+#=](?=\s|$|[-=])|(?<=^\d)[.)]|(?<=^\d\d)[.)]"
)
_LINKED = re.compile(r"(?<!\w)@(?=\w)|(?<!\w)#(?=\d)|(?<=:)/(?=/)|\bwww(?=\.)")  # what GitHub makes links of
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
    r"""Return `text` with what cannot be seen written out: NUL as ␀, a direction override as [U+202E].

    Halves of surrogate pairs, which no file can hold, become U+FFFD. Tabs and line ends stay.

    >>> visible("a\x00b\u202ec")
    'a␀b[U+202E]c'
    """
    if text.isascii() and text.isprintable():  # nearly every text: nothing to look for
        return text
    return _UNSEEN.sub(lambda found: _written_out(found[0]), text.replace("\r\n", "\n"))


def _written_out(sign: str) -> str:
    code = ord(sign)
    if code < 0x20:
        return chr(0x2400 + code)
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else f"[U+{code:04X}]"


def markdown(text: str) -> str:
    r"""Return `text` as one line of Markdown that reads as itself: no table cell, link, mention or HTML.

    >>> markdown("a|b <script> by @team, [x](y), nDCG@10")
    'a\\|b &lt;script&gt; by @<!-- -->team, \\[x\\](y), nDCG@10'
    """
    line = " ".join(visible(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    line = _MARKDOWN.sub(r"\\\g<0>", line)
    return _LINKED.sub(r"\g<0><!-- -->", line)


def breakable(text: str) -> str:
    """Return `text` as HTML that may break after the signs that join words in names.

    >>> breakable("a_b<c>")
    'a_<wbr>b&lt;c&gt;'
    """
    return re.sub(r"(?<=[_./:@])(?=[^\W_])", "<wbr>", html.escape(visible(text)))


def latex(text: str) -> str:
    r"""Return `text` as one line of LaTeX that is set as itself.

    >>> latex("50 % of A_1 & B")
    '50 \\% of A\\_1 \\& B'
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
    ('v4-pro', 'etc-f7f9121f')
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:60]
    if plain == name:
        return plain
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{plain}-{digest}".strip("-")
