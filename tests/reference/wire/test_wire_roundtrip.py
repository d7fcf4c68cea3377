"""What is encoded decodes to the same, and what decodes is canonical."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import DIRECTIONS, frames, tunnel_messages, union
from tunnelref.wire import WireError, codec, from_json, to_json
from tunnelref.wire.schema import least_size

EVERY_WIRE = [(direction, version) for direction in DIRECTIONS for version in (1, 2)]
MEMBERS = [
    pytest.param(direction, version, member, id=f"{member.name}-v{version}")
    for direction, version in EVERY_WIRE
    for member in union(direction, version).members
]


def _functions(direction: str, version: int) -> tuple[Any, Any]:
    wire = codec(version)
    return getattr(wire, f"encode_{direction}"), getattr(wire, f"decode_{direction}")


@pytest.mark.parametrize(("direction", "version"), EVERY_WIRE)
@given(data=st.data())
def test_frames(direction: str, version: int, data: st.DataObject) -> None:
    encode, decode = _functions(direction, version)
    frame = data.draw(st.one_of(frames(direction, version), tunnel_messages(direction, version)))
    wire = encode(frame)
    assert decode(wire) == frame
    assert encode(decode(wire)) == wire
    assert from_json(to_json(frame)) == frame


@pytest.mark.parametrize("version", [1, 2])
@given(data=st.data())
def test_a_tunnel_message_from_its_fields(version: int, data: st.DataObject) -> None:
    """``encode_tunnel_to_client``: the bytes of the frame that has these fields, and its errors."""
    wire = codec(version)
    frame = data.draw(tunnel_messages("to_client", version))
    fields = (frame.requestId, frame.messageId, frame.messageKind, frame.gatewayReplyTo)
    assert wire.encode_tunnel_to_client(*fields) == wire.encode_to_client(frame)
    with pytest.raises(WireError) as expected:
        wire.encode_to_client(replace(frame, messageId=b"short"))
    with pytest.raises(WireError) as caught:
        wire.encode_tunnel_to_client(frame.requestId, b"short", frame.messageKind, frame.gatewayReplyTo)
    assert str(caught.value) == str(expected.value)


@pytest.mark.parametrize(("direction", "version"), EVERY_WIRE)
@given(data=st.data())
def test_every_prefix_is_refused(direction: str, version: int, data: st.DataObject) -> None:
    """A frame cut short is never another frame, but for opaque KV data, which may be of any length."""
    encode, decode = _functions(direction, version)
    frame = data.draw(frames(direction, version).filter(lambda frame: "Kv" not in type(frame).__name__))
    wire = encode(frame)
    for end in range(len(wire)):
        with pytest.raises(WireError) as caught:
            decode(wire[:end])
        assert 0 <= caught.value.offset <= end


@pytest.mark.parametrize(("direction", "version"), EVERY_WIRE)
@given(data=st.data(), tail=st.binary(min_size=1, max_size=5))
def test_every_tail_is_refused(direction: str, version: int, data: st.DataObject, tail: bytes) -> None:
    encode, decode = _functions(direction, version)
    frame = data.draw(frames(direction, version).filter(lambda frame: "Kv" not in type(frame).__name__))
    wire = encode(frame)
    with pytest.raises(WireError) as caught:
        decode(wire + tail)
    assert (caught.value.field, caught.value.offset) == ("<end>", len(wire))


@pytest.mark.parametrize(("direction", "version"), EVERY_WIRE)
@given(data=st.binary(max_size=80))
def test_what_decodes_is_canonical(direction: str, version: int, data: bytes) -> None:
    encode, decode = _functions(direction, version)
    try:
        frame = decode(data)
    except WireError:
        return
    again = encode(frame)
    assert decode(again) == frame
    assert sorted(again) == sorted(data)  # the same but for the order of a map's entries


@pytest.mark.parametrize(("direction", "version", "member"), MEMBERS)
def test_every_member_is_reachable_by_its_tag(direction: str, version: int, member: Any) -> None:
    """The tags count from 0 in the schema's order."""
    tag = [m.name for m in union(direction, version).members].index(member.name)
    _, decode = _functions(direction, version)
    if any(least_size(field.type) for field in member.fields):
        with pytest.raises(WireError) as caught:  # it wants more bytes, but it knows whose
            decode(bytes((tag,)))
        assert caught.value.frame == member.name
    else:
        assert type(decode(bytes((tag,)))) is member.cls
