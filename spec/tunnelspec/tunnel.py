"""Tunnel acks: what has arrived at the other side (TUN-G, TUN-R).

Each tunnel message is answered by a TunnelAck with the same message id, both ways; one that stays unanswered for too long ends
the tunnel. It says *it arrived*, and nothing about what became of it: that is what message acks are for (``ack``).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any, NamedTuple

from tunnelspec.events import (
    Arrived,
    Collect,
    Send,
    TimedOut,
    Transmit,
    TunnelDown,
    TunnelUp,
)
from tunnelspec.fifo import Fifo
from tunnelspec.frames import (
    ToClientRequestStart,
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    TunnelAck,
)
from tunnelspec.limits import Limits
from tunnelspec.machine import Kind, Machine, Received, Role, State, excludes, ignores, moves, refuses

Outputs = tuple[Any, ...]


class Unacked(NamedTuple):
    """A tunnel message of ours that the other side has not acked."""

    number: int
    kind: type[Any]
    sent: int  # ms


class Tunnel(NamedTuple):
    """Context of TUN-G and TUN-R. ``pending`` is in the order of sending: its first is the oldest."""

    link: int = 0
    next: int = 1  # the number of the next message; 0 is nobody's
    pending: Fifo[Unacked] = Fifo()


AWAITED = (ToClientWebSocketOpen, ToClientWebSocketClose, ToServerWebSocketClose, ToClientRequestStart)
"""Tunnel messages whose arrival another machine waits for."""


def place_of(pending: Fifo[Unacked], number: int) -> int:
    """Where the message of that number stands, or -1. Numbers mostly have no gaps, so its place is guessed first."""
    guess = number - pending[0].number if len(pending) > 0 else -1
    if 0 <= guess < len(pending) and pending[guess].number == number:
        return guess
    return next((place for place, unacked in enumerate(pending) if unacked.number == number), -1)


def kind_of(pending: Fifo[Unacked], number: int) -> type[Any] | None:
    """The class of the pending message of that number; None if none has it."""
    place = place_of(pending, number)
    return pending[place].kind if place >= 0 else None


def acks_awaited(c: Tunnel, e: Received[TunnelAck], lim: Limits) -> bool:
    return e.link == c.link and kind_of(c.pending, e.number) in AWAITED


def acks_pending(c: Tunnel, e: Received[TunnelAck], lim: Limits) -> bool:
    return e.link == c.link and kind_of(c.pending, e.number) not in (None, *AWAITED)


def acks_nothing(c: Tunnel, e: Received[TunnelAck], lim: Limits) -> bool:
    return e.number != 0 and (e.link != c.link or kind_of(c.pending, e.number) is None)


def acks_foreign(c: Tunnel, e: Received[TunnelAck], lim: Limits) -> bool:
    return e.number == 0


def gateway_overdue(c: Tunnel, e: Collect, lim: Limits) -> bool:
    return len(c.pending) > 0 and e.now - c.pending[0].sent > lim.ack_timeout_ms


def gateway_not_overdue(c: Tunnel, e: Collect, lim: Limits) -> bool:
    return len(c.pending) == 0 or e.now - c.pending[0].sent <= lim.ack_timeout_ms


def runner_overdue(c: Tunnel, e: Collect, lim: Limits) -> bool:
    return len(c.pending) > 0 and e.now - c.pending[0].sent > lim.runner_ack_timeout_ms


def runner_not_overdue(c: Tunnel, e: Collect, lim: Limits) -> bool:
    return len(c.pending) == 0 or e.now - c.pending[0].sent <= lim.runner_ack_timeout_ms


def raise_tunnel(c: Tunnel, e: TunnelUp, lim: Limits) -> tuple[Tunnel, Outputs]:
    return c._replace(link=e.link, pending=Fifo()), ()


def send(c: Tunnel, e: Transmit, lim: Limits) -> tuple[Tunnel, Outputs]:
    held = c.pending.append(Unacked(c.next, type(e.frame), e.now))
    return Tunnel(c.link, (c.next + 1) % lim.number_modulus or 1, held), (Send(c.link, c.next, e.frame),)


def settle(c: Tunnel, e: Received[TunnelAck], lim: Limits) -> tuple[Tunnel, Outputs]:
    return Tunnel(c.link, c.next, c.pending.remove(place_of(c.pending, e.number))), ()


def settle_and_tell(c: Tunnel, e: Received[TunnelAck], lim: Limits) -> tuple[Tunnel, Outputs]:
    return Tunnel(c.link, c.next, c.pending.remove(place_of(c.pending, e.number))), (
        Arrived(c.pending[place_of(c.pending, e.number)].kind, e.now),
    )


def tell_timeout(c: Any, e: Collect, lim: Limits) -> tuple[Any, Outputs]:
    return c, (TimedOut(e.now),)


def lower_tunnel(c: Tunnel, e: TunnelDown, lim: Limits) -> tuple[Tunnel, Outputs]:
    return c._replace(link=0, pending=Fifo()), ()


def _tunnel_contexts(lim: Limits) -> Iterable[Tunnel]:
    kinds = (ToClientWebSocketOpen, ToClientWebSocketMessage)
    for link, first, second in product((1, 2), kinds, kinds):
        yield Tunnel(link)
        yield Tunnel(link, 2, Fifo((Unacked(1, first, 0),)))
        yield Tunnel(link, 3, Fifo((Unacked(1, first, 0), Unacked(2, second, 1))))


def _tunnel_events(lim: Limits) -> Iterable[Any]:
    yield from (TunnelUp(1), TunnelDown(), Transmit(ToServerWebSocketMessage(b"", False), 0))
    yield from (Received(TunnelAck(), link, number=n) for link in (1, 2, 3) for n in (0, 1, 2, 3))
    for timeout in (lim.ack_timeout_ms, lim.runner_ack_timeout_ms):
        yield from (Collect(timeout + late) for late in (-1, 0, 1, 2))


def _tunnel(id_: str, role: Role, overdue: Any, not_overdue: Any, timeout: str, tells: str) -> Machine:
    ref = "protocol: tunnel ack"
    without_tunnel = ignores if role is Role.GATEWAY else excludes  # a runner's adapter speaks only while it has one
    return Machine(
        id=id_,
        name="tunnel",
        role=role,
        says="Numbers what this side sends through the tunnel, and waits for each message's TunnelAck.",
        states=(
            State("down", Kind.START, "There is no tunnel to send through.", "a tunnel", "the connection opens one"),
            State("up", Kind.STEADY, "Each message sent is pending until it is acked.", "a TunnelAck for each", timeout),
        ),
        start=Tunnel(),
        transitions=(
            moves(f"{id_}-01", ("down", "up"), TunnelUp, "up", then=raise_tunnel, ref=ref,
                  says="A tunnel over a link starts with nothing pending; what an earlier one waited for is forgotten."),
            moves(f"{id_}-02", "up", Transmit, None, then=send, ref=ref,
                  says="A message sent is numbered, and pending from now."),
            moves(f"{id_}-03", "up", TunnelAck, None, when=acks_awaited, then=settle_and_tell, ref=ref,
                  says="The TunnelAck of an open or a close is passed on: somebody waits for it."),
            moves(f"{id_}-04", "up", TunnelAck, None, when=acks_pending, then=settle, ref=ref,
                  says="The TunnelAck of any other pending message settles it."),
            ignores(f"{id_}-05", "up", TunnelAck, when=acks_nothing,
                    says="An ack of what is acked already, or of an earlier tunnel's message, changes nothing."),
            refuses(f"{id_}-06", "up", TunnelAck, when=acks_foreign,
                    says="An ack of a message that was never sent is an error and changes nothing.", ref="P-ACK-BOUND"),
            moves(f"{id_}-07", "up", Collect, None, when=overdue, then=tell_timeout, ref=tells,
                  says="A message unacked for longer than the timeout ends the tunnel; never silently."),
            ignores(f"{id_}-08", "up", Collect, when=not_overdue,
                    says="Collection keeps what is not overdue; a message exactly as old as the timeout is not."),
            moves(f"{id_}-09", "up", TunnelDown, "down", then=lower_tunnel, ref=ref,
                  says="What the tunnel had not acked is not coming any more."),
            without_tunnel(f"{id_}-10", "down", Transmit,
                    says="Nothing can be sent without a tunnel; whoever closes over a lost tunnel cannot tell the peer."),
            ignores(f"{id_}-11", "down", TunnelAck, says="An ack from an earlier tunnel comes too late to matter."),
            ignores(f"{id_}-12", "down", Collect, says="Nothing is pending without a tunnel."),
            without_tunnel(f"{id_}-13", "down", TunnelDown, says="There is no tunnel to lower."),
        ),
        contexts=_tunnel_contexts,
        events=_tunnel_events,
    )  # fmt: skip


TUN_G = _tunnel("TUN-G", Role.GATEWAY, gateway_overdue, gateway_not_overdue, "ack_timeout_ms", "F01, F16")
TUN_R = _tunnel("TUN-R", Role.RUNNER, runner_overdue, runner_not_overdue, "runner_ack_timeout_ms", "F08")


MACHINES: tuple[Machine, ...] = (TUN_G, TUN_R)
