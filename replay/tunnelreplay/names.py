"""What the reference calls things, and what the model calls them: links, messages, instants, sizes.

A replay compares up to names. A link is numbered by its gateway, by its runner, and by the model; a message is named by 16 bytes on
the wire, and by a small number in the model, in which an endpoint's numbers go on where the one before it stopped.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from tunnelref.driver import Driver
from tunnelref.messageid import STALE, message_id, new_prefix, number_of
from tunnelreplay.rig import GATEWAY, UNIT, Rig
from tunnelspec.endpoint import Endpoint, Local
from tunnelspec.events import ActorAccepts, ActorRefuses, Emit, Happens, Send, SendAck, SocketOpened
from tunnelspec.fifo import Fifo
from tunnelspec.frames import ToClientWebSocketOpen, ToServerWebSocketClose, TunnelAck
from tunnelspec.hibernation import Sleep
from tunnelspec.machine import Received
from tunnelspec.system import FOREIGN, LIE, SIDES, lies_down, lies_up

LIES: Mapping[str, Callable[[int], dict[str, Any]]] = {
    "up": lambda modulus: dict(lies_up(modulus)),
    "down": lambda modulus: dict(lies_down(modulus)),
}

OPEN = ToClientWebSocketOpen("", "", ())
"""The open of every trace: which actor and which path makes no difference to it."""


AGEING = ("asleep", "waking", "dormant", "concluded")
"""The states of hibernation in which an instant means anything."""


def compared(value: Any) -> Any:
    """A value without what the world leaves out or does not use: whether a socket is resumed (the world's durable state does not
    tell one that it knows from one of which it has applied a message); the reason with which an actor closes or refuses (the
    world's durable state keeps the code alone); since when there is no tunnel, where that ages nothing."""
    if isinstance(value, SocketOpened | ActorAccepts):
        return replace(value, resumed=False)
    if isinstance(value, ActorRefuses | ToServerWebSocketClose) and value.reason:
        return replace(value, reason="")
    if isinstance(value, Emit | Happens):
        return replace(value, event=compared(value.event))
    if isinstance(value, Received | Send):
        return replace(value, frame=compared(value.frame))
    if isinstance(value, Local) and isinstance(value.context, Sleep) and value.state not in AGEING:
        return value._replace(context=Sleep())
    if isinstance(value, Fifo) or type(value) is tuple:
        return type(value)(compared(item) for item in value)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(compared(item) for item in value))
    return value


@dataclass
class Numbering:
    """How an endpoint's own message numbers stand to the model's."""

    prefix: bytes
    shift: int  # to be added to the reference's


class Names:
    """The names in use, and how they translate. ``modulus``: of the model's message numbers."""

    def __init__(self, modulus: int, oldest: int, now: Callable[[], int]) -> None:
        self.modulus = modulus
        self.oldest = oldest  # beyond this age, in ticks, the model counts no more
        self.now = now
        self.actor_said = 0
        self.model_links: dict[str, int] = {}  # side -> the model's number for its link
        self.gateway_links: dict[int, int] = {0: 0}
        self.runner_links: dict[str, dict[int, int]] = {x: {0: 0} for x in SIDES}
        self.next: dict[str, int] = {}  # where a fresh endpoint's numbers go on
        self.fresh_since: dict[str, int] = {}  # since when an endpoint has no entry
        self._numberings: dict[str, list[Numbering]] = {}
        self._lies: set[bytes] = set()

    # -- links -------------------------------------------------------------------------------------------------------

    def joined(self, rig: Rig, side: str) -> None:
        """A runner has a new link."""
        self.model_links[side] = self.model_links[side] + 2 if side in self.model_links else SIDES.index(side) + 1
        self._link(rig, side)

    def again(self, rig: Rig, side: str) -> None:
        """What went before is forgotten: the link that is up is the first."""
        self.model_links[side] = SIDES.index(side) + 1
        self._link(rig, side)

    def _link(self, rig: Rig, side: str) -> None:
        self.gateway_links[rig.link_number(side)] = self.model_links[side]
        self.runner_links[side][rig.runner(side).number] = self.model_links[side]

    def link(self, where: str, number: int) -> int:
        """The model's number for a link; -1 for one that it does not know."""
        return (self.gateway_links if where == GATEWAY else self.runner_links[where]).get(number, -1)

    # -- messages ----------------------------------------------------------------------------------------------------

    def gateway(self, prefix: bytes, sent: int = 0) -> None:
        """The gateway's endpoint has this prefix, and has sent so many messages that do not count."""
        self._numberings[GATEWAY] = [Numbering(prefix, -sent)]

    def numbering(self, where: str, driver: Driver) -> Numbering:
        """How this endpoint's numbers stand to the model's; those of a new one go on where the last one stopped."""
        prefix: bytes = driver.prefix  # type: ignore[attr-defined]
        known = self._numberings.setdefault(where, [])
        for numbering in known:
            if numbering.prefix == prefix:
                return numbering
        known.append(Numbering(prefix, self.next.get(where, 1) - 1))
        return known[-1]

    def own(self, number: int, numbering: Numbering) -> int:
        """The model's number for an endpoint's own message; 0 stays nobody's."""
        return (number + numbering.shift - 1) % (self.modulus - 1) + 1 if number > 0 else FOREIGN

    def message(self, id_: bytes) -> int:
        """The model's number for a message id of the wire."""
        if id_ in self._lies:
            return LIE
        for numberings in self._numberings.values():
            for numbering in numberings:
                if (number := number_of(numbering.prefix, id_)) > 0:
                    return self.own(number, numbering)
        return FOREIGN

    def lie(self, frame: Any, house: bytes) -> bytes:
        """A message id that no endpoint made: of a TunnelAck nobody's at all, else one that the sender might have made."""
        if isinstance(frame, TunnelAck):
            return os.urandom(16)
        id_ = message_id(new_prefix(house), LIE)
        self._lies.add(id_)
        return id_

    # -- an entry's end ----------------------------------------------------------------------------------------------

    def forget(self, side: str, rig: Rig) -> None:
        """A runner's entry, if there is one, is about to be lost."""
        adapter = rig.adapter(side)
        if adapter is not None:
            self.freed(side, adapter)
        self.fresh_since[side] = self.now()

    def freed(self, where: str, driver: Driver) -> None:
        """An endpoint's entry is gone; the numbers of a runner's next one go on where it stopped."""
        if where != GATEWAY:
            self.next[where] = self.own(driver.local("tunnel").context.next, self.numbering(where, driver))
        self.fresh_since[where] = self.now()

    # -- values ------------------------------------------------------------------------------------------------------

    def locals(self, where: str, driver: Driver, state: tuple[Local, ...]) -> tuple[Local, ...]:
        """An endpoint's state, in the model's names."""
        numbering = self.numbering(where, driver)
        return tuple(Local(local.state, self._context(where, numbering, local.context)) for local in state)

    def fresh(self, where: str, endpoint: Endpoint) -> tuple[Local, ...]:
        """The state of an endpoint that has no entry."""
        numbering = Numbering(b"", self.next.get(where, 1) - 1)
        return tuple(Local(local.state, self._context(where, numbering, local.context)) for local in endpoint.start())

    def event(self, where: str, driver: Driver, event: Any) -> Any:
        """An event or an output, in the model's names."""
        numbering = self.numbering(where, driver)
        if isinstance(event, Received):
            stale = event.number == STALE
            ours = self.message(event.message_id) if stale else self.own(event.number, numbering)
            id_ = b"" if isinstance(event.frame, TunnelAck) or not event.message_id else self._id(event.message_id)
            return Received(self.frame(event.frame), self.link(where, event.link), id_, ours)
        if isinstance(event, Send):
            return Send(self.link(where, event.link), self.own(event.number, numbering), self.frame(event.frame))
        if isinstance(event, SendAck):
            return SendAck(self.link(where, event.link), self._id(event.message_id) if event.message_id else b"")
        return self._plain(where, event)

    def frame(self, frame: Any) -> Any:
        """A frame, in the model's names."""
        return OPEN if isinstance(frame, ToClientWebSocketOpen) else frame

    def age(self, where: str, instant: int) -> int:
        """An instant as the model has it: minus its age."""
        since = instant or self.fresh_since.get(where, self.now())
        return max(since - self.now(), -self.oldest)

    def _id(self, id_: bytes) -> bytes:
        return bytes([self.message(id_)])

    def _plain(self, where: str, event: Any) -> Any:
        if not is_dataclass(event) or isinstance(event, type):
            return event
        changes: dict[str, Any] = {}
        for name in {field.name for field in fields(event)}:
            if name in ("now", "total"):
                changes[name] = 0
            elif name == "size":
                changes[name] = getattr(event, name) // UNIT
            elif name == "link":
                changes[name] = self.link(where, getattr(event, name))
        return replace(event, **changes)

    def _context(self, where: str, numbering: Numbering, value: Any) -> Any:
        """A context, or what is in one."""
        if isinstance(value, ToClientWebSocketOpen):
            return OPEN
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            pairs = zip(value._fields, value, strict=True)
            return type(value)(**{name: self._field(where, numbering, name, inner) for name, inner in pairs})
        if isinstance(value, Fifo) or type(value) is tuple:
            return type(value)(self._context(where, numbering, item) for item in value)
        return value

    def _field(self, where: str, numbering: Numbering, name: str, value: Any) -> Any:
        if name == "link":
            return self.link(where, value)
        if name in ("number", "next"):
            return self.own(value, numbering)
        if name in ("sent", "since"):
            return self.age(where, value)
        if name in ("size", "bytes"):
            return value // UNIT
        if name == "close_id":
            return self._id(value) if value else b""
        return self._context(where, numbering, value)
