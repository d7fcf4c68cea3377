"""What is around a runner under test: its link, which the suite plays, and the test actor, whose contract says what it does.

The contract is in ``conformance/README.md``. What the actor's durable state knows is kept with each hypothesis: it moves when the
actor is supposed to have done something, and not when the suite thinks that it should.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tunnelconform.oracle import Hypothesis, Seen, Surroundings, Told
from tunnelspec.endpoint import RUNNER
from tunnelspec.events import (
    AckDue,
    ActorAccepts,
    ActorCloses,
    ActorListens,
    ActorRefuses,
    ActorSends,
    ActorStops,
    AskActor,
    Collect,
    Committed,
    Conclude,
    Concluded,
    Emit,
    Forget,
    LinkLost,
    Remember,
    SocketClosed,
    SocketMessage,
)
from tunnelspec.frames import ToServerWebSocketMessageAck
from tunnelspec.limits import Limits

ACTOR = -1
"""The channel of what the actor does."""

STORE = -2
"""The channel of what becomes durable."""

STOPS = -3
"""The channel of the actor's stop, which waits for the handler that runs."""

ASKS = -4
"""The channel of what is asked of the actor: an open may be answered while messages still wait for their handler."""

NOT_FOUND = (1011, "Actor not found")
NORMAL = 1000
HIBERNATING, PLAIN = "test", "plain"
"""The names of the test actor: of one that can hibernate, and of one that cannot."""


@dataclass(frozen=True)
class Asked:
    """The actor is asked whether it takes the socket."""

    now: int


@dataclass(frozen=True)
class Begins:
    """A life of the actor begins."""


@dataclass(frozen=True)
class Ends:
    """The client's close becomes durable."""

    code: int | None
    reason: str | None
    now: int


class Actor(NamedTuple):
    """The test actor: whether it lives, and what its durable state knows."""

    hibernates: bool = True
    alive: bool = False
    next: bool = False  # another life is to begin once this one is over
    handled: int = 0  # messages, in all its lives
    durable: int = 0  # of them, those whose effect is
    known: bool = False  # the socket
    last: int = -1
    closed: tuple[int, str] | None = None
    since_ms: int | None = None  # no later than its tunnel was lost, or it was closed


def close_of(text: str) -> tuple[int, str]:
    """Code and reason of ``close CODE REASON``."""
    code, _, reason = text.removeprefix("close ").partition(" ")
    return int(code), reason


@dataclass
class AroundRunner(Surroundings):
    """A runner's surroundings."""

    limits: Limits
    gone: set[int] = field(default_factory=set)  # links that are no more
    flooded: bool = False  # so many messages come that what the actor does is not told one by one: see ``react``
    renews = True
    ages = True
    """Whether it matters how old what is durable is."""

    def unseen(self, h: Hypothesis, seen: Seen) -> Iterator[Any]:
        if self.flooded and isinstance(seen.what, ToServerWebSocketMessageAck):
            yield Committed(seen.what.index, seen.time_ms)  # the tables hold it to what was received
        yield from self.may_happen(h, seen.time_ms)

    def may_happen(self, h: Hypothesis, by_ms: int) -> Iterator[Any]:
        for timer in h.timers:
            if timer.event is AckDue or timer.due_ms <= by_ms:  # acks may be batched for less time than they may be
                yield timer.event(min(timer.due_ms, by_ms))
        if self._collects(h, by_ms):
            yield Collect(by_ms)

    def forced(self, h: Hypothesis, before_ms: int) -> Iterator[tuple[Any, int]]:
        collected = before_ms - self.limits.runner_gc_interval_ms
        for timer in h.timers:
            if timer.due_ms < before_ms:
                yield timer.event(timer.due_ms), timer.due_ms
                collected = max(collected, timer.due_ms)
        if self._collects(h, collected):
            yield Collect(collected), collected

    def rests(self, h: Hypothesis) -> bool:
        return not h.timers

    def carries(self, channel: int) -> bool:
        return channel not in self.gone

    def may_work(self, h: Hypothesis, told: Told) -> bool:
        """A runner dials again once it knows that its link is lost; it says that a close is durable once it is."""
        if isinstance(told.event, Concluded):
            return not any(isinstance(other.event, Ends) for other in h.told)
        return not any(0 < other.channel < told.channel for other in h.told)

    def work(self, memory: Any, event: Any) -> tuple[Any, Any]:
        if isinstance(event, Begins):
            return memory._replace(next=True) if memory.alive else self.begun(memory), None
        if isinstance(event, Asked):
            return memory, answer(memory, event.now)
        if isinstance(event, Ends):
            return closed(memory, event.code, event.reason, self._since(event.now)) if memory.alive else memory, None
        if isinstance(event, LinkLost):
            return untied(memory, self._since(event.now)), event
        if isinstance(event, ActorStops):
            over = untied(memory, self._since(event.now))
            after = self.begun(over) if memory.next else over._replace(alive=False)
            return after, event if memory.alive else None
        if not isinstance(event, ActorSends | ActorCloses | Committed | Concluded):
            return memory, event
        if not memory.alive:
            return memory, None  # the life that would have done it is over
        if isinstance(event, Committed):
            return durable(memory, event.index), event
        if isinstance(event, ActorCloses):  # durable with what else its handler did, be the socket open or not
            return closed(memory, event.code, event.reason, self._since(event.now)), event
        return memory, event

    def begun(self, memory: Any) -> Any:
        """A life, that knows what is durable."""
        return memory._replace(alive=True, next=False, handled=memory.durable)

    def may_be_void(self, memory: Actor, event: Any) -> bool:
        """An actor whose socket is closed need not handle what still comes over it."""
        return memory.closed is not None and isinstance(event, ActorSends | ActorCloses | Committed)

    def lapsed(self, memory: Actor, event: Any, by_ms: int) -> Iterator[Actor]:
        """In memory nothing is left of a socket without a tunnel once a life is over (HIB-R-16); that the durable state forgets it
        in time (HIB-R-06) may show when the next begins."""
        if not self.ages or not memory.alive or not isinstance(event, Begins | ActorStops):
            return
        if memory.since_ms is not None and by_ms - memory.since_ms > self.limits.max_hibernation_ms:
            yield forgotten(memory)

    def react(self, memory: Actor, output: Any, time_ms: int) -> tuple[Actor, tuple[Told, ...], tuple[Any, ...]]:
        if isinstance(output, AskActor):
            asked = Told(ASKS, Asked(time_ms), 0, time_ms)
            return memory, (asked, Told(ASKS, ActorListens(), 0, time_ms)) if memory.alive else (asked,), ()
        if isinstance(output, Remember):
            return memory._replace(known=True, since_ms=None), (), ()
        if isinstance(output, Forget):
            return forgotten(memory), (), ()
        if isinstance(output, Conclude):
            return closed(memory, output.code, output.reason, self._since(time_ms)), (), ()
        if isinstance(output, Emit) and isinstance(output.event, SocketMessage):
            memory = memory._replace(handled=memory.handled + 1)
            if self.flooded:
                return durable(memory, output.event.index), (), ()
            return memory, tuple(handles(output.event, memory, time_ms)), ()
        if isinstance(output, Emit) and isinstance(output.event, SocketClosed) and output.event.final:
            ends = Ends(output.event.code, output.event.reason, time_ms)
            return memory, (Told(STORE, ends, 0, time_ms), Told(ACTOR, Concluded(time_ms), 0, time_ms)), ()
        return memory, (), ()

    def _since(self, now_ms: int) -> int | None:
        return now_ms if self.ages else None

    def _collects(self, h: Hypothesis, now: int) -> bool:
        return RUNNER.step(h.state, Collect(now), self.limits).state != h.state


def answer(memory: Actor, now: int) -> Any:
    """What the actor, or its absence, answers to an open."""
    if not memory.alive:
        return ActorRefuses(*NOT_FOUND, now)
    if memory.hibernates and memory.closed:
        return ActorRefuses(*memory.closed, now)
    known = memory.hibernates and memory.known
    return ActorAccepts(memory.hibernates, memory.last if known else -1, known, now)


def closed(memory: Actor, code: int | None, reason: str | None, since_ms: int | None) -> Actor:
    """The durable state knows that the socket is closed; what closed it first is what counts."""
    if memory.closed is not None:
        return memory
    return memory._replace(closed=(NORMAL if code is None else code, reason or ""), since_ms=since_ms)


def untied(memory: Actor, since_ms: int | None) -> Actor:
    """A socket that the durable state knows has no tunnel any more; if it had none, it is as old as it was."""
    if since_ms is None or memory.since_ms is not None or not memory.known:
        return memory
    return memory._replace(since_ms=since_ms)


def forgotten(memory: Actor) -> Actor:
    """The durable state does not know the socket."""
    return memory._replace(known=False, last=-1, closed=None, since_ms=None)


def durable(memory: Actor, index: int) -> Actor:
    """The effect of one more message is durable; not if that was so already."""
    if index < 0:
        return memory._replace(durable=memory.durable + 1)
    return memory if index == memory.last else memory._replace(last=index, durable=memory.durable + 1)


def handles(message: SocketMessage, memory: Actor, time_ms: int) -> Iterator[Told]:
    """What the test actor does with a message."""
    text = message.data.decode(errors="replace")
    if text.startswith("send "):
        yield Told(ACTOR, ActorSends(text.removeprefix("send ").encode(), message.binary, time_ms), 0, time_ms)
    elif text == "state":
        yield Told(ACTOR, ActorSends(str(memory.handled).encode(), False, time_ms), 0, time_ms)
    elif text.startswith("close "):
        yield Told(ACTOR, ActorCloses(*close_of(text), time_ms), 0, time_ms)
    yield Told(STORE, Committed(message.index, time_ms), 0, time_ms)
