"""Time, injected: the same code runs on the machine's clock and, in tests, on a virtual one that never waits."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """Something that will happen, unless it is cancelled."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """What the reference needs of time."""

    def now_ms(self) -> int:
        """Monotonic milliseconds; only differences mean anything."""
        ...

    def unix_ms(self) -> int:
        """Milliseconds since 1970, for the wire's timestamps."""
        ...

    def call_later(self, delay_ms: int, call: Callable[[], None]) -> Timer: ...


class LoopClock:
    """The clock of asyncio's event loops, which is the system's monotonic one (asking the loop costs a system call)."""

    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def unix_ms(self) -> int:
        return int(time.time() * 1000)

    def call_later(self, delay_ms: int, call: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(delay_ms / 1000, call)


class VirtualTimer:
    """A timer of a ``VirtualClock``."""

    __slots__ = ("call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class VirtualClock:
    """A clock that stands still until it is told to advance. Timers due at the same time fire in the order they were set."""

    def __init__(self, now_ms: int = 0) -> None:
        self._now = now_ms
        self._order = itertools.count()
        self._due: list[tuple[int, int, VirtualTimer]] = []

    def now_ms(self) -> int:
        return self._now

    def unix_ms(self) -> int:
        return self._now

    def call_later(self, delay_ms: int, call: Callable[[], None]) -> VirtualTimer:
        timer = VirtualTimer(call)
        heapq.heappush(self._due, (self._now + delay_ms, next(self._order), timer))
        return timer

    def advance(self, by_ms: int) -> None:
        """Let time pass; everything due meanwhile happens, each thing at its own time."""
        end = self._now + by_ms
        while self._due and self._due[0][0] <= end:
            self._now, _, timer = heapq.heappop(self._due)
            if timer.call is not None:
                timer.call()
        self._now = end
