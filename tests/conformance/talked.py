"""Conversations as they are recorded, made up: what the judges of promises are tried on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tunnelconform.promises import Account, Fact, Words, gateway
from tunnelspec.frames import (
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
    TunnelAck,
)

GRACE_MS = 1_000
OPEN = ToClientWebSocketOpen("actor", "/", ())


@dataclass
class Talk:
    """A conversation with a gateway, as it is recorded. A link is a life of the actor."""

    facts: list[Fact] = field(default_factory=list)
    ids: int = 0

    def add(self, channel: int, to_subject: bool, what: Any, message_id: bytes = b"") -> bytes:
        self.ids += 1
        message_id = message_id or self.ids.to_bytes(16, "big")
        self.facts.append(Fact(len(self.facts), channel, to_subject, what, message_id))
        return message_id

    def opens(self, link: int, last: int = -1, can_hibernate: bool = True) -> None:
        opened = self.add(link, False, OPEN)
        self.add(link, True, TunnelAck(), opened)
        answer = self.add(link, True, ToServerWebSocketOpen(can_hibernate, last))
        self.add(link, False, TunnelAck(), answer)

    def says(self, number: int) -> None:
        self.add(0, True, said(number))

    def brings(self, link: int, number: int, index: int | None = None) -> None:
        self.add(link, False, frame(number, index))

    def acks(self, link: int, index: int) -> None:
        self.add(link, False, TunnelAck(), self.add(link, True, ToServerWebSocketMessageAck(index)))

    def tells(self, link: int, text: str, heard: bool = True) -> None:
        self.add(link, True, ToServerWebSocketMessage(text.encode(), False))
        if heard:
            self.add(0, False, Words(text.encode(), False))

    def judged(self, later_ms: int = GRACE_MS) -> Account:
        return gateway(self.facts, len(self.facts) + later_ms, GRACE_MS)

    @property
    def broken(self) -> str:
        found = self.judged().broken
        return found.property if found else ""


def said(number: int) -> Words:
    """Each client's message has words of its own."""
    return Words(f"m{number}".encode(), number % 2 == 0)


def frame(number: int, index: int | None = None) -> ToClientWebSocketMessage:
    words = said(number)
    return ToClientWebSocketMessage(number if index is None else index, words.data, words.binary)


def places(talk: Talk, kind: type[Any], to_subject: bool) -> list[int]:
    return [n for n, fact in enumerate(talk.facts) if isinstance(fact.what, kind) and fact.to_subject is to_subject]
