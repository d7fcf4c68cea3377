"""All worlds of a size, decided; and what is said about them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tunnelcheck.decide import Decision, Report, Violation
from tunnelcheck.interrupt import noted
from tunnelcheck.quest import Decided, Patch, Quest, Summary, one_by_one, side_by_side
from tunnelcheck.replay import Moment, breaks, replay
from tunnelcheck.scenarios import PROPERTIES_OF, Scenario
from tunnelcheck.trace import Way, shortest
from tunnelspec.endpoint import MACHINES
from tunnelspec.machine import Machine
from tunnelspec.properties import Property
from tunnelspec.system import System


@dataclass(frozen=True)
class Counterexample:
    """A violation with its shortest trace, confirmed by the second interpreter."""

    property: Property
    scenario: Scenario
    system: System
    actions: tuple[str, ...]
    moments: tuple[Moment, ...]
    values: tuple[Any, ...]
    loop: int = 0  # how many of the last actions lead back to where they began


def first(outcome: Outcome) -> Counterexample | None:
    """The shortest counterexample; of those that are as short, that of the property that was asked first."""
    order = [prop.id for properties in PROPERTIES_OF.values() for prop in properties]
    found = outcome.counterexamples.values()
    return min(found, key=lambda trace: (len(trace.actions), order.index(trace.property.id)), default=None)


def cost(trace: Counterexample) -> tuple[int, int]:
    """Its steps, and its changes of party: what makes a trace worse than another. After the last step of a loop comes its first."""
    parties = [moment.action.party for moment in trace.moments]
    again = parties[-trace.loop :][:1] if trace.loop else []
    return len(parties), sum(one != other for one, other in pairwise((*parties, *again)))


@dataclass
class Outcome:
    """The verdict of a run of ``check``."""

    summaries: list[Summary] = field(default_factory=list)
    counterexamples: dict[str, Counterexample] = field(default_factory=dict)
    witnesses: Counter[str] = field(default_factory=Counter)
    judged: dict[str, Property] = field(default_factory=dict)
    undecided: set[str] = field(default_factory=set)
    took: set[str] = field(default_factory=set)
    seconds: float = 0.0
    complete: bool = True

    def dead(self, machines: Sequence[Machine] = MACHINES) -> tuple[str, ...]:
        """Lines of the tables that no run took, though nothing says that they cannot be."""
        lines = (t for m in machines for t in m.transitions)
        return tuple(t.id for t in lines if t.id not in self.took and not t.excluded)

    def untaken(self, machines: Sequence[Machine] = MACHINES) -> tuple[str, ...]:
        """Lines that no run took, whether that is right or not."""
        return tuple(t.id for m in machines for t in m.transitions if t.id not in self.took)

    def impossible(self, machines: Sequence[Machine] = MACHINES) -> tuple[str, ...]:
        """Lines that are said to be impossible, and were taken."""
        lines = (t for m in machines for t in m.transitions)
        return tuple(t.id for t in lines if t.id in self.took and t.excluded)

    @property
    def idle(self) -> tuple[str, ...]:
        """Properties that nothing could have broken."""
        return tuple(id_ for id_ in self.judged if not self.witnesses[id_])

    @property
    def states(self) -> int:
        return sum(s.states for s in self.summaries)

    @property
    def transitions(self) -> int:
        return sum(s.transitions for s in self.summaries)

    def verdict_of(self, id_: str) -> str:
        """holds, violated or undecided."""
        if id_ in self.counterexamples:
            return "violated"
        return "undecided" if id_ in self.undecided or not self.witnesses[id_] else "holds"


def check(
    scenarios: Sequence[Scenario],
    build: Patch = Scenario.system,
    properties: Sequence[Property] | None = None,
    report: Callable[[Scenario], Report] = lambda scenario: lambda exploration: True,
    cores: int = 1,
) -> Outcome:
    """Decide what is promised, or these properties, in all worlds, each in the worlds that it is asked of; on several cores,
    worlds side by side. An interrupt ends the run; what was covered by then is told."""
    outcome, began = Outcome(), time.monotonic()
    quest = Quest(scenarios, build, properties, report)
    answers = 0
    with noted() as interrupted:
        alone = cores == 1 or len(scenarios) == 1
        for decided in one_by_one(quest, interrupted) if alone else side_by_side(quest, cores, interrupted):
            answers += 1
            if decided is not None:
                _take(outcome, quest, decided)
    outcome.complete &= answers == len(scenarios)
    if not outcome.complete:
        outcome.undecided |= outcome.judged.keys()
    outcome.seconds = time.monotonic() - began
    return outcome


def _take(outcome: Outcome, quest: Quest, decided: Decided) -> None:
    system = quest.build(decided.summary.scenario)
    known = {prop.id: prop for prop in quest.asked(system)}
    outcome.judged |= {id_: known[id_] for id_ in decided.judged}
    outcome.witnesses += decided.witnesses
    outcome.took |= decided.took
    if decided.summary.stopped:
        outcome.complete = False
        outcome.undecided |= set(decided.judged)
    for id_, way in decided.ways.items():
        found = confirmed(decided.summary.scenario, system, known[id_], way)
        best = outcome.counterexamples.get(id_)
        if best is None or cost(found) < cost(best):
            outcome.counterexamples[id_] = found
    outcome.summaries.append(decided.summary)


def counterexample(decision: Decision, violation: Violation) -> Counterexample:
    """The shortest trace of a violation, and of those the one with the fewest changes of party. Raises as ``confirmed``."""
    exploration = decision.exploration
    way = shortest(exploration, violation.ends)
    return confirmed(decision.scenario, exploration.system, violation.property, way)


def confirmed(scenario: Scenario, system: System, prop: Property, way: Way) -> Counterexample:
    """What goes this way. Raises ``RuntimeError`` if the second interpreter does not confirm that it violates the property."""
    moments = replay(system, way.actions)
    values = breaks(system, moments, prop)
    if values is None:
        raise RuntimeError(f"{prop.id}: the second interpreter does not confirm the trace {' '.join(way.actions)}")
    return Counterexample(prop, scenario, system, way.actions, moments, values, way.loop)
