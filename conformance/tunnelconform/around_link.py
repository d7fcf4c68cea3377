"""What is around a runner's own socket, seen by the gateway: the suite plays the runner, and sees what the gateway answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tunnelconform.oracle import Hypothesis, Seen, Surroundings, Told
from tunnelspec.events import HangUp, PassOn, Welcome
from tunnelspec.frames import ToClientAckEvents, ToClientInit, ToClientKvResponse, ToServerEvents, ToServerKvRequest

SOCKET = 0
"""The channel of the socket."""

ANSWERED: dict[type[Any], type[Any]] = {ToServerKvRequest: ToClientKvResponse}
"""Frames that the directory answers, and with what."""


@dataclass(frozen=True)
class Perhaps:
    """An event that may happen or not."""

    event: Any


@dataclass
class AroundLink(Surroundings):
    """A link's surroundings. ``own_words``: code and reason of a close are the subject's own; ``acks_events``: whether the
    directory acks events is judged; ``open_ms``: since when the suite hears it."""

    own_words: bool = False
    acks_events: bool = True
    open_ms: int = 0

    def heard_since(self, channel: int) -> int:
        return self.open_ms

    def unseen(self, h: Hypothesis, seen: Seen) -> Iterator[Any]:
        return self.may_happen(h, seen.time_ms)

    def may_happen(self, h: Hypothesis, by_ms: int) -> Iterator[Any]:
        yield from (timer.event(timer.due_ms) for timer in h.timers if timer.due_ms <= by_ms)

    def forced(self, h: Hypothesis, before_ms: int) -> Iterator[tuple[Any, int]]:
        yield from ((t.event(t.due_ms), t.due_ms) for t in h.timers if t.due_ms < before_ms)

    def work(self, memory: Any, event: Any) -> tuple[Any, Any]:
        return (memory, event.event) if isinstance(event, Perhaps) else (memory, event)

    def may_be_void(self, memory: Any, event: Any) -> bool:
        """The runner's new link may come to nothing; once it is welcomed, one is told again, and surely."""
        return isinstance(event, Perhaps)

    def react(self, memory: Any, output: Any, time_ms: int) -> tuple[Any, tuple[Told, ...], tuple[Any, ...]]:
        if isinstance(output, Welcome | HangUp):
            return memory, (), (output,)
        if isinstance(output, PassOn) and isinstance(output.frame, ToServerEvents) and self.acks_events:
            events = output.frame.events
            return memory, (), (ToClientAckEvents(events[-1].index) if events else ToClientAckEvents,)
        if isinstance(output, PassOn) and type(output.frame) in ANSWERED:
            return memory, (), (ANSWERED[type(output.frame)],)
        return memory, (), ()

    def same(self, due: Any, seen: Any) -> bool:
        if isinstance(due, Welcome):
            return isinstance(seen, ToClientInit)
        if isinstance(due, HangUp) and self.own_words:
            return isinstance(seen, HangUp)
        if isinstance(due, type):
            return isinstance(seen, due)
        return super().same(due, seen)
