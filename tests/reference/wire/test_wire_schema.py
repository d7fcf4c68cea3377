"""The schema: what it says about itself, and what the frames' classes say."""

from __future__ import annotations

import typing
from dataclasses import dataclass, fields, is_dataclass
from enum import IntEnum
from types import NoneType, UnionType
from typing import Any, cast

import pytest

from tests.strategies import DIRECTIONS, union
from tunnelref.wire import codec, compiled, generate
from tunnelref.wire.schema import (
    SCHEMAS,
    Absent,
    Bool,
    Data,
    Enum,
    Field,
    Fixed,
    Int,
    List,
    Map,
    Optional,
    Record,
    Rest,
    Schema,
    Str,
    Type,
    Union,
    least_size,
)
from tunnelspec import frames

RECORDS = {type_.name: type_ for type_ in SCHEMAS[2].types() if isinstance(type_, Record)}


def _python(type_: Type) -> Any:
    """The Python type that a field of this type has."""
    match type_:
        case Int():
            return int
        case Bool():
            return bool
        case Str():
            return str
        case Fixed() | Data() | Rest():
            return bytes
        case Enum(cls):
            return cls
        case Optional(inner):
            return _python(inner) | None
        case List(item):
            return tuple[_python(item), ...]  # type: ignore[misc]
        case Map(value):
            return tuple[tuple[str, _python(value)], ...]  # type: ignore[misc]
        case Record(cls):
            return cls
        case Union(_, members):
            return frozenset(member.cls for member in members)
        case Absent():
            raise AssertionError("version 2 has all fields")


def _hint(hint: Any) -> Any:
    members = typing.get_args(hint)
    if isinstance(hint, UnionType) and NoneType not in members:
        return frozenset(members)
    return hint


@pytest.mark.parametrize("record", RECORDS.values(), ids=list(RECORDS))
def test_layouts_fit_their_classes(record: Record) -> None:
    hints = typing.get_type_hints(record.cls)
    assert list(hints) == [field.name for field in record.fields]
    for field in record.fields:
        assert _hint(hints[field.name]) == _python(field.type), field.name


def test_every_frame_class_is_in_the_schema() -> None:
    classes = {
        name for name, value in vars(frames).items() if is_dataclass(value) and value.__module__ == frames.__name__
    }
    assert classes == set(RECORDS)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_unions_are_the_frames_aliases(direction: str) -> None:
    whole = union(direction)
    assert tuple(member.cls for member in whole.members) == typing.get_args(getattr(frames, whole.name))
    for type_ in SCHEMAS[2].types():
        if isinstance(type_, Union):
            assert tuple(member.cls for member in type_.members) == typing.get_args(getattr(frames, type_.name))


def test_version_1_lacks_four_things() -> None:
    old = {t.name: t for t in SCHEMAS[1].types() if isinstance(t, Record)}
    absent = {(r.name, f.name): f.type.value for r in old.values() for f in r.fields if isinstance(f.type, Absent)}
    assert absent == {
        ("ToClientWebSocketMessage", "index"): 0,
        ("ToServerWebSocketOpen", "canHibernate"): False,
        ("ToServerWebSocketOpen", "lastMsgIndex"): -1,
        ("ToServerWebSocketClose", "retry"): False,
    }
    assert set(RECORDS) - set(old) == {"ToServerWebSocketMessageAck"}
    assert set(old) <= set(RECORDS)


def test_least_sizes_are_least() -> None:
    assert least_size(SCHEMAS[2].to_server) == 1
    assert least_size(RECORDS["EventWrapper"]) == 15
    assert least_size(RECORDS["ToServerTunnelMessage"]) == 33
    assert least_size(RECORDS["ToServerResponseStart"]) == 5


def test_frames_cannot_be_changed() -> None:
    for record in RECORDS.values():
        assert record.cls.__dataclass_params__.frozen
        assert hasattr(record.cls, "__slots__")
        assert [field.name for field in fields(record.cls)] == [field.name for field in record.fields]


def test_generated_source_is_kept_for_readers() -> None:
    source = codec(2).source
    compile(source, "wire", "exec")
    assert "def decode_to_server(data):" in source
    assert "def read_ToServerWebSocketMessageAck" not in codec(1).source


@dataclass(frozen=True, slots=True)
class Odd:
    """A record that the protocol does not have, with what it might have some day."""

    numbers: tuple[int, ...]
    level: Level
    grid: tuple[tuple[str, tuple[int, ...]], ...]
    maybe: tuple[bytes | None, ...]
    value: int
    flags: tuple[bool, ...]
    nested: int | None


class Level(IntEnum):
    """An enum."""

    LOW = 0
    HIGH = 1


@dataclass(frozen=True, slots=True)
class Nothing:
    """A void."""


def _odd() -> Any:
    u16 = Int(16, signed=False)
    odd = Record(
        Odd,
        (
            Field("numbers", List(u16)),
            Field("level", Enum(Level)),
            Field("grid", Map(List(Int(64, signed=True)))),
            Field("maybe", List(Optional(Fixed(2)))),
            Field("value", u16),
            Field("flags", List(Bool())),
            Field("nested", Optional(u16)),
        ),
    )
    return Schema(9, Union("Odds", (odd,)), Union("Nothings", (Record(Nothing, ()),)))


def test_the_generator_is_not_made_for_these_frames_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists in maps, lists of optionals, fields with a local's name: layouts that no frame has yet."""
    monkeypatch.setitem(cast("dict[int, Schema]", SCHEMAS), 9, _odd())
    wire: Any = compiled._compiled.__wrapped__(9)
    odd: Any = Odd((1, 2), Level.HIGH, (("a", (-1,)), ("b", ())), (None, b"xy"), 5, (True, False), None)
    data = wire.encode_to_server(odd)
    assert data == bytes.fromhex(
        "00  02 0100 0200  01  02 01 61 01 ffffffffffffffff 01 62 00  02 00 01 7879  0500  02 01 00  00"
    )
    assert wire.decode_to_server(data) == odd
    assert wire.decode_to_client(b"\x00") == Nothing()


def test_an_item_of_no_bytes_is_refused() -> None:
    schema = Schema(9, Union("Odds", (Record(Odd, (Field("numbers", List(Record(Nothing, ()))),)),)), Union("N", ()))
    with pytest.raises((AssertionError, TypeError)):
        generate.source(schema)
