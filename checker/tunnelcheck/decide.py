"""Every property of one world, decided in one exploration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tunnelcheck.explore import Exploration, Progress
from tunnelcheck.index import I64
from tunnelcheck.runs import Graph, circling, shortest_circle
from tunnelcheck.scenarios import PROMISES, Scenario
from tunnelcheck.tabulate import Table
from tunnelspec.machine import TableError
from tunnelspec.properties import Property, Scope
from tunnelspec.system import Stage, System


@dataclass(frozen=True)
class Violation:
    """A property that does not hold: the first state in which it fails, or the state and the action that break it."""

    property: Property
    state: int
    action: str | None
    values: tuple[Any, ...]  # the arguments of ``holds``
    circle: tuple[int, ...] = ()  # for L-END: states that can follow one another, and then again, for ever


@dataclass
class Decision:
    """What one exploration found."""

    scenario: Scenario
    exploration: Exploration
    complete: bool
    stopped: str  # why it is not complete
    violations: dict[str, Violation]
    witnesses: Counter[str]  # property -> distinct situations in which it could have failed
    judged: tuple[Property, ...]
    took: frozenset[str]  # transitions
    progress: Progress
    seconds: float
    longest: int = 0
    broken: str = ""  # a table that was silent or ambiguous


@dataclass
class _Watch:
    """Looks at each new row of a table: which transitions it took, and which properties of steps it breaks."""

    system: System
    steps: dict[Stage, list[Property]]
    took: set[str] = field(default_factory=set)
    witnesses: Counter[str] = field(default_factory=Counter)
    broken: dict[tuple[Table, int], list[tuple[Property, tuple[Any, ...]]]] = field(default_factory=dict)

    def __call__(self, table: Table, row: int, reads: tuple[Any, ...], writes: tuple[Any, ...] | None) -> None:
        if writes is None:
            return
        stage = table.stage
        if stage.writes and stage.writes[-1].startswith("took"):
            self.took.update(writes[-1])
        for prop in self.steps.get(stage, ()):
            values = (self.system.bounds, *reads, *writes)
            self.witnesses[prop.id] += prop.could(*values)
            if not prop.holds(*values):
                table.alarms.add(row)
                self.broken.setdefault((table, row), []).append((prop, values))


def readings(prop: Property, system: System) -> Iterable[tuple[str, ...]]:
    """The components a property reads: once, or once for each side."""
    if any(name.endswith("_") for name in prop.reads):
        for side in system.sides:
            yield tuple(name + side if name.endswith("_") else name for name in prop.reads)
    else:
        yield prop.reads


Report = Callable[[Exploration], bool]
"""Told after each level; False stops the exploration."""


def decide(
    scenario: Scenario,
    system: System | None = None,
    properties: Iterable[Property] | None = None,
    report: Report = lambda exploration: True,
    until: str = "",
) -> Decision:
    """Explore a world and decide its properties; by default, what is promised of such a world. ``until``: stop at the first
    level at which this STEP or STATE property is found broken; what is not found by then is undecided."""
    system = system or scenario.system()
    asked = PROMISES[system.kind] if properties is None else properties
    judged = tuple(p for p in asked if scenario.honest or not p.honest)
    steps: dict[Stage, list[Property]] = {}
    for prop in judged:
        if prop.scope is Scope.STEP:
            for stage in system.stages(prop.reads[0]):
                steps.setdefault(stage, []).append(prop)
    watch = _Watch(system, steps)
    exploration = Exploration(system, watch)
    stopped, broken = "", ""
    seen: dict[str, Violation] = {}
    try:
        while not exploration.done:
            exploration.step()
            if not report(exploration):
                stopped = "stopped by a limit"
                break
            if until:
                _step_violations(exploration, watch, seen)
                if until in seen:
                    stopped = "stopped at the first violation"
                    break
    except KeyboardInterrupt:
        stopped = "interrupted"
    except MemoryError as error:
        stopped = f"out of room: {error}"
    except TableError as error:
        stopped = broken = str(error)
    progress = exploration.progress()
    _step_violations(exploration, watch, seen)
    decision = Decision(
        scenario,
        exploration,
        not stopped,
        stopped,
        seen,
        watch.witnesses,
        judged,
        frozenset(watch.took),
        progress,
        0.0,
        broken=broken,
    )
    if not broken:
        _states(decision, [p for p in judged if p.scope is Scope.STATE])
        if decision.complete:
            _ends(decision, [p for p in judged if p.scope is Scope.END])
            _runs(decision, [p for p in judged if p.scope is Scope.RUN])
    decision.seconds = exploration.progress().seconds
    return decision


def _step_violations(exploration: Exploration, watch: _Watch, violations: dict[str, Violation]) -> None:
    for found in exploration.found:
        for prop, values in watch.broken[found.row]:
            violations.setdefault(prop.id, Violation(prop, found.state, found.action, values))
    exploration.found.clear()


def _states(decision: Decision, properties: list[Property]) -> None:
    """A property of one group's components is decided once for each value of the group, not for each state."""
    exploration = decision.exploration
    for prop in properties:
        for names in readings(prop, exploration.system):
            _judge(decision, prop, names, *exploration.combinations(names))


def _ends(decision: Decision, properties: list[Property]) -> None:
    exploration = decision.exploration
    terminal = np.concatenate(exploration.terminal)
    for prop in properties:
        for names in readings(prop, exploration.system):
            columns = np.stack([exploration.parts(name, terminal) for name in names])
            unique, first = np.unique(columns, axis=1, return_index=True)
            _judge(decision, prop, names, unique, terminal[first])


def _judge(decision: Decision, prop: Property, names: tuple[str, ...], columns: Any, states: I64 | None) -> None:
    """Decide a property for combinations of values, given by their numbers, and by the first state that has each."""
    exploration, bounds = decision.exploration, decision.exploration.system.bounds
    worst: tuple[int, tuple[Any, ...]] | None = None
    for place, column in enumerate(columns.T.tolist()):
        values = (
            bounds,
            *(exploration.domains[name].values[number] for name, number in zip(names, column, strict=True)),
        )
        decision.witnesses[prop.id] += bool(prop.could(*values))
        if not prop.holds(*values):
            state = int(states[place]) if states is not None else exploration.first_with(names, column)
            if worst is None or state < worst[0]:
                worst = (state, values)
    if worst is not None:
        known = decision.violations.get(prop.id)
        if known is None or worst[0] < known.state:
            decision.violations[prop.id] = Violation(prop, worst[0], None, worst[1])


def _runs(decision: Decision, properties: list[Property]) -> None:
    exploration = decision.exploration
    if not properties or exploration.edges is None:
        return
    graph = Graph(exploration.edges, exploration.states)
    circle = circling(graph)
    for prop in properties:
        decision.witnesses[prop.id] += len(graph.targets)
        if len(circle):
            states = shortest_circle(graph, circle, exploration.level_of)
            decision.violations[prop.id] = Violation(prop, states[0], None, (exploration.system.bounds,), states)
