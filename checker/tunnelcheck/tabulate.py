"""Stages as tables: each is computed once for every combination of values that it is asked about, and looked up ever after.

A component's values are interned to small numbers; a stage's row is found by the numbers of what it reads, and holds
the numbers of what it writes. What a stage costs therefore no longer depends on how it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunnelcheck.index import I64, Index
from tunnelspec.system import Stage

I32 = NDArray[np.int32]
DISABLED = -1
DENSE_BITS = 16

WIDTHS = {
    "client": 9, "gateway": 21, "store": 11, "budget": 11,
    "line": 7, "down": 15, "up": 16, "runner": 17, "host": 9,
    "heard": 21, "said": 18, "refused": 8, "took": 16,
}  # fmt: skip
"""Bits for the numbers of a component's values. A group's widths fit into 64 bits."""


class TooMany(MemoryError):
    """A component has more values than its width allows: the bounds are too large for this engine."""


def kind(name: str) -> str:
    """A component's name without its side."""
    return name.partition("_")[0]


class Domain:
    """The values of one component, by number."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.width = WIDTHS[kind(name)]
        self.values: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def number(self, value: Any) -> int:
        """The number of a value. Raises ``TooMany``."""
        number = self._numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            if number >> self.width:
                raise TooMany(f"{self.name} has more than {1 << self.width} values: choose smaller bounds")
            self.values.append(value)
        return number


class Column:
    """Numbers that are appended to, as an array."""

    def __init__(self) -> None:
        self._array: I32 = np.empty(1 << 10, np.int32)
        self.count = 0

    def extend(self, numbers: Sequence[int]) -> None:
        need = self.count + len(numbers)
        if need > len(self._array):
            grown = np.empty(max(need, 2 * len(self._array)), np.int32)
            grown[: self.count] = self._array[: self.count]
            self._array = grown
        self._array[self.count : need] = numbers
        self.count = need

    def __getitem__(self, at: I64) -> I32:
        return self._array[at]


Watcher = Callable[["Table", int, tuple[Any, ...], tuple[Any, ...] | None], None]


class Table:
    """One stage. ``watch`` is told of each new row: its number, the values read, and the values written or None."""

    def __init__(self, stage: Stage, domains: dict[str, Domain], watch: Watcher | None = None) -> None:
        self.stage = stage
        self.reads = [domains[name] for name in stage.reads]
        self.writes = [domains[name] for name in stage.writes]
        self.columns = [Column() for _ in stage.writes]
        self.enabled = Column()
        self.alarms: set[int] = set()  # rows that violate something
        self._watch = watch
        shifts = np.cumsum([0, *(domain.width for domain in self.reads)])
        if shifts[-1] > 64:
            raise TooMany(f"a stage reads {', '.join(stage.reads)}: {shifts[-1]} bits")
        self._shifts = [np.uint64(shift) for shift in shifts[:-1]]
        self._index = Index()
        self._dense: I32 | None = None
        if len(self.reads) == 1 or shifts[-1] <= DENSE_BITS:
            self._dense = np.full(1 << min(shifts[-1], 8), -1, np.int32)

    def __len__(self) -> int:
        return self.enabled.count

    def rows(self, parts: Sequence[NDArray[Any]], count: int) -> I64:
        """The row for each combination of numbers."""
        if not parts:
            if not len(self):
                self._compute([[]])
            return np.zeros(count, np.int64)
        keys = parts[0].astype(np.uint64)
        for part, shift in zip(parts[1:], self._shifts[1:], strict=True):
            keys |= part.astype(np.uint64) << shift
        if self._dense is not None:
            at = keys.astype(np.int64)
            if len(at) and (top := int(at.max())) >= len(self._dense):
                grown = np.full(1 << top.bit_length(), -1, np.int32)
                grown[: len(self._dense)] = self._dense
                self._dense = grown
            rows = self._dense[at].astype(np.int64)
            missing = rows < 0
            if missing.any():
                fresh = np.unique(keys[missing])
                self._dense[fresh.astype(np.int64)] = np.arange(len(self), len(self) + len(fresh))
                self._compute_keys(fresh)
                rows = self._dense[at].astype(np.int64)
            return rows
        rows = self._index.add(keys)
        if self._index.count > len(self):
            self._compute_keys(self._index.keys[len(self) :])
        return rows

    def _compute_keys(self, keys: NDArray[np.uint64]) -> None:
        masks = [np.uint64((1 << domain.width) - 1) for domain in self.reads]
        split = [((keys >> shift) & mask).tolist() for shift, mask in zip(self._shifts, masks, strict=True)]
        self._compute(zip(*split, strict=True))

    def _compute(self, combinations: Any) -> None:
        row = len(self)
        enabled: list[int] = []
        written: list[list[int]] = [[] for _ in self.columns]
        for combination in combinations:
            values = tuple(domain.values[number] for domain, number in zip(self.reads, combination, strict=True))
            outcome = self.stage(*values)
            enabled.append(outcome is not None)
            for place, domain in enumerate(self.writes):
                written[place].append(DISABLED if outcome is None else domain.number(outcome[place]))
            if self._watch is not None:
                self._watch(self, row + len(enabled) - 1, values, outcome)
        self.enabled.extend(enabled)
        for column, numbers in zip(self.columns, written, strict=True):
            column.extend(numbers)
