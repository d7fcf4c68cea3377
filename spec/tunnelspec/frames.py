"""The frames of the wire, version 2: every value that crosses the link between runner and gateway, as plain data.

Names of classes and fields are spelled as on the wire, so that a trace, a diagram and a packet dump agree. In them
"Client" means the *runner* and "Server" the *gateway side*; that is the wire's own usage, and it stays.

- A ``ToServer`` value goes from runner to gateway, a ``ToClient`` value from gateway to runner. Each binary WebSocket
  frame on the runner's socket is exactly one of them, in BARE, without a version prefix.
- A *tunnel message* (``ToServerTunnelMessage``, ``ToClientTunnelMessage``) is about one client socket, or one HTTP
  request, and carries what it says as its ``messageKind``.
- Everything here is immutable and hashable. A map is a tuple of (key, value) pairs; its **canonical** form is sorted by
  key, by code point, which is the same order as that of the keys' UTF-8 bytes. ``canonical_map`` makes it. Since BARE's
  maps are unordered, a decoder accepts any order and returns the canonical one, and an encoder writes the canonical
  one: a value has one encoding. A key that comes twice is an error.
- Version 1 knows the same frames, with four things missing: see ``tunnelref.wire.schema``.
- Classes do not check their fields (they are made millions of times); the codec does, whenever a frame is encoded.

Times are Unix milliseconds unless a field says otherwise. Integers have the wire's width, given as u16, u32 or i64.

Source: the Rivet engine's ``v2.bare`` as merged in pull request 3275 (commit 79bee4d).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias, TypeVar

T = TypeVar("T")

Headers: TypeAlias = tuple[tuple[str, str], ...]
"""Header names and values of a request or a response, canonical: sorted by name, no name twice."""


def canonical_map(entries: Mapping[str, T] | Iterable[tuple[str, T]]) -> tuple[tuple[str, T], ...]:
    """The canonical form of a map: its entries sorted by key. Raises ``ValueError`` for a key that comes twice."""
    pairs = tuple(entries.items() if isinstance(entries, Mapping) else entries)
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise ValueError("a map's key comes twice")
    return tuple((key, unique[key]) for key in sorted(unique))


# ---- Both ways -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TunnelAck:
    """The tunnel message with this very ``messageId`` has arrived. The only kind that is not acked itself."""


# ---- Runner to gateway: kinds of tunnel message --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToServerResponseStart:
    """The head of an HTTP response. With ``stream`` the body follows in chunks; without, it is ``body`` (or None)."""

    status: int  # u16
    headers: Headers
    body: bytes | None
    stream: bool


@dataclass(frozen=True, slots=True)
class ToServerResponseChunk:
    """A further piece of a streamed response's body; ``finish`` marks the last."""

    body: bytes
    finish: bool


@dataclass(frozen=True, slots=True)
class ToServerResponseAbort:
    """There will be no (more of the) response."""


@dataclass(frozen=True, slots=True)
class ToServerWebSocketOpen:
    """The actor has accepted the socket: the answer to ``ToClientWebSocketOpen``. In version 1: void, False and -1."""

    canHibernate: bool  # the socket may outlive the actor's sleep; the gateway then keeps messages until they are acked
    lastMsgIndex: int  # i64: the last index the actor's durable state has seen, 0 to 65535; -1: none, send everything


@dataclass(frozen=True, slots=True)
class ToServerWebSocketMessage:
    """A message of the actor's for the client. It has no index, and the gateway does not keep it."""

    data: bytes  # UTF-8 unless binary
    binary: bool


@dataclass(frozen=True, slots=True)
class ToServerWebSocketMessageAck:
    """The actor has durably processed this message and all before it: cumulative, wrapping. Not in version 1."""

    index: int  # u16


@dataclass(frozen=True, slots=True)
class ToServerWebSocketClose:
    """The actor's side of the socket is gone. ``retry``: for now (it sleeps or moves); else for good."""

    code: int | None  # u16, RFC 6455 section 7.4
    reason: str | None  # a close frame has room for 123 bytes of it (RFC 6455 section 5.5)
    retry: bool  # not in version 1, where it is False


# ---- Gateway to runner: kinds of tunnel message --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToClientRequestStart:
    """The head of an HTTP request. With ``stream`` the body follows in chunks; without, it is ``body`` (or None)."""

    actorId: str
    method: str
    path: str
    headers: Headers
    body: bytes | None
    stream: bool


@dataclass(frozen=True, slots=True)
class ToClientRequestChunk:
    """A further piece of a streamed request's body; ``finish`` marks the last."""

    body: bytes
    finish: bool


@dataclass(frozen=True, slots=True)
class ToClientRequestAbort:
    """The client has gone away; nobody waits for the response."""


@dataclass(frozen=True, slots=True)
class ToClientWebSocketOpen:
    """A client wants a socket to this actor, or wants it back after a wake (then under the same ``requestId``)."""

    actorId: str
    path: str  # with the query string
    headers: Headers


@dataclass(frozen=True, slots=True)
class ToClientWebSocketMessage:
    """A message of the client's for the actor."""

    index: int  # u16: numbers the socket's messages, wrapping; 0 in version 1 and on a socket that cannot hibernate
    data: bytes  # UTF-8 unless binary
    binary: bool


@dataclass(frozen=True, slots=True)
class ToClientWebSocketClose:
    """The client's side of the socket is gone, for good."""

    code: int | None  # u16, RFC 6455 section 7.4
    reason: str | None


ToServerTunnelMessageKind: TypeAlias = (
    TunnelAck
    | ToServerResponseStart
    | ToServerResponseChunk
    | ToServerResponseAbort
    | ToServerWebSocketOpen
    | ToServerWebSocketMessage
    | ToServerWebSocketMessageAck
    | ToServerWebSocketClose
)
ToClientTunnelMessageKind: TypeAlias = (
    TunnelAck
    | ToClientRequestStart
    | ToClientRequestChunk
    | ToClientRequestAbort
    | ToClientWebSocketOpen
    | ToClientWebSocketMessage
    | ToClientWebSocketClose
)


# ---- Events: what the runner tells about its actors ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ActorIntentSleep:
    """The actor would like to sleep."""


@dataclass(frozen=True, slots=True)
class ActorIntentStop:
    """The actor would like to stop."""


ActorIntent: TypeAlias = ActorIntentSleep | ActorIntentStop


class StopCode(IntEnum):
    """How an actor came to stop. The values are the wire's."""

    OK = 0
    ERROR = 1


@dataclass(frozen=True, slots=True)
class ActorStateRunning:
    """The actor runs."""


@dataclass(frozen=True, slots=True)
class ActorStateStopped:
    """The actor has stopped."""

    code: StopCode
    message: str | None


ActorState: TypeAlias = ActorStateRunning | ActorStateStopped


@dataclass(frozen=True, slots=True)
class EventActorIntent:
    """An actor asks to sleep or to stop."""

    actorId: str
    generation: int  # u32: which life of the actor
    intent: ActorIntent


@dataclass(frozen=True, slots=True)
class EventActorStateUpdate:
    """An actor has started or stopped."""

    actorId: str
    generation: int  # u32
    state: ActorState


@dataclass(frozen=True, slots=True)
class EventActorSetAlarm:
    """An actor wants to be woken at a time, or (None) no longer."""

    actorId: str
    generation: int  # u32
    alarmTs: int | None  # i64, Unix ms


Event: TypeAlias = EventActorIntent | EventActorStateUpdate | EventActorSetAlarm


@dataclass(frozen=True, slots=True)
class EventWrapper:
    """An event and its number; the gateway acks the numbers (``ToClientAckEvents``)."""

    index: int  # i64
    inner: Event


# ---- Commands: what the gateway side has the runner do -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ActorConfig:
    """What an actor is made from."""

    name: str
    key: str | None
    createTs: int  # i64, Unix ms
    input: bytes | None


@dataclass(frozen=True, slots=True)
class CommandStartActor:
    """Start this life of the actor."""

    actorId: str
    generation: int  # u32
    config: ActorConfig


@dataclass(frozen=True, slots=True)
class CommandStopActor:
    """Stop this life of the actor."""

    actorId: str
    generation: int  # u32


Command: TypeAlias = CommandStartActor | CommandStopActor


@dataclass(frozen=True, slots=True)
class CommandWrapper:
    """A command and its number; the runner acks the numbers (``ToServerAckCommands``)."""

    index: int  # i64
    inner: Command


# ---- Runner to gateway: frames -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ActorName:
    """What a runner says about a kind of actor it can host."""

    metadata: str  # JSON text, not looked into


@dataclass(frozen=True, slots=True)
class ToServerInit:
    """The runner's first frame."""

    name: str
    version: int  # u32: of the runner's own code, not of the protocol
    totalSlots: int  # u32: how many actors it can host
    lastCommandIdx: int | None  # i64: the last command it has seen, when it comes back
    prepopulateActorNames: tuple[tuple[str, ActorName], ...] | None  # a map, canonical
    metadata: str | None  # JSON text, not looked into


@dataclass(frozen=True, slots=True)
class ToServerEvents:
    """Events, oldest first. On the wire the frame is the list itself; the field's name is ours."""

    events: tuple[EventWrapper, ...]


@dataclass(frozen=True, slots=True)
class ToServerAckCommands:
    """Commands up to this number have arrived."""

    lastCommandIdx: int  # i64


@dataclass(frozen=True, slots=True)
class ToServerStopping:
    """The runner is shutting down: start nothing new on it."""


@dataclass(frozen=True, slots=True)
class ToServerPing:
    """The runner lives. It sends one a second."""

    ts: int  # i64, Unix ms, the runner's clock


@dataclass(frozen=True, slots=True)
class ToServerKvRequest:
    """A request to the actors' key-value store, which this specification leaves out."""

    actorId: str
    requestId: int  # u32: the runner's own counter, not the tunnel's request id
    data: bytes  # opaque: the encoded KvRequestData, all the rest of the frame


@dataclass(frozen=True, slots=True)
class ToServerTunnelMessage:
    """A tunnel message from runner to gateway."""

    requestId: bytes  # data[16]: one client socket or HTTP request, for its whole life, across retries and wakes
    messageId: bytes  # data[16]: this message; its ack carries the same
    messageKind: ToServerTunnelMessageKind


ToServer: TypeAlias = (
    ToServerInit
    | ToServerEvents
    | ToServerAckCommands
    | ToServerStopping
    | ToServerPing
    | ToServerKvRequest
    | ToServerTunnelMessage
)


# ---- Gateway to runner: frames -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProtocolMetadata:
    """What the gateway side tells a runner about its own timing."""

    runnerLostThreshold: int  # i64, ms: without a link for this long, the runner's actors are taken for lost


@dataclass(frozen=True, slots=True)
class ToClientInit:
    """The answer to ``ToServerInit``."""

    runnerId: str
    lastEventIdx: int  # i64: the last event the gateway side has seen of this runner
    metadata: ProtocolMetadata


@dataclass(frozen=True, slots=True)
class ToClientClose:
    """The gateway side wants the runner to close the link."""


@dataclass(frozen=True, slots=True)
class ToClientCommands:
    """Commands, oldest first. On the wire the frame is the list itself; the field's name is ours."""

    commands: tuple[CommandWrapper, ...]


@dataclass(frozen=True, slots=True)
class ToClientAckEvents:
    """Events up to this number have arrived."""

    lastEventIdx: int  # i64


@dataclass(frozen=True, slots=True)
class ToClientKvResponse:
    """The answer to ``ToServerKvRequest``."""

    requestId: int  # u32: that of the request
    data: bytes  # opaque: the encoded KvResponseData, all the rest of the frame


@dataclass(frozen=True, slots=True)
class ToClientTunnelMessage:
    """A tunnel message from gateway to runner."""

    requestId: bytes  # data[16]: as in ToServerTunnelMessage
    messageId: bytes  # data[16]
    messageKind: ToClientTunnelMessageKind
    gatewayReplyTo: str | None = None  # only between gateway and relay, on a request's first message; never to a runner


ToClient: TypeAlias = (
    ToClientInit | ToClientClose | ToClientCommands | ToClientAckEvents | ToClientKvResponse | ToClientTunnelMessage
)
