"""Listener: events that happen before the actor listens are kept in order, and given to it once (EVT-R).

One queue for all kinds of event, so that none overtakes another; bounded, so that an actor that never listens is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from tunnelspec.connection import INTERNAL_ERROR
from tunnelspec.events import ActorGone, ActorListens, Emit, Happens, Overflow, SocketClosed, SocketOpened
from tunnelspec.limits import Limits
from tunnelspec.machine import Kind, Machine, Role, State, excludes, ignores, moves

Outputs = tuple[Any, ...]

DEAF = "the actor does not listen"


class Buffer(NamedTuple):
    """Context of EVT-R."""

    events: tuple[Any, ...] = ()


def buffer_has_room(c: Buffer, e: Happens, lim: Limits) -> bool:
    return len(c.events) < lim.max_buffered_events or type(e.event) is SocketClosed


def buffer_is_full(c: Buffer, e: Happens, lim: Limits) -> bool:
    return len(c.events) >= lim.max_buffered_events and type(e.event) is not SocketClosed


def buffer(c: Buffer, e: Happens, lim: Limits) -> tuple[Buffer, Outputs]:
    return Buffer((*c.events, e.event)), ()


def overflow(c: Buffer, e: Happens, lim: Limits) -> tuple[Buffer, Outputs]:
    return Buffer((*c.events, SocketClosed(INTERNAL_ERROR, DEAF))), (Overflow(e.now),)


def emit(c: Buffer, e: Happens, lim: Limits) -> tuple[Buffer, Outputs]:
    return c, (Emit(e.event),)


def flush(c: Buffer, e: ActorListens, lim: Limits) -> tuple[Buffer, Outputs]:
    return Buffer(), tuple(Emit(event) for event in c.events)


def empty(c: Buffer, e: ActorGone, lim: Limits) -> tuple[Buffer, Outputs]:
    return Buffer(), ()


def _contexts(lim: Limits) -> Iterable[Buffer]:
    yield from (Buffer((SocketOpened(False),) * count) for count in range(lim.max_buffered_events + 1))


def _events(lim: Limits) -> Iterable[Any]:
    yield from (Happens(SocketOpened(False), 0), Happens(SocketClosed(None, None), 0), ActorListens(), ActorGone(0))


EVT_R = Machine(
    id="EVT-R",
    name="listener",
    role=Role.RUNNER,
    says="Gives the actor's listener each event once and in order, however late it is attached.",
    states=(
        State("unheard", Kind.START, "No listener is attached; events are kept.", "a listener", "max_buffered_events"),
        State("full", Kind.END, "One event too many: the socket is closed, and nothing after that event is given."),
        State("heard", Kind.STEADY, "Events go to the listener as they happen."),
    ),
    start=Buffer(),
    transitions=(
        moves("EVT-R-01", "unheard", Happens, None, when=buffer_has_room, then=buffer, ref="protocol 12; P-EARLY",
              says="An event before the listener is kept; for a close, which is the last, there is always room."),
        moves("EVT-R-02", "unheard", Happens, "full", when=buffer_is_full, then=overflow, ref="P-BOUND",
              says="One event too many for an actor that does not listen: the socket is closed, never silently."),
        ignores("EVT-R-07", "full", Happens, ref="P-GAP-LOUD",
                says="What comes after an event that was dropped would leave a gap."),
        moves("EVT-R-08", "full", ActorListens, None, then=flush, ref="P-EARLY, P-LOSS-KNOWN",
              says="An actor that listens too late gets what came before the gap, and the close."),
        moves("EVT-R-03", "unheard", ActorListens, "heard", then=flush, ref="protocol 12; P-EARLY",
              says="What was kept is given to the listener at once, in order, before anything newer."),
        moves("EVT-R-04", "heard", Happens, None, then=emit, ref="protocol 12", says="An event goes to the listener."),
        moves("EVT-R-05", ("unheard", "full", "heard"), ActorGone, "unheard", then=empty, ref="protocol 12",
              says="A stopped actor hears nothing; the next one attaches its own listener."),
        excludes("EVT-R-06", "heard", ActorListens, says="It listens already."),
    ),
    contexts=_contexts,
    events=_events,
)  # fmt: skip

MACHINES: tuple[Machine, ...] = (EVT_R,)
