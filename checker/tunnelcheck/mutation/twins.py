"""Twins: a table and its mutant hear the same. Do they always say the same?

The first answer comes from the endpoint alone. ``Noted`` writes down every state in which the worlds find an endpoint, and every
event that it hears there; ``Moves`` is that as a graph. ``alike`` lets the mutant do what the faulty lines did, anywhere in it, and
from there walks on with table and mutant side by side until they stand alike again. It forgets which way led to a state, so it
may find a difference that no run shows, but where it finds none, there is none.

The second answer is exact: ``Twin`` is an endpoint that carries its mutant's state as one more place of its own. The world sees
the table alone, and an exploration compares the two in every state, whatever became of the mutant's own context.

To cancel a timer that is not armed is to say nothing; which timers are armed is part of what is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

from tunnelspec.endpoint import Endpoint, Evaluator, Local, Result, State
from tunnelspec.events import CancelTimer, Free, SetTimer
from tunnelspec.limits import Limits
from tunnelspec.machine import Machine, Step, step
from tunnelspec.system import older

Armed = frozenset[tuple[type[Any], int]]
NOTHING: Armed = frozenset()
FUSE = 1_000
"""Steps of machines that one event may take."""

UNLIKE = 4
"""How many times as many pairs may be walked as the table has states: a mutant that needs more is not shown to be alike."""


class Differs(Exception):
    """The two say different things: the message has the event, and what each says."""


def heard(outputs: tuple[Any, ...], armed: Armed) -> tuple[tuple[Any, ...], Armed]:
    """What the world makes of outputs: what is said, in order, and which timers are armed then, with what was set now."""
    said: list[Any] = []
    timers = dict(armed)
    for output in outputs:
        if isinstance(output, SetTimer):
            timers[output.event] = output.delay_ms
        elif isinstance(output, CancelTimer):
            timers.pop(output.event, None)
        elif isinstance(
            output, Free
        ):  # an entry that is freed takes its timers with it; to free it again is to say nothing
            timers.clear()
            said += [] if output in said else [output]
        else:
            said.append(output)
    return tuple(said), frozenset(timers.items())


def exchanged(endpoint: Endpoint, machine: Machine, other: Machine) -> Endpoint:
    """The endpoint with one machine exchanged, and a fuse."""
    if machine not in endpoint.machines:
        return endpoint
    machines = tuple(other if m is machine else m for m in endpoint.machines)
    return Fused(endpoint.role, endpoint.name, endpoint.says, machines)


class Endless(Exception):
    """An event whose signals go round for ever."""


@dataclass(frozen=True)
class Fused(Endpoint):
    """An endpoint in which no event takes more than so many steps."""

    def step(self, state: State, event: Any, limits: Limits, evaluate: Evaluator = step) -> Result:
        left = FUSE

        def counted(*args: Any) -> Step:
            nonlocal left
            left -= 1
            if not left:
                raise Endless(f"{event} goes round for ever")
            return evaluate(*args)

        return super().step(state, event, limits, counted)


# -- the endpoint alone ----------------------------------------------------------------------------------------------

Heard = dict[Limits, dict[State, dict[Any, None]]]


@dataclass(frozen=True)
class Noted(Endpoint):
    """An endpoint that notes what it hears, by limits and state."""

    notes: Heard = field(default_factory=dict)

    def step(self, state: State, event: Any, limits: Limits, evaluate: Evaluator = step) -> Result:
        self.notes.setdefault(limits, {}).setdefault(state, {})[event] = None
        return super().step(state, event, limits, evaluate)


def noted(endpoint: Endpoint, notes: Heard) -> Noted:
    """The endpoint, taking notes."""
    return Noted(endpoint.role, endpoint.name, endpoint.says, endpoint.machines, notes)


Change = Callable[[Endpoint, State], State]
"""What the world makes of an endpoint's state between two events."""


class Move(NamedTuple):
    """What the table does in a state, with these timers armed, on an event; and where it may stand next."""

    own: State
    armed: Armed
    event: Any
    said: tuple[tuple[Any, ...], Armed]
    nexts: tuple[tuple[Change, State], ...]


class Moves:
    """All moves of an endpoint under some limits, as the worlds were noted to need them."""

    def __init__(
        self, endpoint: Endpoint, limits: Limits, known: Mapping[State, Mapping[Any, None]], ages: bool
    ) -> None:
        self.endpoint, self.limits = endpoint, limits
        self.known = known
        self.changes = [*_changes(endpoint), *(_ages(limits) if ages else ())]
        self.at: dict[tuple[State, Armed], list[Move]] = {}
        self.by_line: dict[str, list[Move]] = {}
        results = {
            state: [(event, endpoint.step(state, event, limits)) for event in events] for state, events in known.items()
        }
        led = {to for steps in results.values() for _, result in steps for _, to in self._nexts(result)}
        frontier = [(state, NOTHING) for state in known if state not in led or state == endpoint.start()]
        while frontier:
            place = frontier.pop()
            if place in self.at:
                continue
            self.at[place] = []
            for event, result in results[place[0]]:
                move = self._move(*place, event, result)
                self.at[place].append(move)
                for id_ in {taken.step.transition.id for taken in result.steps}:
                    self.by_line.setdefault(id_, []).append(move)
                frontier += [(to, _armed(move.said)) for _, to in move.nexts]

    def _move(self, own: State, armed: Armed, event: Any, result: Result) -> Move:
        left = frozenset(timer for timer in armed if timer[0] is not type(event))
        return Move(own, left, event, heard(result.outputs, left), self._nexts(result))

    def _nexts(self, result: Result) -> tuple[tuple[Change, State], ...]:
        freed = any(isinstance(output, Free) for output in result.outputs)
        changes = self.changes if freed else [change for change in self.changes if change not in AFRESH]
        pairs = ((change, change(self.endpoint, result.state)) for change in changes)
        return tuple((change, to) for change, to in pairs if to in self.known)


def _armed(said: tuple[tuple[Any, ...], Armed]) -> Armed:
    return frozenset((kind, 0) for kind, _ in said[1])


def as_it_is(endpoint: Endpoint, state: State) -> State:
    return state


def from_the_start(endpoint: Endpoint, state: State) -> State:
    return endpoint.start()


AFRESH: tuple[Change, ...] = (from_the_start, Endpoint.freed, Endpoint.again)


def _changes(endpoint: Endpoint) -> Iterator[Change]:
    yield from (as_it_is, from_the_start, Endpoint.freed)
    if any(machine.name == "tunnel" for machine in endpoint.machines):
        yield Endpoint.again


def _ages(limits: Limits) -> Iterator[Change]:
    """One tick later, two, and so on; up to where nothing grows older."""
    oldest = limits.max_hibernation_ms + 1

    def aged(ticks: int) -> Change:
        def later(endpoint: Endpoint, state: State) -> State:
            for _ in range(ticks):
                state = tick_later(state, oldest)
            return state

        return later

    yield from (aged(ticks) for ticks in range(1, oldest + 2))


@cache
def tick_later(state: State, oldest: int) -> State:
    """The state a tick older."""
    return tuple(older(state, oldest))


def alike(moves: Moves, mutated: Endpoint, lines: Iterable[str]) -> bool:
    """Whether the mutated endpoint says the same wherever the moves lead. Raises whatever a mutant's effect may raise."""
    walk = [(move.own, move) for line in lines for move in moves.by_line.get(line, ())]
    seen: set[tuple[State, State, Armed]] = set()
    most = UNLIKE * len(moves.at) + 1_000
    while walk and len(seen) < most:
        theirs, move = walk.pop()
        result = mutated.step(theirs, move.event, moves.limits)
        if heard(result.outputs, move.armed) != move.said:
            return False
        armed = _armed(move.said)
        for change, own in move.nexts:
            other = change(mutated, result.state)
            if other != own and (own, other, armed) not in seen:
                seen.add((own, other, armed))
                walk += [(other, onward) for onward in moves.at[own, armed]]
    return not walk


# -- in the world ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Twin(Endpoint):
    """An endpoint whose last place holds the state of its ``other``."""

    other: Endpoint | None = None

    @property
    def mutant(self) -> Endpoint:
        assert self.other is not None
        return self.other

    def start(self, states: Mapping[str, str] = MappingProxyType({}), **contexts: Any) -> State:
        return (*super().start(states, **contexts), carried(self.mutant.start(states, **contexts)))

    def again(self, before: State) -> State:
        own = super().again(before[:-1])[: len(self.machines)]  # it begins as ``start`` does, with the other behind it
        return (*own, carried(self.mutant.again(beside(before))))

    def freed(self, state: State) -> State:
        return (*super().freed(state[:-1]), carried(self.mutant.freed(beside(state))))

    def step(self, state: State, event: Any, limits: Limits, evaluate: Evaluator = step) -> Result:
        own = super().step(state, event, limits, evaluate)
        theirs = self.mutant.step(beside(state), event, limits, evaluate)
        armed = frozenset(timer for timer in state[-1].context if timer[0] is not type(event))
        said, now = heard(own.outputs, armed)
        if (said, now) != heard(theirs.outputs, armed):
            mine = [o for o in own.outputs if o not in theirs.outputs]
            yours = [o for o in theirs.outputs if o not in own.outputs]
            where = " ".join(local.state for local in state[:-1])
            raise Differs(f"in {where}, {event}: only the table says {mine}, only the mutant {yours}")
        after = carried(theirs.state, frozenset((kind, 0) for kind, _ in now))
        return Result((*own.state[:-1], after), own.outputs, own.steps)


def twin(endpoint: Endpoint, machine: Machine, mutant: Machine) -> Endpoint:
    """The endpoint beside itself with one machine exchanged; the endpoint, if the machine is none of its own."""
    if machine not in endpoint.machines:
        return endpoint
    other = exchanged(endpoint, machine, mutant)
    return Twin(endpoint.role, endpoint.name, endpoint.says, endpoint.machines, other)


def carried(state: State, armed: Armed = NOTHING) -> Local:
    """The other's state, and which timers both have armed, as one more place of the table's state."""
    return Local(state, armed)  # type: ignore[arg-type]  # a tuple, so that time makes it older, too


def beside(state: State) -> State:
    """The other's state."""
    other: Any = state[-1].state
    return tuple(other)
