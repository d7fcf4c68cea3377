"""What gateway and runner have in common: an endpoint's state, its timers, and the loop event -> step -> outputs.

A ``Driver`` has no sockets and no clock of its own: its outputs are method calls (``on_Send``, ``on_Deliver``, …), named after
the outputs in ``tunnelspec.events``, so that an output nobody handles is an error and not a silence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tunnelref.clock import Clock, Timer
from tunnelref.engine import evaluate
from tunnelspec.endpoint import Endpoint, Local, Result, State
from tunnelspec.events import CancelTimer, SetTimer
from tunnelspec.limits import Limits
from tunnelspec.machine import Violation

Observer = Callable[["Driver", State, Any, Result], None]


def ignore(driver: Driver, before: State, event: Any, result: Result) -> None:
    """The observer that does not look."""


class _Handlers(dict[type[Any], str]):
    """Output -> the name of the method that does what it says."""

    def __missing__(self, output: type[Any]) -> str:
        self[output] = f"on_{output.__name__}"
        return self[output]


HANDLERS = _Handlers()


class Driver:
    """One endpoint at work."""

    __slots__ = ("clock", "endpoint", "inbox", "limits", "observe", "state", "timers")

    def __init__(
        self, endpoint: Endpoint, clock: Clock, limits: Limits, observe: Observer = ignore, **contexts: Any
    ) -> None:
        self.endpoint = endpoint
        self.clock = clock
        self.limits = limits
        self.observe = observe
        self.state = self.endpoint.start(**contexts)
        self.timers: dict[type[Any], Timer] | None = None  # made when first needed: most entries are idle
        self.inbox: list[Any] | None = None  # what came while an event was being handled

    def post(self, event: Any) -> None:
        """Let the endpoint hear an event, and do what it says.

        An event that is posted by an output's handler waits until all outputs before it are done.
        """
        if self.inbox is not None:
            self.inbox.append(event)
            return
        self.inbox = [event]
        try:
            for waiting in self.inbox:
                before = self.state
                result = self.endpoint.step(before, waiting, self.limits, evaluate)
                self.state = result.state
                self.observe(self, before, waiting, result)
                for output in result.outputs:
                    getattr(self, HANDLERS[type(output)])(output)
        finally:
            self.inbox = None

    def local(self, name: str) -> Local:
        """Where the machine of that name stands: its state and context."""
        return self.state[self.endpoint.place(name)]

    def stop_timers(self) -> None:
        """Nothing of this endpoint is to fire any more."""
        for timer in (self.timers or {}).values():
            timer.cancel()
        self.timers = None

    def on_SetTimer(self, output: SetTimer) -> None:
        if self.timers is None:
            self.timers = {}
        earlier = self.timers.get(output.event)
        if earlier is not None:
            earlier.cancel()
        self.timers[output.event] = self.clock.call_later(output.delay_ms, lambda: self._fire(output.event))

    def on_CancelTimer(self, output: CancelTimer) -> None:
        timer = (self.timers or {}).pop(output.event, None)
        if timer is not None:
            timer.cancel()

    def on_Violation(self, output: Violation) -> None:
        """Observers report it; the endpoint lives on."""

    def _fire(self, event: type[Any]) -> None:
        if self.timers is not None:
            self.timers.pop(event, None)
        self.post(event(now=self.clock.now_ms()))
