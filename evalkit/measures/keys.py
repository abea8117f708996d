"""64-bit keys of (query, document id) pairs, computed over Arrow's string buffers without making strings.

A key stands for its pair only until the strings are compared: whoever finds two equal keys looks at the ids.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from evalkit.measures.columns import numbers, offsets
from evalkit.records import Bools, Codes, Ints

Keys = npt.NDArray[np.uint64]
KeysOf = Callable[[Codes, Codes], Keys]  # (query codes, document codes) -> one key a pair

# Odd constants with well-spread bits: the golden ratio, and the primes of the xxHash specification.
_GOLD, _P2, _P3 = (np.uint64(c) for c in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))
_WORD = 8


def hashed(ids: pa.StringArray) -> KeysOf:
    """Return a function to keys that are equal for equal pairs, and almost never for others."""
    texts = Texts(ids)

    def keys(query: Codes, doc: Codes) -> Keys:
        mixed = texts.keys(doc)
        mixed *= _P2
        mixed ^= mixed >> np.uint64(32)
        of_query = query.astype(np.uint64)
        of_query *= _GOLD
        mixed += of_query
        mixed *= _P3
        mixed ^= mixed >> np.uint64(32)
        return mixed

    return keys


def exact(ids: pa.StringArray, others: pa.StringArray) -> tuple[KeysOf, KeysOf]:
    """Return functions to keys that are equal for equal pairs and for no others; slower."""
    both = pa.chunked_array([ids, others]).combine_chunks()
    code = numbers(both.dictionary_encode().indices, np.int32).astype(np.uint64)

    def of(codes: Keys) -> KeysOf:
        return lambda query, doc: (query.astype(np.uint64) << np.uint64(32)) | codes[doc]

    return of(code[: len(ids)]), of(code[len(ids) :])


def repeating(keys: Keys) -> Ints:
    """Return the rows whose key is there more than once.

    Each row writes its number into a slot; of two equal keys at least one finds another's number there. It
    equals the slot's owner, or one of the few others that lost a slot.
    """
    bits = max(len(keys).bit_length() + 2, 8)
    slots = (keys >> np.uint64(64 - bits)).view(np.int64)
    number = np.arange(len(keys), dtype=np.min_scalar_type(len(keys)))  # small, to stay in the cache
    owner = np.empty(1 << bits, number.dtype)  # only slots that were written are read
    owner[slots] = number
    lost = np.flatnonzero(owner.take(slots) != number)
    losers = np.sort(keys[lost])
    twice = losers[1:][losers[1:] == losers[:-1]]
    taken = keys[lost] == keys[owner[slots[lost]]]
    if not len(twice) and not taken.any():
        return np.empty(0, np.int64)
    return np.flatnonzero(np.isin(keys, np.concatenate([twice, keys[lost][taken]])))


class Texts:
    """The bytes of an Arrow string array, read in words of eight.

    `pyarrow.compute` does the like, but importing it takes longer than measuring a small run.
    """

    def __init__(self, ids: pa.StringArray) -> None:
        self._offsets = offsets(ids)
        data = ids.buffers()[2]
        text = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
        if len(text) < _WORD:
            text = np.concatenate([text, np.zeros(_WORD, np.uint8)])
        self._words = np.ndarray(len(text) - _WORD + 1, "<u8", text, strides=(1,))

    def keys(self, codes: Codes) -> Keys:
        """Return one key a code; every byte and the length count."""
        start, length = self._spans(codes)
        longest = int(length.max(initial=0))
        key = self._word(start, np.minimum(length, _WORD) if longest > _WORD else length)
        key += length.astype(np.uint64)
        for at in range(_WORD, longest, _WORD):
            rows = np.flatnonzero(length > at)
            key[rows] *= _P2
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
        if len(codes) and (codes[1:] - codes[:-1] == 1).all():  # one after the other, as a file's rows
            ends = self._offsets[int(codes[0]) : int(codes[-1]) + 2]
            return ends[:-1], ends[1:] - ends[:-1]
        start = self._offsets.take(codes)
        length = self._offsets[1:].take(codes)
        length -= start
        return start, length

    def _word(self, at: Codes, length: Codes) -> Keys:
        """Return the `length` (at most 8) bytes from `at` on, at the high end of a word."""
        last = len(self._words) - 1
        if len(at) and int(at.max()) > last:
            inside = np.minimum(at, last)
            word: Keys = self._words[inside] >> ((at - inside).astype(np.uint64) << np.uint64(3))
        else:
            word = self._words[at]
        bits = (np.int32(_WORD) - length).astype(np.uint64)
        bits <<= np.uint64(3)
        word <<= bits
        return word
