"""What becomes of a mutant: who notices the fault, or why there is nothing to notice.

In this order: the table is malformed; it is not total, or decides something twice; a property of single lines fails; the mutant
says the same as the table wherever the worlds lead (``twins``), and so nobody can notice anything; in some world, the cheapest
first, a property is violated, a line is taken that the table says cannot be, or an effect fails; in the end, a line is dead.
What is left has survived: it says something else than the table, and nobody minds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tunnelcheck.decide import Decision, decide
from tunnelcheck.explore import Exploration
from tunnelcheck.mutation.mutants import Mutant
from tunnelcheck.mutation.twins import Differs, Heard, Moves, alike, exchanged, noted, twin
from tunnelcheck.runs import Graph, circling
from tunnelcheck.scenarios import PROPERTIES_OF, Scenario
from tunnelspec.endpoint import Endpoint
from tunnelspec.machine import Machine, TableError, key
from tunnelspec.properties import Scope
from tunnelspec.system import System
from tunnelspec.timing import judge
from tunnelspec.totality import SMALL, prove

KILLED, EQUIVALENT, SURVIVED = "killed", "equivalent", "survived"

ROOM = 4
"""How many times as large as its model a mutant's world may grow before it is left for the next one."""


@dataclass(frozen=True)
class Fate:
    """What became of a mutant: ``by`` whom it was killed and in which ``world``; or why not."""

    state: str
    by: str = ""
    world: str = ""
    because: str = ""


CHEAP = 1_000
"""Worlds of so many states are tried before a mutant is compared with its table, and larger ones after."""

LARGE = 100_000
"""Worlds of so many states are only tried where no smaller one takes the line."""

Notes = dict[tuple[str, bool], Heard]
"""What each endpoint heard in worlds that are not large, by its name and whether time passed."""


@dataclass(frozen=True)
class Ground:
    """A world in which mutants are tried, and what the tables themselves do there."""

    scenario: Scenario
    system: System
    states: int
    took: frozenset[str]

    @classmethod
    def of(cls, scenario: Scenario, notes: Notes) -> Ground:
        """Explores the world, taking notes of each endpoint unless it is large. Raises ``TableError`` if the tables do not hold
        in it."""
        system = scenario.system()
        own: Notes = defaultdict(dict)
        watched = system.over(lambda endpoint: noted(endpoint, own[name_of(endpoint), scenario.bounds.passes]))
        decision = decide(scenario, watched, PROPERTIES_OF[system.kind])
        if not decision.complete or decision.violations:
            raise TableError(f"{scenario.name}: the tables do not hold; first mend them ('tunnelspec check')")
        if decision.exploration.states < LARGE:
            for where, heard in own.items():
                for limits, known in heard.items():
                    for state, events in known.items():
                        notes[where].setdefault(limits, {}).setdefault(state, {}).update(events)
        return cls(scenario, system, decision.exploration.states, decision.took)

    def has(self, machine: Machine) -> bool:
        """Whether the machine is part of this world."""
        return any(machine in endpoint.machines for endpoint in self.system.endpoints().values())


def name_of(endpoint: Endpoint) -> str:
    """An endpoint's name, with its side of the link."""
    return f"{endpoint.role} {endpoint.name}"


@dataclass
class Court:
    """Decides fates. ``grounds``: the worlds, the cheapest first; ``notes``: what each endpoint heard there."""

    grounds: Sequence[Ground]
    notes: Notes
    excluded: frozenset[str] = field(init=False)
    moves: dict[str, list[Moves]] = field(init=False)  # by the endpoint's name

    def __post_init__(self) -> None:
        lines = {
            t.id: t
            for g in self.grounds
            for e in g.system.endpoints().values()
            for m in e.machines
            for t in m.transitions
        }
        self.excluded = frozenset(id_ for id_, line in lines.items() if line.excluded)
        endpoints = {name_of(endpoint): endpoint for g in self.grounds for endpoint in g.system.endpoints().values()}
        self.moves = {}
        for (name, passes), heard in self.notes.items():
            for limits, known in heard.items():
                self.moves.setdefault(name, []).append(Moves(endpoints[name], limits, known, passes))

    def judge(self, mutant: Mutant) -> Fate:
        """What becomes of a mutant."""
        try:
            machine = mutant.build()
        except TableError as error:
            return Fate(KILLED, "malformed", because=str(error))
        if mutant.guards or mutant.operator == "drop":
            wrong = undecided(mutant, machine)
            if wrong:
                return Fate(KILLED, "totality", because=wrong)
        if late := mistimed(mutant, machine):
            return Fate(KILLED, late[0], because=f"{late[1]} breaks it")
        lines = set(mutant.lines)
        homes = [g for g in self.grounds if g.has(mutant.machine)]
        grounds = [g for g in homes if lines & g.took]
        if not grounds:
            return self._untaken(lines)
        if any(ground.states < LARGE for ground in grounds):
            grounds = [ground for ground in grounds if ground.states < LARGE]
        took: set[str] = set().union(*(g.took for g in homes if g not in grounds))
        cheap = [ground for ground in grounds if ground.states < CHEAP]
        for ground in cheap:
            fate, taken = self._tried(ground, mutant, machine)
            if fate is not None:
                return fate
            took |= taken
        if grounds[0].states < LARGE and self._alike(mutant, machine, grounds):
            return Fate(EQUIVALENT, because=f"it says the same as the table wherever {len(grounds)} worlds lead")
        for ground in grounds[len(cheap) :]:
            fate, taken = self._tried(ground, mutant, machine)
            if fate is not None:
                return fate
            took |= taken
        needed = frozenset().union(*(g.took for g in homes)) - self.excluded
        if dead := sorted(needed - took):
            return Fate(KILLED, "dead lines", because=f"no run takes {', '.join(dead[:3])}")
        return compared(mutant, machine, grounds)

    def _alike(self, mutant: Mutant, machine: Machine, grounds: Iterable[Ground]) -> bool:
        endpoints = {
            name_of(e): e for g in grounds for e in g.system.endpoints().values() if mutant.machine in e.machines
        }
        try:
            return all(
                alike(moves, exchanged(endpoint, mutant.machine, machine), mutant.lines)
                for name, endpoint in endpoints.items()
                for moves in self.moves.get(name, ())
            )
        except Exception:  # whatever a faulty effect may raise: the worlds show whether it comes to that
            return False

    def _untaken(self, lines: set[str]) -> Fate:
        if lines <= self.excluded:
            return Fate(EQUIVALENT, because="no run of any world takes the line, and the table says that none can")
        return Fate(SURVIVED, because=f"no world takes {', '.join(sorted(lines - self.excluded)[:3])}")

    def _tried(self, ground: Ground, mutant: Mutant, machine: Machine) -> tuple[Fate | None, frozenset[str]]:
        name = ground.scenario.name
        system = ground.system.over(lambda endpoint: exchanged(endpoint, mutant.machine, machine))
        most = ROOM * ground.states + 1000

        def goes_on(exploration: Exploration) -> bool:
            return not exploration.found and exploration.states < most

        try:
            asked = [prop for prop in PROPERTIES_OF[system.kind] if prop.scope is not Scope.RUN]
            decision = decide(ground.scenario, system, asked, goes_on)
        except Exception as error:  # whatever a faulty effect may raise
            return Fate(KILLED, "an effect fails", name, f"{type(error).__name__}: {error}"), frozenset()
        return self._noticed(decision, name), frozenset(id_.rstrip("~") for id_ in decision.took)

    def _noticed(self, decision: Decision, name: str) -> Fate | None:
        if decision.broken:
            return Fate(KILLED, "totality", name, decision.broken)
        for prop in decision.judged:
            if prop.id in decision.violations:
                return Fate(KILLED, prop.id, name)
        exploration = decision.exploration
        if (
            decision.complete and exploration.edges is not None
        ):  # that it goes round is enough: not where it does so soonest
            runs = [prop.id for prop in PROPERTIES_OF[exploration.system.kind] if prop.scope is Scope.RUN]
            if runs and len(circling(Graph.of(exploration.edges, exploration.states))):
                return Fate(KILLED, runs[0], name)
        if impossible := sorted(self.excluded & decision.took):
            return Fate(KILLED, "excluded lines", name, f"{', '.join(impossible[:3])} was taken")
        return None


def narrowed(mutant: Mutant, machine: Machine) -> Machine:
    """The mutant's table, to be tried with the events alone that the fault is about."""
    heard = {mutant.machine.transition(id_).on for id_ in mutant.lines}
    return replace(
        machine, events=lambda limits: (event for event in machine.events(limits) if key(event) in heard), departs=True
    )


def undecided(mutant: Mutant, machine: Machine) -> str:
    """What the mutant's table leaves undecided, or decides twice, of the events that it is about; empty if nothing."""
    try:
        proof = prove(narrowed(mutant, machine), SMALL)
    except (LookupError, TypeError) as error:
        return f"a guard fails: {type(error).__name__}: {error}"
    never = [id_ for id_ in proof.never if id_.rstrip("~") in mutant.lines]
    return next(iter(proof.wrong), "") or (f"never enabled: {never[0]}" if never else "")


def mistimed(mutant: Mutant, machine: Machine) -> tuple[str, str] | None:
    """The property of timers that the mutant's table breaks, and the line that breaks it."""
    try:
        return next(((j.property.id, j.wrong[0]) for j in judge(narrowed(mutant, machine)) if j.wrong), None)
    except (LookupError, TypeError, ValueError):  # an effect that fails: the worlds show whether it comes to that
        return None


def compared(mutant: Mutant, machine: Machine, grounds: Sequence[Ground]) -> Fate:
    """Whether any run shows the mutant to say anything else than the table does."""
    states = 0
    for ground in grounds:
        system = ground.system.over(lambda endpoint: twin(endpoint, mutant.machine, machine))
        exploration = Exploration(system, edges=False)
        try:
            while not exploration.done and exploration.states < ROOM * ground.states + 1000:
                exploration.step()
        except Differs as difference:
            return Fate(SURVIVED, world=ground.scenario.name, because=str(difference))
        if not exploration.done:
            return Fate(SURVIVED, world=ground.scenario.name, because="its states outgrow the world")
        states += exploration.states
    return Fate(
        EQUIVALENT,
        because=f"it says the same as the table in all {states} states of the {len(grounds)} worlds that take it",
    )
