"""A second interpreter: replays a trace, action by action, sharing no code with the explorer.

It has its own reading of the tables (``Plain.step``: scan all lines, demand exactly one, deliver signals at once), keeps a world
as a plain dictionary, and decides the property for itself. A counterexample that it does not confirm is not shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tunnelspec.endpoint import Endpoint, Local, Result, State, Taken
from tunnelspec.events import Signal
from tunnelspec.limits import Limits
from tunnelspec.machine import Machine, Received, Step, TableError, Verdict, Violation
from tunnelspec.properties import Property, Scope
from tunnelspec.system import Action, Stage, System


class Unfaithful(Exception):
    """A trace that does not do what it says: the message names the step."""


class Plain(Endpoint):
    """An endpoint that reads its tables line by line."""

    def step(self, state: State, event: Any, limits: Limits, evaluate: Any = None) -> Result:
        now: list[Local] = list(state)
        outputs: list[Any] = []
        steps: list[Taken] = []
        agenda = [event]
        while agenda:
            item = agenda.pop(0)
            kind = type(item.frame) if isinstance(item, Received) else type(item)
            hearers = [
                place for place, machine in enumerate(self.machines) if any(t.on is kind for t in machine.transitions)
            ]
            if not hearers:
                if isinstance(item, Signal):
                    raise TableError(f"no machine knows {kind.__name__}")
                outputs.append(item)
                continue
            said: list[Any] = []
            for place in hearers:
                machine, here = self.machines[place], now[place]
                step = only(machine, here, kind, item, limits)
                now[place] = Local(step.state, step.context)
                steps.append(Taken(machine, here.state, step))
                said += step.outputs
            agenda = said + agenda
        return Result(tuple(now), tuple(outputs), tuple(steps))


def only(machine: Machine, here: Local, kind: type[Any], event: Any, limits: Limits) -> Step:
    """The one line that applies. Raises ``TableError`` for none, or several."""
    lines = [
        t
        for t in machine.transitions
        if t.on is kind and here.state in t.sources and (t.when is None or t.when(here.context, event, limits))
    ]
    if len(lines) != 1:
        raise TableError(f"{machine.id} in {here.state!r}: {[t.id for t in lines]} apply to {event}")
    (line,) = lines
    if line.verdict is Verdict.REFUSED:
        return Step(line, here.state, here.context, (Violation(line.id),))
    context, outputs = line.then(here.context, event, limits) if line.then else (here.context, ())
    return Step(line, line.target or here.state, context, outputs)


@dataclass(frozen=True)
class Moment:
    """One action of a trace: the world before and after, the registers, and each stage's values."""

    action: Action
    before: dict[str, Any]
    after: dict[str, Any]
    registers: dict[str, Any]
    stages: tuple[tuple[Stage, tuple[Any, ...], tuple[Any, ...]], ...]

    @property
    def took(self) -> tuple[str, ...]:
        """All transitions that it took."""
        return tuple(
            id_
            for stage, _, out in self.stages
            if stage.writes and stage.writes[-1].startswith("took")
            for id_ in out[-1]
        )


def act(system: System, world: dict[str, Any], action: Action) -> Moment | None:
    """What an action does to a world; None if it is not possible."""
    scratch, stages = dict(world), []
    for stage in action.stages:
        reads = tuple(scratch[name] for name in stage.reads)
        writes = stage(*reads)
        if writes is None:
            return None
        scratch |= zip(stage.writes, writes, strict=True)
        stages.append((stage, reads, writes))
    after = {name: scratch[name] for name in system.components}
    registers = {name: value for name, value in scratch.items() if name not in after}
    return Moment(action, dict(world), after, registers, tuple(stages))


def plain(system: System) -> System:
    """The same world, with endpoints that read their tables line by line."""
    return system.over(lambda e: Plain(e.role, e.name, e.says, e.machines))


def replay(system: System, actions: Sequence[str]) -> tuple[Moment, ...]:
    """A trace, step by step. Raises ``Unfaithful`` where an action is unknown or not possible."""
    system = plain(system)
    known = {action.id: action for action in system.actions}
    world, moments = system.start(), []
    for place, id_ in enumerate(actions, 1):
        if id_ not in known:
            raise Unfaithful(f"step {place}: there is no action {id_!r} in this world")
        moment = act(system, world, known[id_])
        if moment is None:
            raise Unfaithful(f"step {place}: {id_} is not possible here")
        moments.append(moment)
        world = moment.after
    return tuple(moments)


def breaks(system: System, moments: Sequence[Moment], prop: Property) -> tuple[Any, ...] | None:
    """The values with which the property fails at the trace's end; None if it holds there."""
    world = moments[-1].after if moments else system.start()
    if prop.scope is Scope.STEP:
        asked = {stage.do for stage in system.stages(prop.reads[0])}
        for stage, reads, writes in moments[-1].stages:
            if stage.do in asked and not prop.holds(system.bounds, *reads, *writes):
                return (system.bounds, *reads, *writes)
        return None
    if prop.scope is Scope.RUN:
        return (system.bounds,) if any(m.before == world != m.after for m in moments) else None
    if prop.scope is Scope.END:
        possible = (act(system, world, action) for action in system.actions)
        if any(moment is not None and moment.after != world for moment in possible):
            return None
    for side in system.sides:
        values = tuple(world[name + side if name.endswith("_") else name] for name in prop.reads)
        if not prop.holds(system.bounds, *values):
            return (system.bounds, *values)
    return None
