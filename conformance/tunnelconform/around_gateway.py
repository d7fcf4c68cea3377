"""What is around a gateway under test: its client, its runners and its routes, all of which the suite plays and therefore knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from tunnelconform.oracle import Hypothesis, Seen, Surroundings, Told
from tunnelspec.endpoint import GATEWAY
from tunnelspec.events import (
    ClientMessage,
    CloseClient,
    Collect,
    Deliver,
    ReadClient,
    Resolve,
    RouteFailed,
    RouteFound,
)
from tunnelspec.frames import ToClientWebSocketOpen
from tunnelspec.limits import Limits
from tunnelspec.machine import Received

CLIENT = 0
"""The channel of the client."""

BY_ITSELF = -1
"""The channel of what nobody says."""

REASON_BYTES = 123
"""So much of a reason a close frame can carry (RFC 6455, section 5.5)."""


class Reading(NamedTuple):
    """What a gateway's surroundings know: whether the client is read."""

    reads: bool = False


@dataclass
class Links:
    """The runners' links, as the suite knows them: each with the time since which actors may be routed to it."""

    able: dict[int, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    changed_ms: int = 0  # when a link last came or went

    def joined(self, link: int, time_ms: int) -> None:
        self.able[link], self.changed_ms = time_ms, time_ms

    def lost(self, link: int, time_ms: int) -> None:
        self.able.pop(link, None)
        self.gone.add(link)
        self.changed_ms = time_ms


@dataclass
class AroundGateway(Surroundings):
    """A gateway's surroundings. ``grace_ms``: how long news may take to reach the gateway."""

    limits: Limits
    links: Links
    grace_ms: int
    acks: bool = True

    def unseen(self, h: Hypothesis, seen: Seen) -> Iterator[Any]:
        now = seen.time_ms
        ask = h.ask(Resolve)
        if ask:
            if seen.channel > 0:
                yield RouteFound(seen.channel, ask.time_ms)
            if self._changed_lately(now):
                yield from (RouteFound(link, ask.time_ms) for link in self.links.gone if link > 0)
            if not self.links.able or self._changed_lately(now):
                yield RouteFailed(ask.time_ms)
        yield from self.may_happen(h, now)

    def may_happen(self, h: Hypothesis, by_ms: int) -> Iterator[Any]:
        yield from (timer.event(timer.due_ms) for timer in h.timers if timer.due_ms <= by_ms)
        if self._collects(h, by_ms):
            yield Collect(by_ms)

    def forced(self, h: Hypothesis, before_ms: int) -> Iterator[tuple[Any, int]]:
        collected = before_ms - self.limits.gc_interval_ms
        ask = h.ask(Resolve)
        if ask and ask.time_ms < before_ms:
            for link, since in self.links.able.items():
                if since < before_ms:
                    yield RouteFound(link, ask.time_ms), ask.time_ms
            if all(since >= ask.time_ms for since in self.links.able.values()):
                yield RouteFailed(ask.time_ms), ask.time_ms
            collected = max(collected, ask.time_ms)
        for timer in h.timers:
            if timer.due_ms < before_ms:
                yield timer.event(timer.due_ms), timer.due_ms
                collected = max(collected, timer.due_ms)
        if self._collects(h, collected):
            yield Collect(collected), collected

    def prompt(self, h: Hypothesis) -> Iterator[tuple[Any, int]]:
        ask = h.ask(Resolve)
        if ask and all(since >= ask.time_ms for since in self.links.able.values()):
            yield RouteFailed(ask.time_ms), ask.time_ms

    def may_work(self, h: Hypothesis, told: Told) -> bool:
        return not isinstance(told.event, ClientMessage) or h.memory.reads

    def may_be_void(self, memory: Any, event: Any) -> bool:
        """What the relay says on a runner's behalf has no message id; before the link is seen to be closed, it may say nothing."""
        return isinstance(event, Received) and not event.message_id and event.link not in self.links.gone

    def rests(self, h: Hypothesis) -> bool:
        return not h.ask(Resolve)

    def carries(self, channel: int) -> bool:
        return channel not in self.links.gone

    def react(self, memory: Any, output: Any, time_ms: int) -> tuple[Any, tuple[Told, ...], tuple[Any, ...]]:
        if isinstance(output, ReadClient):
            return Reading(True), (), ()
        if isinstance(output, CloseClient):
            return memory, (), (replace(output, reason=short(output.reason)),)
        if isinstance(output, Deliver):
            return memory, (), (output,)
        return memory, (), ()

    def same(self, due: Any, seen: Any) -> bool:
        if isinstance(due, ToClientWebSocketOpen):  # what it names comes from outside
            return isinstance(seen, ToClientWebSocketOpen)
        return super().same(due, seen)

    def _changed_lately(self, now: int) -> bool:
        """Whether the gateway may not know yet which links there are."""
        return now - self.links.changed_ms < self.grace_ms

    def _collects(self, h: Hypothesis, now: int) -> bool:
        """Whether a collection at that time would do anything."""
        return GATEWAY.step(h.state, Collect(now), self.limits).state != h.state


def short(reason: str) -> str:
    """The reason, cut to what a close frame can carry, between characters."""
    return reason.encode()[:REASON_BYTES].decode(errors="ignore")
