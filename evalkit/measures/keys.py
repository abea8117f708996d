"""64-bit keys of (query, document id) pairs, computed over Arrow's string buffers without making strings.

A key stands for its pair only until the strings are compared: whoever finds two equal keys looks at the ids.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from evalkit.measures.columns import numbers, offsets
from evalkit.records import Bools, Codes

Keys = npt.NDArray[np.uint64]
KeysOf = Callable[[Codes, Codes], Keys]  # (query codes, document codes) -> one key a pair

# Odd constants with well-spread bits, from SplitMix64: ids that differ in few characters spread well by them.
_OF_QUERY, _OF_TEXT = np.uint64(0x9E3779B97F4A7C15), np.uint64(0x94D049BB133111EB)
_WORD = 8


def hashed(ids: pa.StringArray) -> KeysOf:
    """Return a function to keys that are equal for equal pairs, and almost never for others."""
    texts = Texts(ids)

    def keys(query: Codes, doc: Codes) -> Keys:
        mixed = texts.keys(doc)
        mixed *= _OF_TEXT
        of_query = query.astype(np.uint64)
        of_query *= _OF_QUERY
        mixed += of_query
        return mixed

    return keys


def exact(ids: pa.StringArray, others: pa.StringArray) -> tuple[KeysOf, KeysOf]:
    """Return functions to keys that are equal for equal pairs and for no others; slower."""
    both = pa.chunked_array([ids, others]).combine_chunks()
    code = numbers(both.dictionary_encode().indices, np.int32).astype(np.uint64)

    def of(codes: Keys) -> KeysOf:
        return lambda query, doc: (query.astype(np.uint64) << np.uint64(32)) | codes[doc]

    return of(code[: len(ids)]), of(code[len(ids) :])


class Texts:
    """The bytes of an Arrow string array, read in words of eight.

    `pyarrow.compute` does the like, but importing it takes longer than measuring a small run.
    """

    def __init__(self, ids: pa.StringArray) -> None:
        self._offsets = offsets(ids)
        data = ids.buffers()[2]
        text = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
        if len(text) < 2 * _WORD:
            text = np.concatenate([text, np.zeros(2 * _WORD, np.uint8)])
        self._words = np.frombuffer(text, "<u8", len(text) // _WORD)
        self._tail_at = (len(self._words) - 1) * _WORD  # from here on there are no two words to read
        tail = np.concatenate([text[self._tail_at :], np.zeros(_WORD, np.uint8)])
        self._tail = np.ndarray(len(tail) - _WORD + 1, "<u8", tail, strides=(1,))

    def keys(self, codes: Codes) -> Keys:
        """Return one key a code; every byte and the length count."""
        start, length = self._spans(codes)
        longest = int(length.max(initial=0))
        key = self._word(start, np.minimum(length, _WORD) if longest > _WORD else length)
        key += length.astype(np.uint64)
        for at in range(_WORD, longest, _WORD):
            rows = np.flatnonzero(length > at)
            key[rows] *= _OF_TEXT
            key[rows] ^= key[rows] >> np.uint64(31)
            key[rows] += self._word(start[rows] + at, np.minimum(length[rows] - at, _WORD))
        return key

    def equal(self, codes: Codes, others: Texts, other_codes: Codes) -> Bools:
        """Return per pair of codes whether they stand for the same string."""
        start, length = self._spans(codes)
        other_start, other_length = others._spans(other_codes)
        same: Bools = np.asarray(length == other_length, np.bool_)
        for at in range(0, int(length.max(initial=0)), _WORD):
            rows = np.flatnonzero(same & (length > at))
            within = np.minimum(length[rows] - at, _WORD)
            left, right = self._word(start[rows] + at, within), others._word(other_start[rows] + at, within)
            same[rows] = left == right
        return same

    def falling(self, codes: Codes) -> list[Keys]:
        """Return numbers by which `lexsort` puts strings in descending order of their bytes."""
        start, length = self._spans(codes)
        columns = [length.astype(np.uint64)]
        for at in reversed(range(0, int(length.max(initial=0)), _WORD)):
            within = np.clip(length - at, 0, _WORD)
            word = self._word(np.minimum(start + at, start + length), within)
            word >>= (np.int32(_WORD) - within).astype(np.uint64) << np.uint64(3)  # 0 behind the end
            columns.append(word.byteswap())
        return [~column for column in columns]

    def _spans(self, codes: Codes) -> tuple[Codes, Codes]:
        if len(codes) and codes[-1] - codes[0] == len(codes) - 1 and (codes[1:] > codes[:-1]).all():
            ends = self._offsets[codes[0] : codes[-1] + 2]  # one after the other, as a file's rows
            return ends[:-1], ends[1:] - ends[:-1]
        start = self._offsets.take(codes)
        length = self._offsets[1:].take(codes)
        length -= start
        return start, length

    def _word(self, at: Codes, length: Codes) -> Keys:
        """Return the `length` (at most 8) bytes from `at` on, at the high end of a word."""
        aligned = at >> 3
        shift = ((at & 7) << 3).astype(np.uint64)
        word: Keys = self._words.take(aligned, mode="clip")
        word >>= shift
        aligned += 1
        rest = self._words.take(aligned, mode="clip")
        rest <<= np.subtract(np.uint64(64), shift, out=shift)  # NumPy shifts all bits out where C may not
        word |= rest
        if len(at) and int(at.max()) >= self._tail_at:
            rows = np.flatnonzero(at >= self._tail_at)
            word[rows] = self._tail[at[rows] - self._tail_at]
        word <<= ((_WORD - length) << 3).astype(np.uint64)
        return word
