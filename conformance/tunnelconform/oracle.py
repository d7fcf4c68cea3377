"""The oracle: runs the tables beside a subject, and keeps every state that it may be in.

A subject is observed from outside: what it was told, and what it said. When it works on what it was told is its own affair, and
much that moves it cannot be seen (timers, its client, its actor). So the oracle keeps a set of *hypotheses*: a state of the
endpoint, what was told and not yet worked on, and what was said and not yet seen. An observation that no hypothesis explains is
not allowed; then the oracle can tell what would have been.

What it never does is guess: where the hypotheses become too many, it gives up and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from tunnelspec.endpoint import Endpoint, State
from tunnelspec.events import (
    ActorAccepts,
    ActorRefuses,
    AskActor,
    CancelTimer,
    Free,
    Resolve,
    RouteFailed,
    RouteFound,
    Send,
    SendAck,
    SetTimer,
)
from tunnelspec.frames import ToClientWebSocketClose, ToServerWebSocketClose, TunnelAck
from tunnelspec.limits import DEFAULT, Limits
from tunnelspec.machine import Received
from tunnelspec.tunnel import Tunnel

MOST = 5_000
"""More hypotheses than this are too many, where a subject is waiting: a look at so many takes half a second, and more states than
that are hardly ever followed to a verdict."""

UNSEEN = 3
"""Between two observations, this many unseen events at most are supposed."""

ROUNDS = 64
"""So many events at most are supposed to have happened for want of anything seen."""


class TooMany(Exception):
    """The subject may be in more states than can be followed: nothing more can be said of it."""


class Told(NamedTuple):
    """Something that the subject was told, and may not have worked on yet."""

    channel: int  # a link, 0 for who is on the subject's other side, -1 and less for what happens by itself
    event: Any
    ordinal: int  # of a TunnelAck: which of the subject's tunnel messages it names, counted as seen; 0 for none
    time_ms: int


class Said(NamedTuple):
    """Something that the subject must have said, and that has not been seen yet."""

    channel: int
    number: int  # of a Send: the tunnel message's number
    what: Any  # a frame; for a TunnelAck the id that it carries
    time_ms: int
    rules: tuple[str, ...]  # the transitions by which it is due


class Timer(NamedTuple):
    """An event that will come by itself."""

    event: type[Any]
    due_ms: int


class Ask(NamedTuple):
    """An output that waits for an answer from outside: Resolve, AskActor."""

    output: type[Any]
    time_ms: int


class Hypothesis(NamedTuple):
    """What may be so."""

    state: State
    told: tuple[Told, ...] = ()
    said: tuple[Said, ...] = ()
    timers: frozenset[Timer] = frozenset()
    asks: frozenset[Ask] = frozenset()
    runs: tuple[
        tuple[int, int], ...
    ] = ()  # from this ordinal on, a message seen has its ordinal plus this as its number
    memory: Any = None  # what the subject's surroundings know: see ``Surroundings``
    took: frozenset[str] = frozenset()  # of the transitions that are watched, those that were taken

    def timer(self, event: type[Any]) -> Timer | None:
        """That timer, if it is armed."""
        return next((timer for timer in self.timers if timer.event is event), None)

    def ask(self, output: type[Any]) -> Ask | None:
        """That question, if it is open."""
        return next((ask for ask in self.asks if ask.output is output), None)


class Tag(NamedTuple):
    """A TunnelAck with the message id that it carries."""

    message_id: bytes


@dataclass(frozen=True)
class Seen:
    """Something that the subject was seen to say on a channel."""

    channel: int
    what: Any  # a frame, or an output that its other side sees; ``Tag`` for a TunnelAck
    ordinal: int  # of its tunnel messages, counted as seen on any link, from 1
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


class Surroundings:
    """What is around an endpoint, as far as the oracle must know. This one knows nothing, and nobody sees the other side."""

    acks = True
    """Whether the subject's TunnelAcks are judged."""

    renews = False
    """Whether an entry that was freed begins anew with the next event."""

    def unseen(self, h: Hypothesis, seen: Seen) -> Iterable[Any]:
        """The events that cannot be seen and may have happened before an observation; each at the earliest time it may have."""
        return ()

    def may_happen(self, h: Hypothesis, by_ms: int) -> Iterable[Any]:
        """The events that may have happened by themselves by that time, each at the earliest time it may have."""
        return ()

    def forced(self, h: Hypothesis, before_ms: int) -> Iterable[tuple[Any, int]]:
        """If something must have happened by that time: the ways in which it did, and what may have come before it; an event
        and its time each."""
        return ()

    def prompt(self, h: Hypothesis) -> Iterable[tuple[Any, int]]:
        """What is bound to happen soon without anybody seeing it: an event and its time each."""
        return ()

    def may_work(self, h: Hypothesis, told: Told) -> bool:
        """Whether the subject can work on that now."""
        return True

    def work(self, memory: Any, event: Any) -> tuple[Any, Any]:
        """What the surroundings know once the subject works on an event, and the event as it then is; None: it is void."""
        return memory, event

    def may_be_void(self, memory: Any, event: Any) -> bool:
        """Whether something told may never happen, as things stand."""
        return False

    def lapsed(self, memory: Any, event: Any, by_ms: int) -> Iterable[Any]:
        """What the surroundings may know instead, if the subject worked on an event as late as that: it may forget what is old."""
        return ()

    def rests(self, h: Hypothesis) -> bool:
        """Whether nothing is bound to happen soon."""
        return True

    def carries(self, channel: int) -> bool:
        """Whether what is said on a channel now will be seen."""
        return True

    def awaits(self, channel: int) -> bool:
        """Whether what was said on a channel must be seen in time."""
        return True

    def heard_since(self, channel: int) -> int:
        """Since when what is said on a channel is heard: what was said before comes with the first."""
        return 0

    def sends(self, memory: Any, output: Send) -> Any:
        """What the surroundings know once the subject has said something."""
        return memory

    def react(self, memory: Any, output: Any, time_ms: int) -> tuple[Any, tuple[Told, ...], tuple[Any, ...]]:
        """What an output does to the surroundings: what they know then, will tell, and see of it (on channel 0)."""
        return memory, (), ()

    def waits(self, due: Any) -> bool:
        """Whether what is due may be seen later than what became due after it."""
        return False

    def same(self, due: Any, seen: Any) -> bool:
        """Whether something seen is what is due. A close frame cannot tell an empty reason from none."""
        return bool(due == seen) or (type(due) is type(seen) and reasoned(due) and reasoned(due) == reasoned(seen))


def reasoned(close: Any) -> Any:
    """A close with an empty reason where it has none; None for anything else."""
    if not isinstance(close, ToClientWebSocketClose | ToServerWebSocketClose):
        return None
    return replace(close, reason=close.reason or "")


ANSWERS: dict[type[Any], type[Any]] = {
    RouteFound: Resolve,
    RouteFailed: Resolve,
    ActorAccepts: AskActor,
    ActorRefuses: AskActor,
}
"""Events from outside -> the output that asked for them."""

ASKED = frozenset(ANSWERS.values())


@dataclass(frozen=True)
class Oracle:
    """What the tables of one endpoint make of it. ``watch``: transitions of which it is to be known whether they were taken.
    ``supposed``: unseen events between two observations. ``most``: hypotheses at most."""

    endpoint: Endpoint
    around: Surroundings
    limits: Limits = DEFAULT
    watch: frozenset[str] = frozenset()
    supposed: int = UNSEEN
    most: int = MOST

    def start(self, *states: State, memory: Any = None) -> tuple[Hypothesis, ...]:
        """What may be so at first."""
        return tuple(Hypothesis(state, memory=memory) for state in (states or (self.endpoint.start(),)))

    def tell(self, hypotheses: Sequence[Hypothesis], told: Told) -> tuple[Hypothesis, ...]:
        """What may be so once the subject was told something."""
        return tuple(h._replace(told=(*h.told, told)) for h in hypotheses)

    def see(self, hypotheses: Sequence[Hypothesis], seen: Seen) -> tuple[Hypothesis, ...]:
        """What may be so once the subject was seen to say something; nothing, if that is not allowed. Raises ``TooMany``."""
        explained = (self._explained(h, seen) for h in self._closure(hypotheses, seen))
        return _distinct([after for after in explained if after is not None])

    def refusal(self, hypotheses: Sequence[Hypothesis], seen: Seen) -> Refusal:
        """Why an observation is not allowed."""
        allowed: dict[Any, Said] = {}
        for h in self._closure(hypotheses, seen):
            for said in h.said:
                if said.channel == seen.channel:
                    allowed.setdefault(said.what, said)
                    break
        return Refusal(seen, tuple(hypotheses), tuple(allowed.values()))

    def since(self, hypotheses: Sequence[Hypothesis], seen: Seen) -> int:
        """The earliest time at which what is seen may have been said; the time at which it is seen, if it is not allowed."""
        times = (s.time_ms for h in self._closure(hypotheses, seen) for s in h.said if s.channel == seen.channel
                 and self.around.same(s.what, seen.what))  # fmt: skip
        return min(times, default=seen.time_ms)

    def settle(self, hypotheses: Sequence[Hypothesis], before_ms: int, now_ms: int = 0) -> tuple[Hypothesis, ...]:
        """What may be so once everything that the subject was told before that time has been worked on, whatever must have
        happened by then has, and everything that it had to say by then has been seen; nothing, if it was silent where the
        tables are not."""
        found: dict[Hypothesis, None] = {}
        for h in self._later(hypotheses, before_ms, max(before_ms, now_ms)):
            if not any(self._overdue(said, before_ms) for said in h.said):
                found[h] = None
        return tuple(found)

    def overdue(self, hypotheses: Sequence[Hypothesis], before_ms: int) -> tuple[Said, ...]:
        """What should have been seen by that time."""
        due: dict[Any, Said] = {}
        for h in self._later(hypotheses, before_ms, before_ms):
            for said in h.said:
                if self._overdue(said, before_ms):
                    due.setdefault(said.what, said)
        return tuple(due.values())

    def _overdue(self, said: Said, before_ms: int) -> bool:
        if not self.around.awaits(said.channel):
            return False
        return max(said.time_ms, self.around.heard_since(said.channel)) < before_ms

    def at_rest(self, hypotheses: Sequence[Hypothesis]) -> Iterator[Hypothesis]:
        """Those of what may be so in which all that the subject was told is worked on, and all that it had to say was seen."""
        latest = max((told.time_ms for h in hypotheses for told in h.told), default=0) + 1
        for h in self._later(hypotheses, latest):
            if not h.said and self.around.rests(h) and not any(self.around.may_work(h, told) for told in h.told):
                yield h

    def may_have_taken(self, hypotheses: Sequence[Hypothesis], transitions: frozenset[str], by_ms: int) -> bool:
        """Whether all these transitions, which must be watched, may have been taken by that time."""
        return any(transitions <= h.took for h in self.at_rest(hypotheses)) or any(
            transitions <= h.took for h in self._later(hypotheses, by_ms, by_ms)
        )

    def _later(self, hypotheses: Sequence[Hypothesis], before_ms: int, now_ms: int = 0) -> Iterator[Hypothesis]:
        """All that may be so once everything told before that time is worked on, and what must have happened has; without a time
        that it is now, only what is bound to happen soon has."""
        agenda = [(h, 0) for h in hypotheses]
        known = set(hypotheses)
        while agenda:
            h, forced = agenda.pop()
            every = list(self._worked(h, now_ms or before_ms))
            worked = [(told, after) for told, after in every if told.time_ms < before_ms]
            following = [after for _, after in worked]
            if now_ms and worked:  # what came before it was worked on, which took no longer than it may take
                by_ms = min(told.time_ms for told, _ in worked) + now_ms - before_ms
                events = self.around.may_happen(h, by_ms)
                following += [self._stepped(h, event, getattr(event, "now", now_ms)) for event in events]
            if now_ms and forced < ROUNDS:
                following += [self._stepped(h, event, time) for event, time in self.around.forced(h, before_ms)]
                forced += 1
            elif not now_ms:
                following += [self._stepped(h, event, time) for event, time in self.around.prompt(h)]
            if not following:
                yield h
            elif now_ms:  # what must have happened took its time: something told later may have come before it
                following += [after for told, after in every if before_ms <= told.time_ms <= now_ms]
            for after in following:
                if after not in known:
                    known.add(after)
                    agenda.append((after, forced))
                    self._check(len(known))

    def lose(
        self, hypotheses: Sequence[Hypothesis], channel: int, then: Sequence[Any], time_ms: int
    ) -> tuple[Hypothesis, ...]:
        """What may be so once a channel is gone: of what it carried to the subject any beginning has arrived, to be worked on when
        the subject can, and what the subject said on it is never seen. ``then``: what the subject is told of the loss."""
        found: dict[Hypothesis, None] = {}
        news = tuple(Told(channel, event, 0, time_ms) for event in then)
        for h in hypotheses:
            said = tuple(s for s in h.said if s.channel != channel)
            carried = [place for place, told in enumerate(h.told) if told.channel == channel]
            for arrived in range(len(carried) + 1):
                lost = frozenset(carried[arrived:])
                told = tuple(t for place, t in enumerate(h.told) if place not in lost)
                found[h._replace(told=(*told, *news), said=said)] = None
        self._check(len(found))
        return tuple(found)

    def unsaid(self, hypotheses: Sequence[Hypothesis], channel: int) -> tuple[Hypothesis, ...]:
        """What may be so once a subject has closed a channel: what it had yet to say there is not said."""
        return _distinct([h._replace(said=tuple(s for s in h.said if s.channel != channel)) for h in hypotheses])

    def tell_at_once(self, hypotheses: Sequence[Hypothesis], told: Told) -> tuple[Hypothesis, ...]:
        """What may be so once the subject has worked on something before all else: for what makes no difference."""
        return _distinct(
            [
                after
                for h in hypotheses
                for after in self._work_on(h._replace(told=(*h.told, told)), len(h.told), told.time_ms)
            ]
        )

    def after(self, h: Hypothesis, event: Any, time_ms: int) -> Hypothesis:
        """What would be so after an event."""
        return self._stepped(h, event, time_ms)

    # -- what may have happened --------------------------------------------------------------------------------------

    def _closure(self, hypotheses: Sequence[Hypothesis], seen: Seen) -> Iterator[Hypothesis]:
        """All that may be so just before an observation: things told are worked on, and a few unseen events happen. Where
        something else must be seen first on that channel, nothing is supposed beyond it."""
        yield from (h for h in hypotheses if self._blocked(h, seen))
        wave = [h for h in hypotheses if not self._blocked(h, seen)]
        if not wave:
            return
        known = set(hypotheses)
        for supposed in range(self.supposed + 1):
            following: list[Hypothesis] = []
            while wave:
                h = wave.pop()
                yield h
                if self._blocked(h, seen):
                    continue
                for _, after in self._worked(h, seen.time_ms):
                    if after not in known:
                        known.add(after)
                        wave.append(after)
                if supposed < self.supposed:
                    for event in self.around.unseen(h, seen):
                        after = self._stepped(h, event, getattr(event, "now", seen.time_ms))
                        if after not in known:
                            known.add(after)
                            following.append(after)
                self._check(len(known))
            wave = following

    def _blocked(self, h: Hypothesis, seen: Seen) -> bool:
        if isinstance(seen.what, Tag):
            return any(said.what == seen.what and said.channel == seen.channel for said in h.said)
        return any(
            said.channel == seen.channel and not isinstance(said.what, Tag) and not self.around.waits(said.what)
            for said in h.said
        )

    def _worked(self, h: Hypothesis, by_ms: int) -> Iterator[tuple[Told, Hypothesis]]:
        """One thing that it was told is worked on by that time: the oldest of some channel that can be."""
        channels: set[int] = set()
        for place, told in enumerate(h.told):
            if told.channel not in channels and self.around.may_work(h, told):
                channels.add(told.channel)
                for after in self._work_on(h, place, by_ms):
                    yield told, after

    def _work_on(self, h: Hypothesis, place: int, by_ms: int) -> Iterator[Hypothesis]:
        """The thing told at that place is worked on; or, where it may be void, nothing comes of it."""
        told = h.told[place]
        worked, event = self.around.work(h.memory, self._numbered(h, told))
        for memory in (worked, *self.around.lapsed(worked, told.event, by_ms)):
            rest = h._replace(told=(*h.told[:place], *h.told[place + 1 :]), memory=memory)
            if event is not None:
                yield self._stepped(rest, event, told.time_ms)
            if event is None or self.around.may_be_void(memory, told.event):
                yield rest

    def _numbered(self, h: Hypothesis, told: Told) -> Any:
        """The event; for a TunnelAck, with the number of the message that it names."""
        event = told.event
        if told.ordinal and isinstance(event, Received) and isinstance(event.frame, TunnelAck):
            offset = next((offset for first, offset in reversed(h.runs) if first <= told.ordinal), 0)
            return replace(event, number=told.ordinal + offset)
        return event

    def _stepped(self, h: Hypothesis, event: Any, time_ms: int) -> Hypothesis:
        result = self.endpoint.step(h.state, event, self.limits)
        timers, asks = h.timers, h.asks
        said, told, memory, took = list(h.said), list(h.told), h.memory, h.took
        rules = tuple(taken.step.transition.id for taken in result.steps)
        if not self.watch.isdisjoint(rules):
            took |= self.watch.intersection(rules)
        if timers:
            timers = frozenset(timer for timer in timers if timer.event is not type(event))
        answered = ANSWERS.get(type(event))
        if answered:
            asks = frozenset(ask for ask in asks if ask.output is not answered)
        for output in result.outputs:
            if isinstance(output, Send):
                memory = self.around.sends(memory, output)
                if self.around.carries(output.link):
                    said.append(Said(output.link, output.number, output.frame, time_ms, rules))
            elif isinstance(output, SendAck):
                if output.message_id and self.around.acks and self.around.carries(output.link):
                    said.append(Said(output.link, 0, Tag(output.message_id), time_ms, rules))
            elif isinstance(output, SetTimer | CancelTimer):
                timers = frozenset(timer for timer in timers if timer.event is not output.event)
                if isinstance(output, SetTimer):
                    timers |= {Timer(output.event, time_ms + output.delay_ms)}
            else:
                if type(output) in ASKED:
                    asks |= {Ask(type(output), time_ms)}
                memory, news, shown = self.around.react(memory, output, time_ms)
                told += news
                if self.around.carries(0):
                    said += (Said(0, 0, what, time_ms, rules) for what in shown)
        state = result.state
        if self.around.renews and Free() in result.outputs:
            state = self.endpoint.start(tunnel=Tunnel(next=state[self.endpoint.place("tunnel")].context.next))
        return Hypothesis(state, tuple(told), tuple(said), timers, asks, h.runs, memory, took)

    def _explained(self, h: Hypothesis, seen: Seen) -> Hypothesis | None:
        """The hypothesis with the observation taken in; None if it is not what had to be seen next. Acks may overtake."""
        for place, said in enumerate(h.said):
            if said.channel != seen.channel:
                continue
            if isinstance(said.what, Tag) != isinstance(seen.what, Tag):
                continue
            if self.around.same(said.what, seen.what):
                runs = h.runs
                if said.number and (not runs or runs[-1][1] != said.number - seen.ordinal):
                    runs = (*runs, (seen.ordinal, said.number - seen.ordinal))
                return h._replace(said=(*h.said[:place], *h.said[place + 1 :]), runs=runs)
            if not isinstance(seen.what, Tag) and not self.around.waits(said.what):
                return None
        return None

    def _check(self, count: int) -> None:
        if count > self.most:
            raise TooMany(f"it may be in more than {self.most:,} states")


def _distinct(hypotheses: list[Hypothesis]) -> tuple[Hypothesis, ...]:
    """Each of them once. One alone need not be hashed, which takes as long as a step where much is pending."""
    return tuple(dict.fromkeys(hypotheses) if len(hypotheses) > 1 else hypotheses)
