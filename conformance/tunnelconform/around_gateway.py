"""What is around a gateway under test: its client, its runners and its routes, all of which the suite plays and therefore knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from tunnelconform.oracle import Ask, Hypothesis, Seen, Surroundings, Told
from tunnelconform.relays import Relays, hears, passed
from tunnelspec.connection import INTERNAL_ERROR
from tunnelspec.endpoint import Endpoint
from tunnelspec.events import (
    ClientMessage,
    CloseClient,
    Collect,
    Deliver,
    LinkLost,
    ReadClient,
    Resolve,
    RouteFailed,
    RouteFound,
    Send,
)
from tunnelspec.frames import ToClientWebSocketClose, ToClientWebSocketOpen
from tunnelspec.limits import Limits

CLIENT = 0
"""The channel of the client."""

BY_ITSELF = -1
"""The channel of what nobody says."""

EARLIER_MS = 1_000
"""So much earlier than the suite sees it, at most, a gateway that looks long for a route has welcomed a runner, or found one."""

REASON_BYTES = 123
"""So much of a reason a close frame can carry (RFC 6455, section 5.5)."""


class Known(NamedTuple):
    """What a gateway's surroundings know: whether the client is read, and what is open on the links."""

    reads: bool = False
    relays: Relays = ()


@dataclass
class Links:
    """The runners' links, as the suite knows them: each with the time since which actors may be routed to it."""

    able: dict[int, int] = field(default_factory=dict)
    unfit: set[int] = field(default_factory=set)  # links of runners that cannot take the actor
    doubted: set[int] = field(default_factory=set)  # those that the gateway may have taken for silent
    gone: set[int] = field(default_factory=set)
    changed_ms: int = 0  # when a link last came or went
    lost_ms: int = -1_000_000  # when one last went, or may have

    def joined(self, link: int, time_ms: int) -> None:
        self.changed_ms = time_ms
        if link not in self.unfit:
            self.able[link] = time_ms

    def replaced(self, time_ms: int) -> None:
        """One may be lost from now on, though it has not been seen to close."""
        self.lost_ms = time_ms

    def lost(self, link: int, time_ms: int) -> None:
        self.able.pop(link, None)
        self.gone.add(link)
        self.changed_ms = self.lost_ms = time_ms


@dataclass
class AroundGateway(Surroundings):
    """The surroundings of a gateway with these tables. ``grace_ms``: how long news may take to reach it; ``route_patience_ms``: how
    long it may look for a runner."""

    tables: Endpoint
    limits: Limits
    links: Links
    grace_ms: int
    acks: bool = True
    own_words: bool = False
    route_patience_ms: int = 0
    opened: ToClientWebSocketOpen | None = None  # what the socket was opened with first; it is the same each time
    admitted_ms: int = 0  # since when the client hears; it sets out to connect before
    path: str = ""  # what the actor is to see of it, as far as that is known
    headers: tuple[tuple[str, str], ...] = ()

    def unseen(self, h: Hypothesis, seen: Seen) -> Iterator[Any]:
        now = seen.time_ms
        ask = h.ask(Resolve)
        if ask:
            # what is seen on one channel says nothing of the order on another
            seen_ms = now - EARLIER_MS if self.route_patience_ms and seen.channel > 0 else 0
            links = (
                (seen.channel,) if seen.channel > 0 and seen.channel not in self.links.unfit else tuple(self.links.able)
            )
            yield from (RouteFound(link, max(self._found_ms(ask, link), seen_ms)) for link in links)
            if self._changed_lately(now):
                yield from (RouteFound(link, ask.time_ms) for link in self.links.gone if link > 0)
            failed = ask.time_ms + self.route_patience_ms
            if failed <= now and (not self.links.able or self._may_miss(ask, now)):
                yield RouteFailed(failed)
        yield from self.may_happen(h, now)

    def may_happen(self, h: Hypothesis, by_ms: int) -> Iterator[Any]:
        yield from (timer.event(timer.due_ms) for timer in h.timers if timer.due_ms <= by_ms)
        if self._collects(h, by_ms):
            yield Collect(by_ms)

    def forced(self, h: Hypothesis, before_ms: int) -> Iterator[tuple[Any, int]]:
        collected = before_ms - self.limits.gc_interval_ms
        ask = h.ask(Resolve)
        failed = ask.time_ms + self.route_patience_ms if ask else 0
        if ask and ask.time_ms < before_ms:
            for link, since in self.links.able.items():
                if since < before_ms:
                    yield RouteFound(link, self._found_ms(ask, link)), self._found_ms(ask, link)
            if failed < before_ms and self._may_know_none(ask):
                yield RouteFailed(failed), failed
            collected = max(collected, ask.time_ms)
        for timer in h.timers:
            if timer.due_ms < before_ms:
                yield timer.event(timer.due_ms), timer.due_ms
                collected = max(collected, timer.due_ms)
        if self._collects(h, collected):
            yield Collect(collected), collected

    def prompt(self, h: Hypothesis) -> Iterator[tuple[Any, int]]:
        ask = h.ask(Resolve)
        if ask and not self.route_patience_ms and self._may_know_none(ask):
            yield RouteFailed(ask.time_ms), ask.time_ms

    def may_work(self, h: Hypothesis, told: Told) -> bool:
        return not isinstance(told.event, ClientMessage) or h.memory.reads

    def work(self, memory: Known, event: Any) -> tuple[Known, Any]:
        relays, heard = hears(memory.relays, event, self.limits)
        if self.may_be_void(memory, event):  # what may be lost now is lost again once it is gone
            relays = memory.relays
        return memory if relays == memory.relays else memory._replace(relays=relays), heard

    def may_be_void(self, memory: Any, event: Any) -> bool:
        return isinstance(event, LinkLost) and event.link not in self.links.gone

    def sends(self, memory: Known, output: Send) -> Known:
        relays = passed(memory.relays, output.link, output.frame, self.limits)
        return memory if relays == memory.relays else memory._replace(relays=relays)

    def rests(self, h: Hypothesis) -> bool:
        return not h.ask(Resolve) or bool(self.route_patience_ms and not self.links.able)

    def heard_since(self, channel: int) -> int:
        return self.admitted_ms if channel == CLIENT else 0

    def carries(self, channel: int) -> bool:
        return channel not in self.links.gone

    def react(self, memory: Any, output: Any, time_ms: int) -> tuple[Any, tuple[Told, ...], tuple[Any, ...]]:
        if isinstance(output, ReadClient):
            return memory._replace(reads=True), (), ()
        if isinstance(output, CloseClient):
            return memory, (), (replace(output, reason=short(output.reason)),)
        if isinstance(output, Deliver):
            return memory, (), (output,)
        return memory, (), ()

    def same(self, due: Any, seen: Any) -> bool:
        if isinstance(due, ToClientWebSocketOpen):  # what it names comes from outside
            return (
                isinstance(seen, ToClientWebSocketOpen)
                and self.opened in (None, seen)
                and self.path in ("", seen.path)
                and set(self.headers) <= set(seen.headers)
            )
        if self.own_words and isinstance(due, CloseClient | ToClientWebSocketClose) and _causeless(due):
            return type(seen) is type(due) and seen.code == due.code
        return super().same(due, seen)

    def _found_ms(self, ask: Ask, link: int) -> int:
        """The earliest time at which a route over that link may have been found."""
        if not self.route_patience_ms:
            return ask.time_ms
        return max(ask.time_ms, self.links.able.get(link, 0) - EARLIER_MS)

    def _changed_lately(self, now: int) -> bool:
        """Whether the gateway may not know yet which links there are."""
        return now - self.links.changed_ms < self.grace_ms

    def _may_miss(self, ask: Ask, now: int) -> bool:
        """Whether it may find no runner, though there is one: it may take for lost what is not, but knows whom it has welcomed."""
        if self.route_patience_ms:
            return self._changed_lately(now)
        return now - self.links.lost_ms < self.grace_ms or self._may_know_none(ask)

    def _may_know_none(self, ask: Ask) -> bool:
        """Whether each runner there is may have come after it was looked for one, or be taken for silent."""
        links = self.links
        return all(since >= ask.time_ms or link in links.doubted for link, since in links.able.items())

    def _collects(self, h: Hypothesis, now: int) -> bool:
        """Whether a collection at that time would do anything."""
        return self.tables.step(h.state, Collect(now), self.limits).state != h.state


def _causeless(close: CloseClient | ToClientWebSocketClose) -> bool:
    """Whether neither the client nor the actor gave a reason for it."""
    return close.code == INTERNAL_ERROR or not close.reason


def short(reason: str) -> str:
    """The reason, cut to what a close frame can carry, between characters."""
    return reason.encode()[:REASON_BYTES].decode(errors="ignore")
