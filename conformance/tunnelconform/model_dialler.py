"""A runner's own socket, seen by the runner, as a model: what the gateway that it dials can do, and what the table makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tunnelconform import conversation as talk
from tunnelconform.conversation import Step
from tunnelconform.derive import Felt, known
from tunnelconform.frames_said import SENT
from tunnelconform.played import Impossible
from tunnelspec.endpoint import LINK_RUNNER, Endpoint, State
from tunnelspec.events import (
    BadFrame,
    CancelTimer,
    LinkDown,
    LinkUp,
    PingDue,
    RedialDue,
    RunnerStops,
    SetTimer,
)
from tunnelspec.limits import Limits
from tunnelspec.machine import Received

DEPTH = 5
MOST_LINKS = 2
MOST_WAITS = 2
GARBLED = (talk.Garble(who=talk.GATEWAY, hex="ff"), talk.Garble(who=talk.GATEWAY, hex="00", text=True))
CODES = (1000, 1001, 1008, 1011, 4000)
"""Codes with which a gateway closes a link: whichever it is, the runner dials again."""


class Model(NamedTuple):
    """Where the link stands."""

    state: State
    now: int = 1
    timers: tuple[tuple[type[Any], int], ...] = ()
    links: int = 0
    waits: int = 0
    started: bool = False


class DiallerModel:
    """The gateway's side of a runner's links."""

    def __init__(self, limits: Limits, tables: Endpoint = LINK_RUNNER, lives_by: Limits | None = None) -> None:
        self.limits, self.tables, self._known = limits, tables, known(tables, lives_by or limits)

    @property
    def depth(self) -> int:
        return DEPTH

    def start(self) -> Model:
        """A link has just broken."""
        return self._feel(Model(self.tables.start({"link": "ready"})), LinkDown(1), [])

    def after(self, conversation: Iterable[Step]) -> Model:
        """Where a conversation leads to."""
        m = self.start()
        for step in conversation:
            m, _ = self.do(m, step)
        return m

    def steps(self, m: Model) -> Iterator[Step]:
        where = m.state[0].state
        if where in ("idle", "dialing") and m.links < MOST_LINKS:
            yield talk.Admit()
            yield talk.Refuse()
        if where == "idle" and m.waits < MOST_WAITS:
            yield talk.Wait(limit="reconnect_ms")
        if where in ("joining", "ready", "stopping"):
            yield from (talk.Post(who=talk.GATEWAY, frame=name) for name in SENT)
            yield from GARBLED
            yield talk.Break(who=talk.GATEWAY)
            yield from (talk.Part(who=talk.GATEWAY, code=code) for code in CODES)
        if where == "ready":
            yield talk.Post(who=talk.GATEWAY, frame="ToClientClose", at_once=True)
            if not m.started:
                yield talk.Start()
            if m.waits < MOST_WAITS and self.limits.ping_interval_ms <= self.limits.lost_threshold_ms:
                yield talk.Wait(limit="ping_interval_ms")
        if where in ("idle", "dialing", "joining", "ready"):
            yield talk.Terminate()

    def epilogue(self, m: Model) -> Iterator[Step]:
        """What shows where the link stands."""
        where = m.state[0].state
        if where == "gone":
            yield talk.Wait(limit="reconnect_ms")
        if where in ("idle", "dialing"):
            yield talk.Admit()
        if where in ("idle", "dialing", "joining"):
            yield talk.Post(who=talk.GATEWAY, frame="ToClientInit")
        if where in ("idle", "dialing", "joining", "ready"):
            yield talk.Post(who=talk.GATEWAY, frame="ToClientCommands")

    def do(self, m: Model, step: Step) -> tuple[Model, tuple[Felt, ...]]:
        """What a step makes of it. Raises ``Impossible``."""
        taken: list[Felt] = []
        m = self._do(m, step, taken)
        if m.state[0].state == "stopping" and not step.at_once:  # the socket's end follows
            m = self._feel(m, LinkDown(m.now), taken)
        return m, tuple(taken)

    def _do(self, m: Model, step: Step, taken: list[Felt]) -> Model:
        where = m.state[0].state
        if isinstance(step, talk.Admit | talk.Refuse):
            if where == "idle":
                m = self._due(m, RedialDue, taken)
            if m.state[0].state != "dialing":
                raise Impossible("the runner does not dial")
            m = m._replace(links=m.links + 1)
            return self._feel(m, LinkUp(m.now) if isinstance(step, talk.Admit) else LinkDown(m.now), taken)
        if isinstance(step, talk.Wait):
            event = PingDue if step.limit == "ping_interval_ms" else RedialDue
            m = m._replace(waits=m.waits + 1)
            return m if step.short or event not in dict(m.timers) else self._due(m, event, taken)
        if isinstance(step, talk.Terminate):
            return self._feel(m, RunnerStops(m.now), taken)
        if where not in ("joining", "ready", "stopping"):
            raise Impossible("there is no link")
        if isinstance(step, talk.Post):
            return self._feel(m, Received(SENT[step.frame], 1, now=m.now), taken)
        if isinstance(step, talk.Start):
            return self._feel(m._replace(started=True), Received(SENT["ToClientCommands"], 1, now=m.now), taken)
        if isinstance(step, talk.Garble):
            return self._feel(m, BadFrame("", m.now), taken)
        if isinstance(step, talk.Break | talk.Part):
            return self._feel(m, LinkDown(m.now), taken)
        raise Impossible(f"{step.do} is nothing to a runner's link")

    def _due(self, m: Model, event: type[Any], taken: list[Felt]) -> Model:
        due = dict(m.timers).get(event)
        if due is None:
            raise Impossible(f"no {event.__name__} is due")
        return self._feel(m._replace(now=max(m.now, due)), event(due), taken)

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
