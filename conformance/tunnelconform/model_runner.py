"""A runner, its test actor and the gateway as a model, to derive cases from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tunnelconform import conversation as talk
from tunnelconform.around_runner import Actor, AroundRunner, Begins
from tunnelconform.conversation import Step
from tunnelconform.derive import Felt, known
from tunnelconform.model_gateway import NEARLY
from tunnelconform.played import Impossible
from tunnelspec.endpoint import RUNNER, Endpoint, State
from tunnelspec.events import AckDue, ActorStops, CancelTimer, Collect, Free, LinkLost, Send, SetTimer
from tunnelspec.frames import ToClientWebSocketClose, ToClientWebSocketMessage, ToClientWebSocketOpen, TunnelAck
from tunnelspec.limits import Limits
from tunnelspec.machine import Received

WAITS: Mapping[str, int] = {"runner_ack_timeout_ms": 1, "max_hibernation_ms": 1}
TEXTS = ("m", "send r", "state", "close 4001 bye")
NOISE: tuple[Step, ...] = (
    *(talk.Garble(who=talk.GATEWAY, hex=data) for data in ("ff", "06")),
    talk.Garble(who=talk.GATEWAY, hex="00", text=True),
    *(talk.Foreign(frame=frame) for frame in ("ToClientWebSocketMessage", "ToClientWebSocketClose", "TunnelAck")),
    talk.Foreign(frame="ToClientWebSocketOpen"),
)
"""What is no frame, or for no socket of the runner's."""


class Spent(NamedTuple):
    """How often the peers did what the bounds count."""

    opens: int = 0
    brings: int = 0
    shuts: int = 0
    starts: int = 0
    stops: int = 0
    cuts: int = 0
    strays: int = 0
    waits: int = 0


@dataclass(frozen=True)
class Bounds:
    """How much the peers may do. ``hasty``: the gateway may bring a close and not wait for what the actor does about it.
    ``wild``: it also sends what is no frame, what it has no socket for, and what came before; and the actor may want to sleep."""

    most: Spent
    hibernates: bool = True
    hasty: bool = False
    wild: bool = False
    depth: int = 9
    patience_ms: int = 60_000


class Model(NamedTuple):
    """Where everything stands."""

    state: State
    actor: Actor
    now: int = 1
    link: int = 1
    due: bool = False
    arrived: tuple[tuple[str, int], ...] = ()  # tunnel messages that came to the gateway: kind, number
    newest: int = 0  # the index of the newest message brought
    coming: tuple[Any, ...] = ()  # what the actor will do when the gateway's haste is over
    spent: Spent = Spent()


class Ageless(AroundRunner):
    """A runner's surroundings, if no life begins so late that what is durable is forgotten: with its age, a search had more
    situations to look at, and would find no other transition."""

    ages = False


class RunnerModel:
    """What a gateway can do, and what the runner's tables and the actor's contract make of it. ``lives_by``: the runner's
    limits, if they are not those that the gateway takes them for."""

    def __init__(
        self, limits: Limits, bounds: Bounds, tables: Endpoint = RUNNER, lives_by: Limits | None = None,
        nearly: float = NEARLY,
    ) -> None:  # fmt: skip
        self.nearly = nearly
        self.limits, self.bounds, self.tables, self._known = limits, bounds, tables, known(tables, lives_by or limits)
        self.around: AroundRunner = Ageless(limits)

    @property
    def depth(self) -> int:
        return self.bounds.depth

    def start(self) -> Model:
        return Model(self.tables.start(), Actor(self.bounds.hibernates))

    def after(self, conversation: Iterable[Step]) -> Model:
        """Where a conversation leads to."""
        m = self.start()
        for step in conversation:
            m, _ = self.do(m, step)
        return m

    def steps(self, m: Model) -> Iterator[Step]:
        if not m.actor.alive and self._left(m, "starts"):
            yield talk.Start(plain=not self.bounds.hibernates)
        if m.actor.alive and self._left(m, "stops"):
            yield talk.Stop()
        if self._left(m, "opens"):
            yield talk.Open()
        if m.spent.opens:
            if self._left(m, "brings") and self.bounds.wild:
                yield from self._wild_brings(m)
            elif self._left(m, "brings"):
                following = m.newest + 1 if self.bounds.hibernates else 0
                yield from (talk.Bring(index=following, text=text) for text in TEXTS)
                if self.bounds.hibernates and self._left(m, "strays"):
                    yield talk.Bring(index=m.newest, text="m")
                    yield talk.Bring(index=following + 1, text="m")
            if self._left(m, "shuts"):
                yield talk.Shut()
                if self.bounds.hasty and m.actor.alive and self._left(m, "stops"):
                    yield talk.Shut(at_once=True)
            if self._left(m, "cuts"):
                yield talk.Cut()
                if self.bounds.wild:
                    yield talk.Cut(code=1001)
                    yield talk.Cut(code=1012, anew=True)
            if self._left(m, "strays"):
                yield talk.AckArrival(who=talk.GATEWAY, stray=True)
            if self._left(m, "waits"):
                for limit in WAITS:
                    if getattr(self.limits, limit) <= self.bounds.patience_ms:
                        yield talk.Wait(limit=limit)
        for kind in dict.fromkeys(kind for kind, _ in reversed(m.arrived)):
            yield talk.AckArrival(who=talk.GATEWAY, of=kind)
            if self.bounds.wild and self._left(m, "strays") and sum(k == kind for k, _ in m.arrived) > 1:
                yield talk.AckArrival(who=talk.GATEWAY, of=kind, back=1)
        if self.bounds.wild and self._left(m, "strays"):
            yield from NOISE

    def _wild_brings(self, m: Model) -> Iterator[Step]:
        """The message that the runner waits for, whatever was brought before; the one before it, and the one after."""
        received = m.state[RUNNER.place("ack")].context.received
        following = received + 1 if self.bounds.hibernates else 0
        yield from (talk.Bring(index=following, text=text) for text in (*TEXTS[:-1], "sleep", TEXTS[-1]))
        if self._left(m, "strays"):
            yield talk.Bring(index=received, text="m")
            yield talk.Bring(index=following + 1, text="m")

    def _left(self, m: Model, what: str) -> bool:
        return bool(getattr(m.spent, what) < getattr(self.bounds.most, what))

    def epilogue(self, m: Model) -> Iterator[Step]:
        """What shows where the runner stands."""
        steps = [talk.Bring(index=m.newest + 1 if self.bounds.hibernates else 0, text="state"), talk.Shut()]
        if m.state[0].state != "OPEN" and m.actor.alive:
            steps.insert(0, talk.Open())
            if m.actor.last >= 0:
                steps[1] = talk.Bring(index=m.actor.last + 1, text="state")
        if m.spent.opens:
            yield from steps

    def do(self, m: Model, step: Step) -> tuple[Model, tuple[Felt, ...]]:
        """What a step makes of the model. Raises ``Impossible``."""
        taken: list[Felt] = []
        m = self._do(m, step, taken)
        while m.coming and not step.at_once:
            m = self._work(m._replace(coming=m.coming[1:]), m.coming[0], taken)
        if m.due and not step.at_once:
            m = self._feel(m._replace(due=False), AckDue(m.now), taken)
        return m, tuple(taken)

    def _do(self, m: Model, step: Step, taken: list[Felt]) -> Model:
        if isinstance(step, talk.Start):
            return self._spend(m, "starts", self._work(m, Begins(), taken))
        if isinstance(step, talk.Stop):
            return self._spend(m, "stops", self._work(m, ActorStops(m.now), taken))
        if isinstance(step, talk.Open):
            return self._spend(m, "opens", self._hear(m, ToClientWebSocketOpen("", "", ()), taken))
        if isinstance(step, talk.Bring):
            strays = "brings" if step.index in (0, m.newest + 1) else "strays"
            newest = max(m.newest, step.index)
            frame = ToClientWebSocketMessage(step.index, step.text.encode(), step.binary)
            return self._spend(m, strays, self._hear(m._replace(newest=newest), frame, taken))
        if isinstance(step, talk.Shut):
            return self._spend(m, "shuts", self._hear(m, ToClientWebSocketClose(step.code, step.reason), taken))
        if isinstance(step, talk.Garble | talk.Foreign):
            return self._spend(m, "strays", m)
        if isinstance(step, talk.AckArrival):
            those = [number for kind, number in m.arrived if kind == step.of]
            if not step.stray and not those:
                raise Impossible(f"no {step.of} came")
            number = 0 if step.stray else those[-1 - step.back]
            m = self._spend(m, "strays", m) if step.stray or step.back else m
            return self._feel(m, Received(TunnelAck(), m.link, number=number, now=m.now), taken)
        if isinstance(step, talk.Cut):
            m = self._spend(m, "cuts", m._replace(link=m.link + 1))
            return self._feel(m, LinkLost(m.link - 1, m.now), taken)
        if isinstance(step, talk.Wait):
            value = int(getattr(self.limits, step.limit))
            passed = int(value * self.nearly) if step.short else value + 1
            m = self._spend(m, "waits", m._replace(now=m.now + passed))
            return self._feel(m, Collect(m.now), taken)
        raise Impossible(f"{step.do} is nothing to a runner")

    def _spend(self, before: Model, what: str, m: Model) -> Model:
        return m._replace(spent=before.spent._replace(**{what: getattr(before.spent, what) + 1}))

    def _hear(self, m: Model, frame: Any, taken: list[Felt]) -> Model:
        return self._feel(m, Received(frame, m.link, b"id", now=m.now), taken)

    def _work(self, m: Model, event: Any, taken: list[Felt]) -> Model:
        actor, event = self.around.work(m.actor, event)
        m = m._replace(actor=actor)
        return m if event is None else self._feel(m, event, taken)

    def _feel(self, m: Model, event: Any, taken: list[Felt]) -> Model:
        result, felt = self._known.step(m.state, event)
        taken += felt
        m = m._replace(state=result.state)
        news: list[Any] = []
        for output in result.outputs:
            if isinstance(output, Send):
                m = m._replace(arrived=(*m.arrived, (type(output.frame).__name__, output.number)))
            elif isinstance(output, SetTimer | CancelTimer):
                m = m._replace(due=isinstance(output, SetTimer))
            else:
                actor, told, _ = self.around.react(m.actor, output, m.now)
                m = m._replace(actor=actor)
                news += [item.event for item in told]
        if Free() in result.outputs:
            m = m._replace(state=self.tables.again(m.state))
        return m._replace(coming=(*m.coming, *news))
