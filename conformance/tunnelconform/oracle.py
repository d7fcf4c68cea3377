"""The oracle: runs the tables beside a subject, and keeps every state that it may be in.

A subject is observed from outside: what it was told, and what it said. When it works on what it was told is its own affair, and
much that moves it cannot be seen (timers, its client, its actor). So the oracle keeps a set of *hypotheses*: a state of the
endpoint, what was told and not yet worked on, and what was said and not yet seen. An observation that no hypothesis explains is
not allowed; then the oracle can tell what would have been.

What it never does is guess: where the hypotheses become too many, it gives up and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from tunnelspec.endpoint import Endpoint, State
from tunnelspec.events import (
    ActorAccepts,
    ActorRefuses,
    AskActor,
    CancelTimer,
    Resolve,
    RouteFailed,
    RouteFound,
    Send,
    SendAck,
    SetTimer,
)
from tunnelspec.frames import TunnelAck
from tunnelspec.limits import DEFAULT, Limits
from tunnelspec.machine import Received

MOST = 3_000
"""More hypotheses than this are too many."""

UNSEEN = 3
"""Between two observations, this many unseen events at most are supposed."""


class TooMany(Exception):
    """The subject may be in more states than can be followed: nothing more can be said of it."""


class Told(NamedTuple):
    """Something that the subject was told, and may not have worked on yet."""

    channel: int  # a link, or 0 for who is on the subject's other side
    event: Any
    message_id: bytes  # of a TunnelAck: which message it acks, by its id
    time_ms: int


class Said(NamedTuple):
    """Something that the subject must have said, and that has not been seen yet."""

    channel: int
    number: int  # of a Send: the tunnel message's number
    what: Any  # a frame; for a TunnelAck the id that it carries
    time_ms: int
    rules: tuple[str, ...]  # the transitions by which it is due


class Hypothesis(NamedTuple):
    """What may be so."""

    state: State
    told: tuple[Told, ...] = ()
    said: tuple[Said, ...] = ()
    timers: frozenset[type[Any]] = frozenset()
    asks: frozenset[type[Any]] = frozenset()  # outputs that wait for an answer from outside: Resolve, AskActor
    ids: tuple[tuple[int, bytes], ...] = ()  # the subject's message ids that were seen, by number


class Tag(NamedTuple):
    """A TunnelAck with the message id that it carries."""

    message_id: bytes


@dataclass(frozen=True)
class Seen:
    """Something that the subject was seen to say on a link."""

    channel: int
    what: Any  # a frame; ``Tag`` for a TunnelAck
    message_id: bytes
    time_ms: int


@dataclass(frozen=True)
class Refusal:
    """An observation that the tables do not allow: the states possible before it, and what would have been allowed."""

    seen: Seen
    before: tuple[Hypothesis, ...]
    allowed: tuple[Said, ...]  # what might have been said on that channel instead

    @property
    def near(self) -> tuple[Said, ...]:
        """What of that is of the same kind."""
        return tuple(said for said in self.allowed if type(said.what) is type(self.seen.what))


Unseen = Callable[[Hypothesis, Seen], Iterable[Any]]
"""The events that cannot be seen and may have happened before an observation."""

ANSWERS: dict[type[Any], type[Any]] = {
    RouteFound: Resolve,
    RouteFailed: Resolve,
    ActorAccepts: AskActor,
    ActorRefuses: AskActor,
}
"""Events from outside -> the output that asked for them."""

REMEMBERED = 256
"""So many of the subject's message ids are remembered: acks of older ones change nothing."""


@dataclass(frozen=True)
class Oracle:
    """What the tables of one endpoint make of it."""

    endpoint: Endpoint
    unseen: Unseen
    limits: Limits = DEFAULT
    same: Callable[[Any, Any], bool] = lambda due, seen: bool(due == seen)

    def start(self, *states: State) -> tuple[Hypothesis, ...]:
        """What may be so at first."""
        return tuple(Hypothesis(state) for state in (states or (self.endpoint.start(),)))

    def tell(self, hypotheses: Sequence[Hypothesis], told: Told) -> tuple[Hypothesis, ...]:
        """What may be so once the subject was told something."""
        return tuple(h._replace(told=(*h.told, told)) for h in hypotheses)

    def see(self, hypotheses: Sequence[Hypothesis], seen: Seen) -> tuple[Hypothesis, ...]:
        """What may be so once the subject was seen to say something; nothing, if that is not allowed. Raises ``TooMany``."""
        found: dict[Hypothesis, None] = {}
        for h in self._closure(hypotheses, seen):
            after = self._explained(h, seen)
            if after is not None:
                found[after] = None
        return tuple(found)

    def refusal(self, hypotheses: Sequence[Hypothesis], seen: Seen) -> Refusal:
        """Why an observation is not allowed."""
        allowed: dict[Any, Said] = {}
        for h in self._closure(hypotheses, seen):
            for said in h.said:
                if said.channel == seen.channel:
                    allowed.setdefault(said.what, said)
                    break
        return Refusal(seen, tuple(hypotheses), tuple(allowed.values()))

    def settle(self, hypotheses: Sequence[Hypothesis], before_ms: int) -> tuple[Hypothesis, ...]:
        """What may be so once everything that the subject was told before that time has been worked on, and everything that it
        had to say by then has been seen; nothing, if it was silent where the tables are not."""
        found: dict[Hypothesis, None] = {}
        agenda = list(hypotheses)
        known = set(agenda)
        while agenda:
            h = agenda.pop()
            if any(told.time_ms < before_ms for told in h.told):
                for after in self._worked(h):
                    if after not in known:
                        known.add(after)
                        agenda.append(after)
                        _check(len(known))
            elif not any(said.time_ms < before_ms for said in h.said):
                found[h] = None
        return tuple(found)

    def lose(
        self, hypotheses: Sequence[Hypothesis], channel: int, then: Sequence[Any], time_ms: int
    ) -> tuple[Hypothesis, ...]:
        """What may be so once a link is gone: of what it carried to the subject any beginning has arrived, and what the subject
        said on it is never seen. ``then``: what the subject is told of the loss."""
        found: dict[Hypothesis, None] = {}
        for h in hypotheses:
            for arrived in self._beginnings(h, channel):
                told = tuple(t for t in arrived.told if t.channel != channel)
                said = tuple(s for s in arrived.said if s.channel != channel)
                news = (Told(channel, event, b"", time_ms) for event in then)
                found[arrived._replace(told=(*told, *news), said=said)] = None
        _check(len(found))
        return tuple(found)

    def _beginnings(self, h: Hypothesis, channel: int) -> Iterator[Hypothesis]:
        yield h
        while any(told.channel == channel for told in h.told):
            place = next(place for place, told in enumerate(h.told) if told.channel == channel)
            rest = h._replace(told=(*h.told[:place], *h.told[place + 1 :]))
            h = self._stepped(rest, self._numbered(h, h.told[place]), h.told[place].time_ms)
            yield h

    def overdue(self, hypotheses: Sequence[Hypothesis]) -> tuple[Said, ...]:
        """What is due once all that the subject was told is worked on."""
        due: dict[Any, Said] = {}
        for h in hypotheses:
            for told in h.told:
                h = self._stepped(h._replace(told=h.told[1:]), self._numbered(h, told), told.time_ms)
            for said in h.said:
                due.setdefault(said.what, said)
        return tuple(due.values())

    # -- what may have happened --------------------------------------------------------------------------------------

    def _closure(self, hypotheses: Sequence[Hypothesis], seen: Seen) -> Iterator[Hypothesis]:
        """All that may be so just before an observation: things told are worked on, and a few unseen events happen. Where
        something else must be seen first on that channel, nothing is supposed beyond it."""
        wave, known = list(hypotheses), set(hypotheses)
        for supposed in range(UNSEEN + 1):
            following: list[Hypothesis] = []
            while wave:
                h = wave.pop()
                yield h
                if self._blocked(h, seen):
                    continue
                for after in self._worked(h):
                    if after not in known:
                        known.add(after)
                        wave.append(after)
                if supposed < UNSEEN:
                    for event in self.unseen(h, seen):
                        after = self._stepped(h, event, seen.time_ms)
                        if after not in known:
                            known.add(after)
                            following.append(after)
                _check(len(known))
            wave = following

    def _blocked(self, h: Hypothesis, seen: Seen) -> bool:
        if isinstance(seen.what, Tag):
            return any(said.what == seen.what and said.channel == seen.channel for said in h.said)
        return any(said.channel == seen.channel and not isinstance(said.what, Tag) for said in h.said)

    def _worked(self, h: Hypothesis) -> Iterator[Hypothesis]:
        """One thing that it was told is worked on: the oldest of some channel."""
        channels: set[int] = set()
        for place, told in enumerate(h.told):
            if told.channel not in channels:
                channels.add(told.channel)
                rest = h._replace(told=(*h.told[:place], *h.told[place + 1 :]))
                yield self._stepped(rest, self._numbered(h, told), told.time_ms)

    def _numbered(self, h: Hypothesis, told: Told) -> Any:
        """The event; for a TunnelAck, with the number of the message that its id names."""
        event = told.event
        if isinstance(event, Received) and isinstance(event.frame, TunnelAck):
            number = next((number for number, id_ in h.ids if id_ == told.message_id), 0)
            return replace(event, number=number)
        return event

    def _stepped(self, h: Hypothesis, event: Any, time_ms: int) -> Hypothesis:
        result = self.endpoint.step(h.state, event, self.limits)
        timers, asks, said = set(h.timers), set(h.asks), list(h.said)
        rules = tuple(taken.step.transition.id for taken in result.steps)
        timers.discard(type(event))
        asks.discard(ANSWERS.get(type(event), type(None)))
        for output in result.outputs:
            if isinstance(output, SetTimer):
                timers.add(output.event)
            elif isinstance(output, CancelTimer):
                timers.discard(output.event)
            elif isinstance(output, Send):
                said.append(Said(output.link, output.number, output.frame, time_ms, rules))
            elif isinstance(output, SendAck):
                if output.message_id:
                    said.append(Said(output.link, 0, Tag(output.message_id), time_ms, rules))
            elif type(output) in ANSWERS.values():
                asks.add(type(output))
        return h._replace(state=result.state, timers=frozenset(timers), asks=frozenset(asks), said=tuple(said))

    def _explained(self, h: Hypothesis, seen: Seen) -> Hypothesis | None:
        """The hypothesis with the observation taken in; None if it is not what had to be seen next. Acks may overtake."""
        for place, said in enumerate(h.said):
            if said.channel != seen.channel:
                continue
            if isinstance(said.what, Tag) != isinstance(seen.what, Tag):
                continue
            if self.same(said.what, seen.what):
                ids = (*h.ids, (said.number, seen.message_id))[-REMEMBERED:] if said.number else h.ids
                return h._replace(said=(*h.said[:place], *h.said[place + 1 :]), ids=ids)
            if not isinstance(seen.what, Tag):
                return None
        return None


def _check(count: int) -> None:
    if count > MOST:
        raise TooMany(f"it may be in more than {MOST:,} states")
