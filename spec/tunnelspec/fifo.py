"""A queue that never changes: what is pending, oldest first, as a value.

A tuple would do, but for its cost: appending to one copies it, and a fast client makes queues of thousands. Here a queue is a view
of a list that is only ever appended to; a queue that shares its list with a longer one does not see the difference. Appending
to the newest view, and dropping from the front, take the same time however long the queue is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from operator import eq
from typing import Generic, TypeVar

T = TypeVar("T")

SLACK = 64
"""Dropped items that may stay in the list before it is copied; beyond it, when they are more than half."""


_new = object.__new__


class Fifo(Generic[T]):
    """An immutable queue. Equal to another one, with the same hash, if it has the same items."""

    __slots__ = ("_items", "_start", "_stop")

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._items = list(items)
        self._start = 0
        self._stop = len(self._items)

    def append(self, item: T) -> Fifo[T]:
        """The queue with one more at its end."""
        items, start, stop = self._items, self._start, self._stop
        if start == stop:
            items, start, stop = [], 0, 0  # an empty queue is everybody's
        elif stop != len(items) or (start > SLACK and start * 2 > stop):
            items, start, stop = items[start:stop], 0, stop - start  # another view went on, or it is mostly air
        items.append(item)
        made = _new(Fifo)
        made._items, made._start, made._stop = items, start, stop + 1
        return made

    def drop(self, count: int) -> Fifo[T]:
        """The queue without its ``count`` oldest."""
        return view(self._items, min(self._start + count, self._stop), self._stop)

    def remove(self, place: int) -> Fifo[T]:
        """The queue without the item at ``place``."""
        return self.drop(1) if place == 0 else self._without(place)

    def _without(self, place: int) -> Fifo[T]:
        items = self._items[self._start : self._stop]
        del items[place]
        return view(items, 0, len(items))

    def oldest(self, count: int) -> tuple[T, ...]:
        """Its first ``count`` items."""
        return tuple(self._items[self._start : min(self._start + count, self._stop)])

    def __getitem__(self, place: int) -> T:
        at = self._start + place if place >= 0 else self._stop + place
        if not self._start <= at < self._stop:
            raise IndexError(place)
        return self._items[at]

    def __len__(self) -> int:
        return self._stop - self._start

    def __iter__(self) -> Iterator[T]:
        return islice(self._items, self._start, self._stop)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fifo) and len(self) == len(other) and all(map(eq, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Fifo({list(self)})"


def view(items: list[T], start: int, stop: int) -> Fifo[T]:
    """The queue of ``items[start:stop]``. Of the list nothing may change but that more is appended."""
    made = _new(Fifo)
    made._items, made._start, made._stop = items, start, stop
    return made
