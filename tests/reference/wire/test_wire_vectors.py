"""The bytes of each frame, worked out by hand: they decode to the value, and the value encodes to them."""

from __future__ import annotations

import pytest

from tests.strategies import DIRECTIONS, union
from tunnelexport.vectors.frames_by_hand import VECTORS, M, R, Vector
from tunnelref.wire import codec, decode_to_client, decode_to_server, encode_to_client, encode_to_server
from tunnelref.wire.schema import Union
from tunnelspec.frames import (
    StopCode,
    ToClientTunnelMessage,
    ToClientWebSocketMessage,
    ToServerTunnelMessage,
    ToServerWebSocketClose,
    ToServerWebSocketOpen,
    canonical_map,
)

CASES = [
    pytest.param(vector, version, id=f"{vector.name}-{version}") for vector in VECTORS for version in vector.versions
]


@pytest.mark.parametrize(("vector", "version"), CASES)
def test_encode(vector: Vector, version: int) -> None:
    encode = getattr(codec(version), f"encode_{vector.direction}")
    assert encode(vector.value).hex() == vector.data.hex()


@pytest.mark.parametrize(("vector", "version"), CASES)
def test_decode(vector: Vector, version: int) -> None:
    decode = getattr(codec(version), f"decode_{vector.direction}")
    for data in (vector.data, bytearray(vector.data), memoryview(vector.data)):
        frame = decode(data)
        assert frame == vector.value
        assert type(frame) is type(vector.value)
        assert hash(frame) == hash(vector.value)
        assert repr(frame) == repr(vector.value)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_there_is_a_vector_for_every_frame(direction: str, version: int) -> None:
    values = [v.value for v in VECTORS if v.direction == direction and version in v.versions]
    seen = {type(value) for value in values} | {type(getattr(value, "messageKind", None)) for value in values}
    frames = union(direction, version)
    kinds = next(field.type for field in frames.members[-1].fields if field.name == "messageKind")
    assert isinstance(kinds, Union)
    for member in (*frames.members, *kinds.members):
        assert member.cls in seen, f"no vector for {member.name} in version {version}"


def test_functions_default_to_version_2() -> None:
    for vector in VECTORS:
        if 2 not in vector.versions:
            continue
        if vector.direction == "to_server":
            assert encode_to_server(decode_to_server(vector.data)) == vector.data
        else:
            assert encode_to_client(decode_to_client(vector.data)) == vector.data
    assert codec() is codec(2)


def test_version_1_drops_what_it_cannot_say() -> None:
    wire = codec(1)
    for said, heard in (
        (ToServerWebSocketOpen(True, 7), ToServerWebSocketOpen(False, -1)),
        (ToServerWebSocketClose(1000, "bye", True), ToServerWebSocketClose(1000, "bye", False)),
    ):
        assert wire.decode_to_server(wire.encode_to_server(ToServerTunnelMessage(R, M, said))) == ToServerTunnelMessage(
            R, M, heard
        )
    message, numbered = (ToClientTunnelMessage(R, M, ToClientWebSocketMessage(n, b"x", False)) for n in (0, 7))
    assert wire.decode_to_client(wire.encode_to_client(numbered)) == message


def test_maps_are_read_in_any_order_and_written_in_one() -> None:
    head = f"05{R.hex()}{M.hex()}04 0161 012f 03"
    entries = ["01 61 00", "01 5a 00", "02 c3a9 00"]  # a, Z, é
    canonical = bytes.fromhex(head + entries[1] + entries[0] + entries[2] + "00")
    shuffled = bytes.fromhex(head + entries[2] + entries[0] + entries[1] + "00")
    assert decode_to_client(shuffled) == decode_to_client(canonical)
    assert encode_to_client(decode_to_client(shuffled)) == canonical


def test_canonical_map_sorts_like_utf8() -> None:
    keys = ["", "a", "Z", "é", "€", "\uffff", "𐀀", "𝄞", "aa"]
    assert [k for k, _ in canonical_map([(k, "") for k in keys])] == sorted(keys, key=lambda k: k.encode())
    assert canonical_map({"b": "2", "a": "1"}) == (("a", "1"), ("b", "2"))
    with pytest.raises(ValueError, match="twice"):
        canonical_map([("a", "1"), ("a", "2")])


def test_stop_codes_have_the_wires_numbers() -> None:
    assert [(code.name, code.value) for code in StopCode] == [("OK", 0), ("ERROR", 1)]
