"""What other designs say of themselves, each cell looked up in the public documentation or source that its column names.

"Not stated" means that the sources say nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LOOKED_UP = "2026-11-25"

ASPECTS: Mapping[str, str] = {
    "covers": "what is covered",
    "index": "index",
    "acks": "who acks what",
    "window": "in flight at most",
    "buffer": "buffer",
    "limit": "at the limit",
    "resume": "resume",
    "duplicates": "duplicates",
    "gap": "gap",
    "time": "time limits",
    "failure": "on failure the application learns",
}
"""The card's rows."""

NOT_STATED = "not stated"


@dataclass(frozen=True)
class Relative:
    """A design: its name, where it is documented, and its cells; an aspect without one is not stated."""

    name: str
    sources: tuple[str, ...]
    cells: Mapping[str, str]


def _relative(name: str, sources: tuple[str, ...], **cells: str) -> Relative:
    return Relative(name, sources, cells)


RELATIVES: tuple[Relative, ...] = (
    _relative(
        "SignalR stateful reconnect",
        (
            "https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/docs/specs/HubProtocol.md",
            "https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/common/Shared/MessageBuffer.cs",
            "https://learn.microsoft.com/aspnet/core/signalr/configuration",
            "https://learn.microsoft.com/aspnet/core/signalr/dotnet-client",
            "https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/common/Http.Connections/src/ConnectionOptionsSetup.cs",
        ),
        covers="both directions; hub invocations only, not pings or closes",
        index="implicit, int64, from 1, one for each direction",
        acks="either side, up to the highest it has processed; at most one a second",
        buffer="at both ends, 100 000 bytes by default",
        limit="the sender waits for an ack",
        resume="each side says the id of what it sends next, and sends again what is not acked, in order",
        duplicates="dropped by id",
        gap="a first id beyond what was received is an error",
        time="the server forgets a connection that was idle for 15 s, by default",
        failure="the connection's Closed event, when it is not reconnected",
    ),
    _relative(
        "Azure Web PubSub reliable sub-protocol",
        ("https://learn.microsoft.com/azure/azure-web-pubsub/howto-develop-reliable-clients",),
        covers="service to subscriber by sequence id; publisher to service by ack id",
        index="uint64 sequence id in each message; ack id chosen by the publisher",
        acks="the subscriber, a sequence id and all before it; the service, each ack id",
        buffer="in the service; its size is not stated",
        limit="the service closes the connection and removes the session",
        resume="the client connects with connection id and reconnection token; what is not acked is delivered again",
        duplicates="the subscriber drops sequence ids it had; the service answers a known ack id with Duplicate",
        time="the client tries for a minute, or until it is told",
        failure="close code 1008: the session is gone",
    ),
    _relative(
        "Socket.IO connection state recovery",
        (
            "https://socket.io/docs/v4/connection-state-recovery",
            "https://socket.io/docs/v4/delivery-guarantees",
            "https://github.com/socketio/socket.io/blob/main/packages/socket.io-adapter/lib/in-memory-adapter.ts",
        ),
        covers="server to client; client to server at most once, unless the client is told to retry",
        index="an opaque offset at the end of each packet",
        acks="nobody: the client names its last offset when it comes back",
        buffer="the server's adapter stores packets, limited by time",
        resume="private session id and last offset; id, rooms and data are restored, missed packets sent",
        gap="an offset that is no longer stored: nothing is recovered",
        time="maxDisconnectionDuration, 2 minutes by default",
        failure="recovered is false",
    ),
    _relative(
        "Durable Objects hibernation",
        (
            "https://developers.cloudflare.com/durable-objects/best-practices/websockets/",
            "https://developers.cloudflare.com/durable-objects/concepts/durable-object-lifecycle/",
        ),
        covers="the client's socket is held while the object is not in memory; no delivery is promised",
        acks="nobody",
        buffer="no messages; an attachment of 16 384 bytes for each socket",
        resume="an event wakes the object: its constructor runs, attachments are read back",
        time="it hibernates after 10 s without events",
        failure="sockets are closed when the object is shut down, for example by a deployment",
    ),
    _relative(
        "XMPP XEP-0198",
        ("https://xmpp.org/extensions/xep-0198.html",),
        covers="both directions; stanzas only",
        index="implicit count from 0, modulo 2^32",
        acks="either side, how many it has handled; on request, or of its own accord",
        buffer="until acked; the size is the implementation's choice",
        resume="previous id and handled count; both sides send again what was not handled",
        duplicates="only what the peer has not counted as handled is sent again",
        gap="a count beyond what was sent is a stream error: handled-count-too-high",
        time="max, in seconds, named by the server",
        failure="failed; unhandled stanzas are returned, stored, or sent anew",
    ),
    _relative(
        "MQTT 5 sessions",
        ("https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html",),
        covers="both directions; QoS 0 at most once, 1 at least once, 2 exactly once",
        index="packet identifier, u16, no sequence",
        acks="the receiver, each message: PUBACK, or PUBREC and PUBCOMP",
        window="Receive Maximum, 65 535 by default",
        buffer="the session's state at both ends",
        limit="the sender waits for quota",
        resume="Clean Start 0: what is not acked is sent again with its identifier",
        duplicates="possible with QoS 1, excluded by QoS 2",
        time="Session Expiry Interval; 0 by default: the session ends with its connection",
        failure="Session Present is 0",
    ),
)
