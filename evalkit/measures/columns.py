"""NumPy views of Arrow columns, and back, through their buffers.

`Array.to_numpy()`, `pa.array()`, `pa.scalar()` and whatever takes a Python value import pandas where it is
installed, which costs more than measuring a small run; the buffers cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from evalkit.records import Bools, Ints

_ARROW = {
    np.dtype(np.int32): pa.int32(),
    np.dtype(np.int64): pa.int64(),
    np.dtype(np.float64): pa.float64(),
    np.dtype(np.bool_): pa.uint8(),
}


def numbers(array: pa.Array | pa.ChunkedArray, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return the values of a null-free Arrow array of fixed width as an ndarray, one chunk without a copy."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if len(array) == 0:
        return np.empty(0, dtype)
    data = np.frombuffer(array.buffers()[1], dtype)
    return data[array.offset : array.offset + len(array)]


def arrow(values: npt.NDArray[Any], known: Bools | None = None) -> pa.Array:
    """Return an ndarray of numbers as an Arrow array that shares its memory; what is not `known` is null."""
    values = np.ascontiguousarray(values)
    valid = None if known is None else pa.py_buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(_ARROW[values.dtype], len(values), [valid, pa.py_buffer(values)])


def mask(values: Bools) -> pa.BooleanArray:
    """Return an ndarray of booleans as an Arrow array, which packs them."""
    packed = pa.py_buffer(np.packbits(values, bitorder="little"))
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, packed])


def strings(values: Sequence[str]) -> pa.StringArray:
    """Return strings, of less than 2 GiB together, as an Arrow array.

    Raises:
        OverflowError: they are longer.
    """
    together = "".join(values)
    data = together.encode()
    lengths = map(len, values) if len(data) == len(together) else (len(value.encode()) for value in values)
    starts = np.zeros(len(values) + 1, np.int64)
    np.cumsum(np.fromiter(lengths, np.int64, len(values)), out=starts[1:])
    if len(data) > np.iinfo(np.int32).max:
        raise OverflowError(f"{len(data):,} bytes of text do not fit a column")
    return pa.Array.from_buffers(
        pa.string(), len(values), [None, pa.py_buffer(starts.astype(np.int32)), pa.py_buffer(data)]
    )


def text(value: str) -> pa.StringScalar:
    """Return a string as Arrow's own, to compare a column with."""
    return strings([value])[0]


def offsets(texts: pa.StringArray) -> npt.NDArray[np.int32]:
    """Return where each string begins in the array's bytes, and where the last one ends."""
    if len(texts) == 0:
        return np.zeros(1, np.int32)
    starts: npt.NDArray[np.int32] = np.frombuffer(texts.buffers()[1], np.int32)
    return starts[texts.offset : texts.offset + len(texts) + 1]


def positions(needles: pa.Array | pa.ChunkedArray, haystack: pa.Array) -> npt.NDArray[np.int32]:
    """Return where in `haystack` (its first place) each of `needles` is, -1 where it is not."""
    import pyarrow.compute as pc

    found = pc.index_in(needles, value_set=haystack)
    found = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    place = numbers(found, np.int32)
    if found.null_count:  # fill_null would import pandas
        place = np.where(bits(found.is_valid()), place, np.int32(-1))
    return place


def bits(array: pa.BooleanArray) -> npt.NDArray[np.bool_]:
    """Return a null-free Arrow array of booleans, which Arrow packs, as an ndarray."""
    if not len(array):
        return np.zeros(0, np.bool_)
    packed = np.frombuffer(array.buffers()[1], np.uint8)
    ones = np.unpackbits(packed, bitorder="little", count=array.offset + len(array))
    return ones.astype(np.bool_)[array.offset :]


def repeated(keys: Ints) -> Bools:
    """Return which entries equal an earlier one."""
    again = np.zeros(len(keys), np.bool_)
    ordered = np.sort(keys, kind="stable")
    if (ordered[1:] == ordered[:-1]).any():
        order = np.argsort(keys, kind="stable")
        again[order[1:]] = keys[order[1:]] == keys[order[:-1]]
    return again
