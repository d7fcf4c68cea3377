"""What gateway and runner have in common: an endpoint's state, its timers, and the loop event -> step -> outputs.

A ``Driver`` has no sockets and no clock of its own: its outputs are method calls (``on_Send``, ``on_Deliver``, …), named after
the outputs in ``tunnelspec.events``, so that an output nobody handles is an error and not a silence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, ClassVar

from tunnelref.clock import Clock, Timer
from tunnelref.engine import by_transitions
from tunnelspec.compiled import Outcome, program
from tunnelspec.endpoint import Endpoint, Local, State
from tunnelspec.events import CancelTimer, SetTimer
from tunnelspec.limits import Limits
from tunnelspec.machine import Received, Violation

Observer = Callable[["Driver", State, Any, Outcome], None]


def ignore(driver: Driver, before: State, event: Any, outcome: Outcome) -> None:
    """The observer that does not look."""


class Handlers(dict[type[Any], Callable[[Any, Any], None]]):
    """Output -> the method of a class that does what it says."""

    def __init__(self, cls: type[Driver]) -> None:
        super().__init__()
        self._cls = cls

    def __missing__(self, output: type[Any]) -> Callable[[Any, Any], None]:
        handler: Callable[[Any, Any], None] = getattr(self._cls, f"on_{output.__name__}")
        self[output] = handler
        return handler


class Driver:
    """One endpoint at work: messages by the compiled tables, changes of phase by ``transitions``."""

    __slots__ = ("busy", "clock", "endpoint", "inbox", "limits", "observe", "state", "steps", "timers")

    handlers: ClassVar[Handlers]

    def __init_subclass__(cls) -> None:
        cls.handlers = Handlers(cls)

    def __init__(
        self, endpoint: Endpoint, clock: Clock, limits: Limits, observe: Observer = ignore, **contexts: Any
    ) -> None:
        self.clock = clock
        self.observe = observe
        self.state = endpoint.start(**contexts)
        self.run_on(endpoint, limits)
        self.busy = False
        self.timers: dict[type[Any], Timer] | None = None  # made when first needed: most entries are idle
        self.inbox: deque[Any] | None = None  # what came while an event was being handled

    def run_on(self, endpoint: Endpoint, limits: Limits) -> None:
        """From where it stands, go on by these tables and limits."""
        self.endpoint, self.limits = endpoint, limits
        self.steps = program(endpoint, limits, by_transitions, moving=False).at(self.state)

    def post(self, event: Any) -> None:
        """Let the endpoint hear an event, and do what it says.

        An event that is posted by an output's handler waits until all outputs before it are done.
        """
        if self.busy:
            if self.inbox is None:
                self.inbox = deque()
            self.inbox.append(event)
            return
        self.busy = True
        try:
            while True:
                before = self.state
                kind = type(event.frame) if type(event) is Received else type(event)
                outcome = self.steps[kind](before, event)
                self.state, outputs, path = outcome
                if path.moves:
                    self.steps = self.steps.program.at(self.state)
                self.observe(self, before, event, outcome)
                for output in outputs:
                    self.handlers[type(output)](self, output)
                if not self.inbox:
                    return
                event = self.inbox.popleft()
        finally:
            self.busy, self.inbox = False, None

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
