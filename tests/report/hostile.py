"""Texts that try to be more than text."""

from __future__ import annotations

MARK = "owned"  # what a text would set if it ran
RUNS = f"window.{MARK}=1"
HOSTILE = (  # shown as they are
    f"</script><script>{RUNS}</script>",
    f'<img src=x onerror="{RUNS}">',
    '=HYPERLINK("http://example.invalid","pay")',
    "| a | b | `code` [link](http://example.invalid) @team **bold**",
    "\U0001f469‍\U0001f4bb \U0001f680",
    "\\input{/etc/passwd} 50 % & $x_1$",
    "w" * 400,
)
UNSEEN = {"\u202eevil\u202c": "[U+202E]evil[U+202C]", "nul\x00byte": "nul␀byte"}  # written out

QUERY = "laptop case1 hostile1 " + " ".join([*HOSTILE[:3], *UNSEEN])
HUGE = "w" * 1_000_000
DOCUMENTS = {
    "huge": f"travel case2 {HUGE}",
    "n01": "laptop case1 " + " ".join([*HOSTILE, *UNSEEN]),
    "<b>id|`x`": "canteen notes",
    "=1+1": "pension notes",
}
