"""Frames whose bytes were worked out by hand from the protocol's tables, not by any program.

``R`` and ``M`` stand for the request id 00 to 0f and the message id 10 to 1f. White space is for the reader.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tunnelspec.frames import (
    ActorConfig,
    ActorIntentSleep,
    ActorIntentStop,
    ActorName,
    ActorStateRunning,
    ActorStateStopped,
    CommandStartActor,
    CommandStopActor,
    CommandWrapper,
    EventActorIntent,
    EventActorSetAlarm,
    EventActorStateUpdate,
    EventWrapper,
    ProtocolMetadata,
    StopCode,
    ToClientAckEvents,
    ToClientClose,
    ToClientCommands,
    ToClientInit,
    ToClientKvResponse,
    ToClientRequestAbort,
    ToClientRequestChunk,
    ToClientRequestStart,
    ToClientTunnelMessage,
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerAckCommands,
    ToServerEvents,
    ToServerInit,
    ToServerKvRequest,
    ToServerPing,
    ToServerResponseAbort,
    ToServerResponseChunk,
    ToServerResponseStart,
    ToServerStopping,
    ToServerTunnelMessage,
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
    TunnelAck,
)

R, M = bytes(range(16)), bytes(range(16, 32))


class Vector(NamedTuple):
    """A frame and its bytes in the versions in which they are these."""

    versions: tuple[int, ...]
    direction: str
    value: Any
    text: str

    @property
    def data(self) -> bytes:
        return bytes.fromhex(self.text.replace("R", R.hex()).replace("M", M.hex()))

    @property
    def name(self) -> str:
        kind = getattr(self.value, "messageKind", self.value)
        return f"{type(kind).__name__}-v{''.join(map(str, self.versions))}-{self.text[:24].replace(' ', '')}"


def _server(text: str, value: Any, versions: tuple[int, ...] = (1, 2)) -> Vector:
    return Vector(versions, "to_server", value, text)


def _client(text: str, value: Any, versions: tuple[int, ...] = (1, 2)) -> Vector:
    return Vector(versions, "to_client", value, text)


def _runner_says(text: str, kind: Any, versions: tuple[int, ...] = (1, 2)) -> Vector:
    return _server(f"06 R M {text}", ToServerTunnelMessage(R, M, kind), versions)


def _gateway_says(text: str, kind: Any, versions: tuple[int, ...] = (1, 2), reply_to: str | None = None) -> Vector:
    return _client(f"05 R M {text}", ToClientTunnelMessage(R, M, kind, reply_to), versions)


V1, V2 = (1,), (2,)

VECTORS = [
    # -- runner to gateway -------------------------------------------------------------------------------------------
    _server("00 01 72  01000000  02000000  00 00 00", ToServerInit("r", 1, 2, None, None, None)),
    _server(
        "00 03 6ec3a9  ffffffff  0a000000  01 ffffffffffffffff  01 02  01 61 02 7b7d  01 62 01 31  01 02 7b7d",
        ToServerInit("né", 4294967295, 10, -1, (("a", ActorName("{}")), ("b", ActorName("1"))), "{}"),
    ),
    _server("01 00", ToServerEvents(())),
    _server(
        "01 05"
        "  0100000000000000 00 01 61 03000000 00"
        "  0200000000000000 00 01 61 03000000 01"
        "  0300000000000000 01 01 61 03000000 00"
        "  0400000000000000 01 01 61 03000000 01 01 01 02 6e6f"
        "  ff00000000000000 02 01 61 03000000 01 0001000000000000",
        ToServerEvents(
            (
                EventWrapper(1, EventActorIntent("a", 3, ActorIntentSleep())),
                EventWrapper(2, EventActorIntent("a", 3, ActorIntentStop())),
                EventWrapper(3, EventActorStateUpdate("a", 3, ActorStateRunning())),
                EventWrapper(4, EventActorStateUpdate("a", 3, ActorStateStopped(StopCode.ERROR, "no"))),
                EventWrapper(255, EventActorSetAlarm("a", 3, 256)),
            )
        ),
    ),
    _server(
        "01 02  0000000000000000 01 00 00000000 01 00 00  0000000000000080 02 00 00000000 00",
        ToServerEvents(
            (
                EventWrapper(0, EventActorStateUpdate("", 0, ActorStateStopped(StopCode.OK, None))),
                EventWrapper(-(2**63), EventActorSetAlarm("", 0, None)),
            )
        ),
    ),
    _server("02 0500000000000000", ToServerAckCommands(5)),
    _server("03", ToServerStopping()),
    _server("04 ffffffffffffff7f", ToServerPing(2**63 - 1)),
    _server("05 02 6964 07000000 00 ff 80", ToServerKvRequest("id", 7, b"\x00\xff\x80")),
    _server("05 02 6964 07000000", ToServerKvRequest("id", 7, b"")),
    _runner_says("00", TunnelAck()),
    _runner_says("01 c800 00 00 00", ToServerResponseStart(200, (), None, False)),
    _runner_says(
        "01 9401  02  01 41 01 31  01 61 00  01 02 6f6b  01",
        ToServerResponseStart(404, (("A", "1"), ("a", "")), b"ok", True),
    ),
    _runner_says("01 c800 00 01 00 00", ToServerResponseStart(200, (), b"", False)),
    _runner_says("02 03 616263 00", ToServerResponseChunk(b"abc", False)),
    _runner_says("02 00 01", ToServerResponseChunk(b"", True)),
    _runner_says("03", ToServerResponseAbort()),
    _runner_says("04 01 ffffffffffffffff", ToServerWebSocketOpen(True, -1), V2),
    _runner_says("04 00 ffff000000000000", ToServerWebSocketOpen(False, 65535), V2),
    _runner_says("04", ToServerWebSocketOpen(False, -1), V1),
    _runner_says("05 02 6869 00", ToServerWebSocketMessage(b"hi", False)),
    _runner_says("05 8001" + "00" * 128 + "01", ToServerWebSocketMessage(bytes(128), True)),
    _runner_says("06 ffff", ToServerWebSocketMessageAck(65535), V2),
    _runner_says("07 00 00 00", ToServerWebSocketClose(None, None, False), V2),
    _runner_says("07 01 e803 01 03 627965 01", ToServerWebSocketClose(1000, "bye", True), V2),
    _runner_says("06 00 00", ToServerWebSocketClose(None, None, False), V1),
    _runner_says("06 01 f303 01 03 e282ac", ToServerWebSocketClose(1011, "€", False), V1),
    # -- gateway to runner -------------------------------------------------------------------------------------------
    _client("00 01 72 ffffffffffffffff 983a000000000000", ToClientInit("r", -1, ProtocolMetadata(15000))),
    _client("01", ToClientClose()),
    _client("02 00", ToClientCommands(())),
    _client(
        "02 03"
        "  0000000000000000 00 01 61 01000000 01 6e 00 0100000000000000 00"
        "  0100000000000000 00 01 61 02000000 01 6e 01 01 6b 0000000000000000 01 02 0001"
        "  0200000000000000 01 01 61 02000000",
        ToClientCommands(
            (
                CommandWrapper(0, CommandStartActor("a", 1, ActorConfig("n", None, 1, None))),
                CommandWrapper(1, CommandStartActor("a", 2, ActorConfig("n", "k", 0, b"\x00\x01"))),
                CommandWrapper(2, CommandStopActor("a", 2)),
            )
        ),
    ),
    _client("03 0001000000000000", ToClientAckEvents(256)),
    _client("04 ffffffff 2a", ToClientKvResponse(4294967295, b"*")),
    _gateway_says("00 00", TunnelAck()),
    _gateway_says("00 01 02 6777", TunnelAck(), reply_to="gw"),
    _gateway_says("01 01 61 03 474554 01 2f 00 00 00 00", ToClientRequestStart("a", "GET", "/", (), None, False)),
    _gateway_says(
        "01 01 61 04 504f5354 02 2f78 01 04 686f7374 01 68 01 01 00 01 00",
        ToClientRequestStart("a", "POST", "/x", (("host", "h"),), b"\x00", True),
    ),
    _gateway_says("02 01 ff 01 00", ToClientRequestChunk(b"\xff", True)),
    _gateway_says("03 00", ToClientRequestAbort()),
    _gateway_says("04 01 61 01 2f 00 00", ToClientWebSocketOpen("a", "/", ())),
    _gateway_says(
        "04 01 61 04 2f3f613d  02  04 686f7374 01 68  06 6f726967696e 00  01 01 67",
        ToClientWebSocketOpen("a", "/?a=", (("host", "h"), ("origin", ""))),
        reply_to="g",
    ),
    _gateway_says("05 0100 02 6869 00 00", ToClientWebSocketMessage(1, b"hi", False), V2),
    _gateway_says("05 ffff 00 01 00", ToClientWebSocketMessage(65535, b"", True), V2),
    _gateway_says("05 02 6869 00 00", ToClientWebSocketMessage(0, b"hi", False), V1),
    _gateway_says("06 00 00 00", ToClientWebSocketClose(None, None)),
    _gateway_says("06 01 e903 01 00 00", ToClientWebSocketClose(1001, "")),
]
