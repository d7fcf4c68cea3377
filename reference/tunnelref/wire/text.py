"""Frames as JSON, for people and tools: the same shape as on the wire, with the wire's names.

- A frame, or any member of a union, is an object with one key, the member's name: ``{"ToServerPing": {"ts": 5}}``,
  ``{"TunnelAck": {}}``.
- Bytes are lowercase hex, a map is an object, an enum's member is its name, an absent optional is ``null``.
- Integers are JSON numbers, also the i64 beyond 2^53 that JavaScript would round.

The schema of the newest version drives both ways, so the JSON of a version 1 frame shows what its missing fields mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeAlias, cast

from tunnelref.wire.errors import JsonError
from tunnelref.wire.runtime import shown
from tunnelref.wire.schema import (
    TO_CLIENT,
    TO_SERVER,
    Absent,
    Bool,
    Data,
    Enum,
    Fixed,
    Int,
    List,
    Map,
    Optional,
    Record,
    Rest,
    Str,
    Type,
    Union,
)
from tunnelspec.frames import ToClient, ToServer, canonical_map

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_FRAME = Union("ToServer or ToClient", (*TO_SERVER.members, *TO_CLIENT.members))


def to_json(value: ToServer | ToClient) -> dict[str, Json]:
    """A frame as JSON. Raises ``JsonError`` for what is not a frame."""
    if type(value) not in {member.cls for member in _FRAME.members}:
        raise JsonError("frame", f"{type(value).__name__} is neither a ToServer nor a ToClient")
    return cast("dict[str, Json]", _dump(_FRAME, value))


def from_json(json: Json) -> ToServer | ToClient:
    """The frame that the JSON describes. Raises ``JsonError``, which names the place, for anything but one.

    No field may be missing, save one for which the frame's class has a default, and none may be unknown.
    """
    return cast("ToServer | ToClient", _load(_FRAME, json, "frame"))


def _dump(type: Type, value: Any) -> Json:
    match type:
        case Fixed() | Data() | Rest():
            return cast("bytes", value).hex()
        case Enum():
            return cast("str", value.name)
        case Optional(inner):
            return None if value is None else _dump(inner, value)
        case List(item):
            return [_dump(item, entry) for entry in value]
        case Map(item):
            return {key: _dump(item, entry) for key, entry in value}
        case Record():
            return {field.name: _dump(field.type, getattr(value, field.name)) for field in type.fields}
        case Union(_, members):
            return {member.name: _dump(member, value) for member in members if member.cls is value.__class__}
        case Int() | Bool() | Str() | Absent():
            return cast("Json", value)


def _load(type: Type, json: Json, path: str) -> Any:
    match type:
        case Int():
            return _int(type, json, path)
        case Bool():
            return _of(bool, json, path, "true or false")
        case Str():
            return _of(str, json, path, "a string")
        case Fixed() | Data() | Rest():
            return _bytes(type, json, path)
        case Enum(cls):
            names = [member.name for member in cls]
            return cls[_one_of(names, json, path)]
        case Optional(inner):
            return None if json is None else _load(inner, json, path)
        case List(item):
            items = _of(list, json, path, "an array")
            return tuple(_load(item, entry, f"{path}[{i}]") for i, entry in enumerate(items))
        case Map(item):
            entries = _of(dict, json, path, "an object")
            return canonical_map({key: _load(item, entry, f"{path}[{shown(key)}]") for key, entry in entries.items()})
        case Record():
            return _record(type, _of(dict, json, path, "an object"), path)
        case Union():
            return _member(type, _of(dict, json, path, "an object with one member's name as its key"), path)
        case Absent(value):
            return value


def _of(kind: type[Any], json: Json, path: str, due: str) -> Any:
    if type(json) is not kind:
        raise JsonError(path, f"{due} is due, not {shown(json)}")
    return json


def _int(type: Int, json: Json, path: str) -> int:
    value = cast("int", _of(int, json, path, f"a whole number ({type})"))
    if not type.low <= value <= type.high:
        raise JsonError(path, f"{shown(value)} is not in {type.low} to {type.high} ({type})")
    return value


def _bytes(type: Type, json: Json, path: str) -> bytes:
    text = cast("str", _of(str, json, path, "a string of hex digits"))
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) * 2 != len(text):  # also where fromhex let white space pass
        raise JsonError(path, f"{shown(text)} is not hex")
    if isinstance(type, Fixed) and len(value) != type.width:
        raise JsonError(path, f"{type.width} bytes are due, not {len(value)}")
    return value


def _one_of(names: list[str], json: Json, path: str) -> str:
    if json not in names:
        raise JsonError(path, f"one of {', '.join(names)} is due, not {shown(json)}")
    return json


def _member(union: Union, json: Mapping[str, Json], path: str) -> Any:
    if len(json) != 1:
        raise JsonError(path, f"one key is due, the name of a member of {union.name}, not {len(json)} keys")
    [(key, value)] = json.items()
    members = {member.name: member for member in union.members}
    name = _one_of(list(members), key, path)
    return _record(members[name], _of(dict, value, f"{path}.{name}", "an object"), f"{path}.{name}")


def _record(record: Record, json: Mapping[str, Json], path: str) -> Any:
    defaults = {field.name for field in fields(record.cls) if field.default is not MISSING}
    for field in record.fields:
        if field.name not in json and field.name not in defaults:
            raise JsonError(path, f"{record.name} lacks {field.name}")
    if unknown := json.keys() - {field.name for field in record.fields}:
        raise JsonError(path, f"{record.name} has no {shown(min(unknown))[1:-1]}")
    return record.cls(
        **{f.name: _load(f.type, json[f.name], f"{path}.{f.name}") for f in record.fields if f.name in json}
    )
