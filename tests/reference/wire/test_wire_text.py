"""Frames as JSON: one shape, strictly read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tunnelexport.vectors.frames_by_hand import VECTORS, M, R, Vector
from tunnelref.wire import JsonError, from_json, to_json
from tunnelspec.frames import (
    ToClientTunnelMessage,
    ToClientWebSocketOpen,
    ToServerEvents,
    ToServerPing,
    ToServerTunnelMessage,
    ToServerWebSocketOpen,
    TunnelAck,
)


def test_shape() -> None:
    frame = ToServerTunnelMessage(R, M, ToServerWebSocketOpen(True, -1))
    assert to_json(frame) == {
        "ToServerTunnelMessage": {
            "requestId": "000102030405060708090a0b0c0d0e0f",
            "messageId": "101112131415161718191a1b1c1d1e1f",
            "messageKind": {"ToServerWebSocketOpen": {"canHibernate": True, "lastMsgIndex": -1}},
        }
    }
    opened = ToClientTunnelMessage(R, M, ToClientWebSocketOpen("a", "/", (("x", "1"), ("y", "2"))))
    assert to_json(opened)["ToClientTunnelMessage"] == {
        "requestId": R.hex(),
        "messageId": M.hex(),
        "messageKind": {"ToClientWebSocketOpen": {"actorId": "a", "path": "/", "headers": {"x": "1", "y": "2"}}},
        "gatewayReplyTo": None,
    }
    assert to_json(ToServerEvents(())) == {"ToServerEvents": {"events": []}}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_vectors(vector: Vector) -> None:
    text = json.dumps(to_json(vector.value))
    assert from_json(json.loads(text)) == vector.value


def test_maps_become_canonical_and_defaults_may_be_left_out() -> None:
    kind: Any = {"ToClientWebSocketOpen": {"actorId": "a", "path": "/", "headers": {"y": "2", "x": "1"}}}
    json_: Any = {"ToClientTunnelMessage": {"requestId": R.hex(), "messageId": M.hex(), "messageKind": kind}}
    assert from_json(json_) == ToClientTunnelMessage(R, M, ToClientWebSocketOpen("a", "/", (("x", "1"), ("y", "2"))))


def _tunnel(kind: Any, request_id: Any = "00" * 16) -> Any:
    return {"ToServerTunnelMessage": {"requestId": request_id, "messageId": M.hex(), "messageKind": kind}}


KIND = "frame.ToServerTunnelMessage.messageKind"
REQUEST_ID = "frame.ToServerTunnelMessage.requestId"
BAD: list[tuple[Any, str, str]] = [
    (None, "frame", "an object with one member's name as its key is due, not None"),
    ([], "frame", "is due, not a list"),
    ({}, "frame", "not 0 keys"),
    ({"ToServerPing": {"ts": 1}, "ToServerStopping": {}}, "frame", "not 2 keys"),
    ({"TunnelAck": {}}, "frame", "one of ToServerInit, "),
    ({"ToServerPing": {}}, "frame.ToServerPing", "ToServerPing lacks ts"),
    ({"ToServerPing": {"ts": 1, "to": 2}}, "frame.ToServerPing", "ToServerPing has no to"),
    ({"ToServerPing": {"ts": 1.0}}, "frame.ToServerPing.ts", "a whole number (i64) is due, not 1.0"),
    ({"ToServerPing": {"ts": True}}, "frame.ToServerPing.ts", "a whole number (i64) is due, not True"),
    ({"ToServerPing": {"ts": "1"}}, "frame.ToServerPing.ts", "a whole number"),
    ({"ToServerPing": {"ts": 2**63}}, "frame.ToServerPing.ts", "(i64)"),
    ({"ToServerPing": 1}, "frame.ToServerPing", "an object is due, not 1"),
    ({"ToServerEvents": {"events": {}}}, "frame.ToServerEvents.events", "an array is due"),
    ({"ToServerEvents": {"events": [{"index": 0}]}}, "frame.ToServerEvents.events[0]", "EventWrapper lacks inner"),
    (_tunnel({"TunnelAck": {}}, "00"), REQUEST_ID, "16 bytes are due, not 1"),
    (_tunnel({"TunnelAck": {}}, "zz" * 16), REQUEST_ID, "is not hex"),
    (_tunnel({"TunnelAck": {}}, " " + R.hex()), REQUEST_ID, "is not hex"),
    (_tunnel({"TunnelAck": {}}, 5), REQUEST_ID, "a string of hex digits is due, not 5"),
    (_tunnel({"TunnelAck": None}), f"{KIND}.TunnelAck", "an object is due, not None"),
    (_tunnel({"ToClientRequestAbort": {}}), KIND, "one of TunnelAck, "),
    (
        _tunnel({"ToServerResponseStart": {"status": 200, "headers": {"a": 1}, "body": None, "stream": False}}),
        f"{KIND}.ToServerResponseStart.headers['a']",
        "a string is due, not 1",
    ),
    (
        _tunnel({"ToServerWebSocketOpen": {"canHibernate": 1, "lastMsgIndex": -1}}),
        f"{KIND}.ToServerWebSocketOpen.canHibernate",
        "true or false is due, not 1",
    ),
    ({"ToClientAckEvents": {}}, "frame.ToClientAckEvents", "ToClientAckEvents lacks lastEventIdx"),
]


@pytest.mark.parametrize(("json_", "path", "reason"), BAD)
def test_bad_json(json_: Any, path: str, reason: str) -> None:
    with pytest.raises(JsonError) as caught:
        from_json(json_)
    assert caught.value.path == path
    assert reason in caught.value.reason
    assert str(caught.value) == f"{path}: {caught.value.reason}"


def test_bad_enum() -> None:
    state: Any = {"ActorStateStopped": {"code": "GOOD", "message": None}}
    inner: Any = {"EventActorStateUpdate": {"actorId": "a", "generation": 0, "state": state}}
    with pytest.raises(JsonError, match="one of OK, ERROR is due, not 'GOOD'"):
        from_json({"ToServerEvents": {"events": [{"index": 0, "inner": inner}]}})


@pytest.mark.parametrize("value", [TunnelAck(), None, "text", {"ToServerPing": {"ts": 1}}])
def test_only_frames_have_json(value: Any) -> None:
    with pytest.raises(JsonError, match="neither a ToServer nor a ToClient"):
        to_json(value)


def test_equal_json_means_equal_frames() -> None:
    seen: dict[str, Any] = {}
    for vector in VECTORS:
        text = json.dumps(to_json(vector.value), sort_keys=True)
        assert seen.setdefault(text, vector.value) == vector.value
    assert to_json(ToServerPing(5)) == {"ToServerPing": {"ts": 5}}
