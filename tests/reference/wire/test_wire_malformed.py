"""Every way in which bytes can fail to be a frame, and values to have bytes: which frame, which field, which byte."""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple

import pytest

from tests.reference.wire.vectors import M, R
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

# A runner's tunnel message has its kind's tag at byte 33 and the kind's fields from byte 34 on; so has a gateway's.
SERVER, CLIENT = f"06{R.hex()}{M.hex()}", f"05{R.hex()}{M.hex()}"
IN_SERVER, IN_CLIENT = "ToServerTunnelMessage", "ToClientTunnelMessage"


class Bad(NamedTuple):
    """Bytes that are not a frame."""

    why: str
    direction: str
    text: str
    frame: str
    field: str
    offset: int
    reason: str
    version: int = 2


def _server(why: str, text: str, field: str, offset: int, reason: str, version: int = 2) -> Bad:
    return Bad(why, "to_server", SERVER + text, IN_SERVER, f"messageKind{field}", offset, reason, version)


def _client(why: str, text: str, field: str, offset: int, reason: str, version: int = 2) -> Bad:
    return Bad(why, "to_client", CLIENT + text, IN_CLIENT, f"messageKind{field}", offset, reason, version)


OPEN, MESSAGE, CLOSE = ".ToServerWebSocketOpen", ".ToClientWebSocketMessage", ".ToServerWebSocketClose"
HEADERS = ".ToClientWebSocketOpen.headers"

BAD = [
    # bools and optionals
    _server("bool of 2", "04 02 0000000000000000", f"{OPEN}.canHibernate", 34, "a bool of 2"),
    _client("bool of 255", "05 0000 00 ff 00", f"{MESSAGE}.binary", 37, "a bool of 255"),
    _server("optional tag 2", "07 02", f"{CLOSE}.code", 34, "an optional's tag of 2"),
    _server("second optional's tag", "07 01 e803 80", f"{CLOSE}.reason", 37, "an optional's tag of 128"),
    Bad("last optional", "to_client", CLIENT + "0003", IN_CLIENT, "gatewayReplyTo", 34, "tag of 3"),
    # the end
    Bad("nothing at all", "to_server", "", "ToServer", "<tag>", 0, "ends before this field"),
    Bad("cut in the request id", "to_server", "06 000102", IN_SERVER, "requestId", 1, "16 bytes are due, 3 are there"),
    Bad("cut before it", "to_server", "06", IN_SERVER, "requestId", 1, "ends before this field"),
    Bad("cut in the message id", "to_server", SERVER[:-2], IN_SERVER, "messageId", 17, "16 bytes are due, 15 are"),
    _server("no kind", "", "", 33, "ends before this field"),
    _server("cut in an i64", "04 01 ffff", f"{OPEN}.lastMsgIndex", 35, "8 bytes are due, 2 are there"),
    _server("cut before a bool", "07 00 00", f"{CLOSE}.retry", 36, "ends before this field"),
    _client("cut in a u16", "05 00", f"{MESSAGE}.index", 34, "2 bytes are due, 1 are there"),
    _client("cut before a length", "05 0000", f"{MESSAGE}.data", 36, "ends before this field"),
    Bad("no optional", "to_client", CLIENT + "00", IN_CLIENT, "gatewayReplyTo", 34, "ends before this field"),
    Bad(
        "cut in u32s", "to_server", "00 00 01000000 02", "ToServerInit", "totalSlots", 6, "4 bytes are due, 1 are there"
    ),
    Bad(
        "cut in a struct",
        "to_client",
        "00 00 " + "00" * 10,
        "ToClientInit",
        "metadata.runnerLostThreshold",
        10,
        "8 bytes",
    ),
    # trailing bytes
    Bad("one byte too many", "to_server", "0300", "ToServerStopping", "<end>", 1, "1 bytes too many"),
    Bad("after an ack", "to_server", SERVER + "00 616263", IN_SERVER, "<end>", 34, "3 bytes too many"),
    _client("a v2 message in v1", "05 0100 02 6869 00 00", f"{MESSAGE}.binary", 36, "a bool of 2", 1),
    # tags
    Bad("unknown frame", "to_server", "07", "ToServer", "<tag>", 0, "ToServer has no member 7"),
    Bad("unknown frame, to the runner", "to_client", "06", "ToClient", "<tag>", 0, "ToClient has no member 6"),
    Bad("unknown frame, long tag", "to_server", "8001", "ToServer", "<tag>", 0, "ToServer has no member 128"),
    Bad("padded tag", "to_server", "8300", "ToServer", "<tag>", 0, "in more bytes than it needs"),
    Bad("unending tag", "to_server", "80", "ToServer", "<tag>", 0, "ends within a number"),
    _server("unknown kind", "08", "", 33, "ToServerTunnelMessageKind has no member 8"),
    _server("unknown kind in v1", "07 00 00", "", 33, "ToServerTunnelMessageKind has no member 7", 1),
    _server("padded kind", "8000", "", 33, "in more bytes than it needs"),
    Bad(
        "unknown event",
        "to_server",
        "01 01 " + "00" * 8 + "03" + "00" * 6,
        "ToServerEvents",
        "events[0].inner",
        10,
        "Event has",
    ),
    Bad(
        "unknown intent",
        "to_server",
        "01 01 " + "00" * 8 + "00 00 00000000 02",
        "ToServerEvents",
        "events[0].inner.EventActorIntent.intent",
        16,
        "ActorIntent has no member 2",
    ),
    Bad(
        "unknown enum value",
        "to_server",
        "01 01 " + "00" * 8 + "01 00 00000000 01 02 00",
        "ToServerEvents",
        "events[0].inner.EventActorStateUpdate.state.ActorStateStopped.code",
        17,
        "StopCode has no member 2",
    ),
    Bad(
        "padded enum value",
        "to_server",
        "01 01 " + "00" * 8 + "01 00 00000000 01 8000 00",
        "ToServerEvents",
        "events[0].inner.EventActorStateUpdate.state.ActorStateStopped.code",
        17,
        "more bytes than it needs",
    ),
    # lengths
    _server("length beyond the frame", "05 03 6162", ".ToServerWebSocketMessage.data", 34, "a length of 3, but 2"),
    _server("long length beyond", "05 8001 00", ".ToServerWebSocketMessage.data", 34, "a length of 128, but 1"),
    _server("length 2^64-1", "05 ffffffffffffffffff01", ".ToServerWebSocketMessage.data", 34, f"length of {2**64 - 1}"),
    _server("padded length", "05 8000 00", ".ToServerWebSocketMessage.data", 34, "in more bytes than it needs"),
    _server(
        "padded length, ten bytes", "05 81808080808080808000", ".ToServerWebSocketMessage.data", 34, "more bytes than"
    ),
    _server("length 2^64", "05 80808080808080808002", ".ToServerWebSocketMessage.data", 34, "more than 64 bits"),
    _server("eleven bytes", "05 8080808080808080808001", ".ToServerWebSocketMessage.data", 34, "more than 64 bits"),
    _server("length cut", "05 ffffff", ".ToServerWebSocketMessage.data", 34, "ends within a number"),
    Bad(
        "str beyond",
        "to_server",
        "05 05 6162",
        "ToServerKvRequest",
        "actorId",
        1,
        "a length of 5, but 2 bytes are left",
    ),
    # text
    Bad(
        "a lone continuation byte", "to_server", "05 03 616280 00000000", "ToServerKvRequest", "actorId", 4, "not UTF-8"
    ),
    Bad("a surrogate", "to_server", "05 03 eda080 00000000", "ToServerKvRequest", "actorId", 2, "not UTF-8"),
    Bad("overlong", "to_server", "05 02 c080 00000000", "ToServerKvRequest", "actorId", 2, "not UTF-8"),
    Bad("cut character", "to_server", "05 02 61c3 00000000", "ToServerKvRequest", "actorId", 3, "not UTF-8"),
    _server("in a reason", "07 00 01 01 ff 00", f"{CLOSE}.reason", 37, "not UTF-8"),
    Bad("in the last optional", "to_client", CLIENT + "00 01 02 61ff", IN_CLIENT, "gatewayReplyTo", 37, "not UTF-8"),
    # lists and maps
    _client("key twice", "04 00 00 02 0161 00 0161 00 00", f"{HEADERS}[1].key", 40, "the key 'a' comes twice"),
    _client("empty key twice", "04 00 00 02 00 00 00 00 00", f"{HEADERS}[1].key", 39, "the key '' comes twice"),
    _client("bad key", "04 00 00 01 01ff 00 00", f"{HEADERS}[0].key", 38, "not UTF-8"),
    _client("bad value", "04 00 00 01 0161 01ff 00", f"{HEADERS}[0].value", 40, "not UTF-8"),
    _client("value cut", "04 00 00 01 0161", f"{HEADERS}[0].value", 39, "ends before this field"),
    _client(
        "too many entries", "04 00 00 05 0161 0162 00 00", f"{HEADERS}", 36, "a count of 5, for which 6 bytes cannot"
    ),
    _client("2^64-1 entries", "04 00 00 ffffffffffffffffff01 00", f"{HEADERS}", 36, f"count of {2**64 - 1}"),
    Bad(
        "too many events",
        "to_server",
        "01 02" + "00" * 29,
        "ToServerEvents",
        "events",
        1,
        "count of 2, for which 29 bytes",
    ),
    Bad("too many commands", "to_client", "02 8080808008" + "00" * 20, "ToClientCommands", "commands", 1, "count of"),
    Bad("padded count", "to_server", "01 8100" + "00" * 30, "ToServerEvents", "events", 1, "more bytes than it needs"),
    Bad(
        "metadata of an actor's name",
        "to_server",
        "00 00 00000000 00000000 00 01 01 0161 01 ff 00",
        "ToServerInit",
        "prepopulateActorNames[0].value.metadata",
        16,
        "not UTF-8",
    ),
]


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
