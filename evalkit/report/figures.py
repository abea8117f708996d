"""How figures read, everywhere: three decimals without the leading zero, intervals in brackets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NOTHING = "–"


def short(value: float | None, digits: int = 3) -> str:
    """Return `.731`, `-.044`, `12.346`, or a dash for None and NaN."""
    if value is None or value != value:
        return NOTHING
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    sign, text = ("-", text[1:]) if text.startswith("-") else ("", text)
    return sign + (text[1:] if text.startswith("0.") else text)


def signed(value: float | None, digits: int = 3) -> str:
    """Return `+.044`, `-.044`, `.000`, or a dash."""
    text = short(value, digits)
    positive = value is not None and value > 0 and float(f"{value:.{digits}f}") != 0
    return f"+{text}" if positive else text


def interval(row: Mapping[str, Any], sign: bool = False) -> str:
    """Return `.731 [.702, .758]` of a row with point, low and high; the point where there is no interval."""
    write = signed if sign else short
    point, low, high = (row.get(name) for name in ("point", "low", "high"))
    if low is None or high is None:
        return write(point)
    return f"{write(point)} [{write(low)}, {write(high)}]"


def gains(declared: Mapping[Any, float]) -> str:
    """Return `3: 100, 2: 10` of the gains that a data set declares, the highest grade first."""
    ranked = sorted(declared.items(), key=lambda pair: -int(pair[0]))
    return ", ".join(f"{grade}: {gain:g}" for grade, gain in ranked)


def percent(value: float | None) -> str:
    """Return `5.8 %`, or a dash."""
    return NOTHING if value is None or value != value else f"{100 * value:.1f} %"


def level(value: float | None) -> str:
    """Return a declared share as it was declared: `95 %`, `99.9 %`."""
    return NOTHING if value is None else f"{100 * value:.4g} %"


def money(value: float | None) -> str:
    """Return `$2.00`, `$0.0031`: two decimals from ten cents up, two digits below; 0 as `free`."""
    if value is None or value != value:
        return NOTHING
    if value == 0:
        return "free"
    return f"${value:,.2f}" if value >= 0.1 else f"${value:.2g}"


def seconds(value: float | None) -> str:
    """Return `8 ms`, `1.24 s`, or a dash."""
    if value is None or value != value:
        return NOTHING
    return f"{1000 * value:.3g} ms" if value < 0.9995 else f"{value:.3g} s"


def count(value: float | None) -> str:
    """Return a whole number with thousands apart."""
    return NOTHING if value is None else f"{value:,.0f}"
