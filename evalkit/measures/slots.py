"""Rows by their key: which have one of some wanted keys, and which repeat another's."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from evalkit.measures.keys import Keys
from evalkit.records import Ints

SLOTS_PER_ROW = 8  # at least; so few rows share one
LARGE = 1 << 17  # rows, whose table is beyond the cache anyway: a quarter of the slots spares memory


class Slots:
    """A table in which each row writes its number into the slot that its key's high bits name.

    Where rows share a slot the last one owns it. The others, few, are sorted by key.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        per_row = SLOTS_PER_ROW if len(keys) < LARGE else SLOTS_PER_ROW // 4
        bits = max((per_row * len(keys)).bit_length(), 8)
        self._shift = np.uint64(64 - bits)
        kind: npt.DTypeLike = np.min_scalar_type(len(keys))  # small, to stay in the cache
        number = np.arange(len(keys), dtype=kind)
        slots = self._slots(keys)
        self._owner: npt.NDArray[np.unsignedinteger[Any]] = np.zeros(1 << bits, kind)
        self._owner[slots] = number
        lost = np.flatnonzero(self._owner.take(slots) != number)
        self._lost = lost.take(np.argsort(keys.take(lost), kind="stable"))
        self._lost_keys = keys.take(self._lost)
        self._crowded = np.zeros(1 << bits, np.bool_)
        self._crowded[slots.take(lost)] = True

    def find(self, wanted: Keys) -> tuple[Ints, Ints]:
        """Return rows with a wanted key, a row for each such key, and the places of these keys."""
        if not len(self._keys):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        slots = self._slots(wanted)
        row = self._owner.take(slots).astype(np.int64)
        hit = self._keys.take(row) == wanted
        still = np.flatnonzero(self._crowded.take(slots) & ~hit)
        if len(still):
            place = np.minimum(np.searchsorted(self._lost_keys, wanted[still]), len(self._lost) - 1)
            row[still] = self._lost[place]
            hit[still] = self._lost_keys[place] == wanted[still]
        places = np.flatnonzero(hit)
        return row[places], places

    def repeated(self) -> Ints:
        """Return the rows whose key another row has, too, in ascending order."""
        twice = self._lost_keys[1:][self._lost_keys[1:] == self._lost_keys[:-1]]
        owners = self._owner.take(self._slots(self._lost_keys))
        taken = self._lost_keys == self._keys.take(owners)
        if not len(twice) and not taken.any():
            return np.empty(0, np.int64)
        return np.flatnonzero(np.isin(self._keys, np.concatenate([twice, self._lost_keys[taken]])))

    def _slots(self, keys: Keys) -> npt.NDArray[np.int64]:
        return (keys >> self._shift).view(np.int64)
