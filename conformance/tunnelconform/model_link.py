"""A runner's own socket, seen by a gateway, as a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tunnelconform import conversation as talk
from tunnelconform.conversation import Step
from tunnelconform.derive import Felt, known
from tunnelconform.frames_said import POSTED
from tunnelconform.played import Impossible
from tunnelspec.endpoint import LINK_GATEWAY, State
from tunnelspec.events import BadFrame, CancelTimer, InitTimeout, LinkDown, LinkUp, Replaced, SetTimer, Silence
from tunnelspec.limits import Limits
from tunnelspec.machine import Received

DEPTH = 5
PATIENCE_MS = 60_000
WAITS: Mapping[str, type[Any]] = {"init_timeout_ms": InitTimeout, "lost_threshold_ms": Silence}
GARBLED = (talk.Garble(hex="ff"), talk.Garble(hex="04"), talk.Garble(hex="00ff", text=True), talk.Garble(hex=""))


class Model(NamedTuple):
    """Where the link stands."""

    state: State
    now: int = 1
    timers: tuple[tuple[type[Any], int], ...] = ()
    up: bool = False
    dialled: bool = False
    mute: bool = False


class LinkModel:
    """What a runner can do with its socket, and what the gateway's table makes of it."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self._known = limits, known(LINK_GATEWAY, limits)

    @property
    def depth(self) -> int:
        return DEPTH

    def start(self) -> Model:
        return Model(LINK_GATEWAY.start())

    def after(self, conversation: Iterable[Step]) -> Model:
        """Where a conversation leads to."""
        m = self.start()
        for step in conversation:
            m, _ = self.do(m, step)
        return m

    def steps(self, m: Model) -> Iterator[Step]:
        if not m.dialled:
            yield talk.Dial()
        if not m.up:
            return
        yield from (talk.Post(frame=name) for name in POSTED)
        yield from GARBLED
        yield talk.Part()
        yield talk.Break()
        yield talk.Join()
        if not m.mute:
            yield talk.Mute()
        for limit, event in WAITS.items():
            armed = any(timer is event for timer, _ in m.timers)
            if armed and (m.mute or event is InitTimeout) and getattr(self.limits, limit) <= PATIENCE_MS:
                yield talk.Wait(limit=limit)

    def epilogue(self, m: Model) -> Iterator[Step]:
        """What shows where the link stands."""
        if m.up and not m.mute:
            yield talk.Post(frame="ToServerKvRequest")
            if m.state[0].state == "joining":
                yield talk.Post(frame="ToServerInit")
                yield talk.Post(frame="ToServerKvRequest")

    def do(self, m: Model, step: Step) -> tuple[Model, tuple[Felt, ...]]:
        """What a step makes of it. Raises ``Impossible``."""
        taken: list[Felt] = []
        if isinstance(step, talk.Dial):
            return self._feel(m._replace(up=True, dialled=True), LinkUp(m.now), taken), tuple(taken)
        if not m.up:
            raise Impossible("there is no link")
        event: Any = None
        if isinstance(step, talk.Post):
            event = Received(POSTED[step.frame], 1, now=m.now)
        elif isinstance(step, talk.Garble):
            event = BadFrame("", m.now)
        elif isinstance(step, talk.Part | talk.Break):
            m, event = m._replace(up=False), LinkDown(m.now)
        elif isinstance(step, talk.Join):
            m, event = m._replace(up=False), Replaced(m.now)  # what follows goes over the new link
        elif isinstance(step, talk.Mute):
            return m._replace(mute=True), ()
        elif isinstance(step, talk.Wait):
            if step.short:
                return m, ()
            due = dict(m.timers).get(WAITS[step.limit])
            if due is None:
                raise Impossible(f"nothing is to happen after {step.limit}")
            m, event = m._replace(now=due, up=False), WAITS[step.limit](due)
        return (self._feel(m, event, taken) if event is not None else m), tuple(taken)

    def _feel(self, m: Model, event: Any, taken: list[Felt]) -> Model:
        result, felt = self._known.step(m.state, event)
        taken += felt
        timers = dict(m.timers)
        timers.pop(type(event), None)
        for output in result.outputs:
            if isinstance(output, SetTimer):
                timers[output.event] = m.now + output.delay_ms
            elif isinstance(output, CancelTimer):
                timers.pop(output.event, None)
        return m._replace(state=result.state, timers=tuple(timers.items()))
