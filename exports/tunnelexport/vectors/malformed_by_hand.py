"""Bytes that are not a frame, worked out by hand: which frame, which field, which byte, and why."""

from __future__ import annotations

from typing import NamedTuple

from tunnelexport.vectors.frames_by_hand import M, R

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
