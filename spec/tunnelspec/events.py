"""What the machines hear and say: events from outside, signals between machines, outputs to the world.

An endpoint hears *events* (the client, the actor, timers, frames as ``Received``) and puts out *outputs*. Its machines talk
to one another through *signals*, which are outputs of one machine and events of others, delivered at once and in order.
Times (``now``) are milliseconds of one clock; ids and sizes come in from outside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunnelspec.frames import ToClientRequestStart, ToServerResponseStart


class Signal:
    """Marks what machines of one endpoint say to one another; a signal never leaves its endpoint."""

    __slots__ = ()


# -- events: the client ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClientConnected:
    """A client's upgrade was accepted, and names an actor."""


@dataclass(frozen=True, slots=True)
class ClientMessage:
    """The client sent a message. ``size`` is what its frame takes on the wire, in bytes; ``total`` what the gateway
    already keeps for all its clients."""

    data: bytes
    binary: bool
    size: int
    total: int = 0
    now: int = 0


@dataclass(frozen=True, slots=True)
class ClientClosed:
    """The client's socket is gone; without a close frame ``code`` is None."""

    code: int | None
    reason: str | None
    now: int = 0


# -- events: routes and timers ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RouteFound:
    """A runner has the actor, or is being told to start it, and is reached over ``link``."""

    link: int
    now: int = 0


@dataclass(frozen=True, slots=True)
class RouteFailed:
    """No runner can take the actor now."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class ActorStarted:
    """The actor runs again for a cause of its own."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class OpenTimeout:
    """The runner had ``open_timeout_ms`` to answer the open."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class BackoffOver:
    """The pause before the next try is over."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class Collect:
    """Garbage collection looks at this entry (``gc_interval_ms``, ``runner_gc_interval_ms``)."""

    now: int


@dataclass(frozen=True, slots=True)
class AckDue:
    """The runner's batch of message acks is due (``ack_delay_ms``)."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class ResponseTimeout:
    """The runner had ``response_timeout_ms`` to begin its response."""

    now: int = 0


# -- events: the actor, on the runner --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ActorAccepts:
    """The actor takes the socket. ``last`` is the last message index in its durable state, or -1."""

    can_hibernate: bool
    last: int
    resumed: bool = False
    now: int = 0


@dataclass(frozen=True, slots=True)
class Concluded:
    """The actor has seen the client's close, and its durable state knows that the socket is closed."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class ActorRefuses:
    """The actor does not take the socket: it is not here, or has already closed it, with this code and reason."""

    code: int
    reason: str
    now: int = 0


@dataclass(frozen=True, slots=True)
class ActorListens:
    """The actor attached its listener."""


@dataclass(frozen=True, slots=True)
class ActorSends:
    """The actor sends the client a message."""

    data: bytes
    binary: bool
    now: int = 0


@dataclass(frozen=True, slots=True)
class ActorCloses:
    """The actor closes the socket."""

    code: int | None
    reason: str | None
    now: int = 0


@dataclass(frozen=True, slots=True)
class ActorStops:
    """The actor goes to sleep, moves, or crashed."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class Committed:
    """The actor's state and ``index`` are durable, in one transaction."""

    index: int
    now: int = 0


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The link broke, or its runner fell silent. What was in flight on it is lost."""

    link: int
    now: int = 0


# -- events: HTTP through the tunnel ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RequestBegun:
    """A client's HTTP request, addressed to an actor."""

    frame: ToClientRequestStart


@dataclass(frozen=True, slots=True)
class RequestBody:
    """More of the request's body."""

    data: bytes
    finish: bool
    now: int = 0


@dataclass(frozen=True, slots=True)
class RequestDropped:
    """The client went away before it had its response."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class ActorResponds:
    """The actor begins its response; with ``stream`` its body follows."""

    frame: ToServerResponseStart
    now: int = 0


@dataclass(frozen=True, slots=True)
class ActorResponseBody:
    """More of the response's body."""

    data: bytes
    finish: bool
    now: int = 0


@dataclass(frozen=True, slots=True)
class ActorFails:
    """There is no such actor, or it failed to respond."""

    now: int = 0


# -- events: the link itself -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The runner's socket is open."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The runner's socket is closed, by whomever."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class BadFrame:
    """What came over the link is not a frame: not binary, or not a value of the protocol."""

    why: str
    now: int = 0


@dataclass(frozen=True, slots=True)
class InitTimeout:
    """The runner had ``init_timeout_ms`` to introduce itself."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing came over the link for ``lost_threshold_ms``."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class Replaced:
    """Another link claims the same namespace and runner key."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class PingDue:
    """It is time to show that the runner lives."""

    now: int


@dataclass(frozen=True, slots=True)
class RedialDue:
    """It is time to dial again."""

    now: int = 0


@dataclass(frozen=True, slots=True)
class RunnerStops:
    """The runner was told to stop."""

    now: int = 0


# -- signals ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TunnelUp(Signal):
    """A tunnel is being opened over ``link``: forget what an earlier one was waiting for."""

    link: int


@dataclass(frozen=True, slots=True)
class TunnelDown(Signal):
    """The tunnel is no more; what it had not acked is not coming."""


@dataclass(frozen=True, slots=True)
class Opened(Signal):
    """The other side agreed to the tunnel. ``last`` is the last index that the actor's durable state has seen, or -1."""

    can_hibernate: bool
    last: int
    now: int


@dataclass(frozen=True, slots=True)
class Lost(Signal):
    """An open tunnel was lost though nobody closed the socket."""

    code: int | None
    reason: str | None
    now: int


@dataclass(frozen=True, slots=True)
class Ended(Signal):
    """The socket is closed for good."""

    now: int


@dataclass(frozen=True, slots=True)
class Transmit(Signal):
    """Send this tunnel message."""

    frame: Any  # a ToClientTunnelMessageKind or a ToServerTunnelMessageKind
    now: int


@dataclass(frozen=True, slots=True)
class Arrived(Signal):
    """The other side acked our tunnel message of this class."""

    kind: type[Any]
    now: int = 0


@dataclass(frozen=True, slots=True)
class ActorGone(Signal):
    """The actor was stopped: what it had been given and had not committed is gone with it."""

    now: int


@dataclass(frozen=True, slots=True)
class Progress(Signal):
    """The actor has processed something, or has nothing left to process."""


@dataclass(frozen=True, slots=True)
class Backlog(Signal):
    """Something waits for the actor: a cause to wake it."""

    now: int


@dataclass(frozen=True, slots=True)
class CloseWaits(Signal):
    """The client's close waits for the actor: a cause to wake it."""

    now: int


@dataclass(frozen=True, slots=True)
class Wake(Signal):
    """A sleeping connection has a cause to open again."""

    now: int


@dataclass(frozen=True, slots=True)
class Abandon(Signal):
    """The connection cannot outlive its tunnel: close the client's socket with this code and reason."""

    code: int
    reason: str
    now: int


@dataclass(frozen=True, slots=True)
class Unresumable(Signal):
    """The runner's ``lastMsgIndex`` names what was never sent, or has lost what was acked."""

    now: int


@dataclass(frozen=True, slots=True)
class LimitReached(Signal):
    """The client sent more than may be kept for it."""

    now: int


@dataclass(frozen=True, slots=True)
class TimedOut(Signal):
    """A message went unacked for too long."""

    now: int


@dataclass(frozen=True, slots=True)
class Expired(Signal):
    """The connection slept longer than a connection may."""

    now: int


@dataclass(frozen=True, slots=True)
class Flush(Signal):
    """The adapter is about to close: ack now what has been processed."""

    now: int


@dataclass(frozen=True, slots=True)
class NoMore(Signal):
    """The client's close came: no message follows it."""

    now: int


@dataclass(frozen=True, slots=True)
class Gap(Signal):
    """A message index was skipped: something is missing."""

    now: int


@dataclass(frozen=True, slots=True)
class Overflow(Signal):
    """The actor does not listen, and no more events can be kept for it."""

    now: int


@dataclass(frozen=True, slots=True)
class Happens(Signal):
    """The actor's listener is to see this event."""

    event: Any  # SocketOpened, SocketMessage or SocketClosed
    now: int


# -- what an actor's listener sees -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SocketOpened:
    """The socket is open; ``resumed`` tells a socket that the actor already knows."""

    resumed: bool


@dataclass(frozen=True, slots=True)
class SocketMessage:
    """A message from the client; ``index`` is what to commit with the state, -1 where nothing is acked."""

    index: int
    data: bytes
    binary: bool


@dataclass(frozen=True, slots=True)
class SocketClosed:
    """The socket is closed, by the client or by loss. ``final``: once the actor has seen it, its durable state is to know,
    and ``Concluded`` is to follow."""

    code: int | None
    reason: str | None
    final: bool = False


# -- outputs ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resolve:
    """Find the runner that has the actor, or wake the actor on one; answer RouteFound or RouteFailed."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send ``frame`` over ``link`` as this endpoint's tunnel message ``number``."""

    link: int
    number: int
    frame: Any


@dataclass(frozen=True, slots=True)
class SendAck:
    """Send a TunnelAck with the message id of what was received."""

    link: int
    message_id: bytes


@dataclass(frozen=True, slots=True)
class ReadClient:
    """From now on, read the client's messages."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Send the client a message."""

    data: bytes
    binary: bool


@dataclass(frozen=True, slots=True)
class CloseClient:
    """Close the client's socket."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Send this event after ``delay_ms``, unless it is cancelled; setting it again replaces it."""

    event: type[Any]
    delay_ms: int


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """The event of an earlier ``SetTimer`` is no longer wanted."""

    event: type[Any]


@dataclass(frozen=True, slots=True)
class Free:
    """The entry is no longer needed."""


@dataclass(frozen=True, slots=True)
class AskActor:
    """Ask the actor whether it takes the socket; answer ActorAccepts or ActorRefuses."""


@dataclass(frozen=True, slots=True)
class Emit:
    """Call the actor's listener."""

    event: Any


@dataclass(frozen=True, slots=True)
class Remember:
    """The actor's durable state has an open socket: it will be resumed."""


@dataclass(frozen=True, slots=True)
class Conclude:
    """The actor's durable state notes that this side closed the socket, with code and reason: it will never be resumed."""

    code: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Forget:
    """The actor's durable state need not know this socket any longer."""


@dataclass(frozen=True, slots=True)
class Respond:
    """Begin the client's HTTP response."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    stream: bool


@dataclass(frozen=True, slots=True)
class RespondBody:
    """More of the response's body."""

    data: bytes
    finish: bool


@dataclass(frozen=True, slots=True)
class RespondAbort:
    """The response cannot be completed: break the client's connection, so that it is not taken for complete."""


@dataclass(frozen=True, slots=True)
class CallActor:
    """Give the actor an HTTP request; answer ActorResponds or ActorFails."""

    frame: ToClientRequestStart


@dataclass(frozen=True, slots=True)
class CallBody:
    """Give the actor more of the request's body."""

    data: bytes
    finish: bool


@dataclass(frozen=True, slots=True)
class CancelCall:
    """Nobody waits for the actor's response any longer."""


@dataclass(frozen=True, slots=True)
class OnBehalf:
    """The relay speaks for a runner that it has lost."""

    frame: Any
    now: int


@dataclass(frozen=True, slots=True)
class Welcome:
    """Answer with ToClientInit, and evict any other link of the same runner."""


@dataclass(frozen=True, slots=True)
class Admit:
    """Actors may be routed to this runner."""


@dataclass(frozen=True, slots=True)
class Withhold:
    """No further actors may be routed to this runner."""


@dataclass(frozen=True, slots=True)
class PassOn:
    """A frame of the link that concerns actors or keys: the gateway's directory answers it."""

    frame: Any


@dataclass(frozen=True, slots=True)
class Relay:
    """Tell each request that was open over this link that it is lost."""

    now: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the link with this code and reason."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect to the gateway."""


@dataclass(frozen=True, slots=True)
class Introduce:
    """Send ToServerInit."""


@dataclass(frozen=True, slots=True)
class SendPing:
    """Send ToServerPing."""

    now: int


@dataclass(frozen=True, slots=True)
class SayStopping:
    """Send ToServerStopping."""


@dataclass(frozen=True, slots=True)
class StopActors:
    """Stop every actor, so that each closes its sockets with retry and saves its state."""
