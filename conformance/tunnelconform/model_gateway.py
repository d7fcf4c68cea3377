"""A gateway and its peers as a model: the tables, and what each step of a conversation makes of them.

The model is what cases are derived from; it is not what a subject is judged by. Where a subject has a choice, the model takes
the one that a quiet network makes likely.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from tunnelconform import conversation as talk
from tunnelconform.conversation import Step
from tunnelconform.derive import Felt, known
from tunnelconform.peers import wire_size
from tunnelconform.played import Impossible
from tunnelconform.relays import Relays, lost, passed
from tunnelspec.endpoint import GATEWAY, Endpoint, State
from tunnelspec.events import (
    ActorStarted,
    BackoffOver,
    CancelTimer,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    CloseClient,
    Collect,
    LinkLost,
    OpenTimeout,
    ReadClient,
    RequestBody,
    Resolve,
    Respond,
    RespondAbort,
    RespondBody,
    ResponseTimeout,
    RouteFailed,
    RouteFound,
    Send,
    SetTimer,
)
from tunnelspec.frames import (
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
    TunnelAck,
)
from tunnelspec.limits import Limits
from tunnelspec.machine import Received, Verdict

MOST_BYTES = 1 << 21
"""No message is larger."""

ACTOR_CODE, ACTOR_REASON = 4000, "bye"
NEARLY = 0.85
"""A wait that is not quite as long as a limit is over when this part of it is, with all that may hold it up."""


WAITS: Mapping[str, type[Any] | None] = {
    "backoff_ms": BackoffOver,
    "open_timeout_ms": OpenTimeout,
    "response_timeout_ms": ResponseTimeout,
    "gc_interval_ms": None,
    "ack_timeout_ms": None,
    "max_hibernation_ms": None,
}
"""The limits that are waited for, and the timer that must be armed for that to make sense."""


class Arrived(NamedTuple):
    """A tunnel message that came to a runner."""

    link: int
    kind: str
    number: int


class Spent(NamedTuple):
    """How often the peers did what the bounds count."""

    says: int = 0
    tells: int = 0
    answers: int = 0
    acks: int = 0
    closes: int = 0
    sleeps: int = 0
    joins: int = 0
    breaks: int = 0
    visits: int = 0
    strays: int = 0
    waits: int = 0


@dataclass(frozen=True)
class Bounds:
    """How much the peers may do: each at most so often. ``large``: the client's messages may be as large as is just allowed, and
    larger. ``settles``: the runner acks the arrival of messages. ``patience_ms``: no wait is longer."""

    most: Spent
    runners: tuple[str, ...] = ("a",)
    large: bool = False
    plain: bool = True
    settles: bool = True
    depth: int = 12
    patience_ms: int = 60_000


class Model(NamedTuple):
    """Where everything stands."""

    state: State
    now: int = 1
    timers: tuple[tuple[type[Any], int], ...] = ()
    client: str = "new"  # new, here, gone
    reads: bool = False
    unread: tuple[ClientMessage | RequestBody, ...] = ()
    links: tuple[tuple[str, int], ...] = ()
    made: int = 0
    home: str = ""  # the runner that has the actor
    arrived: tuple[Arrived, ...] = ()
    relays: Relays = ()
    spent: Spent = Spent()


def ends_client(output: Any) -> bool:
    """Whether the client has all that it will get after this."""
    return (
        isinstance(output, CloseClient | RespondAbort)
        or (isinstance(output, Respond) and not output.stream)
        or (isinstance(output, RespondBody) and output.finish)
    )


class GatewayModel:
    """What the peers can do, and what comes of it. ``lives_by``: the gateway's limits, if they are not those that the peers take
    them for."""

    def __init__(
        self, limits: Limits, bounds: Bounds, tables: Endpoint = GATEWAY, lives_by: Limits | None = None,
        nearly: float = NEARLY,
    ) -> None:  # fmt: skip
        self.nearly = nearly
        self.limits, self.bounds, self.tables, self._known = limits, bounds, tables, known(tables, lives_by or limits)

    @property
    def depth(self) -> int:
        return self.bounds.depth

    def start(self) -> Model:
        return Model(self.tables.start())

    def after(self, conversation: Iterable[Step]) -> Model:
        """Where a conversation leads to."""
        m = self.start()
        for step in conversation:
            m, _ = self.do(m, step)
        return m

    def route(self, conversation: Iterable[Step]) -> tuple[str, ...]:
        """The transitions that a conversation takes. Raises ``Impossible``."""
        m, ids = self.start(), []
        for step in conversation:
            m, taken = self.do(m, step)
            ids += [felt.transition.id for felt in taken]
        return tuple(ids)

    def epilogue(self, m: Model) -> Iterator[Step]:
        """What shows where the gateway stands: each of these that moves something is done."""
        for who, link in m.links:
            opens = [a for a in m.arrived if a.kind == "ToClientWebSocketOpen"]
            if not opens or opens[-1].link != link:
                continue
            last = m.spent.says if m.spent.answers else -1
            for step in (
                talk.AckArrival(who=who),
                talk.Answer(who=who, last=last),
                talk.Say(text=f"m{m.spent.says + 1}"),
                talk.AckMessages(who=who, index=m.spent.says + 1),
                talk.Tell(who=who, text=f"r{m.spent.tells + 1}"),
                talk.Leave(code=1000, reason="done"),
                talk.AckArrival(who=who, of="ToClientWebSocketClose"),
            ):
                if isinstance(step, talk.Say | talk.Leave) and m.client != "here":
                    continue
                if isinstance(step, talk.AckArrival) and not any(a.kind == step.of for a in m.arrived):
                    continue
                after, taken = self.do(m, step)
                if any(felt.transition.verdict is Verdict.TAKEN for felt in taken):
                    yield step
                    m = after
            return

    # -- what can be done --------------------------------------------------------------------------------------------

    def steps(self, m: Model) -> Iterator[Step]:
        """What the peers can do now, the simplest first."""
        links = dict(m.links)
        if m.client == "new":
            yield talk.Connect()
        if m.client == "here":
            if self._left(m, "says"):
                yield talk.Say(text=f"m{m.spent.says + 1}")
                if self.bounds.large and self.limits.max_pending_bytes <= MOST_BYTES:
                    yield talk.Say(text=f"m{m.spent.says + 1}", size=self.limits.max_pending_bytes)
                    yield talk.Say(text=f"m{m.spent.says + 1}", size=self.limits.max_pending_bytes + 1)
            yield talk.Leave(code=1000, reason="done")
            yield talk.Vanish()
        for who in self.bounds.runners:
            if who not in links and self._left(m, "joins"):
                yield talk.Join(who=who)
            if who in links and m.arrived:
                yield from self._runner_steps(m, who)
        if m.client != "new" and self._left(m, "visits") and not m.home and m.links:
            yield talk.Visit()
        if m.client != "new" and self._left(m, "waits"):
            armed = [event for event, _ in m.timers]
            for limit, event in WAITS.items():
                if event in (None, *armed) and getattr(self.limits, limit) <= self.bounds.patience_ms:
                    yield talk.Wait(limit=limit)

    def _runner_steps(self, m: Model, who: str) -> Iterator[Step]:
        for kind in dict.fromkeys(a.kind for a in reversed(m.arrived)):
            if kind == "ToClientWebSocketMessage" and not self.bounds.settles:
                continue
            yield talk.AckArrival(who=who, of=kind)
            if sum(a.kind == kind for a in m.arrived) > 1 and self._left(m, "strays"):
                yield talk.AckArrival(who=who, of=kind, back=1)
        if self._left(m, "answers"):
            for last in (-1, *range(m.spent.says + 2)):
                yield talk.Answer(who=who, can_hibernate=True, last=last)
            if self.bounds.plain:
                yield talk.Answer(who=who, can_hibernate=False)
        if self._left(m, "tells"):
            yield talk.Tell(who=who, text=f"r{m.spent.tells + 1}")
        if self._left(m, "acks"):
            yield from (talk.AckMessages(who=who, index=index) for index in range(m.spent.says + 2))
        if self._left(m, "closes"):
            yield talk.Close(who=who, retry=True)
            yield talk.Close(who=who, code=ACTOR_CODE, reason=ACTOR_REASON)
        if self._left(m, "sleeps") and m.home == who:
            yield talk.Sleep(who=who)
        if self._left(m, "breaks"):
            yield talk.Break(who=who)
        if self._left(m, "strays"):
            yield talk.AckArrival(who=who, stray=True)

    def _left(self, m: Model, what: str) -> bool:
        return bool(getattr(m.spent, what) < getattr(self.bounds.most, what))

    # -- what comes of it --------------------------------------------------------------------------------------------

    def do(self, m: Model, step: Step) -> tuple[Model, tuple[Felt, ...]]:
        """What a step makes of the model, and the transitions that are taken. Raises ``Impossible``."""
        taken: list[Felt] = []
        try:
            after = getattr(self, "_" + step.do.replace("-", "_"))(m, step, taken)
        except (IndexError, KeyError) as error:
            raise Impossible(f"{step.do}: {error}") from error
        return after, tuple(taken)

    def _spend(self, m: Model, what: str) -> Model:
        return m._replace(spent=m.spent._replace(**{what: getattr(m.spent, what) + 1}))

    def _connect(self, m: Model, step: talk.Connect, taken: list[Felt]) -> Model:
        return self._feel(m._replace(client="here"), ClientConnected(), taken)

    def _say(self, m: Model, step: talk.Say, taken: list[Felt]) -> Model:
        data = step.text.encode()
        size = step.size or wire_size(data, step.binary)
        event = ClientMessage(data, step.binary, size, 0, m.now)
        m = self._spend(m, "says")
        return self._feel(m, event, taken) if m.reads else m._replace(unread=(*m.unread, event))

    def _leave(self, m: Model, step: talk.Leave, taken: list[Felt]) -> Model:
        return self._feel(m._replace(client="gone"), ClientClosed(step.code, step.reason or None, m.now), taken)

    def _vanish(self, m: Model, step: talk.Vanish, taken: list[Felt]) -> Model:
        return self._feel(m._replace(client="gone"), ClientClosed(None, None, m.now), taken)

    def _visit(self, m: Model, step: talk.Visit, taken: list[Felt]) -> Model:
        m = self._spend(m, "visits")
        return self._feel(m._replace(home=m.links[0][0]), ActorStarted(m.now), taken)

    def _join(self, m: Model, step: talk.Join, taken: list[Felt]) -> Model:
        m = self._spend(m, "joins")
        return m._replace(made=m.made + 1, links=(*m.links, (step.who, m.made + 1)))

    def _ack_arrival(self, m: Model, step: talk.AckArrival, taken: list[Felt]) -> Model:
        if step.stray or step.back:
            m = self._spend(m, "strays")
        those = [a for a in m.arrived if a.kind == step.of]
        number = 0 if step.stray else those[-1 - step.back].number
        return self._feel(m, Received(TunnelAck(), dict(m.links)[step.who], b"", number, m.now), taken)

    def _answer(self, m: Model, step: talk.Answer, taken: list[Felt]) -> Model:
        frame = ToServerWebSocketOpen(step.can_hibernate, step.last)
        return self._tunnel(self._spend(m, "answers"), step.who, frame, taken)

    def _tell(self, m: Model, step: talk.Tell, taken: list[Felt]) -> Model:
        frame = ToServerWebSocketMessage(step.text.encode(), step.binary)
        return self._tunnel(self._spend(m, "tells"), step.who, frame, taken)

    def _ack_messages(self, m: Model, step: talk.AckMessages, taken: list[Felt]) -> Model:
        return self._tunnel(self._spend(m, "acks"), step.who, ToServerWebSocketMessageAck(step.index), taken)

    def _close(self, m: Model, step: talk.Close, taken: list[Felt]) -> Model:
        frame = ToServerWebSocketClose(step.code, step.reason, step.retry)
        return self._tunnel(self._spend(m, "closes"), step.who, frame, taken)

    def _sleep(self, m: Model, step: talk.Sleep, taken: list[Felt]) -> Model:
        frame = ToServerWebSocketClose(None, None, True)
        m = self._spend(m, "sleeps")._replace(home="")
        return self._tunnel(m, step.who, frame, taken)

    def _break(self, m: Model, step: talk.Break, taken: list[Felt]) -> Model:
        link = dict(m.links)[step.who]
        m = self._spend(m, "breaks")._replace(
            links=tuple(item for item in m.links if item[1] != link), home="" if m.home == step.who else m.home
        )
        relays, behalf = lost(m.relays, LinkLost(link, m.now), self.limits)
        m = m._replace(relays=relays)
        return m if behalf is None else self._feel(m, behalf, taken)

    def _wait(self, m: Model, step: talk.Wait, taken: list[Felt]) -> Model:
        m = self._spend(m, "waits")
        value = getattr(self.limits, step.limit)
        dues = [due for event, due in m.timers if event is BackoffOver and step.limit == "backoff_ms"]
        target = m.now + int(value * self.nearly) if step.short else max(dues, default=m.now + value + 1)
        collects = value >= self.limits.gc_interval_ms
        while due := min(((due, event) for event, due in m.timers if due <= target), default=None, key=lambda d: d[0]):
            m = m._replace(now=max(m.now, due[0]))
            if collects:  # it does so all along: what ends by it ends before what comes later
                m = self._feel(m, Collect(m.now), taken)
            if due in {(time, event) for event, time in m.timers}:
                m = self._feel(m, due[1](due[0]), taken)
        m = m._replace(now=target)
        return self._feel(m, Collect(target), taken) if collects else m

    def _tunnel(self, m: Model, who: str, frame: Any, taken: list[Felt]) -> Model:
        link = dict(m.links)[who]
        m = m._replace(relays=passed(m.relays, link, frame, self.limits))
        return self._feel(m, Received(frame, link, b"id", now=m.now), taken)

    def _feel(self, m: Model, event: Any, taken: list[Felt]) -> Model:
        """The gateway works on an event, and on what follows from it at once."""
        result, felt = self._known.step(m.state, event)
        taken += felt
        m = m._replace(state=result.state, timers=tuple(timer for timer in m.timers if timer[0] is not type(event)))
        for output in result.outputs:
            if isinstance(output, SetTimer | CancelTimer):
                timers = [timer for timer in m.timers if timer[0] is not output.event]
                if isinstance(output, SetTimer):
                    timers.append((output.event, m.now + output.delay_ms))
                m = m._replace(timers=tuple(sorted(timers, key=lambda timer: timer[1])))
            elif isinstance(output, Send):
                if output.link in dict(m.links).values():
                    came = Arrived(output.link, type(output.frame).__name__, output.number)
                    relays = passed(m.relays, output.link, output.frame, self.limits)
                    m = m._replace(arrived=(*m.arrived, came), relays=relays)
            elif isinstance(output, ReadClient):
                unread = m.unread
                m = m._replace(reads=True, unread=())
                for message in unread:
                    m = self._feel(m, replace(message, now=m.now), taken)  # it is as old as its reading
            elif ends_client(output):
                m = m._replace(client="gone")
            elif isinstance(output, Resolve):
                m = self._route(m, taken)
        return m

    def _route(self, m: Model, taken: list[Felt]) -> Model:
        links = dict(m.links)
        if not links:
            return self._feel(m, RouteFailed(m.now), taken)
        if m.home not in links:
            m = m._replace(home=m.links[0][0])
        return self._feel(m, RouteFound(links[m.home], m.now), taken)
