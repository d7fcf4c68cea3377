"""What is around a runner's own socket, seen by the runner: the suite is the gateway that it dials, and sees what it says there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from tunnelconform.around_link import SOCKET, AroundLink
from tunnelconform.oracle import Hypothesis, Told
from tunnelspec.events import (
    BadFrame,
    Dial,
    HangUp,
    Introduce,
    LinkDown,
    LinkUp,
    PassOn,
    SayStopping,
    SendPing,
)
from tunnelspec.frames import ToClientCommands, ToServerAckCommands, ToServerInit, ToServerPing, ToServerStopping
from tunnelspec.machine import Received

ABNORMAL = 1006
"""What stands for a close without a close frame (RFC 6455, section 7.4.1)."""

EARLY_MS = 20
"""So much earlier than it is due, as the suite counts, a timer may be over: clocks and their grains differ."""

STOPS = SOCKET - 1
"""The channel of who tells the runner to stop."""

SEEN_AS: dict[type[Any], type[Any]] = {
    Introduce: ToServerInit,
    SendPing: ToServerPing,
    SayStopping: ToServerStopping,
}
"""Outputs, and the frame that each is."""


@dataclass(frozen=True)
class Dialled:
    """The runner dials: what of its request is wrong, or nothing."""

    wrong: str = ""


class Plug(NamedTuple):
    """What the surroundings know: whether the socket is up, and whether the runner is closing it."""

    up: bool = False
    closing: bool = False


@dataclass
class AroundDialler(AroundLink):
    """The link's surroundings. ``hung_up``: the runner was seen to close its link; what it then still says nobody hears, be it
    due since before."""

    hung_up: bool = False

    def may_happen(self, h: Hypothesis, by_ms: int) -> Iterator[Any]:
        yield from (timer.event(timer.due_ms) for timer in h.timers if timer.due_ms - EARLY_MS <= by_ms)

    def prompt(self, h: Hypothesis) -> Iterator[tuple[Any, int]]:
        yield from self.forced(h, 0)

    def forced(self, h: Hypothesis, before_ms: int) -> Iterator[tuple[Any, int]]:
        if h.state[0].state == "stopping" and not h.memory.up:  # there is no link whose end it could wait for
            yield LinkDown(before_ms), before_ms
        yield from super().forced(h, before_ms)

    def waits(self, due: Any) -> bool:
        """The link is closed once the actors have stopped, and what is said until then comes first."""
        return isinstance(due, HangUp)

    def work(self, memory: Plug, event: Any) -> tuple[Plug, Any]:
        if isinstance(event, LinkUp | LinkDown):
            return Plug(isinstance(event, LinkUp)), event
        return memory, event

    def may_be_void(self, memory: Plug, event: Any) -> bool:
        """What comes over a socket that is being closed need not be handled."""
        return memory.closing and isinstance(event, Received | BadFrame)

    def react(self, memory: Plug, output: Any, time_ms: int) -> tuple[Plug, tuple[Told, ...], tuple[Any, ...]]:
        if isinstance(output, HangUp):
            return memory._replace(closing=True), (), (output,) if memory.up and not memory.closing else ()
        if isinstance(output, Dial):
            return memory, (), (output,)
        if self.hung_up:
            return memory, (), ()
        if type(output) in SEEN_AS:
            return memory, (), (output,)
        if isinstance(output, PassOn) and isinstance(output.frame, ToClientCommands):
            return memory, (), (ToServerAckCommands(output.frame.commands[-1].index),)
        return memory, (), ()

    def same(self, due: Any, seen: Any) -> bool:
        if isinstance(due, Dial):
            return bool(seen == Dialled())
        if type(due) in SEEN_AS:
            return isinstance(seen, SEEN_AS[type(due)])
        if isinstance(due, HangUp):  # a browser's WebSocket cannot say 1001, and no gateway asks for it
            return isinstance(seen, HangUp) and seen.code != ABNORMAL
        return super().same(due, seen)
