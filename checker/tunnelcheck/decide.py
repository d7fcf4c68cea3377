"""Every property of one world, decided in one exploration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunnelcheck.explore import Exploration, Progress
from tunnelcheck.index import I64
from tunnelcheck.runs import Graph, circling, shortest_circles
from tunnelcheck.scenarios import PROMISES, Scenario
from tunnelcheck.tabulate import Table
from tunnelcheck.trace import End
from tunnelspec.machine import TableError
from tunnelspec.properties import Property, Scope
from tunnelspec.system import Stage, System

INTERRUPTED = "interrupted"
"""Why an exploration was stopped that somebody asked to stop."""


@dataclass(frozen=True)
class Violation:
    """A property that does not hold: all that breaks it after as few steps as can be; of L-END, all circles that one gets to and
    once round in so few."""

    property: Property
    steps: int
    ends: tuple[End, ...]


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
    broken: dict[tuple[Table, int], list[Property]] = field(default_factory=dict)

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
                self.broken.setdefault((table, row), []).append(prop)


def readings(prop: Property, system: System) -> Iterable[tuple[str, ...]]:
    """The components a property reads: once, or once for each side."""
    if any(name.endswith("_") for name in prop.reads):
        for side in system.sides:
            yield tuple(name + side if name.endswith("_") else name for name in prop.reads)
    else:
        yield prop.reads


Report = Callable[[Exploration], bool]
"""Told after each level; False stops the exploration."""


def uninterrupted() -> bool:
    """Nobody asks to stop."""
    return False


def decide(
    scenario: Scenario,
    system: System | None = None,
    properties: Iterable[Property] | None = None,
    report: Report = lambda exploration: True,
    until: str = "",
    interrupted: Callable[[], bool] = uninterrupted,
) -> Decision:
    """Explore a world and decide its properties; by default, what is promised of such a world. ``until``: stop at the first
    level at which this STEP or STATE property is found broken; what is not found by then is undecided. ``interrupted``: whether
    to stop between two pieces of a level."""
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
            exploration.step(interrupted)
            if interrupted():
                stopped = INTERRUPTED
                break
            if not report(exploration):
                stopped = "stopped by a limit"
                break
            if until:
                _step_violations(exploration, watch, seen)
                if until in seen:
                    stopped = "stopped at the first violation"
                    break
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


def _note(violations: dict[str, Violation], prop: Property, steps: int, end: End) -> None:
    """What breaks a property sooner than what is known counts alone; what breaks it as soon counts too."""
    known = violations.get(prop.id)
    if known is None or steps < known.steps:
        violations[prop.id] = Violation(prop, steps, (end,))
    elif steps == known.steps:
        violations[prop.id] = Violation(prop, steps, (*known.ends, end))


def _step_violations(exploration: Exploration, watch: _Watch, violations: dict[str, Violation]) -> None:
    for found in exploration.found:
        steps = exploration.level_of(int(found.states[0])) + 1
        for prop in watch.broken[found.row]:
            _note(violations, prop, steps, End(found.states, found.action))
    exploration.found.clear()


def _states(decision: Decision, properties: list[Property]) -> None:
    """A property of one group's components is decided once for each value of the group, not for each state."""
    exploration = decision.exploration
    for prop in properties:
        for names in readings(prop, exploration.system):
            columns, which = exploration.combinations(names)
            wrong = _judge(decision, prop, names, columns)[which]
            if wrong.any():
                _ends_in(decision, prop, exploration.first_with(names[0], wrong))


def _ends(decision: Decision, properties: list[Property]) -> None:
    exploration = decision.exploration
    terminal = np.concatenate(exploration.terminal)
    for prop in properties:
        for names in readings(prop, exploration.system):
            columns = np.stack([exploration.parts(name, terminal) for name in names])
            unique, which = np.unique(columns, axis=1, return_inverse=True)
            wrong = _judge(decision, prop, names, unique)[which.reshape(-1)]
            if wrong.any():
                _ends_in(decision, prop, exploration.earliest(terminal[wrong]))


def _ends_in(decision: Decision, prop: Property, states: I64) -> None:
    _note(decision.violations, prop, decision.exploration.level_of(int(states[0])), End(states))


def _judge(decision: Decision, prop: Property, names: tuple[str, ...], columns: NDArray[Any]) -> NDArray[np.bool_]:
    """Decide a property for combinations of values, given by their numbers: for which of them it fails."""
    exploration, bounds = decision.exploration, decision.exploration.system.bounds
    domains = [exploration.domains[name].values for name in names]
    wrong = np.zeros(columns.shape[1], bool)
    for place, column in enumerate(columns.T.tolist()):
        values = (bounds, *(domain[number] for domain, number in zip(domains, column, strict=True)))
        decision.witnesses[prop.id] += bool(prop.could(*values))
        wrong[place] = not prop.holds(*values)
    return wrong


def _runs(decision: Decision, properties: list[Property]) -> None:
    exploration = decision.exploration
    if not properties or exploration.edges is None:
        return
    graph = Graph.of(exploration.edges, exploration.states)
    members = circling(graph)
    for prop in properties:
        decision.witnesses[prop.id] += len(graph.targets)
        if len(members):
            steps, circles = shortest_circles(graph, members, exploration.levels)
            ends = tuple(End(circle.entry, circle=circle) for circle in circles)
            decision.violations[prop.id] = Violation(prop, steps, ends)
