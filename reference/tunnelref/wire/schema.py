"""The wire as data: every frame's layout, once, for both versions. All else in this package is derived from it.

A layout is written in the terms of BARE (draft-devault-bare). Version 2 is written out; version 1 is version 2 and a
patch that takes four things away. Source: ``v2.bare`` and ``v1.bare`` of the Rivet engine as of pull request 3275.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from typing import Any, TypeAlias

from tunnelspec import frames as f

# ---- What a layout is made of --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Int:
    """An integer of fixed width, little-endian."""

    bits: int
    signed: bool

    @property
    def width(self) -> int:
        return self.bits // 8

    @property
    def low(self) -> int:
        return -(1 << self.bits - 1) if self.signed else 0

    @property
    def high(self) -> int:
        return (1 << self.bits - self.signed) - 1

    def __str__(self) -> str:
        return f"{'i' if self.signed else 'u'}{self.bits}"


@dataclass(frozen=True, slots=True)
class Bool:
    """One byte, 0 or 1."""

    width = 1


@dataclass(frozen=True, slots=True)
class Fixed:
    """data[width]: so many bytes, no length before them."""

    width: int


@dataclass(frozen=True, slots=True)
class Str:
    """A length in bytes (unsigned LEB128), then UTF-8."""


@dataclass(frozen=True, slots=True)
class Data:
    """A length (unsigned LEB128), then that many bytes."""


@dataclass(frozen=True, slots=True)
class Rest:
    """All the rest of the frame, as it is; comes last in it. Not BARE's: it stands for a type we do not look into."""


@dataclass(frozen=True, slots=True, eq=False)  # by identity: else one with 0 and one with False would be equal
class Absent:
    """A field that this version does not carry: no bytes. Decodes as ``value``; what is encoded is dropped unseen."""

    value: Any


@dataclass(frozen=True, slots=True)
class Enum:
    """An unsigned LEB128 that must be one of the members, which count from 0 without a gap."""

    cls: type[IntEnum]


@dataclass(frozen=True, slots=True)
class Optional:
    """One byte, 0 (None) or 1, and then the value."""

    inner: Type


@dataclass(frozen=True, slots=True)
class List:
    """A count (unsigned LEB128), then that many items."""

    item: Type


@dataclass(frozen=True, slots=True)
class Map:
    """A count (unsigned LEB128), then that many pairs of a str and a value; no key twice."""

    value: Type


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Record:
    """A struct: its fields one after the other. Without fields it is BARE's void and takes no bytes."""

    cls: type[Any]  # the dataclass; its fields have the same names in the same order
    fields: tuple[Field, ...]

    @property
    def name(self) -> str:
        return self.cls.__name__


@dataclass(frozen=True, slots=True)
class Union:
    """A tag (unsigned LEB128, the member's place in ``members``), then the member."""

    name: str
    members: tuple[Record, ...]


Type: TypeAlias = Int | Bool | Fixed | Str | Data | Rest | Absent | Enum | Optional | List | Map | Record | Union


def least_size(type: Type) -> int:
    """The fewest bytes a value of this type can take: bounds a list's length by the bytes that are there."""
    match type:
        case Int() | Bool() | Fixed():
            return type.width
        case Rest() | Absent():
            return 0
        case Record():
            return sum(least_size(field.type) for field in type.fields)
        case Union():
            return 1 + min(map(least_size, type.members))
        case _:
            return 1


def _record(cls: type[Any], **types: Type) -> Record:
    if list(types) != [field.name for field in fields(cls)]:
        raise TypeError(f"{cls.__name__}: the layout's fields are not the dataclass's")
    return Record(cls, tuple(Field(name, type) for name, type in types.items()))


# ---- Version 2 -----------------------------------------------------------------------------------------------------

_U16, _U32, _I64 = Int(16, signed=False), Int(32, signed=False), Int(64, signed=True)
_BOOL, _STR, _DATA, _ID16 = Bool(), Str(), Data(), Fixed(16)
_HEADERS = Map(_STR)

_TUNNEL_ACK = _record(f.TunnelAck)

_TO_SERVER_KIND = Union(
    "ToServerTunnelMessageKind",
    (
        _TUNNEL_ACK,
        _record(f.ToServerResponseStart, status=_U16, headers=_HEADERS, body=Optional(_DATA), stream=_BOOL),
        _record(f.ToServerResponseChunk, body=_DATA, finish=_BOOL),
        _record(f.ToServerResponseAbort),
        _record(f.ToServerWebSocketOpen, canHibernate=_BOOL, lastMsgIndex=_I64),
        _record(f.ToServerWebSocketMessage, data=_DATA, binary=_BOOL),
        _record(f.ToServerWebSocketMessageAck, index=_U16),
        _record(f.ToServerWebSocketClose, code=Optional(_U16), reason=Optional(_STR), retry=_BOOL),
    ),
)
_TO_CLIENT_KIND = Union(
    "ToClientTunnelMessageKind",
    (
        _TUNNEL_ACK,
        _record(
            f.ToClientRequestStart,
            actorId=_STR,
            method=_STR,
            path=_STR,
            headers=_HEADERS,
            body=Optional(_DATA),
            stream=_BOOL,
        ),
        _record(f.ToClientRequestChunk, body=_DATA, finish=_BOOL),
        _record(f.ToClientRequestAbort),
        _record(f.ToClientWebSocketOpen, actorId=_STR, path=_STR, headers=_HEADERS),
        _record(f.ToClientWebSocketMessage, index=_U16, data=_DATA, binary=_BOOL),
        _record(f.ToClientWebSocketClose, code=Optional(_U16), reason=Optional(_STR)),
    ),
)
_INTENT = Union("ActorIntent", (_record(f.ActorIntentSleep), _record(f.ActorIntentStop)))
_STATE = Union(
    "ActorState",
    (
        _record(f.ActorStateRunning),
        _record(f.ActorStateStopped, code=Enum(f.StopCode), message=Optional(_STR)),
    ),
)
_EVENT = Union(
    "Event",
    (
        _record(f.EventActorIntent, actorId=_STR, generation=_U32, intent=_INTENT),
        _record(f.EventActorStateUpdate, actorId=_STR, generation=_U32, state=_STATE),
        _record(f.EventActorSetAlarm, actorId=_STR, generation=_U32, alarmTs=Optional(_I64)),
    ),
)
_CONFIG = _record(f.ActorConfig, name=_STR, key=Optional(_STR), createTs=_I64, input=Optional(_DATA))
_COMMAND = Union(
    "Command",
    (
        _record(f.CommandStartActor, actorId=_STR, generation=_U32, config=_CONFIG),
        _record(f.CommandStopActor, actorId=_STR, generation=_U32),
    ),
)

TO_SERVER = Union(
    "ToServer",
    (
        _record(
            f.ToServerInit,
            name=_STR,
            version=_U32,
            totalSlots=_U32,
            lastCommandIdx=Optional(_I64),
            prepopulateActorNames=Optional(Map(_record(f.ActorName, metadata=_STR))),
            metadata=Optional(_STR),
        ),
        _record(f.ToServerEvents, events=List(_record(f.EventWrapper, index=_I64, inner=_EVENT))),
        _record(f.ToServerAckCommands, lastCommandIdx=_I64),
        _record(f.ToServerStopping),
        _record(f.ToServerPing, ts=_I64),
        _record(f.ToServerKvRequest, actorId=_STR, requestId=_U32, data=Rest()),
        _record(f.ToServerTunnelMessage, requestId=_ID16, messageId=_ID16, messageKind=_TO_SERVER_KIND),
    ),
)
TO_CLIENT = Union(
    "ToClient",
    (
        _record(
            f.ToClientInit,
            runnerId=_STR,
            lastEventIdx=_I64,
            metadata=_record(f.ProtocolMetadata, runnerLostThreshold=_I64),
        ),
        _record(f.ToClientClose),
        _record(f.ToClientCommands, commands=List(_record(f.CommandWrapper, index=_I64, inner=_COMMAND))),
        _record(f.ToClientAckEvents, lastEventIdx=_I64),
        _record(f.ToClientKvResponse, requestId=_U32, data=Rest()),
        _record(
            f.ToClientTunnelMessage,
            requestId=_ID16,
            messageId=_ID16,
            messageKind=_TO_CLIENT_KIND,
            gatewayReplyTo=Optional(_STR),
        ),
    ),
)

# ---- Version 1 -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Without:
    """Fields that the older version does not carry, and what they mean there."""

    record: type[Any]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class WithoutMember:
    """A member that the older version's union lacks; those after it move up by one."""

    union: str
    member: type[Any]


Patch: TypeAlias = tuple[Without | WithoutMember, ...]

VERSION_1: Patch = (
    Without(f.ToClientWebSocketMessage, {"index": 0}),
    Without(f.ToServerWebSocketOpen, {"canHibernate": False, "lastMsgIndex": -1}),
    WithoutMember("ToServerTunnelMessageKind", f.ToServerWebSocketMessageAck),
    Without(f.ToServerWebSocketClose, {"retry": False}),
)


def _patched_record(record: Record, patch: Patch) -> Record:
    values: dict[str, Any] = {}
    for change in patch:
        if isinstance(change, Without) and change.record is record.cls:
            values |= change.values
    return replace(
        record,
        fields=tuple(
            Field(field.name, Absent(values[field.name]) if field.name in values else patched(field.type, patch))
            for field in record.fields
        ),
    )


def _patched_union(union: Union, patch: Patch) -> Union:
    gone = {change.member for change in patch if isinstance(change, WithoutMember) and change.union == union.name}
    return replace(union, members=tuple(_patched_record(m, patch) for m in union.members if m.cls not in gone))


def patched(type: Type, patch: Patch) -> Type:
    """The same type in the older version."""
    match type:
        case Record():
            return _patched_record(type, patch)
        case Union():
            return _patched_union(type, patch)
        case Optional():
            return Optional(patched(type.inner, patch))
        case List():
            return List(patched(type.item, patch))
        case Map():
            return Map(patched(type.value, patch))
        case _:
            return type


# ---- All versions --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Schema:
    """The wire of one version."""

    version: int
    to_server: Union
    to_client: Union

    def types(self) -> Iterator[Type]:
        """Every type in use, inner ones first; one that is used twice comes twice."""
        yield from _walk(self.to_server)
        yield from _walk(self.to_client)


def _walk(type: Type) -> Iterator[Type]:
    match type:
        case Record():
            inner: tuple[Type, ...] = tuple(field.type for field in type.fields)
        case Union():
            inner = type.members
        case Optional():
            inner = (type.inner,)
        case List():
            inner = (type.item,)
        case Map():
            inner = (type.value,)
        case _:
            inner = ()
    for part in inner:
        yield from _walk(part)
    yield type


SCHEMAS: Mapping[int, Schema] = {
    1: Schema(1, _patched_union(TO_SERVER, VERSION_1), _patched_union(TO_CLIENT, VERSION_1)),
    2: Schema(2, TO_SERVER, TO_CLIENT),
}
"""The supported versions."""
