"""Hibernation: what outlives a tunnel, for how long, and what wakes it.

On the gateway (HIB-G) it decides, when a tunnel is lost, whether the client's socket is kept. A sleeper wakes for a cause: the
client sent something, the client left, something the actor had not acked is left over, or the actor runs again for a cause
of its own. It does not wake because it fell asleep. On the runner (HIB-R) it says what the actor's durable state knows of a
socket that has no tunnel.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from tunnelspec.connection import INTERNAL_ERROR, UNAVAILABLE
from tunnelspec.events import (
    Abandon,
    ActorGone,
    ActorStarted,
    Backlog,
    CloseWaits,
    Collect,
    Ended,
    Expired,
    Forget,
    Free,
    Lost,
    Opened,
    Remember,
    Wake,
)
from tunnelspec.limits import Limits
from tunnelspec.machine import Kind, Machine, Role, State, excludes, ignores, moves

Outputs = tuple[Any, ...]


class Sleep(NamedTuple):
    """Context of HIB-G and HIB-R: since when there is no tunnel, in ms."""

    since: int = 0


def can_hibernate(c: Sleep, e: Opened, lim: Limits) -> bool:
    return e.can_hibernate


def cannot_hibernate(c: Sleep, e: Opened, lim: Limits) -> bool:
    return not e.can_hibernate


def too_old(c: Sleep, e: Collect, lim: Limits) -> bool:
    return e.now - c.since > lim.max_hibernation_ms


def not_too_old(c: Sleep, e: Collect, lim: Limits) -> bool:
    return e.now - c.since <= lim.max_hibernation_ms


def fall_asleep(c: Sleep, e: Lost, lim: Limits) -> tuple[Sleep, Outputs]:
    return Sleep(e.now), ()


def wake(c: Sleep, e: Any, lim: Limits) -> tuple[Sleep, Outputs]:
    return c, (Wake(e.now),)


def expire(c: Sleep, e: Collect, lim: Limits) -> tuple[Sleep, Outputs]:
    return c, (Expired(e.now),)


def abandon(c: Sleep, e: Lost, lim: Limits) -> tuple[Sleep, Outputs]:
    code = INTERNAL_ERROR if e.code is None else e.code
    reason = UNAVAILABLE if e.reason is None else e.reason
    return c, (Abandon(code, reason, e.now),)


def remember(c: Sleep, e: Opened, lim: Limits) -> tuple[Sleep, Outputs]:
    return c, (Remember(),)


def note_end(c: Sleep, e: Ended, lim: Limits) -> tuple[Sleep, Outputs]:
    return Sleep(e.now), ()


def forget(c: Sleep, e: Collect, lim: Limits) -> tuple[Sleep, Outputs]:
    return c, (Forget(), Free())


def free(c: Sleep, e: Any, lim: Limits) -> tuple[Sleep, Outputs]:
    return c, (Free(),)


def _contexts(lim: Limits) -> Iterable[Sleep]:
    yield from (Sleep(0), Sleep(1))


def _collections(lim: Limits) -> Iterable[Collect]:
    yield from (Collect(lim.max_hibernation_ms + late) for late in (-1, 0, 1, 2))


def _gateway_events(lim: Limits) -> Iterable[Any]:
    yield from (Opened(can, -1, 0) for can in (False, True))
    yield from (Lost(None, None, 0), Backlog(0), CloseWaits(0), ActorStarted(), Ended(0), *_collections(lim))


def _runner_events(lim: Limits) -> Iterable[Any]:
    yield from (Opened(can, -1, 0) for can in (False, True))
    yield from (Lost(None, None, 0), Ended(0), ActorGone(0), *_collections(lim))


HIB_G = Machine(
    id="HIB-G",
    name="hibernation",
    role=Role.GATEWAY,
    says="Decides what outlives a lost tunnel, and what wakes it.",
    states=(
        State("pinned", Kind.START, "The socket lives as long as its tunnel: it cannot hibernate, or is not open yet."),
        State("awake", Kind.STEADY, "The socket can hibernate, and its tunnel is open."),
        State("asleep", Kind.RESTING, "The tunnel is lost; the client's socket is kept.", "a cause", "max_hibernation_ms"),
        State("waking", Kind.WAITING, "There is a cause to wake the actor.", "an open", "max_hibernation_ms"),
        State("ended", Kind.END, "The socket is closed."),
    ),
    start=Sleep(),
    transitions=(
        moves("HIB-G-01", ("pinned", "waking"), Opened, "awake", when=can_hibernate, ref="protocol 5",
              says="The runner says that the socket can hibernate."),
        moves("HIB-G-02", "waking", Opened, "pinned", when=cannot_hibernate, ref="protocol 5",
              says="The runner says that the socket can hibernate no longer."),
        ignores("HIB-G-03", "pinned", Opened, when=cannot_hibernate, ref="protocol 5",
                says="The runner says that the socket cannot hibernate."),
        moves("HIB-G-04", "pinned", Lost, "ended", then=abandon, ref="protocol 6; P-LOSS-KNOWN",
              says="A socket that cannot hibernate ends with its tunnel, and the client is told."),
        moves("HIB-G-05", "awake", Lost, "asleep", then=fall_asleep, ref="protocol 6",
              says="A socket that can hibernate outlives its tunnel; falling asleep is no cause to wake."),
        moves("HIB-G-06", "asleep", Backlog, "waking", then=wake, ref="L-WAKE",
              says="Something waits for the actor: wake it."),
        moves("HIB-G-07", "asleep", CloseWaits, "waking", then=wake, ref="L-WAKE, P-CLOSE-SEEN",
              says="The client's close waits for the actor: wake it."),
        moves("HIB-G-08", "asleep", ActorStarted, "waking", then=wake, ref="L-WAKE",
              says="The actor runs again for a cause of its own: give it back its socket."),
        moves("HIB-G-09", ("asleep", "waking"), Collect, "ended", when=too_old, then=expire, ref="F15",
              says="A connection that slept for longer than the maximum age ends; messages do not keep it alive."),
        ignores("HIB-G-10", ("asleep", "waking"), Collect, when=not_too_old, ref="F15",
                says="A sleeper lives as long as its client's socket, up to the maximum age."),
        moves("HIB-G-11", ("pinned", "awake", "asleep", "waking"), Ended, "ended", ref="L-FREE",
              says="The socket is closed."),
        ignores("HIB-G-12", ("pinned", "awake", "waking"), Backlog, says="It is awake, or waking for a cause already."),
        ignores("HIB-G-13", ("pinned", "awake", "waking"), CloseWaits, says="It is awake, or waking for a cause already."),
        ignores("HIB-G-14", ("pinned", "awake", "waking"), ActorStarted, says="It is awake, or waking for a cause already."),
        ignores("HIB-G-15", ("pinned", "awake"), Collect, says="An entry with an open tunnel does not age."),
        excludes("HIB-G-16", "awake", Opened, says="The tunnel is open already."),
        excludes("HIB-G-17", ("asleep", "ended"), Opened, says="Only a waking connection opens."),
        excludes("HIB-G-18", ("asleep", "waking", "ended"), Lost, says="There is no open tunnel to lose."),
        excludes("HIB-G-19", "ended", Backlog, says="The socket is closed."),
        ignores("HIB-G-20", "ended", CloseWaits, says="The socket is closed."),
        ignores("HIB-G-21", "ended", ActorStarted, says="The socket is closed."),
        ignores("HIB-G-22", "ended", Collect, says="The socket is closed."),
        ignores("HIB-G-23", "ended", Ended, says="It has ended."),
    ),
    contexts=_contexts,
    events=_gateway_events,
)  # fmt: skip

HIB_R = Machine(
    id="HIB-R",
    name="hibernation",
    role=Role.RUNNER,
    says="What the actor's durable state knows of a socket.",
    states=(
        State("none", Kind.START, "The durable state does not know the socket."),
        State("bound", Kind.STEADY, "The durable state has the socket, and there is a tunnel."),
        State("dormant", Kind.RESTING, "The durable state has the socket; no tunnel.", "an open", "max_hibernation_ms"),
        State("concluded", Kind.RESTING, "The durable state knows it is closed.", "collection", "max_hibernation_ms"),
    ),
    start=Sleep(),
    transitions=(
        moves("HIB-R-01", "none", Opened, "bound", when=can_hibernate, then=remember, ref="protocol 5, 6",
              says="The durable state remembers a socket that can hibernate."),
        ignores("HIB-R-02", "none", Opened, when=cannot_hibernate, says="A socket that cannot hibernate is not remembered."),
        moves("HIB-R-03", "dormant", Opened, "bound", when=can_hibernate, then=remember, ref="protocol 6",
              says="The socket has a tunnel again, and does not age."),
        moves("HIB-R-04", "bound", Lost, "dormant", then=fall_asleep, ref="protocol 6",
              says="The tunnel is gone, the socket stays in the durable state."),
        moves("HIB-R-05", ("bound", "dormant"), Ended, "concluded", then=note_end, ref="P-CLOSE-SEEN",
              says="That it is closed is remembered as long as the gateway might open it again."),
        moves("HIB-R-06", ("dormant", "concluded"), Collect, "none", when=too_old, then=forget, ref="F15; L-FREE",
              says="After the maximum age the gateway has given the socket up; so does the durable state."),
        ignores("HIB-R-07", ("dormant", "concluded"), Collect, when=not_too_old, ref="F15",
                says="Until the maximum age the gateway may open it again."),
        moves("HIB-R-08", "none", Ended, None, then=free, ref="L-FREE", says="Nothing is left of it."),
        moves("HIB-R-09", "none", Lost, None, then=free, ref="L-FREE",
              says="A socket that cannot hibernate leaves nothing."),
        ignores("HIB-R-10", ("none", "bound"), Collect, says="Nothing ages while there is a tunnel, or no socket."),
        ignores("HIB-R-11", "bound", Opened, says="A repeated open changes nothing here."),
        excludes("HIB-R-12", "dormant", Opened, when=cannot_hibernate, says="It was remembered, and stays so."),
        excludes("HIB-R-13", "concluded", Opened, says="A concluded socket is refused by the actor."),
        ignores("HIB-R-14", ("dormant", "concluded"), Lost, says="There is no tunnel to lose."),
        ignores("HIB-R-15", "concluded", Ended, says="It is concluded already."),
        moves("HIB-R-16", ("none", "bound", "dormant", "concluded"), ActorGone, "none", then=free, ref="L-FREE",
              says="With the actor's life ends what is known in memory; its durable state knows the rest in the next."),
    ),
    contexts=_contexts,
    events=_runner_events,
)  # fmt: skip

MACHINES: tuple[Machine, ...] = (HIB_G, HIB_R)
