"""The wire in pybare's terms, both versions, written by hand from the protocol's description and from nothing of ours.

KV frames are left out: their data is opaque to us, which BARE has no word for.
"""

# pybare has no types, and its classes take keywords:
# mypy: disable-error-code="import-untyped, misc, call-arg"

from __future__ import annotations

from dataclasses import fields
from io import BytesIO
from typing import Any

import bare
from bare import I64, U16, U32, Bool, Data, Field, Str, UnionVariant, optional


class Void(bare.Void):
    """A void of one's own for each void member: pybare tells members of a union apart by class."""


class TunnelAck(Void): ...


class ToServerResponseAbort(Void): ...


class ToClientRequestAbort(Void): ...


class ToServerStopping(Void): ...


class ToClientClose(Void): ...


class ActorIntentSleep(Void): ...


class ActorIntentStop(Void): ...


class ActorStateRunning(Void): ...


class Id16(Data, size=16): ...


class Headers(bare.Map, key_type=Str, value_type=Str): ...


class ToServerResponseStart(bare.Struct):
    status = Field(U16)
    headers = Field(Headers)
    body = Field(optional(Data))
    stream = Field(Bool)


class ToServerResponseChunk(bare.Struct):
    body = Field(Data)
    finish = Field(Bool)


class ToServerWebSocketOpen(bare.Struct):
    canHibernate = Field(Bool)
    lastMsgIndex = Field(I64)


class ToServerWebSocketMessage(bare.Struct):
    data = Field(Data)
    binary = Field(Bool)


class ToServerWebSocketMessageAck(bare.Struct):
    index = Field(U16)


class ToServerWebSocketClose(bare.Struct):
    code = Field(optional(U16))
    reason = Field(optional(Str))
    retry = Field(Bool)


class ToServerTunnelMessageKind(
    bare.Union,
    variants=(
        TunnelAck,
        ToServerResponseStart,
        ToServerResponseChunk,
        ToServerResponseAbort,
        ToServerWebSocketOpen,
        ToServerWebSocketMessage,
        ToServerWebSocketMessageAck,
        ToServerWebSocketClose,
    ),
): ...


class ToServerTunnelMessage(bare.Struct):
    requestId = Field(Id16)
    messageId = Field(Id16)
    messageKind = Field(ToServerTunnelMessageKind)


class ToClientRequestStart(bare.Struct):
    actorId = Field(Str)
    method = Field(Str)
    path = Field(Str)
    headers = Field(Headers)
    body = Field(optional(Data))
    stream = Field(Bool)


class ToClientRequestChunk(bare.Struct):
    body = Field(Data)
    finish = Field(Bool)


class ToClientWebSocketOpen(bare.Struct):
    actorId = Field(Str)
    path = Field(Str)
    headers = Field(Headers)


class ToClientWebSocketMessage(bare.Struct):
    index = Field(U16)
    data = Field(Data)
    binary = Field(Bool)


class ToClientWebSocketClose(bare.Struct):
    code = Field(optional(U16))
    reason = Field(optional(Str))


class ToClientTunnelMessageKind(
    bare.Union,
    variants=(
        TunnelAck,
        ToClientRequestStart,
        ToClientRequestChunk,
        ToClientRequestAbort,
        ToClientWebSocketOpen,
        ToClientWebSocketMessage,
        ToClientWebSocketClose,
    ),
): ...


class ToClientTunnelMessage(bare.Struct):
    requestId = Field(Id16)
    messageId = Field(Id16)
    messageKind = Field(ToClientTunnelMessageKind)
    gatewayReplyTo = Field(optional(Str))


class ActorIntent(bare.Union, variants=(ActorIntentSleep, ActorIntentStop)): ...


class StopCode(bare.Enum):
    OK = 0
    ERROR = 1


class ActorStateStopped(bare.Struct):
    code = Field(StopCode)
    message = Field(optional(Str))


class ActorState(bare.Union, variants=(ActorStateRunning, ActorStateStopped)): ...


class EventActorIntent(bare.Struct):
    actorId = Field(Str)
    generation = Field(U32)
    intent = Field(ActorIntent)


class EventActorStateUpdate(bare.Struct):
    actorId = Field(Str)
    generation = Field(U32)
    state = Field(ActorState)


class EventActorSetAlarm(bare.Struct):
    actorId = Field(Str)
    generation = Field(U32)
    alarmTs = Field(optional(I64))


class Event(bare.Union, variants=(EventActorIntent, EventActorStateUpdate, EventActorSetAlarm)): ...


class EventWrapper(bare.Struct):
    index = Field(I64)
    inner = Field(Event)


class ActorConfig(bare.Struct):
    name = Field(Str)
    key = Field(optional(Str))
    createTs = Field(I64)
    input = Field(optional(Data))


class CommandStartActor(bare.Struct):
    actorId = Field(Str)
    generation = Field(U32)
    config = Field(ActorConfig)


class CommandStopActor(bare.Struct):
    actorId = Field(Str)
    generation = Field(U32)


class Command(bare.Union, variants=(CommandStartActor, CommandStopActor)): ...


class CommandWrapper(bare.Struct):
    index = Field(I64)
    inner = Field(Command)


class ActorName(bare.Struct):
    metadata = Field(Str)


class ActorNames(bare.Map, key_type=Str, value_type=ActorName): ...


class ToServerInit(bare.Struct):
    name = Field(Str)
    version = Field(U32)
    totalSlots = Field(U32)
    lastCommandIdx = Field(optional(I64))
    prepopulateActorNames = Field(optional(ActorNames))
    metadata = Field(optional(Str))


class ToServerEvents(bare.Array, inner=EventWrapper): ...


class ToServerAckCommands(bare.Struct):
    lastCommandIdx = Field(I64)


class ToServerPing(bare.Struct):
    ts = Field(I64)


class ToServer(
    bare.Union,
    variants=(
        ToServerInit,
        ToServerEvents,
        ToServerAckCommands,
        ToServerStopping,
        ToServerPing,
        UnionVariant(ToServerTunnelMessage, 6),
    ),
): ...


class ProtocolMetadata(bare.Struct):
    runnerLostThreshold = Field(I64)


class ToClientInit(bare.Struct):
    runnerId = Field(Str)
    lastEventIdx = Field(I64)
    metadata = Field(ProtocolMetadata)


class ToClientCommands(bare.Array, inner=CommandWrapper): ...


class ToClientAckEvents(bare.Struct):
    lastEventIdx = Field(I64)


class ToClient(
    bare.Union,
    variants=(
        ToClientInit,
        ToClientClose,
        ToClientCommands,
        ToClientAckEvents,
        UnionVariant(ToClientTunnelMessage, 5),
    ),
): ...


# ---- What version 1 has in another form ----------------------------------------------------------------------------


class ToServerWebSocketOpenV1(Void): ...


class ToServerWebSocketCloseV1(bare.Struct):
    code = Field(optional(U16))
    reason = Field(optional(Str))


class ToServerTunnelMessageKindV1(
    bare.Union,
    variants=(
        TunnelAck,
        ToServerResponseStart,
        ToServerResponseChunk,
        ToServerResponseAbort,
        ToServerWebSocketOpenV1,
        ToServerWebSocketMessage,
        ToServerWebSocketCloseV1,
    ),
): ...


class ToServerTunnelMessageV1(bare.Struct):
    requestId = Field(Id16)
    messageId = Field(Id16)
    messageKind = Field(ToServerTunnelMessageKindV1)


class ToServerV1(
    bare.Union,
    variants=(
        ToServerInit,
        ToServerEvents,
        ToServerAckCommands,
        ToServerStopping,
        ToServerPing,
        UnionVariant(ToServerTunnelMessageV1, 6),
    ),
): ...


class ToClientWebSocketMessageV1(bare.Struct):
    data = Field(Data)
    binary = Field(Bool)


class ToClientTunnelMessageKindV1(
    bare.Union,
    variants=(
        TunnelAck,
        ToClientRequestStart,
        ToClientRequestChunk,
        ToClientRequestAbort,
        ToClientWebSocketOpen,
        ToClientWebSocketMessageV1,
        ToClientWebSocketClose,
    ),
): ...


class ToClientTunnelMessageV1(bare.Struct):
    requestId = Field(Id16)
    messageId = Field(Id16)
    messageKind = Field(ToClientTunnelMessageKindV1)
    gatewayReplyTo = Field(optional(Str))


class ToClientV1(
    bare.Union,
    variants=(
        ToClientInit,
        ToClientClose,
        ToClientCommands,
        ToClientAckEvents,
        UnionVariant(ToClientTunnelMessageV1, 5),
    ),
): ...


UNIONS: dict[tuple[str, int], Any] = {
    ("to_server", 1): ToServerV1,
    ("to_server", 2): ToServer,
    ("to_client", 1): ToClientV1,
    ("to_client", 2): ToClient,
}

# ---- Between their values and ours ---------------------------------------------------------------------------------


def to_pybare(type_: Any, value: Any) -> Any:
    """Our value as a pybare value of this type."""
    if issubclass(type_, bare.Union):
        if getattr(type_, "_optional", False):
            void, inner = type_._variants.values()
            return type_(void() if value is None else to_pybare(inner, value))
        members = {member.__name__.removesuffix("V1"): member for member in type_._variants.values()}
        return type_(to_pybare(members[type(value).__name__], value))
    if issubclass(type_, Void):
        return type_()
    if issubclass(type_, bare.Struct):
        return type_(**{name: to_pybare(inner, getattr(value, name)) for name, inner in type_._fields.items()})
    if issubclass(type_, bare.Array):
        (field,) = fields(value)
        return type_([to_pybare(type_._type, item) for item in getattr(value, field.name)])
    if issubclass(type_, bare.Map):
        return type_({key: to_pybare(type_._value_type, item) for key, item in value})
    return type_(value)


def encode(direction: str, version: int, value: Any) -> bytes:
    """The bytes that pybare writes for our value."""
    return bytes(to_pybare(UNIONS[direction, version], value).pack())


def recode(direction: str, version: int, data: bytes) -> bytes:
    """What pybare reads from these bytes, written by pybare."""
    stream = BytesIO(data)
    value = UNIONS[direction, version].unpack(stream)
    assert stream.read() == b""
    return bytes(value.pack())
