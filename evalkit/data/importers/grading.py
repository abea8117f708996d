"""From what raters wrote to whole grades: words, numbers, bins, scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evalkit.data.importers.sink import Sink
from evalkit.data.qrels import whole
from evalkit.measures.columns import numbers
from evalkit.records import Bools, Codes
from evalkit.words import plural

NOT_RATED = "not rated"
Graded = tuple[Codes, Bools]
Where = Callable[[], tuple[str, int | None]]  # looked up only where something is told


def grade(sink: Sink, written: pa.ChunkedArray, table: pa.Table) -> Graded:
    """Return each rating's grade, and which ratings count; the others are booked or are findings.

    Every distinct word is looked at once, however many ratings there are.
    """
    encoded = written.combine_chunks().dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    codes = numbers(pc.fill_null(encoded.indices, -1).cast(pa.int32()), np.int32)
    words = encoded.dictionary.to_pylist()
    counts = np.bincount(codes + 1, minlength=len(words) + 1)
    sink.books.leave_out("ratings", NOT_RATED, int(counts[0]))
    value, keeps = np.zeros(len(words) + 1, np.int32), np.zeros(len(words) + 1, np.bool_)
    for place, word in enumerate(words, start=1):
        if not counts[place]:
            continue
        found = _grade_of(sink, word, int(counts[place]), partial(_where, table, codes, place - 1))
        if found is not None:
            value[place], keeps[place] = found, True
    return value[codes + 1], keeps[codes + 1]


def _grade_of(sink: Sink, word: str, count: int, where: Where) -> int | None:
    """Return the grade that a word stands for, None where its ratings do not count (booked or found)."""
    options, books = sink.options, sink.books
    if word in options.grades:
        if options.grades[word] is None:
            books.leave_out("ratings", "of a grade to skip (--grade)", count)
        return options.grades[word]
    if not word.strip():
        books.leave_out("ratings", NOT_RATED, count)
        return None
    number = _number(word)
    if number is not None and options.bins:
        return sum(number >= bound for bound in options.bins)
    found = whole(word.strip()) if number is None or not number.is_integer() else whole(str(int(number)))
    if found is None:
        what = f"{plural(count, 'rating says', 'ratings say')} {word!r:.40}, which is no whole number"
        remedy = "Say what it means with --grade WORD=NUMBER (or WORD=skip), or --bins for fractions"
        _tell(sink, "grades without a meaning", what, remedy, where)
        books.leave_out("ratings", "without a meaning", count)
        return None
    return _on_scale(sink, found, count, where)


def _on_scale(sink: Sink, found: int, count: int, where: Where) -> int | None:
    scale, outside = sink.options.scale, sink.options.outside
    if scale is None or scale[0] <= found <= scale[1]:
        return found
    if outside == "clip":
        return min(max(found, scale[0]), scale[1])
    if outside is None:
        what = f"{plural(count, 'rating is', 'ratings are')} {found}, outside {scale[0]} to {scale[1]}"
        _tell(sink, "grades outside the scale", what, "Say --outside drop or clip, or widen --scale", where)
    sink.books.leave_out("ratings", "outside the scale" + (" (--outside)" if outside else ""), count)
    return None


def _number(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) and word.isascii() and "_" not in word else None


def _where(table: pa.Table, codes: Codes, code: int) -> tuple[str, int | None]:
    row = int(np.flatnonzero(codes == code)[0])
    return table["path"][row].as_py(), table["line"][row].as_py()


def _tell(sink: Sink, kind: str, what: str, remedy: str, where: Where) -> None:
    path, line = where()
    sink.books.tell(kind, path, line, what, remedy)
