"""How fast the wire codec is, as ratios to pybare on the same frames in one run.

    python bench/codec.py [--json] [--rounds N]

The two take turns, a round of one and a round of the other, so that a slow moment of the machine meets both; of each
the best round counts. pybare is given its values ready made, in its own classes: only encoding and decoding are timed.
The frames are tunnel messages, for these are what a gateway relays; pybare knows just enough of the schema for them.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from tunnelref.wire import codec
from tunnelspec import frames as f

GOAL = 10.0
BATCH = 200
REQUEST_ID, MESSAGE_ID = bytes(range(16)), bytes(range(16, 32))
PAYLOAD = b"x" * 100


bare: Any = import_module("bare")  # pybare; it has no types

ClientMessage = bare.struct(index=bare.U16, data=bare.Data, binary=bare.Bool)
ClientOpen = bare.struct(actorId=bare.Str, path=bare.Str, headers=bare.map(bare.Str, bare.Str))
ServerMessage = bare.struct(data=bare.Data, binary=bare.Bool)
ServerMessageAck = bare.struct(index=bare.U16)
ClientKind = bare.union(bare.Void, bare.UnionVariant(ClientOpen, 4), bare.UnionVariant(ClientMessage, 5))
ServerKind = bare.union(bare.Void, bare.UnionVariant(ServerMessage, 5), bare.UnionVariant(ServerMessageAck, 6))
ClientTunnelMessage = bare.struct(
    requestId=bare.data(16), messageId=bare.data(16), messageKind=ClientKind, gatewayReplyTo=bare.optional(bare.Str)
)
ServerTunnelMessage = bare.struct(requestId=bare.data(16), messageId=bare.data(16), messageKind=ServerKind)
ToClient = bare.union(bare.UnionVariant(ClientTunnelMessage, 5))
ToServer = bare.union(bare.UnionVariant(ServerTunnelMessage, 6))


@dataclass(frozen=True)
class Case:
    """One frame, as ours and as pybare's."""

    name: str
    ours: Any
    theirs: Any

    def functions(self) -> dict[str, tuple[Callable[[], object], Callable[[], object]]]:
        """For each verb, what we do and what pybare does. Raises ``AssertionError`` if the bytes are not the same."""
        wire, theirs, ours = codec(2), self.theirs, self.ours
        to_client = isinstance(ours, f.ToClientTunnelMessage)
        encode, decode = (
            (wire.encode_to_client, wire.decode_to_client)
            if to_client
            else (wire.encode_to_server, wire.decode_to_server)
        )
        data, union = encode(ours), type(theirs)
        assert data == bytes(theirs.pack()), self.name
        assert decode(data) == ours, self.name
        return {
            "encode": (lambda: encode(ours), theirs.pack),
            "decode": (lambda: decode(data), lambda: union.unpack(io.BytesIO(data))),
        }


def to_client(name: str, ours: f.ToClientTunnelMessageKind, theirs: Any) -> Case:
    frame = ClientTunnelMessage(
        requestId=REQUEST_ID, messageId=MESSAGE_ID, messageKind=ClientKind(theirs), gatewayReplyTo=None
    )
    return Case(name, f.ToClientTunnelMessage(REQUEST_ID, MESSAGE_ID, ours), ToClient(frame))


def to_server(name: str, ours: f.ToServerTunnelMessageKind, theirs: Any) -> Case:
    frame = ServerTunnelMessage(requestId=REQUEST_ID, messageId=MESSAGE_ID, messageKind=ServerKind(theirs))
    return Case(name, f.ToServerTunnelMessage(REQUEST_ID, MESSAGE_ID, ours), ToServer(frame))


def cases() -> list[Case]:
    headers = {"host": "gateway.example", "origin": "https://app.example", "user-agent": "Mozilla/5.0"}
    return [
        to_client(
            "ToClientWebSocketMessage, 100 B",
            f.ToClientWebSocketMessage(7, PAYLOAD, True),
            ClientMessage(index=7, data=PAYLOAD, binary=True),
        ),
        to_server(
            "ToServerWebSocketMessage, 100 B",
            f.ToServerWebSocketMessage(PAYLOAD, True),
            ServerMessage(data=PAYLOAD, binary=True),
        ),
        to_server("ToServerWebSocketMessageAck", f.ToServerWebSocketMessageAck(7), ServerMessageAck(index=7)),
        to_client("TunnelAck", f.TunnelAck(), bare.Void()),
        to_client(
            "ToClientWebSocketOpen, 3 headers",
            f.ToClientWebSocketOpen("actor-1", "/chat?room=1", f.canonical_map(headers)),
            ClientOpen(actorId="actor-1", path="/chat?room=1", headers=headers),
        ),
    ]


def seconds(function: Callable[[], object], times: int) -> float:
    """Seconds for one call, over so many."""
    start = time.perf_counter()
    for _ in range(times):
        function()
    return (time.perf_counter() - start) / times


def compare(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Seconds for one call of each, the best of so many rounds, taking turns."""
    best = [(seconds(ours, BATCH * 10), seconds(theirs, BATCH)) for _ in range(rounds)]
    return min(our for our, _ in best), min(their for _, their in best)


def measure(rounds: int) -> list[dict[str, Any]]:
    """One record for each frame and verb: ``ratio`` is pybare's time over ours, ``us`` ours in microseconds."""
    results: list[dict[str, Any]] = []
    for case in cases():
        for verb, functions in case.functions().items():
            ours, theirs = compare(*functions, rounds)
            results.append(
                {"frame": case.name, "verb": verb, "ratio": round(theirs / ours, 1), "us": round(ours * 1e6, 2)}
            )
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description="Encode and decode tunnel messages: times as fast as pybare.")
    parser.add_argument("--json", action="store_true", help="print records instead of a table")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="rounds for each of the two (default 15)")
    options = parser.parse_args()
    results = measure(options.rounds)
    if options.json:
        json.dump({"bench": "codec", "goal": GOAL, "results": results}, sys.stdout, indent=2)
        print()
    else:
        for result in results:
            print(f"{result['frame']:32} {result['verb']}  {result['ratio']:6.1f} x pybare  {result['us']:6.2f} us")
        print(f"goal: at least {GOAL} x; the least {min(result['ratio'] for result in results)} x")


if __name__ == "__main__":
    main()
