"""Exercises on the wire: recordings of gateways that depart from the tables, made by letting them do it in the closed world.

What is recorded is what a proxy on each link would have written down: every frame as it is sent, in bytes, in order. Names, ids,
data and times, which the closed world does not have, are made up here, always alike.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from tunnelcheck.replay import Moment, replay
from tunnelconform.passive import Breach, judge
from tunnelconform.recording import TO_CLIENT, TO_SERVER, Entry, Frame, LinkClosed, LinkOpened, dump, parse
from tunnelref.messageid import message_id
from tunnelref.wire import codec
from tunnelspec.deviations import apply, named
from tunnelspec.frames import (
    ProtocolMetadata,
    ToClientInit,
    ToClientTunnelMessage,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerInit,
    ToServerTunnelMessage,
    ToServerWebSocketMessage,
    TunnelAck,
)
from tunnelspec.limits import DEFAULT
from tunnelspec.system import FOREIGN, Bounds, Carried, System

PROTOCOL = 2
STEP_MS = 7
"""Between two actions."""

TAKES_MS = {
    "open-timeout": DEFAULT.open_timeout_ms,
    "backoff": DEFAULT.backoff_ms,
    "ack-due": DEFAULT.ack_delay_ms,
    "sleep": 900,
    "say": 200,
}
"""How long it takes until an action, by its id without the side."""


@dataclass(frozen=True)
class Broken:
    """A gateway with a bug, and what happens to it."""

    name: str
    deviation: str
    actions: str
    bounds: Bounds

    @property
    def system(self) -> System:
        """Its world. Without a deviation it is one where the gateway has no bug."""
        return apply(System(self.bounds), [named(self.deviation)] if self.deviation else [])

    def moments(self) -> tuple[Moment, ...]:
        """What happens. Raises ``tunnelcheck.replay.Unfaithful``."""
        return replay(self.system, self.actions.split())

    def recording(self) -> tuple[Entry, ...]:
        """What a proxy would have written down."""
        return tuple(Tape(self.name).entries(self.system, self.moments()))

    def text(self) -> str:
        """The recording, as its file has it."""
        return dump(self.recording())

    def breach(self) -> Breach:
        """The gateway's first frame, or silence, that the tables do not allow. Raises ``ValueError`` if there is none."""
        found = [breach for breach in judge(parse(self.text())).breaches if breach.side == "gateway"]
        if not found:
            raise ValueError(f"{self.name}: nothing on the wire shows {self.deviation}")
        return found[0]


class Tape:
    """Turns the moments of a trace into entries."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.request = self._bytes("request", 16)
        self.prefixes = {TO_CLIENT: self._bytes("gateway", 8), TO_SERVER: self._bytes("runner", 8)}
        self.fresh = 0
        self.time_ms = 0

    def _bytes(self, what: str, size: int) -> bytes:
        return sha256(f"{self.name} {what}".encode()).digest()[:size]

    def entries(self, system: System, moments: tuple[Moment, ...]) -> Iterator[Entry]:
        """All of them, with the links' beginnings and ends."""
        for place, side in enumerate(system.sides, 1):
            yield from self._joins(place, side)
        for moment in moments:
            self.time_ms += STEP_MS + TAKES_MS.get(re.sub(r"-[ab]$", "", moment.action.id), 0)
            yield from self._sent(system, moment)
            for side in system.sides:
                before, after = moment.before[f"line_{side}"], moment.after[f"line_{side}"]
                if before.up and not after.up:
                    yield LinkClosed(self.time_ms, before.link)
                if after.link != before.link:
                    yield from self._joins(after.link, side)

    def _joins(self, link: int, side: str) -> Iterator[Entry]:
        one, at = codec(PROTOCOL), self.time_ms
        yield LinkOpened(at, link, PROTOCOL, "default", f"runner-{side}")
        yield Frame(at + 1, link, TO_SERVER, one.encode_to_server(ToServerInit("exercise", 1, 1, None, None, None)))
        welcome = ToClientInit(f"runner-{side}", -1, ProtocolMetadata(DEFAULT.lost_threshold_ms))
        yield Frame(at + 2, link, TO_CLIENT, one.encode_to_client(welcome))
        self.time_ms += 3

    def _sent(self, system: System, moment: Moment) -> Iterator[Entry]:
        if moment.action.party.startswith(("runner", "actor")) or moment.action.id.startswith("down-"):
            yield from self._frames(moment.registers.get("said", ()), TO_SERVER, TO_CLIENT)
        else:
            for side in system.sides:
                yield from self._frames(moment.registers.get(f"said_{side}", ()), TO_CLIENT, TO_SERVER)

    def _frames(self, said: tuple[tuple[int, Carried], ...], way: str, other: str) -> Iterator[Frame]:
        for link, carried in said:
            acks = isinstance(carried.frame, TunnelAck)
            id_ = message_id(self.prefixes[other if acks else way], carried.number)
            if acks and carried.number == FOREIGN:
                self.fresh += 1
                id_ = self._bytes(f"fresh {self.fresh}", 16)
            data = ENCODED[way](self.request, id_, worded(carried.frame))
            yield Frame(self.time_ms, link, way, data)


ENCODED: dict[str, Callable[[bytes, bytes, Any], bytes]] = {
    TO_CLIENT: lambda request, id_, kind: codec(PROTOCOL).encode_to_client(ToClientTunnelMessage(request, id_, kind)),
    TO_SERVER: lambda request, id_, kind: codec(PROTOCOL).encode_to_server(ToServerTunnelMessage(request, id_, kind)),
}


def worded(frame: Any) -> Any:
    """A frame of the closed world with names and data as a reader expects them."""
    if isinstance(frame, ToClientWebSocketOpen):
        return ToClientWebSocketOpen("counter.1", "/", ())
    if isinstance(frame, ToClientWebSocketMessage | ToServerWebSocketMessage):
        return replace(frame, data=f"message {frame.data[0]}".encode())
    return frame
