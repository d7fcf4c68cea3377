"""Every way in which bytes can fail to be a frame, and values to have bytes: which frame, which field, which byte."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from tunnelexport.vectors.frames_by_hand import M, R
from tunnelexport.vectors.malformed_by_hand import BAD, IN_SERVER, Bad
from tunnelref.wire import WireError, codec
from tunnelspec.frames import (
    ActorStateStopped,
    EventActorSetAlarm,
    EventActorStateUpdate,
    EventWrapper,
    StopCode,
    ToClientInit,
    ToClientRequestStart,
    ToClientTunnelMessage,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerEvents,
    ToServerInit,
    ToServerKvRequest,
    ToServerPing,
    ToServerStopping,
    ToServerTunnelMessage,
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
    TunnelAck,
)


@pytest.mark.parametrize("bad", BAD, ids=[bad.why for bad in BAD])
def test_decode(bad: Bad) -> None:
    decode = getattr(codec(bad.version), f"decode_{bad.direction}")
    with pytest.raises(WireError) as caught:
        decode(bytes.fromhex(bad.text))
    error = caught.value
    assert (error.frame, error.field, error.offset) == (bad.frame, bad.field, bad.offset), str(error)
    assert bad.reason in error.reason
    for part in (error.frame, error.field, str(error.offset), error.reason):
        assert part in str(error)


@pytest.mark.parametrize("data", ["text", None, 5, [1], ("a",)])
def test_only_bytes_are_decoded(data: Any) -> None:
    for decode in (codec(2).decode_to_server, codec(2).decode_to_client):
        with pytest.raises(WireError, match="where a binary frame is due"):
            decode(data)


def test_errors_can_be_copied() -> None:
    error = WireError("F", "f", 3, "r")
    assert str(pickle.loads(pickle.dumps(error))) == str(error) == "F: f at byte 3: r"


def _from_runner(kind: Any) -> ToServerTunnelMessage:
    return ToServerTunnelMessage(R, M, kind)


def _from_gateway(kind: Any) -> ToClientTunnelMessage:
    return ToClientTunnelMessage(R, M, kind)


def wrong(value: Any) -> Any:
    """A value that mypy would not let us pass."""
    return value


TEXT: Any = "text"
EVENT = EventWrapper(0, EventActorSetAlarm("", 0, None))
UNENCODABLE: list[tuple[str, Any, str, int, str]] = [
    ("not a frame", TEXT, "<tag>", 0, "str is not in ToServer of version 2"),
    ("a kind is not a frame", TunnelAck(), "<tag>", 0, "TunnelAck is not in ToServer of version 2"),
    ("the other direction's", ToClientInit("", 0, wrong(None)), "<tag>", 0, "ToClientInit is not in ToServer"),
    (
        "the other direction's kind",
        _from_runner(ToClientWebSocketOpen("", "", ())),
        "messageKind",
        33,
        "not in ToServerT",
    ),
    ("no kind", _from_runner(None), "messageKind", 33, "NoneType is not in"),
    ("request id of 15", ToServerTunnelMessage(R[1:], M, TunnelAck()), "requestId", 1, "16 bytes are due, not 15"),
    ("message id of 17", ToServerTunnelMessage(R, M + b"x", TunnelAck()), "messageId", 17, "16 bytes are due, not 17"),
    ("request id of text", ToServerTunnelMessage(TEXT, M, TunnelAck()), "requestId", 1, "bytes is due, not 'text'"),
    (
        "u16 of 65536",
        _from_runner(ToServerWebSocketMessageAck(65536)),
        ".index",
        34,
        "65536 is not in 0 to 65535 (u16)",
    ),
    ("u16 of -1", _from_runner(ToServerWebSocketMessageAck(-1)), ".index", 34, "-1 is not in 0 to 65535 (u16)"),
    ("u16 of text", _from_runner(ToServerWebSocketMessageAck(TEXT)), ".index", 34, "u16 is due, not 'text'"),
    ("u16 of a bool", _from_runner(ToServerWebSocketMessageAck(True)), ".index", 34, "u16 is due, not True"),
    ("u16 of a float", _from_runner(ToServerWebSocketMessageAck(wrong(1.0))), ".index", 34, "u16 is due, not 1.0"),
    ("optional u16", _from_runner(ToServerWebSocketClose(65536, None, False)), ".code", 35, "65536 is not in"),
    (
        "after an optional",
        _from_runner(ToServerWebSocketClose(1000, wrong(b"x"), False)),
        ".reason",
        38,
        "str is due, not b'x'",
    ),
    ("bool of 1", _from_runner(ToServerWebSocketClose(1000, "bye", wrong(1))), ".retry", 42, "bool is due, not 1"),
    ("i64 of 2^63", _from_runner(ToServerWebSocketOpen(True, 2**63)), ".lastMsgIndex", 35, "(i64)"),
    ("a huge number", ToServerPing(10**5000), "ts", 1, "a number of 16610 bits is not in"),
    ("the second of two ints", ToServerInit("ab", 1, 2**32, None, None, None), "totalSlots", 8, "(u32)"),
    (
        "bytearray",
        _from_runner(ToServerWebSocketMessage(wrong(bytearray(b"x")), True)),
        ".data",
        34,
        "bytes is due, not a bytearray",
    ),
    ("long bytes", ToServerKvRequest(wrong(b"x" * 99), 0, b""), "actorId", 1, "(99 long)"),
    ("surrogate", ToServerKvRequest("\ud800", 0, b""), "actorId", 1, "lone surrogate"),
    ("opaque of text", ToServerKvRequest("id", 0, TEXT), "data", 8, "bytes is due"),
    ("list", ToServerEvents(wrong([EVENT])), "events", 1, "a tuple is due, not a list"),
    ("item", ToServerEvents((EVENT, wrong(None))), "events[1]", 17, "EventWrapper is due, not None"),
    (
        "in an item",
        ToServerEvents((EVENT, EventWrapper(0, EventActorSetAlarm("", -1, None)))),
        "events[1].inner.EventActorSetAlarm.generation",
        27,
        "-1 is not in",
    ),
    (
        "enum of an int",
        ToServerEvents((EventWrapper(0, EventActorStateUpdate("", 0, ActorStateStopped(wrong(0), None))),)),
        "events[0].inner.EventActorStateUpdate.state.ActorStateStopped.code",
        17,
        "StopCode is due, not 0",
    ),
    ("map of text", ToServerInit("", 0, 0, None, TEXT, None), "prepopulateActorNames", 12, "a tuple of pairs is due"),
    (
        "map's value",
        ToServerInit("", 0, 0, None, (("a", TEXT),), None),
        "prepopulateActorNames[0].value",
        15,
        "ActorName",
    ),
]


def _headers(headers: Any) -> ToClientTunnelMessage:
    return _from_gateway(ToClientWebSocketOpen("a", "/", headers))


UNENCODABLE_TO_CLIENT: list[tuple[str, Any, str, int, str]] = [
    ("headers as dict", _headers({"a": "b"}), ".headers", 38, "a tuple of pairs is due, not a dict"),
    ("header of one", _headers((("a",),)), ".headers[0]", 38, "a pair is due, not a tuple"),
    ("header of text", _headers(("ab",)), ".headers[0]", 38, "a pair is due, not 'ab'"),
    ("header's name", _headers(((1, "b"),)), ".headers[0].key", 38, "str is due, not 1"),
    ("unhashable name", _headers((([], "b"),)), ".headers[0].key", 38, "str is due, not a list"),
    ("names of two kinds", _headers((("a", "b"), (1, "b"))), ".headers[1].key", 38, "str is due, not 1"),
    ("header's value", _headers((("a", "b"), ("c", 1))), ".headers[1].value", 45, "str is due, not 1"),
    ("header twice", _headers((("a", "b"), ("a", "c"))), ".headers[1].key", 38, "the key 'a' comes twice"),
    ("empty header twice", _headers((("", "b"), ("", "c"))), ".headers[1].key", 38, "the key '' comes twice"),
    ("no struct", ToClientInit("", 0, wrong(None)), "metadata", 10, "ProtocolMetadata is due, not None"),
    ("reply to", ToClientTunnelMessage(R, M, TunnelAck(), wrong(5)), "gatewayReplyTo", 35, "str is due, not 5"),
    (
        "body",
        _from_gateway(ToClientRequestStart("", "", "", (), TEXT, False)),
        ".body",
        39,
        "bytes is due, not 'text'",
    ),
]


@pytest.mark.parametrize(
    ("why", "value", "field", "offset", "reason"), UNENCODABLE, ids=[case[0] for case in UNENCODABLE]
)
def test_encode_to_server(why: str, value: Any, field: str, offset: int, reason: str) -> None:
    _assert_unencodable(codec(2).encode_to_server, value, field, offset, reason)


@pytest.mark.parametrize(
    ("why", "value", "field", "offset", "reason"),
    UNENCODABLE_TO_CLIENT,
    ids=[case[0] for case in UNENCODABLE_TO_CLIENT],
)
def test_encode_to_client(why: str, value: Any, field: str, offset: int, reason: str) -> None:
    _assert_unencodable(codec(2).encode_to_client, value, field, offset, reason)


def _assert_unencodable(encode: Any, value: Any, field: str, offset: int, reason: str) -> None:
    with pytest.raises(WireError) as caught:
        encode(value)
    error = caught.value
    kind = type(getattr(value, "messageKind", None)).__name__
    expected = f"messageKind.{kind}{field}" if field.startswith(".") else field
    assert (error.field, error.offset) == (expected, offset), str(error)
    assert error.frame in {type(value).__name__, "ToServer"}
    assert reason in error.reason


def test_version_1_has_no_message_ack() -> None:
    with pytest.raises(WireError) as caught:
        codec(1).encode_to_server(_from_runner(ToServerWebSocketMessageAck(1)))
    assert (caught.value.frame, caught.value.field, caught.value.offset) == (IN_SERVER, "messageKind", 33)
    assert "ToServerWebSocketMessageAck is not in ToServerTunnelMessageKind of version 1" in str(caught.value)


class _Bytes(bytes):
    """A library's own kind of bytes."""


class _Text(str):
    """A library's own kind of text."""


def test_subclasses_are_taken_for_what_they_are() -> None:
    message = ToClientTunnelMessage(_Bytes(R), _Bytes(M), ToClientWebSocketMessage(StopCode.ERROR, _Bytes(b"x"), True))
    plain = ToClientTunnelMessage(R, M, ToClientWebSocketMessage(1, b"x", True))
    assert codec(2).encode_to_client(message) == codec(2).encode_to_client(plain)
    assert codec(2).encode_to_client(_headers(((_Text("b"), _Text("2")), (_Text("a"), "1")))) == codec(
        2
    ).encode_to_client(_headers((("a", "1"), ("b", "2"))))
    assert codec(2).encode_to_server(ToServerStopping()) == b"\x03"
