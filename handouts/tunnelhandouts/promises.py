"""What version 2 promises, aspect by aspect, with the properties that say so; whether they hold is decided by the checker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tunnelcheck.report import check
from tunnelcheck.scenarios import SMALL
from tunneldraw.picture import amount
from tunnelspec.connection import INTERNAL_ERROR
from tunnelspec.limits import DEFAULT
from tunnelspec.properties import PROPERTIES


@dataclass(frozen=True)
class Promise:
    """A promise and the properties that it rests on; or, ``kept`` False, what is not promised, and what holds instead."""

    says: str
    properties: tuple[str, ...]
    kept: bool = True

    def __post_init__(self) -> None:
        known = {p.id for p in PROPERTIES}
        for id_ in self.properties:
            if id_ not in known:
                raise ValueError(f"{self.says}: there is no property {id_}")


def _limit(name: str) -> str:
    value, unit = next((value, unit) for key, value, unit, _, _ in DEFAULT.describe() if key == name)
    number, _, word = amount(value, unit).partition(" ")
    if unit == "bytes" and value % (1 << 20) == 0:
        return f"{value >> 20} MiB"
    return f"{int(number):,} {word}".replace(",", " ")


def promises() -> Mapping[str, tuple[Promise, ...]]:
    """Aspect -> promises."""
    return {
        "covers": (
            Promise("client to actor: each message is applied once, or its sender is told",
                    ("P-NO-DUP", "P-LOSS-KNOWN", "L-TOLD")),
            Promise("actor to client: that a message arrives is not promised; it does at most once, and in order",
                    ("P-ASYM",), kept=False),
        ),
        "index": (
            Promise(f"u16 in each message, {_limit('index_modulus')}; goes on over sleep, wake and wrap",
                    ("P-RESUME-CONT", "P-WRAP", "P-COUNT-SAME")),
        ),
        "acks": (
            Promise("the runner, each message: its actor has it or will be given it", ("P-ACK-KEPT",)),
            Promise("the runner, cumulatively: it is in the actor's durable state", ("P-DURABLE", "P-ACK-MONO", "P-ACK-BOUND")),
        ),
        "window": (Promise(f"{_limit('max_pending_messages')}: half the circle", ("P-WINDOW",)),),
        "buffer": (
            Promise(f"in the gateway, {_limit('max_pending_bytes')} for each client", ("P-BOUND", "P-ACCOUNT")),
        ),
        "limit": (
            Promise(f"the client is closed with {INTERNAL_ERROR}; what was accepted is delivered, then the close",
                    ("P-SEND-FAIL", "P-CLOSE-CLIENT")),
        ),
        "resume": (
            Promise("the gateway keeps the client's socket and opens again; what is after lastMsgIndex is sent again",
                    ("P-REPLAY-EXACT", "P-ZERO", "P-AGAIN")),
            Promise("a client that loses its own socket cannot come back to it: its entry is freed", ("L-FREE",), kept=False),
        ),
        "duplicates": (Promise("dropped by index, which is stored with the state", ("P-NO-DUP",)),),
        "gap": (Promise("never passed over: the tunnel is closed, and replayed", ("P-GAP-LOUD",)),),
        "time": (
            Promise(f"an ack within {_limit('ack_timeout_ms')}; asleep for {_limit('max_hibernation_ms')} at most",
                    ("P-KEEPALIVE", "P-TIMER", "L-WAKE")),
        ),
        "failure": (
            Promise(f"close {INTERNAL_ERROR} with the error's name, once", ("P-LOSS-KNOWN", "P-CLOSE-SEEN", "L-OPEN")),
        ),
    }  # fmt: skip


def verdicts(ids: Iterable[str]) -> dict[str, str]:
    """Each property's verdict, as the checker finds it in the small worlds: holds, violated or undecided."""
    wanted = set(ids)
    outcome = check(SMALL, properties=[p for p in PROPERTIES if p.id in wanted])
    return {id_: outcome.verdict_of(id_) if id_ in outcome.judged else "undecided" for id_ in sorted(wanted)}
