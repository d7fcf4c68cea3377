"""Cases from the tables: for each transition the shortest conversation in which an endpoint takes it, and for each pair of them.

A breadth-first search over what the peers can do, in a few small worlds, records for each transition and the state it is taken in,
and for each pair of consecutive transitions of one machine, the first conversation that it finds: no shorter one exists there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol

from tunnelconform.conditions import conditions, letters, texts
from tunnelconform.conversation import Conversation, Step
from tunnelspec.endpoint import Endpoint, Evaluator, Result, State
from tunnelspec.events import Transmit
from tunnelspec.limits import Limits
from tunnelspec.machine import Machine, Transition, step
from tunnelspec.machine import Step as MachineStep


class Peers(Protocol):
    """A model of a subject and its peers."""

    @property
    def depth(self) -> int:
        """No conversation is longer."""
        ...

    def start(self) -> Any: ...

    def steps(self, model: Any) -> Iterable[Step]: ...

    def do(self, model: Any, step: Step) -> tuple[Any, tuple[Felt, ...]]: ...


class Felt(NamedTuple):
    """A transition that was taken: in which state, how its guard came to its answer and what its effect put out, in a word; and
    that itself."""

    transition: Transition
    source: str
    way: str
    outputs: tuple[Any, ...] = ()

    @property
    def machine(self) -> str:
        return machine_of(self.transition.id)


@cache
def machine_of(transition: str) -> str:
    """The machine of a transition's id."""
    return transition.rpartition("-")[0]


def watched(felt: list[Felt]) -> Evaluator:
    """An evaluator that notes what is taken."""

    def evaluate(machine: Machine, state: str, context: Any, event: Any, limits: Limits) -> MachineStep:
        done = step(machine, state, context, event, limits)
        when = done.transition.when
        way = letters(conditions(when, context, event, limits)) if when is not None and len(texts(when)) > 1 else ""
        if sum(isinstance(output, Transmit) for output in done.outputs) > 1:
            way += "-many"
        felt.append(Felt(done.transition, state, way, done.outputs))
        return done

    return evaluate


class Known:
    """What the tables of an endpoint make of each event in each state, found once: a search comes by the same again and again."""

    def __init__(self, tables: Endpoint, limits: Limits) -> None:
        self._tables, self._limits = tables, limits
        self._found: dict[tuple[State, Any], tuple[Result, list[Felt]]] = {}

    def step(self, state: State, event: Any) -> tuple[Result, list[Felt]]:
        """What comes of it, and the transitions that are taken. Raises ``TableError``."""
        found = self._found.get((state, event))
        if found is None:
            felt: list[Felt] = []
            found = self._tables.step(state, event, self._limits, watched(felt)), felt
            self._found[state, event] = found
        return found


@cache
def known(tables: Endpoint, limits: Limits) -> Known:
    """What is known of that endpoint with such limits, by all who ask."""
    return Known(tables, limits)


class Single(NamedTuple):
    """A transition, and the state it is taken in."""

    transition: str
    source: str


class Way(NamedTuple):
    """A transition, the state it is taken in, and how."""

    transition: str
    source: str
    way: str


class Pair(NamedTuple):
    """A transition, and the one of the same machine right before it."""

    transition: str
    before: str


Target = Single | Way | Pair


@dataclass
class Found:
    """What a search found: for each target a shortest conversation."""

    conversations: dict[Target, Conversation]
    models: int = 0
    edges: int = 0
    cut: bool = False  # there would have been more

    def add(self, other: Found) -> None:
        """Keep the shorter one of each."""
        for target, conversation in other.conversations.items():
            known = self.conversations.get(target)
            if known is None or len(conversation) < len(known):
                self.conversations[target] = conversation
        self.models += other.models
        self.edges += other.edges
        self.cut |= other.cut

    def about(self, machine: str) -> Found:
        """What of it is about one machine."""
        kept = {t: c for t, c in self.conversations.items() if machine_of(t.transition) == machine}
        return Found(kept, self.models, self.edges, self.cut)


Incoming = dict[str, Conversation]
"""Transition -> the shortest conversation that ends with it."""


def explore(peers: Peers, most: int) -> Found:
    """All that the peers can do, the shortest first, in at most so many situations."""
    found = Found({})
    start = peers.start()
    reached: dict[Any, Incoming] = {start: {}}
    agenda: deque[tuple[Any, Conversation, Incoming]] = deque([(start, (), reached[start])])
    while agenda:
        model, path, incoming = agenda.popleft()
        if len(path) >= peers.depth:
            continue
        found.models += 1
        for step_ in peers.steps(model):
            after, taken = peers.do(model, step_)
            found.edges += 1
            if not taken and after == model:
                continue
            conversation = (*path, step_)
            for target in _targets(taken):
                found.conversations.setdefault(target, conversation)
            first, last = _ends(taken)
            for transition, prefix in incoming.items():
                machine = machine_of(transition)
                if machine in first:
                    found.conversations.setdefault(Pair(first[machine], transition), (*prefix, step_))
            following = reached.get(after)
            if following is None:
                if len(reached) >= most:
                    found.cut = True
                    continue
                following = reached[after] = {}
                agenda.append((after, conversation, following))
            for transition in last.values():
                following.setdefault(transition, conversation)
            if not taken:  # nothing happened to the machines: what came before is still what came last
                for transition, prefix in incoming.items():
                    following.setdefault(transition, (*prefix, step_))
    return found


def _targets(taken: Iterable[Felt]) -> Iterator[Target]:
    last: dict[str, str] = {}
    for felt in taken:
        id_, machine = felt.transition.id, felt.machine
        yield Single(id_, felt.source)
        if felt.way:
            yield Way(id_, felt.source, felt.way)
        if machine in last:
            yield Pair(id_, last[machine])
        last[machine] = id_


def _ends(taken: Iterable[Felt]) -> tuple[dict[str, str], dict[str, str]]:
    """For each machine the first and the last of its transitions."""
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    for felt in taken:
        first.setdefault(felt.machine, felt.transition.id)
        last[felt.machine] = felt.transition.id
    return first, last
