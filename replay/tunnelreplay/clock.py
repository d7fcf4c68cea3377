"""A clock that counts ticks, and timers that fire when they are told to: time is what the trace says it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tunnelref.driver import Driver

BEGINNING = 1_000
"""The first instant, so that an instant of 0 is one that was never set."""


class ScriptedTimer:
    """A timer that waits for its cue."""

    __slots__ = ("_clock", "call")

    def __init__(self, clock: ScriptedClock, call: Callable[[], None]) -> None:
        self._clock = clock
        self.call = call

    def cancel(self) -> None:
        self._clock.armed.pop(self, None)

    def fire(self) -> None:
        """Its time has come."""
        if self in self._clock.armed:
            self.cancel()
            self.call()


class ScriptedClock:
    """The time of a replay, in ticks: the limits of a trace are ticks too."""

    def __init__(self) -> None:
        self.ticks = BEGINNING
        self.armed: dict[ScriptedTimer, None] = {}

    def now_ms(self) -> int:
        return self.ticks

    def unix_ms(self) -> int:
        return self.ticks

    def call_later(self, delay_ms: int, call: Callable[[], None]) -> ScriptedTimer:
        timer = ScriptedTimer(self, call)
        self.armed[timer] = None
        return timer

    def fire(self, call: Callable[[], None]) -> None:
        """Fire the timer that would call this. Raises ``LookupError`` if none is armed."""
        for timer in self.armed:
            if timer.call == call:
                timer.fire()
                return
        raise LookupError(f"no timer is armed for {call}")


def fire(driver: Driver, event: type[Any]) -> None:
    """An endpoint's timer is due. Raises ``LookupError`` if it is not armed."""
    timer = (driver.timers or {})[event]
    assert isinstance(timer, ScriptedTimer)
    timer.fire()
