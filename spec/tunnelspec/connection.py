"""Connection: one client socket, its tunnel, and how either ends.

The gateway's machine (CONN-G) finds a runner, opens the tunnel, tries again when that fails, and closes. The runner's machine
(CONN-R) is the WebSocket-like object that an actor gets: its states are the readyState of RFC 6455's API.

A connection does not know what is pending or whether its actor can sleep. It tells the others (``Opened``, ``Lost``, ``Ended``)
and is told (``Wake``, ``Abandon``, ``Progress``).

*Retries.* ``failures`` counts the tries since the last progress: those that failed, and the one now open as long as nothing has
come of it. An open with nothing to replay is progress; so is a message ack. A service retry after progress is therefore
immediate and starts from 0, as the protocol says; without progress it is spaced and counted like any failure, so that an
actor which crashes on the same message again and again cannot make the gateway spin.

*Earlier attempts.* A re-open has the same request id as the attempt before it, and the answer does not say which attempt it
answers. But a runner acks an open before it answers it, links are ordered, and a TunnelAck names its message: an answer
that comes before this open's TunnelAck answers an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any, NamedTuple

from tunnelspec.events import (
    Abandon,
    ActorAccepts,
    ActorCloses,
    ActorGone,
    ActorRefuses,
    ActorSends,
    ActorStops,
    Arrived,
    AskActor,
    BackoffOver,
    CancelTimer,
    ClientClosed,
    ClientConnected,
    CloseClient,
    CloseWaits,
    Conclude,
    Concluded,
    Deliver,
    Ended,
    Expired,
    Flush,
    Free,
    Gap,
    Happens,
    LimitReached,
    LinkLost,
    Lost,
    NoMore,
    Opened,
    OpenTimeout,
    Overflow,
    Progress,
    Resolve,
    RouteFailed,
    RouteFound,
    SendAck,
    SetTimer,
    SocketClosed,
    SocketOpened,
    TimedOut,
    Transmit,
    TunnelDown,
    TunnelUp,
    Unresumable,
    Wake,
)
from tunnelspec.frames import (
    ToClientWebSocketClose,
    ToClientWebSocketOpen,
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    ToServerWebSocketOpen,
)
from tunnelspec.limits import Limits
from tunnelspec.machine import Kind, Machine, Received, Role, State, excludes, ignores, moves, refuses

Outputs = tuple[Any, ...]

INTERNAL_ERROR = 1011  # RFC 6455, section 7.4.1
NORMAL_CLOSURE = 1000
UNAVAILABLE = "guard.websocket_service_unavailable"
TIMEOUT = "guard.websocket_service_timeout"
LIMIT = "guard.websocket_pending_limit_reached"

# == the gateway =====================================================================================================


class Connection(NamedTuple):
    """Context of CONN-G. ``open`` is the frame that names actor, path and headers; it is the same for every attempt."""

    open: ToClientWebSocketOpen = ToClientWebSocketOpen("", "", ())
    link: int = 0
    failures: int = 0  # tries since the last progress
    established: bool = False  # the client is being read: it was open once
    client_gone: bool = False  # its close still has to reach the actor
    code: int | None = None  # of that close
    reason: str | None = None


def can_retry(c: Connection, e: Any, lim: Limits) -> bool:
    return c.failures < lim.max_retries


def cannot_retry(c: Connection, e: Any, lim: Limits) -> bool:
    return c.failures >= lim.max_retries


def from_runner(c: Connection, e: Received[Any], lim: Limits) -> bool:
    return e.link == c.link


def from_stranger(c: Connection, e: Received[Any], lim: Limits) -> bool:
    return e.link != c.link


def refused_can_retry(c: Connection, e: Received[ToServerWebSocketClose], lim: Limits) -> bool:
    return e.link == c.link and (e.frame.retry or not c.established) and c.failures < lim.max_retries


def refused_cannot_retry(c: Connection, e: Received[ToServerWebSocketClose], lim: Limits) -> bool:
    return e.link == c.link and (e.frame.retry or not c.established) and c.failures >= lim.max_retries


def closed_by_actor_before(c: Connection, e: Received[ToServerWebSocketClose], lim: Limits) -> bool:
    return e.link == c.link and not e.frame.retry and c.established


def answers_client(c: Connection, e: Received[ToServerWebSocketOpen], lim: Limits) -> bool:
    return e.link == c.link and not c.client_gone


def answers_close(c: Connection, e: Received[ToServerWebSocketOpen], lim: Limits) -> bool:
    return e.link == c.link and c.client_gone


def open_arrived(c: Connection, e: Arrived, lim: Limits) -> bool:
    return e.kind is ToClientWebSocketOpen


def close_arrived(c: Connection, e: Arrived, lim: Limits) -> bool:
    return e.kind is ToClientWebSocketClose


def not_the_open(c: Connection, e: Arrived, lim: Limits) -> bool:
    return e.kind is not ToClientWebSocketOpen


def not_the_close(c: Connection, e: Arrived, lim: Limits) -> bool:
    return e.kind is not ToClientWebSocketClose


def closes(c: Connection, e: Received[ToServerWebSocketClose], lim: Limits) -> bool:
    return e.link == c.link and not e.frame.retry


def closes_to_retry(c: Connection, e: Received[ToServerWebSocketClose], lim: Limits) -> bool:
    return e.link == c.link and e.frame.retry


def never_established(c: Connection, e: ClientClosed, lim: Limits) -> bool:
    return not c.established and not c.client_gone


def established_and_here(c: Connection, e: Any, lim: Limits) -> bool:
    return c.established and not c.client_gone


def gone_already(c: Connection, e: Any, lim: Limits) -> bool:
    return c.client_gone


def still_here(c: Connection, e: Any, lim: Limits) -> bool:
    return not c.client_gone


def wakes_at_once(c: Connection, e: Wake, lim: Limits) -> bool:
    return c.failures == 0


def wakes_later(c: Connection, e: Wake, lim: Limits) -> bool:
    return 0 < c.failures <= lim.max_retries


def wakes_never(c: Connection, e: Wake, lim: Limits) -> bool:
    return c.failures > lim.max_retries


def close_client(c: Connection, code: int | None, reason: str | None) -> Outputs:
    """The client's close frame, unless it left first."""
    return () if c.client_gone else (CloseClient(NORMAL_CLOSURE if code is None else code, reason or ""),)


def over(now: int) -> Outputs:
    """What every end has in common."""
    return (CancelTimer(OpenTimeout), CancelTimer(BackoffOver), TunnelDown(), Ended(now), Free())


def resolve(c: Connection, e: Any, lim: Limits) -> tuple[Connection, Outputs]:
    return c, (Resolve(),)


def offer(c: Connection, e: RouteFound, lim: Limits) -> tuple[Connection, Outputs]:
    return c._replace(link=e.link), (
        TunnelUp(e.link),
        Transmit(c.open, e.now),
        SetTimer(OpenTimeout, lim.open_timeout_ms),
    )


def retry_later(c: Connection, e: Any, lim: Limits) -> tuple[Connection, Outputs]:
    return c._replace(link=0, failures=c.failures + 1), (
        CancelTimer(OpenTimeout),
        TunnelDown(),
        SetTimer(BackoffOver, lim.backoff_ms * 2**c.failures),
    )


def wake_later(c: Connection, e: Wake, lim: Limits) -> tuple[Connection, Outputs]:
    return c, (SetTimer(BackoffOver, lim.backoff_ms * 2 ** (c.failures - 1)),)


def give_up(c: Connection, e: Any, lim: Limits) -> tuple[Connection, Outputs]:
    return c, (
        Transmit(ToClientWebSocketClose(INTERNAL_ERROR, UNAVAILABLE), e.now),
        *close_client(c, INTERNAL_ERROR, UNAVAILABLE),
        *over(e.now),
    )


def establish(c: Connection, e: Received[ToServerWebSocketOpen], lim: Limits) -> tuple[Connection, Outputs]:
    return c._replace(established=True, failures=c.failures + 1), (
        CancelTimer(OpenTimeout),
        SendAck(e.link, e.message_id),
        Opened(e.frame.canHibernate, e.frame.lastMsgIndex, e.now),
    )


def establish_and_close(c: Connection, e: Received[ToServerWebSocketOpen], lim: Limits) -> tuple[Connection, Outputs]:
    return c._replace(failures=c.failures + 1), (
        CancelTimer(OpenTimeout),
        SendAck(e.link, e.message_id),
        Opened(e.frame.canHibernate, e.frame.lastMsgIndex, e.now),
        Transmit(ToClientWebSocketClose(c.code, c.reason), e.now),
    )


def note_progress(c: Connection, e: Progress, lim: Limits) -> tuple[Connection, Outputs]:
    return c._replace(failures=0), ()


def deliver(c: Connection, e: Received[ToServerWebSocketMessage], lim: Limits) -> tuple[Connection, Outputs]:
    return c, (SendAck(e.link, e.message_id), Deliver(e.frame.data, e.frame.binary))


def end_as_actor_says(c: Connection, e: Received[ToServerWebSocketClose], lim: Limits) -> tuple[Connection, Outputs]:
    return c, (SendAck(e.link, e.message_id), *close_client(c, e.frame.code, e.frame.reason), *over(e.now))


def lose_tunnel(c: Connection, e: Received[ToServerWebSocketClose], lim: Limits) -> tuple[Connection, Outputs]:
    return c._replace(link=0), (
        SendAck(e.link, e.message_id),
        TunnelDown(),
        Lost(e.frame.code, e.frame.reason, e.now),
    )


def lose_tunnel_with_close(
    c: Connection, e: Received[ToServerWebSocketClose], lim: Limits
) -> tuple[Connection, Outputs]:
    return c._replace(link=0), (
        SendAck(e.link, e.message_id),
        TunnelDown(),
        Lost(e.frame.code, e.frame.reason, e.now),
        CloseWaits(e.now),
    )


def send_close(c: Connection, e: ClientClosed, lim: Limits) -> tuple[Connection, Outputs]:
    return c._replace(client_gone=True, code=e.code, reason=e.reason), (
        Transmit(ToClientWebSocketClose(e.code, e.reason), e.now),
    )


def keep_close(c: Connection, e: ClientClosed, lim: Limits) -> tuple[Connection, Outputs]:
    return c._replace(client_gone=True, code=e.code, reason=e.reason), (CloseWaits(e.now),)


def end_without_trace(c: Connection, e: Any, lim: Limits) -> tuple[Connection, Outputs]:
    return c._replace(client_gone=True), (
        Transmit(ToClientWebSocketClose(e.code, e.reason), e.now),
        *over(e.now),
    )


def limit_open(c: Connection, e: LimitReached, lim: Limits) -> tuple[Connection, Outputs]:
    return c._replace(client_gone=True, code=INTERNAL_ERROR, reason=LIMIT), (
        CloseClient(INTERNAL_ERROR, LIMIT),
        Transmit(ToClientWebSocketClose(INTERNAL_ERROR, LIMIT), e.now),
    )


def limit_waiting(c: Connection, e: LimitReached, lim: Limits) -> tuple[Connection, Outputs]:
    return c._replace(client_gone=True, code=INTERNAL_ERROR, reason=LIMIT), (
        CloseClient(INTERNAL_ERROR, LIMIT),
        CloseWaits(e.now),
    )


def time_out(c: Connection, e: Any, lim: Limits) -> tuple[Connection, Outputs]:
    return c, (
        Transmit(ToClientWebSocketClose(INTERNAL_ERROR, TIMEOUT), e.now),
        *close_client(c, INTERNAL_ERROR, TIMEOUT),
        *over(e.now),
    )


def abandon(c: Connection, e: Abandon, lim: Limits) -> tuple[Connection, Outputs]:
    return c, (*close_client(c, e.code, e.reason), *over(e.now))


def finish(c: Connection, e: Arrived, lim: Limits) -> tuple[Connection, Outputs]:
    return c, over(e.now)


def _connection_contexts(lim: Limits) -> Iterable[Connection]:
    for failures, established, gone in product(range(lim.max_retries + 2), (False, True), (False, True)):
        yield Connection(link=1, failures=failures, established=established, client_gone=gone)


def _connection_events(lim: Limits) -> Iterable[Any]:
    yield from (ClientConnected(), ClientClosed(1000, ""), RouteFound(1), RouteFailed(), OpenTimeout(), BackoffOver())
    yield from (Progress(), Wake(0), Abandon(1011, "", 0), Unresumable(0), LimitReached(0), TimedOut(0), Expired(0))
    yield from (Arrived(kind) for kind in (ToClientWebSocketOpen, ToClientWebSocketClose, ToServerWebSocketMessage))
    for link in (1, 2):
        yield Received(ToServerWebSocketMessage(b"", False), link)
        yield from (Received(ToServerWebSocketOpen(can, -1), link) for can in (False, True))
        yield from (Received(ToServerWebSocketClose(None, None, retry), link) for retry in (False, True))


_LATE = "It belongs to an attempt that is over."
_TRYING = ("offered", "awaiting")

CONN_G = Machine(
    id="CONN-G",
    name="connection",
    role=Role.GATEWAY,
    says="Opens the tunnel for one client's socket, tries again when that fails, and closes both ends.",
    states=(
        State("new", Kind.START, "The client's upgrade is being accepted."),
        State("routing", Kind.WAITING, "Which runner has the actor?", "a route", "the router answers"),
        State("offered", Kind.WAITING, "The open is sent.", "its TunnelAck", "open_timeout_ms"),
        State("awaiting", Kind.WAITING, "The runner has the open.", "ToServerWebSocketOpen", "open_timeout_ms"),
        State("backoff", Kind.WAITING, "The last try failed.", "the next try", "backoff_ms"),
        State("open", Kind.STEADY, "The tunnel is open; messages pass both ways."),
        State("asleep", Kind.RESTING, "No tunnel; the client's socket is kept.", "a cause to wake", "max_hibernation_ms"),
        State("closing", Kind.WAITING, "The client is gone.", "the TunnelAck of its close", "ack_timeout_ms"),
        State("closed", Kind.END, "Both ends are closed; the entry is free."),
    ),
    start=Connection(),
    transitions=(
        moves("CONN-G-01", "new", ClientConnected, "routing", then=resolve, ref="protocol 1",
              says="The upgrade is accepted first and routed then, so that a refusal is always an open and a close."),
        moves("CONN-G-02", "routing", RouteFound, "offered", then=offer, ref="protocol 1",
              says="The gateway offers the socket to the actor's runner, and waits for an answer."),
        moves("CONN-G-03", "routing", RouteFailed, "backoff", when=can_retry, then=retry_later, ref="protocol 8",
              says="Without a runner the service is unavailable: try again later."),
        moves("CONN-G-04", "routing", RouteFailed, "closed", when=cannot_retry, then=give_up, ref="protocol 8; L-OPEN",
              says="Without a runner, after the last retry, the client is told."),
        moves("CONN-G-05", "offered", Arrived, "awaiting", when=open_arrived, ref="P-RACE-OPEN",
              says="The runner has this open; the next answer is this one's."),
        moves("CONN-G-06", _TRYING, OpenTimeout, "backoff", when=can_retry, then=retry_later, ref="protocol 1, 8",
              says="No answer in time is service unavailable: try again later."),
        moves("CONN-G-07", _TRYING, OpenTimeout, "closed", when=cannot_retry, then=give_up, ref="protocol 8; L-OPEN",
              says="No answer in time, after the last retry: the runner and the client are told."),
        moves("CONN-G-08", _TRYING, ToServerWebSocketClose, "backoff", when=refused_can_retry, then=retry_later,
              ref="protocol 1, 8",
              says="A close instead of an open is service unavailable: try again later."),
        moves("CONN-G-09", _TRYING, ToServerWebSocketClose, "closed", when=refused_cannot_retry, then=give_up,
              ref="protocol 8; L-OPEN", says="A close instead of an open, after the last retry: the client is told."),
        moves("CONN-G-10", _TRYING, ToServerWebSocketClose, "closed", when=closed_by_actor_before, then=end_as_actor_says,
              ref="P-CLOSE-SEEN",
              says="On a re-open, a final close is the actor's own, from before: the client gets its code and reason."),
        moves("CONN-G-11", "awaiting", ToServerWebSocketOpen, "open", when=answers_client, then=establish,
              ref="protocol 1, 6", says="The tunnel is open; it counts as a failure until something comes of it."),
        moves("CONN-G-12", "awaiting", ToServerWebSocketOpen, "closing", when=answers_close, then=establish_and_close,
              ref="protocol 6; P-CLOSE-SEEN",
              says="The client left while the actor slept: what it sent is replayed, then its close follows."),
        moves("CONN-G-13", "open", Progress, None, then=note_progress, ref="protocol 8",
              says="Something came of the tunnel: the next loss is retried at once."),
        moves("CONN-G-14", "closing", Progress, None, then=note_progress, ref="protocol 8",
              says="Something came of the tunnel, though the client is gone."),
        moves("CONN-G-15", "open", ToServerWebSocketMessage, None, when=from_runner, then=deliver, ref="protocol 3",
              says="The actor's message goes to the client, and is acked."),
        moves("CONN-G-16", "open", ToServerWebSocketClose, "closed", when=closes, then=end_as_actor_says, ref="protocol 7",
              says="The actor closes the socket: the client gets its code and reason."),
        moves("CONN-G-17", "open", ToServerWebSocketClose, "asleep", when=closes_to_retry, then=lose_tunnel,
              ref="protocol 6, 11", says="The actor sleeps or moves, or its runner is lost: hibernation decides."),
        moves("CONN-G-18", "open", ClientClosed, "closing", then=send_close, ref="protocol 7; P-CLOSE-SEEN",
              says="The client's close goes to the runner, and is kept until it has arrived."),
        moves("CONN-G-19", "closing", Arrived, "closed", when=close_arrived, then=finish, ref="P-CLOSE-SEEN",
              says="The actor has the client's close."),
        moves("CONN-G-20", "closing", ToServerWebSocketClose, "asleep", when=closes_to_retry, then=lose_tunnel_with_close,
              ref="P-CLOSE-SEEN", says="The tunnel was lost before the close arrived: that is a cause to wake the actor."),
        moves("CONN-G-21", "closing", ToServerWebSocketClose, "closed", when=closes, then=end_as_actor_says,
              ref="P-CLOSE-SEEN", says="Both sides closed at once."),
        moves("CONN-G-22", "asleep", Wake, "routing", when=wakes_at_once, then=resolve, ref="protocol 6, 8",
              says="After progress, a service retry is immediate: the route is resolved afresh, which wakes the actor."),
        moves("CONN-G-23", "asleep", Wake, "backoff", when=wakes_later, then=wake_later, ref="protocol 8; L-OPEN",
              says="Without progress since the last open, a service retry is spaced like a failure."),
        moves("CONN-G-24", "asleep", Wake, "closed", when=wakes_never, then=give_up, ref="protocol 8; L-OPEN",
              says="An actor that keeps failing on what it is sent is given up, and the client is told."),
        moves("CONN-G-25", "asleep", Abandon, "closed", then=abandon, ref="protocol 6; P-LOSS-KNOWN",
              says="A socket that cannot hibernate ends with its tunnel; it is never silently opened anew."),
        moves("CONN-G-26", "backoff", BackoffOver, "routing", then=resolve, ref="protocol 8", says="Try again."),
        moves("CONN-G-27", ("routing", "offered", "awaiting", "backoff"), ClientClosed, "closed", when=never_established,
              then=end_without_trace, ref="L-FREE", says="The client left before its socket was open."),
        moves("CONN-G-28", ("routing", "offered", "awaiting", "backoff"), ClientClosed, None,
              when=established_and_here, then=keep_close, ref="P-CLOSE-SEEN; L-WAKE",
              says="The client leaves while its actor is being woken: its close is kept, and follows what it sent."),
        moves("CONN-G-60", "asleep", ClientClosed, None, when=still_here, then=keep_close, ref="P-CLOSE-SEEN; L-WAKE",
              says="The client leaves a sleeping actor: its close is kept, and is a cause to wake the actor."),
        moves("CONN-G-29", "open", LimitReached, "closing", then=limit_open, ref="protocol 5; P-BOUND",
              says="The client sent more than may be kept: it is told, and the actor gets the close."),
        moves("CONN-G-30", ("routing", "offered", "awaiting", "backoff", "asleep"), LimitReached, None, when=still_here,
              then=limit_waiting, ref="protocol 5; P-BOUND",
              says="The client sent more to a sleeping actor than may be kept: it is told, and the actor will get the close."),
        moves("CONN-G-31", ("open", "closing"), TimedOut, "closed", then=time_out, ref="protocol 9; P-KEEPALIVE",
              says="What was sent went unacked for too long: the runner and the client are told."),
        moves("CONN-G-32", ("routing", "offered", "awaiting", "backoff", "asleep"), Expired, "closed", then=time_out,
              ref="F15", says="It slept longer than a connection may: the client is told."),
        moves("CONN-G-33", ("open", "closing"), Unresumable, "closed", then=give_up, ref="P-RESUME-FAIL; F11",
              says="The actor cannot be resumed where it stands: the runner and the client are told."),
        ignores("CONN-G-34", "offered", ToServerWebSocketOpen, ref="P-RACE-OPEN",
                says="An answer before this open's TunnelAck answers an earlier attempt."),
        ignores("CONN-G-35", ("new", "routing", "backoff", "asleep", "closed"), ToServerWebSocketOpen,
                ref="P-RACE-OPEN", says=_LATE),
        ignores("CONN-G-36", ("awaiting", "open", "closing"), ToServerWebSocketOpen, when=from_stranger, says=_LATE,
                ref="P-RACE-OPEN, P-HONEST-R"),
        refuses("CONN-G-37", ("open", "closing"), ToServerWebSocketOpen, when=from_runner,
                says="The tunnel is open; nothing asked for another."),
        ignores("CONN-G-38", ("open",), ToServerWebSocketMessage, when=from_stranger, ref="zombie runners",
                says="Only the runner that has the connection now speaks for the actor."),
        ignores("CONN-G-39", ("new", "routing", "offered", "awaiting", "backoff", "asleep", "closing", "closed"),
                ToServerWebSocketMessage, ref="P-ASYM",
                says="There is no open socket to deliver it to; it is not acked, for it was not delivered."),
        ignores("CONN-G-40", ("offered", "awaiting", "open", "closing"), ToServerWebSocketClose, when=from_stranger,
                ref="zombie runners", says="Only the runner that has the connection now closes it."),
        ignores("CONN-G-41", ("new", "routing", "backoff", "asleep", "closed"), ToServerWebSocketClose, says=_LATE),
        excludes("CONN-G-42", "offered", Arrived, when=not_the_open, says="It was not the open that arrived."),
        excludes("CONN-G-43", "closing", Arrived, when=not_the_close, says="It was not the close that arrived."),
        excludes("CONN-G-44", ("new", "routing", "awaiting", "backoff", "open", "asleep", "closed"), Arrived,
                says="Nobody waits for it."),
        excludes("CONN-G-45", ("new", "routing", "offered", "awaiting", "backoff", "asleep", "closed"), Progress,
                says="There is no open tunnel whose progress could count."),
        excludes("CONN-G-46", ("new", "routing", "offered", "awaiting", "backoff", "open", "closing", "closed"), Wake,
                says="It is awake, or on its way."),
        excludes("CONN-G-47", ("new", "routing", "offered", "awaiting", "backoff", "open", "closing", "closed"), Abandon,
                says="Only a lost tunnel is abandoned."),
        ignores("CONN-G-48", ("routing", "offered", "awaiting", "backoff", "asleep"), ClientClosed, when=gone_already,
                says="It has left already."),
        ignores("CONN-G-49", ("new", "closing", "closed"), ClientClosed, says="It is not there, or has left already."),
        ignores("CONN-G-50", ("routing", "offered", "awaiting", "backoff", "asleep"), LimitReached, when=gone_already,
                says="It has left already."),
        ignores("CONN-G-51", ("new", "closing", "closed"), LimitReached, says="The client is told, or gone."),
        ignores("CONN-G-52", ("new", *_TRYING, "routing", "backoff", "asleep", "closed"), TimedOut,
                says="An attempt has its own, shorter timeout; without a tunnel nothing waits for an ack."),
        excludes("CONN-G-53", ("new", "open", "closing", "closed"), Expired, says="Only a sleeper expires."),
        excludes("CONN-G-54", ("new", *_TRYING, "routing", "backoff", "asleep", "closed"), Unresumable,
                says="Only an open can show that."),
        ignores("CONN-G-55", ("new", "offered", "awaiting", "backoff", "open", "asleep", "closing", "closed"), RouteFound,
                says="It is no longer wanted."),
        ignores("CONN-G-56", ("new", "offered", "awaiting", "backoff", "open", "asleep", "closing", "closed"), RouteFailed,
                says="It is no longer wanted."),
        excludes("CONN-G-57", ("new", "routing", "backoff", "open", "asleep", "closing", "closed"), OpenTimeout,
                says="The timer was cancelled when the attempt ended."),
        excludes("CONN-G-58", ("new", "routing", "offered", "awaiting", "open", "asleep", "closing", "closed"), BackoffOver,
                says="The timer was cancelled when the wait ended."),
        excludes("CONN-G-59", ("routing", "offered", "awaiting", "backoff", "open", "asleep", "closing", "closed"),
                ClientConnected, says="It has connected already."),
    ),
    contexts=_connection_contexts,
    events=_connection_events,
)  # fmt: skip

# == the runner ======================================================================================================


class Adapter(NamedTuple):
    """Context of CONN-R. ``close_id`` is the message id of a client's close that is acked once it is concluded."""

    link: int = 0
    hibernates: bool = False
    close_id: bytes = b""


def same_link(c: Adapter, e: Received[Any] | LinkLost, lim: Limits) -> bool:
    return e.link == c.link


def other_link(c: Adapter, e: Received[Any] | LinkLost, lim: Limits) -> bool:
    return e.link != c.link


def same_link_hibernates(c: Adapter, e: LinkLost, lim: Limits) -> bool:
    return e.link == c.link and c.hibernates


def same_link_ends(c: Adapter, e: LinkLost, lim: Limits) -> bool:
    return e.link == c.link and not c.hibernates


def can_resume(c: Adapter, e: Any, lim: Limits) -> bool:
    return c.hibernates


def cannot_resume(c: Adapter, e: Any, lim: Limits) -> bool:
    return not c.hibernates


def our_close_arrived(c: Adapter, e: Arrived, lim: Limits) -> bool:
    return e.kind is ToServerWebSocketClose


def other_arrived(c: Adapter, e: Arrived, lim: Limits) -> bool:
    return e.kind is not ToServerWebSocketClose


def client_closed_it(c: Adapter, e: Any, lim: Limits) -> bool:
    return c.close_id != b""


def actor_closed_it(c: Adapter, e: Any, lim: Limits) -> bool:
    return c.close_id == b""


def ask(c: Adapter, e: Received[ToClientWebSocketOpen], lim: Limits) -> tuple[Adapter, Outputs]:
    return Adapter(e.link, c.hibernates, b""), (SendAck(e.link, e.message_id), TunnelUp(e.link), AskActor())


def ask_no_more(c: Adapter, e: Received[ToClientWebSocketOpen], lim: Limits) -> tuple[Adapter, Outputs]:
    return c._replace(link=e.link), (SendAck(e.link, e.message_id), TunnelUp(e.link))


def agree(c: Adapter, e: ActorAccepts, lim: Limits) -> tuple[Adapter, Outputs]:
    return c._replace(hibernates=e.can_hibernate), (
        Transmit(ToServerWebSocketOpen(e.can_hibernate, e.last), e.now),
        Opened(e.can_hibernate, e.last, e.now),
        Happens(SocketOpened(e.resumed), e.now),
    )


def agree_again(c: Adapter, e: ActorAccepts, lim: Limits) -> tuple[Adapter, Outputs]:
    return c._replace(hibernates=e.can_hibernate), (
        Transmit(ToServerWebSocketOpen(e.can_hibernate, e.last), e.now),
        Opened(e.can_hibernate, e.last, e.now),
    )


def decline(c: Adapter, e: ActorRefuses, lim: Limits) -> tuple[Adapter, Outputs]:
    return c, (
        Transmit(ToServerWebSocketClose(e.code, e.reason, retry=False), e.now),
        TunnelDown(),
        Ended(e.now),
    )


def actor_sends(c: Adapter, e: ActorSends, lim: Limits) -> tuple[Adapter, Outputs]:
    return c, (Transmit(ToServerWebSocketMessage(e.data, e.binary), e.now),)


def actor_closes(c: Adapter, e: ActorCloses, lim: Limits) -> tuple[Adapter, Outputs]:
    return c, (
        Flush(e.now),
        Conclude(e.code, e.reason),
        Transmit(ToServerWebSocketClose(e.code, e.reason, retry=False), e.now),
    )


def client_closes(c: Adapter, e: Received[ToClientWebSocketClose], lim: Limits) -> tuple[Adapter, Outputs]:
    return c._replace(close_id=e.message_id), (
        NoMore(e.now),
        Happens(SocketClosed(e.frame.code, e.frame.reason, final=True), e.now),
    )


def ack_close(c: Adapter, e: Concluded, lim: Limits) -> tuple[Adapter, Outputs]:
    return c, (SendAck(c.link, c.close_id), TunnelDown(), Ended(e.now))


def ack_crossing_close(c: Adapter, e: Received[ToClientWebSocketClose], lim: Limits) -> tuple[Adapter, Outputs]:
    return c, (SendAck(e.link, e.message_id), TunnelDown(), Ended(e.now))


def withdraw(c: Adapter, e: Received[ToClientWebSocketClose], lim: Limits) -> tuple[Adapter, Outputs]:
    return c, (SendAck(e.link, e.message_id), TunnelDown(), Ended(e.now))


def end_silently(c: Adapter, e: Any, lim: Limits) -> tuple[Adapter, Outputs]:
    return c, (TunnelDown(), Ended(e.now))


def stop(c: Adapter, e: ActorStops, lim: Limits) -> tuple[Adapter, Outputs]:
    return c._replace(link=0), (
        Flush(e.now),
        Transmit(ToServerWebSocketClose(None, None, retry=True), e.now),
        TunnelDown(),
        Lost(None, None, e.now),
        ActorGone(e.now),
    )


def stop_closing(c: Adapter, e: ActorStops, lim: Limits) -> tuple[Adapter, Outputs]:
    return c, (TunnelDown(), Ended(e.now), ActorGone(e.now))


def stop_closed(c: Adapter, e: ActorStops, lim: Limits) -> tuple[Adapter, Outputs]:
    return c, (ActorGone(e.now),)


def suspend(c: Adapter, e: Any, lim: Limits) -> tuple[Adapter, Outputs]:
    return c._replace(link=0), (TunnelDown(), Lost(None, None, e.now))


def break_off(c: Adapter, e: LinkLost, lim: Limits) -> tuple[Adapter, Outputs]:
    return c._replace(link=0), (Happens(SocketClosed(None, None), e.now), TunnelDown(), Ended(e.now))


def close_to_retry(c: Adapter, e: Any, lim: Limits) -> tuple[Adapter, Outputs]:
    return c._replace(link=0), (
        Flush(e.now),
        Transmit(ToServerWebSocketClose(None, None, retry=True), e.now),
        TunnelDown(),
        Lost(None, None, e.now),
    )


def close_to_retry_and_tell(c: Adapter, e: Any, lim: Limits) -> tuple[Adapter, Outputs]:
    return c._replace(link=0), (
        Happens(SocketClosed(None, None), e.now),
        Transmit(ToServerWebSocketClose(None, None, retry=True), e.now),
        TunnelDown(),
        Ended(e.now),
    )


def close_deaf(c: Adapter, e: Overflow, lim: Limits) -> tuple[Adapter, Outputs]:
    return c, (
        Conclude(INTERNAL_ERROR, "the actor does not listen"),
        Transmit(ToServerWebSocketClose(INTERNAL_ERROR, "the actor does not listen", retry=False), e.now),
    )


def _adapter_contexts(lim: Limits) -> Iterable[Adapter]:
    yield from (Adapter(1, hibernates, close) for hibernates, close in product((False, True), (b"", b"1")))


def _adapter_events(lim: Limits) -> Iterable[Any]:
    yield from (ActorAccepts(True, -1), ActorRefuses(1011, ""), ActorSends(b"", False), ActorCloses(None, None))
    yield from (ActorStops(0), Concluded(), TimedOut(0), Gap(0), Overflow(0))
    yield from (Arrived(kind) for kind in (ToServerWebSocketClose, ToServerWebSocketMessage))
    for link in (1, 2):
        yield LinkLost(link)
        yield Received(ToClientWebSocketOpen("", "", ()), link)
        yield Received(ToClientWebSocketClose(None, None), link)


CONN_R = Machine(
    id="CONN-R",
    name="connection",
    role=Role.RUNNER,
    says="The WebSocket-like object that the actor gets for one request id.",
    states=(
        State("CLOSED", Kind.START, "There is no socket: not yet, not now, or no longer.", "an open"),
        State("CONNECTING", Kind.WAITING, "An open came.", "the actor's answer", "the actor decides"),
        State("OPEN", Kind.STEADY, "Messages pass both ways."),
        State("CLOSING", Kind.WAITING, "One side closed it.", "conclusion or TunnelAck", "runner_ack_timeout_ms"),
    ),
    start=Adapter(),
    transitions=(
        moves("CONN-R-01", "CLOSED", ToClientWebSocketOpen, "CONNECTING", then=ask, ref="protocol 1, 6",
              says="An open is acked before it is answered; the actor is asked."),
        moves("CONN-R-02", "CONNECTING", ToClientWebSocketOpen, None, then=ask_no_more, ref="P-RACE-OPEN",
              says="A second open while the actor is being asked is acked, and gets the one answer."),
        moves("CONN-R-03", "OPEN", ToClientWebSocketOpen, None, then=ask, ref="P-RACE-OPEN",
              says="An open of a socket that is open is acked and answered afresh; the actor's socket stays."),
        moves("CONN-R-04", "CONNECTING", ActorAccepts, "OPEN", then=agree, ref="protocol 1, 6",
              says="The runner agrees, and says what the actor's durable state has seen."),
        moves("CONN-R-05", "OPEN", ActorAccepts, None, then=agree_again, ref="P-RACE-OPEN",
              says="The answer to a repeated open."),
        moves("CONN-R-06", ("CONNECTING", "OPEN"), ActorRefuses, "CLOSED", then=decline, ref="protocol 12",
              says="An unknown actor, or one that has closed this socket before, answers with a final close."),
        moves("CONN-R-07", "OPEN", ActorSends, None, then=actor_sends, ref="protocol 3",
              says="The actor's message is sent, and not kept: towards the client delivery is at most once."),
        moves("CONN-R-08", ("CONNECTING", "OPEN"), ActorCloses, "CLOSING", then=actor_closes, ref="protocol 7",
              says="The actor closes: what it committed is acked, the close is made durable and sent."),
        moves("CONN-R-09", "CLOSING", Arrived, "CLOSED", when=our_close_arrived, then=end_silently, ref="P-CLOSE-SEEN",
              says="The gateway has the actor's close."),
        moves("CONN-R-10", "OPEN", ToClientWebSocketClose, "CLOSING", when=same_link, then=client_closes,
              ref="protocol 7; P-CLOSE-SEEN, P-CLOSE-CLIENT",
              says="The actor sees the client's close after all that came before it, and then makes it durable."),
        moves("CONN-R-11", "CONNECTING", ToClientWebSocketClose, "CLOSED", when=same_link, then=withdraw, ref="protocol 7",
              says="The gateway gave up before the actor answered."),
        moves("CONN-R-12", "CLOSING", ToClientWebSocketClose, "CLOSED", when=same_link, then=ack_crossing_close,
              ref="P-CLOSE-SEEN", says="Both sides closed at once."),
        moves("CONN-R-13", "CLOSING", Concluded, "CLOSED", when=client_closed_it, then=ack_close, ref="P-CLOSE-SEEN",
              says="The client's close is acked once the actor's durable state knows it."),
        moves("CONN-R-14", ("CONNECTING", "OPEN"), ActorStops, "CLOSED", then=stop, ref="protocol 12",
              says="When an actor stops, its sockets are closed with retry, after what was committed is acked."),
        moves("CONN-R-15", "CLOSING", ActorStops, "CLOSED", when=actor_closed_it, then=stop_closing, ref="protocol 12",
              says="The actor stops after it closed its socket; its durable state decides at the next open."),
        moves("CONN-R-41", "CLOSING", ActorStops, "CLOSED", when=client_closed_it, then=stop, ref="P-CLOSE-CLIENT, L-FREE",
              says="The actor stops before the client's close is durable: closed with retry, the gateway brings it again."),
        moves("CONN-R-16", "OPEN", LinkLost, "CLOSED", when=same_link_hibernates, then=suspend, ref="protocol 6, 11",
              says="The link broke; the actor keeps the socket in its state, to be opened again."),
        moves("CONN-R-17", "OPEN", LinkLost, "CLOSED", when=same_link_ends, then=break_off, ref="P-LOSS-KNOWN",
              says="The link broke, and with it a socket that cannot hibernate: the actor is told."),
        moves("CONN-R-18", ("CONNECTING", "CLOSING"), LinkLost, "CLOSED", when=same_link, then=suspend, ref="protocol 11",
              says="The link broke before the answer or the last ack; the next open finds the durable state."),
        moves("CONN-R-19", "OPEN", TimedOut, "CLOSED", when=can_resume, then=close_to_retry, ref="protocol 9",
              says="The gateway does not ack: the socket is closed with retry, to be opened again."),
        moves("CONN-R-20", "OPEN", TimedOut, "CLOSED", when=cannot_resume, then=close_to_retry_and_tell, ref="protocol 9",
              says="The gateway does not ack, and the socket cannot hibernate: the actor is told."),
        moves("CONN-R-21", ("CONNECTING", "CLOSING"), TimedOut, "CLOSED", then=end_silently, ref="protocol 9",
              says="The gateway does not ack: nobody is left to tell."),
        moves("CONN-R-22", "OPEN", Gap, "CLOSED", then=close_to_retry, ref="P-GAP-LOUD",
              says="Something is missing: the socket is closed with retry, and the re-open replays it."),
        moves("CONN-R-23", ("CONNECTING", "OPEN"), Overflow, "CLOSING", then=close_deaf, ref="P-EARLY, P-BOUND",
              says="An actor that does not listen does not get an endless queue: the socket is closed, and the client told."),
        refuses("CONN-R-24", ("CLOSED", "CONNECTING", "CLOSING"), ActorSends, ref="RFC 6455, section 7.1.2",
                says="A socket that is not open cannot send."),
        ignores("CONN-R-25", ("CLOSED", "CLOSING"), ActorCloses, says="It is closed, or closing."),
        ignores("CONN-R-26", ("CLOSED", "CLOSING"), ActorAccepts, says="The open was withdrawn meanwhile."),
        ignores("CONN-R-27", ("CLOSED", "CLOSING"), ActorRefuses, says="The open was withdrawn meanwhile."),
        ignores("CONN-R-28", "CLOSED", ToClientWebSocketClose, says="There is no socket to close."),
        excludes("CONN-R-29", ("CONNECTING", "OPEN", "CLOSING"), ToClientWebSocketClose, when=other_link,
                says="A close from a link that no longer carries this socket."),
        ignores("CONN-R-30", "CLOSING", ToClientWebSocketOpen,
                says="It is not acked: the gateway will try again, and find the socket closed."),
        excludes("CONN-R-31", "CLOSING", Arrived, when=other_arrived, says="It was not the close that arrived."),
        excludes("CONN-R-32", ("CLOSED", "CONNECTING", "OPEN"), Arrived, says="Nobody waits for it."),
        ignores("CONN-R-33", "CLOSING", Concluded, when=actor_closed_it,
                says="The actor's own close waits for its TunnelAck."),
        ignores("CONN-R-34", ("CLOSED", "CONNECTING", "OPEN"), Concluded, says="The socket is closed already."),
        moves("CONN-R-35", "CLOSED", ActorStops, None, then=stop_closed, ref="protocol 12",
              says="There is no socket to close, but what the actor was given is forgotten."),
        ignores("CONN-R-36", "CLOSED", LinkLost, says="There is no socket on it."),
        excludes("CONN-R-37", ("CONNECTING", "OPEN", "CLOSING"), LinkLost, when=other_link, says="It is not this socket's link."),
        excludes("CONN-R-38", "CLOSED", TimedOut, says="It is closed."),
        ignores("CONN-R-39", ("CLOSED", "CONNECTING", "CLOSING"), Gap, says="It is closed, or closing."),
        excludes("CONN-R-40", ("CLOSED", "CLOSING"), Overflow, says="It is closed, or closing."),
    ),
    contexts=_adapter_contexts,
    events=_adapter_events,
)  # fmt: skip

MACHINES: tuple[Machine, ...] = (CONN_G, CONN_R)
