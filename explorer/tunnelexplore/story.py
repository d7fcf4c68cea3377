"""What one step of a world shows: the rules it took, the lines it adds to the sequence diagram, the lines of the tables that were
candidates and did not apply, with the part of their guards that failed, and the properties that were at stake."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from tunnelcheck.explain import draw
from tunnelcheck.replay import Moment
from tunneldraw.sequence import Message, Note, StateChange, Step
from tunnelspec.deviations import Anywhere
from tunnelspec.endpoint import Endpoint
from tunnelspec.limits import Limits
from tunnelspec.machine import Guard, Machine, key, step
from tunnelspec.properties import Property, Scope
from tunnelspec.source import failing
from tunnelspec.system import System, gateway_hears, runner_hears

Failed = tuple[str, str, tuple[str, ...]]  # a transition, its event, and the parts of its guard that do not hold


class Stories:
    """Tells the moments of one world."""

    def __init__(self, system: System, judged: Iterable[Property]) -> None:
        self.system = system
        self.judged = tuple(p for p in judged if p.scope is Scope.STEP)
        self._passed_over: dict[Any, tuple[Failed, ...]] = {}

    def tell(self, moment: Moment) -> dict[str, Any]:
        """The story of a moment, as JSON can say it."""
        could, broke = self._stakes(moment)
        return {
            "took": list(moment.took),
            "shows": [shown(step) for step in draw(self.system, [moment], "").steps],
            "else": [list(failed) for failed in self._others(moment)],
            "could": could,
            "broke": broke,
        }

    def _stakes(self, moment: Moment) -> tuple[list[str], list[str]]:
        """The properties of steps that could have failed here, and those that did."""
        could, broke = [], []
        for prop in self.judged:
            asked = {stage.do for stage in self.system.stages(prop.reads[0])}
            for stage, reads, writes in moment.stages:
                if stage.do in asked:
                    values = (self.system.bounds, *reads, *writes)
                    if not prop.holds(*values):
                        broke.append(prop.id)
                    elif prop.could(*values):
                        could.append(prop.id)
        return sorted(set(could) - set(broke)), sorted(set(broke))

    def _others(self, moment: Moment) -> tuple[Failed, ...]:
        found: list[Failed] = []
        for stage, reads, _ in moment.stages:
            endpoint = {gateway_hears: self.system.gateway, runner_hears: self.system.runner}.get(stage.do)
            if endpoint is not None and reads[1] is not None:
                asked = (endpoint.role, reads[0].machines, reads[1])
                if asked not in self._passed_over:
                    self._passed_over[asked] = tuple(passed_over(endpoint, *asked[1:], self.system.limits))
                found += self._passed_over[asked]
        return tuple(found)


def passed_over(endpoint: Endpoint, machines: Any, heard: Any, limits: Limits) -> Iterator[Failed]:
    """The lines that know an event that an endpoint's machines hear, and do not apply; of each, why."""
    asked: list[tuple[Machine, str, Any, Any]] = []

    def note(machine: Machine, state: str, context: Any, event: Any, lim: Limits) -> Any:
        asked.append((machine, state, context, event))
        return step(machine, state, context, event, lim)

    endpoint.step(machines, heard, limits, note)
    for machine, state, context, event in asked:
        for row in machine.rows[state][key(event)]:
            if row.when is not None and (parts := why_not(row.when, context, event, limits)):
                yield row.id, key(event).__name__, parts


def why_not(guard: Guard, context: Any, event: Any, limits: Limits) -> tuple[str, ...]:
    """The parts of a guard that do not hold; () if all do."""
    if isinstance(guard, Anywhere):
        return why_not(guard.base, context, replace(event, link=context.link), limits)
    return failing(guard, context, event, limits)


def shown(step: Step) -> list[Any]:
    """A line of the sequence diagram."""
    if isinstance(step, Message):
        return ["message", step.source, step.target, step.label, list(step.rules), step.lost]
    if isinstance(step, Note):
        return ["note", step.lane, step.text, list(step.rules)]
    assert isinstance(step, StateChange)
    return ["state", step.lane, step.machine, step.before, step.after, step.rule]
