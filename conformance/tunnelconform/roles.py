"""What an observer of a link cannot see of either side, and may have happened between two frames."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Any

from tunnelconform.oracle import Hypothesis, Oracle, Seen, Surroundings
from tunnelconform.relays import Relays, hears, passed
from tunnelspec.endpoint import GATEWAY, RUNNER
from tunnelspec.events import (
    AckDue,
    ActorAccepts,
    ActorCloses,
    ActorListens,
    ActorRefuses,
    ActorSends,
    ActorStarted,
    ActorStops,
    AskActor,
    BackoffOver,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    Collect,
    Committed,
    Concluded,
    OpenTimeout,
    Resolve,
    RouteFailed,
    RouteFound,
    Send,
)
from tunnelspec.frames import (
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
)
from tunnelspec.limits import Limits

MOST = 20_000
"""More hypotheses than this are too many; nobody waits for the verdict on a recording, so there may be more than in a play."""

LISTENER = RUNNER.place("listener")
FRAME_BYTES = 64
"""About what a frame takes beyond its data."""


def behind_the_gateway(h: Hypothesis, seen: Seen) -> Iterator[Any]:
    """The client's side, routes and timers."""
    now, frame = seen.time_ms, seen.what
    where = h.state[GATEWAY.place("connection")].state
    if where == "new":
        yield ClientConnected()
    if h.ask(Resolve):
        yield RouteFound(seen.channel, now)
        yield RouteFailed(now)
    for timer in (OpenTimeout, BackoffOver):
        if h.timer(timer):
            yield timer(now)
    if where == "asleep":
        yield ActorStarted(now)
    if isinstance(frame, ToClientWebSocketMessage):
        yield ClientMessage(frame.data, frame.binary, len(frame.data) + FRAME_BYTES, 0, now)
    if isinstance(frame, ToClientWebSocketClose):
        yield ClientClosed(frame.code, frame.reason, now)
    if not isinstance(frame, ToClientWebSocketMessage):
        yield Collect(now)


def behind_the_runner(h: Hypothesis, seen: Seen) -> Iterator[Any]:
    """The actor and timers."""
    now, frame = seen.time_ms, seen.what
    if h.ask(AskActor):
        if isinstance(frame, ToServerWebSocketOpen):
            yield ActorAccepts(frame.canHibernate, frame.lastMsgIndex, frame.lastMsgIndex >= 0, now)
        if isinstance(frame, ToServerWebSocketClose) and frame.code is not None:
            yield ActorRefuses(frame.code, frame.reason or "", now)
    if h.state[LISTENER].state != "heard":
        yield ActorListens()
    if isinstance(frame, ToServerWebSocketMessage):
        yield ActorSends(frame.data, frame.binary, now)
    if isinstance(frame, ToServerWebSocketMessageAck):
        yield Committed(frame.index, now)
        if h.timer(AckDue):
            yield AckDue(now)
    if isinstance(frame, ToServerWebSocketClose):
        yield ActorCloses(frame.code, frame.reason, now)
        yield ActorStops(now)
        yield Collect(now)
    yield Concluded(now)


@dataclass
class Links(Surroundings):
    """Only links are seen; what is said on one that is ``gone`` may be seen or not. What an open names comes from outside, so any
    open is as good as another."""

    gone: Set[int]

    def awaits(self, channel: int) -> bool:
        return channel not in self.gone

    def same(self, due: Any, seen: Any) -> bool:
        if isinstance(due, ToClientWebSocketOpen):
            return isinstance(seen, ToClientWebSocketOpen)
        return super().same(due, seen)


@dataclass
class BehindGateway(Links):
    """A gateway's client, routes and timers are not seen."""

    limits: Limits

    def unseen(self, h: Hypothesis, seen: Seen) -> Iterator[Any]:
        return behind_the_gateway(h, seen)

    def work(self, memory: Relays, event: Any) -> tuple[Relays, Any]:
        return hears(memory, event, self.limits)

    def sends(self, memory: Relays, output: Send) -> Relays:
        return passed(memory, output.link, output.frame, self.limits)


class BehindRunner(Links):
    """A runner's actor and timers are not seen."""

    def unseen(self, h: Hypothesis, seen: Seen) -> Iterator[Any]:
        return behind_the_runner(h, seen)


def gateway(limits: Limits, gone: Set[int]) -> Oracle:
    """The oracle for a gateway of which only its links are seen. ``gone``: those that are no more; it may grow."""
    return Oracle(GATEWAY, BehindGateway(gone, limits), limits, most=MOST)


def runner(limits: Limits, gone: Set[int]) -> Oracle:
    """The oracle for a runner of which only its link is seen. ``gone``: as there."""
    return Oracle(RUNNER, BehindRunner(gone), limits, most=MOST)
