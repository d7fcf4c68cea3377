"""An index of 64-bit keys: each key gets the next whole number when it first comes, many keys at a time.

Open addressing with linear probing over numpy arrays. The keys themselves are kept and compared, so that nothing is ever
confused with anything else: an exact set, in about twenty bytes a key. While there are few keys a dictionary is faster, for what
numpy costs per call; it is given up when they are many.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
I64 = NDArray[np.int64]
MIX = np.uint64(0x9E3779B97F4A7C15)
MIX_AGAIN = np.uint64(0xBF58476D1CE4E5B9)
HALF = np.uint64(32)
LOAD = 0.6
CHUNK = 1 << 17
FEW = 1 << 14


class Index:
    """Numbers for keys, in the order in which they first came."""

    def __init__(self, capacity: int = 1 << 10) -> None:
        self._keys: U64 = np.zeros(capacity, np.uint64)
        self._few: dict[int, int] | None = {}
        self._slots: NDArray[np.uint32] = np.zeros(16, np.uint32)
        self._shift = np.uint64(0)
        self._set_shift()
        self.count = 0

    @property
    def keys(self) -> U64:
        """All keys, by number."""
        return self._keys[: self.count]

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return self._keys.nbytes + self._slots.nbytes

    def add(self, keys: U64) -> I64:
        """The number of each key; new keys get new numbers."""
        if self._few is not None:
            if self.count + len(keys) <= FEW:
                return self._add_few(self._few, keys)
            self._few = None
        found = np.empty(len(keys), np.int64)
        for start in range(0, len(keys), CHUNK):
            part = keys[start : start + CHUNK]
            self._reserve(len(part))
            found[start : start + CHUNK] = self._add(part)
        return found

    def _add_few(self, known: dict[int, int], keys: U64) -> I64:
        numbers = [known.setdefault(key, len(known)) for key in keys.tolist()]
        if len(known) > self.count:
            self._reserve_keys(len(known))
            self._keys[self.count : len(known)] = _last(known, len(known) - self.count)
            self.count = len(known)
        return np.array(numbers, np.int64)

    def _add(self, keys: U64) -> I64:
        slots, mask = self._slots, len(self._slots) - 1
        found = np.empty(len(keys), np.int64)
        left = np.arange(len(keys))
        here = self._home(keys)
        while len(left):
            at = slots[here].astype(np.int64) - 1
            empty = at < 0
            if empty.any():
                claims = here[empty]
                marks = np.arange(len(claims), dtype=np.uint32) + np.uint32(self.count + 1)
                slots[claims] = marks
                won = slots[claims] == marks
                winners = np.flatnonzero(empty)[won]
                numbers = self.count + np.arange(len(winners))
                slots[here[winners]] = numbers + 1
                self._keys[numbers] = keys[left[winners]]
                self.count += len(winners)
                at = slots[here].astype(np.int64) - 1
            same = self._keys[at] == keys[left]
            found[left[same]] = at[same]
            other = ~same
            left, here = left[other], (here[other] + 1) & mask
        return found

    def _home(self, keys: U64) -> I64:
        mixed = (keys ^ (keys >> HALF)) * MIX
        mixed = (mixed ^ (mixed >> HALF)) * MIX_AGAIN
        return (mixed >> self._shift).astype(np.int64)

    def _reserve(self, more: int) -> None:
        need = self.count + more
        self._reserve_keys(need)
        if need > LOAD * len(self._slots):
            self._slots = np.zeros(1 << int(need / LOAD).bit_length(), np.uint32)
            self._set_shift()
            for start in range(0, self.count, CHUNK):
                self._place(np.arange(start, min(start + CHUNK, self.count)))

    def _reserve_keys(self, need: int) -> None:
        if need > len(self._keys):
            grown = np.empty(max(need, len(self._keys) + len(self._keys) // 2), np.uint64)
            grown[: self.count] = self.keys
            self._keys = grown

    def _place(self, numbers: I64) -> None:
        """Give known keys their slots in a new table."""
        slots, mask = self._slots, len(self._slots) - 1
        here, marks = self._home(self._keys[numbers]), (numbers + 1).astype(np.uint32)
        while len(marks):
            empty = slots[here] == 0
            slots[here[empty]] = marks[empty]
            missed = slots[here] != marks
            here, marks = (here[missed] + 1) & mask, marks[missed]

    def _set_shift(self) -> None:
        self._shift = np.uint64(64 - (len(self._slots).bit_length() - 1))


def _last(known: dict[int, int], count: int) -> list[int]:
    """The keys that came last, in order."""
    return list(islice(reversed(known), count))[::-1]
