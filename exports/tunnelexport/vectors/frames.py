"""Frames: bytes, and what they say; bytes that are no frame; maps in another order than ours.

The layout makes them: every frame and every kind of tunnel message, with each field in turn at each of its edges.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tunnelexport.vectors.form import Group, Note, Origin, Result, digest, unique
from tunnelexport.vectors.frames_by_hand import VECTORS
from tunnelexport.vectors.malformed_by_hand import BAD
from tunnelref.wire import WireError, codec
from tunnelref.wire.schema import (
    SCHEMAS,
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
from tunnelspec.frames import ToClientTunnelMessage, ToServerTunnelMessage, canonical_map

NOTES = {
    "Integer": Note("A wrong width, byte order or sign.", "Indices, codes and times are read as others."),
    "Length": Note(
        "A length or count that is read as one byte, or counted in characters.",
        "Everything after a text of 128 bytes, or after an umlaut, is read as something else.",
    ),
    "Text": Note("Text that is not taken as UTF-8, or cut at a zero.", "Reasons, paths and headers arrive changed."),
    "Optional": Note(
        "An absent value that is read as an empty one.", "A close without a code becomes a close with code 0."
    ),
    "Tag": Note("Members of a union in another order.", "A frame is taken for another one."),
    "Map": Note("Entries that are lost, doubled, or depend on their order.", "Headers of a request are lost."),
    "MapOrder": Note(
        "A decoder that wants the entries of a map in an order of its own. BARE's maps have none, and any order is right. An "
        "encoder's order is its own affair; 'canonical' is ours, that of the keys' bytes.",
        "Requests of one peer are refused by the other.",
    ),
    "Malformed": Note(
        "Bytes that are no frame and are taken for one.", "A peer's mistake becomes somebody else's data."
    ),
    "Truncated": Note("A frame that ends too early.", "A read beyond the end, or a value made of nothing."),
    "Trailing": Note("Bytes after the frame's end.", "Two peers that disagree on a layout do not notice."),
    "Version": Note(
        "Version 2's bytes that version 1 must not take for its own.", "Half of a mixed fleet misreads the other."
    ),
    "Opaque": Note(
        "A key-value frame, which this specification leaves out, and that ends the link.",
        "All tunnels of a runner end.",
    ),
}


def frames() -> Group:
    """All of them."""
    made = unique((*by_hand(), *valid(), *orders(), *malformed_by_hand(), *broken(), *confused()))
    says = "Bytes of one frame on the runner's socket, and the frame. A valid one decodes to it and is encoded so."
    return Group("frames", says, NOTES, made, {})


def frame_json(type: Type, value: Any) -> Any:
    """A value as the vectors have it: an i64 is a decimal string, since a number in JSON need not be exact; a map is an array
    of pairs; a member of a union is an object with the member's name as its one key."""
    match type:
        case Int(bits=64):
            return str(value)
        case Fixed() | Data() | Rest():
            return value.hex()
        case Enum():
            return value.name
        case Optional(inner):
            return None if value is None else frame_json(inner, value)
        case List(item):
            return [frame_json(item, entry) for entry in value]
        case Map(item):
            return [[key, frame_json(item, entry)] for key, entry in value]
        case Record():
            carried = (f for f in type.fields if not isinstance(f.type, Absent))
            return {f.name: frame_json(f.type, getattr(value, f.name)) for f in carried}
        case Union(_, members):
            return {member.name: frame_json(member, value) for member in members if member.cls is value.__class__}
    return value


def union(version: int, direction: str) -> Union:
    """The frames of a direction."""
    schema = SCHEMAS[version]
    return schema.to_server if direction == "to_server" else schema.to_client


def vector(
    version: int, direction: str, data: bytes, result: Result, notes: list[str], origin: Origin, **more: Any
) -> dict[str, Any]:
    """One vector, but for what its result asks for."""
    id_ = f"frame-v{version}-{digest(direction, data.hex())}"
    made = {"id": id_, "result": result.value, "notes": notes, "from": origin.value}
    return {**made, "version": version, "direction": direction, "hex": data.hex(), **more}


# -- by hand ---------------------------------------------------------------------------------------------------------


def by_hand() -> Iterator[dict[str, Any]]:
    """Frames whose bytes were worked out by hand."""
    for case in VECTORS:
        for version in case.versions:
            said = {"frame": frame_json(union(version, case.direction), case.value)}
            notes = ["Opaque"] if "Kv" in type(case.value).__name__ else ["Tag"]
            yield vector(version, case.direction, case.data, Result.VALID, notes, Origin.HAND, **said)


def malformed_by_hand() -> Iterator[dict[str, Any]]:
    """Bytes that are no frame, with what is wrong where."""
    for bad in BAD:
        wrong = {"comment": bad.why, "error": {"frame": bad.frame, "field": bad.field, "offset": bad.offset}}
        data = bytes.fromhex(bad.text)
        yield vector(bad.version, bad.direction, data, Result.INVALID, ["Malformed"], Origin.HAND, **wrong)


# -- from the layout -------------------------------------------------------------------------------------------------


def plain(type: Type) -> Any:
    """A value without anything special in it."""
    match type:
        case Int():
            return 1
        case Bool():
            return True
        case Fixed(width):
            return bytes(range(width))
        case Str():
            return "a"
        case Data() | Rest():
            return b"\x01"
        case Absent(value):
            return value
        case Enum(cls):
            return next(iter(cls))
        case Optional():
            return None
        case List() | Map():
            return ()
        case Record(cls, fields):
            return cls(*(plain(field.type) for field in fields))
        case Union(_, members):
            return plain(members[0])


def edges(type: Type) -> Iterator[tuple[str, Any]]:
    """Values at an edge of a type, each with what it hunts."""
    match type:
        case Int():
            yield from (("Integer", n) for n in dict.fromkeys((type.low, 0, 255, 256, type.high)))
        case Bool():
            yield from (("Tag", flag) for flag in (False, True))
        case Fixed(width):
            yield from (("Length", bytes([byte]) * width) for byte in (0, 255))
        case Str():
            yield from (("Text", text) for text in ("", "\0", "é€𝄞", '"\\\n'))
            yield from (("Length", character * 64) for character in ("ab", "é"))
            yield "Length", "a" * 127
        case Data():
            yield from (("Length", bytes(size)) for size in (0, 127, 128, 300))
        case Rest():
            yield from (("Opaque", data) for data in (b"", b"\x00\xff\x80"))
        case Enum(cls):
            yield from (("Tag", member) for member in cls)
        case Optional(inner):
            yield from (("Optional", value) for value in (None, plain(inner)))
            yield from edges(inner)
        case List(item):
            yield "Length", (plain(item),) * 3
            yield from ((note, (value,)) for note, value in edges(item))
        case Map(value):
            said = value.cls if isinstance(value, Record) else str
            yield "Map", (("a", said("1")), ("b", said("2")))
            yield "Map", canonical_map((key, plain(value)) for key in ("", "a", "B", "é", "€", "\U0001d11e"))
            yield "Map", canonical_map((f"k{n:03}", plain(value)) for n in range(130))
        case Record(cls, fields):
            base = [plain(field.type) for field in fields]
            for place, field in enumerate(fields):
                for note, changed in edges(field.type):
                    yield note, cls(*base[:place], changed, *base[place + 1 :])
        case Union(_, members):
            for member in members:
                yield "Tag", plain(member)
                yield from edges(member)


def valid() -> Iterator[dict[str, Any]]:
    """Every frame with every field at its edges."""
    for version in SCHEMAS:
        for direction in ("to_server", "to_client"):
            frame_type = union(version, direction)
            encode = getattr(codec(version), f"encode_{direction}")
            for note, frame in edges(frame_type):
                said = {"frame": frame_json(frame_type, frame)}
                yield vector(version, direction, encode(frame), Result.VALID, [note], Origin.TABLES, **said)


def orders() -> Iterator[dict[str, Any]]:
    """Maps whose entries come in another order than the canonical one."""
    ours, other = b"\x01a\x011\x01b\x012", b"\x01b\x012\x01a\x011"  # as edges() has them: a is 1, b is 2
    for case in valid():
        data = bytes.fromhex(case["hex"])
        if ours in data:
            said = {"frame": case["frame"], "canonical": data.hex()}
            swapped = data.replace(ours, other)
            yield vector(
                case["version"], case["direction"], swapped, Result.ACCEPTABLE, ["MapOrder"], Origin.TABLES, **said
            )


def broken() -> Iterator[dict[str, Any]]:
    """Every frame, and every kind of tunnel message, without its last byte and with one too many."""
    for version in SCHEMAS:
        for direction in ("to_server", "to_client"):
            encode = getattr(codec(version), f"encode_{direction}")
            for member in _members(union(version, direction)):
                data = encode(member)
                for note, changed in (
                    ("Truncated", data[:-1]),
                    ("Truncated", data[: len(data) // 2]),
                    ("Trailing", data + b"\0"),
                ):
                    yield from _refused(version, direction, changed, note)


def confused() -> Iterator[dict[str, Any]]:
    """Version 2's bytes in a version 1 link, and the other way round."""
    for direction in ("to_server", "to_client"):
        for version in SCHEMAS:
            encode = getattr(codec(version), f"encode_{direction}")
            for member in _members(union(version, direction)):
                for other in SCHEMAS:
                    if other != version:
                        yield from _refused(other, direction, encode(member), "Version")


def _members(frames: Union) -> Iterator[Any]:
    for member in frames.members:
        if member.cls not in (ToServerTunnelMessage, ToClientTunnelMessage):
            yield plain(member)
            continue
        kinds = next(field.type for field in member.fields if field.name == "messageKind")
        assert isinstance(kinds, Union)
        for kind in kinds.members:
            yield member.cls(bytes(range(16)), bytes(range(16, 32)), plain(kind))


def _refused(version: int, direction: str, data: bytes, note: str) -> Iterator[dict[str, Any]]:
    """The bytes as an invalid vector, if they are one: an opaque frame may be cut anywhere."""
    try:
        _decoded(version, direction, data)
    except WireError as error:
        wrong = {"error": {"frame": error.frame, "field": error.field, "offset": error.offset}}
        yield vector(version, direction, data, Result.INVALID, [note], Origin.TABLES, **wrong)


def _decoded(version: int, direction: str, data: bytes) -> Any:
    return getattr(codec(version), f"decode_{direction}")(data)
