"""Cases from the tables: for each transition the shortest conversation in which an endpoint takes it, and for each pair of them.

A breadth-first search over what the peers can do, in a few small worlds, records for each transition and the state it is taken in,
and for each pair of consecutive transitions of one machine, the first conversation that it finds: no shorter one exists there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from tunnelconform.conversation import Conversation, Step
from tunnelspec.endpoint import Taken


class Peers(Protocol):
    """A model of a subject and its peers."""

    @property
    def depth(self) -> int:
        """No conversation is longer."""
        ...

    def start(self) -> Any: ...

    def steps(self, model: Any) -> Iterable[Step]: ...

    def do(self, model: Any, step: Step) -> tuple[Any, tuple[Taken, ...]]: ...


class Single(NamedTuple):
    """A transition, and the state it is taken in."""

    transition: str
    source: str


class Pair(NamedTuple):
    """A transition, and the one of the same machine right before it."""

    transition: str
    before: str


Target = Single | Pair


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


def explore(peers: Peers, most: int) -> Found:
    """All that the peers can do, the shortest first, in at most so many situations."""
    found = Found({})
    start = peers.start()
    paths: dict[Any, Conversation] = {start: ()}
    agenda = deque([start])
    incoming: dict[Any, dict[str, Conversation]] = {
        start: {}
    }  # transition -> the shortest conversation that ends with it
    while agenda:
        model = agenda.popleft()
        path = paths[model]
        if len(path) >= peers.depth:
            continue
        found.models += 1
        for step in peers.steps(model):
            after, taken = peers.do(model, step)
            found.edges += 1
            if not taken and after == model:
                continue
            conversation = (*path, step)
            for target in _targets(taken):
                found.conversations.setdefault(target, conversation)
            first, last = _ends(taken)
            for transition, prefix in incoming[model].items():
                machine = transition.rpartition("-")[0]
                if machine in first:
                    found.conversations.setdefault(Pair(first[machine], transition), (*prefix, step))
            if after not in paths:
                if len(paths) >= most:
                    found.cut = True
                    continue
                paths[after] = conversation
                incoming[after] = {}
                agenda.append(after)
            for transition in last.values():
                incoming[after].setdefault(transition, conversation)
            if not taken:  # nothing happened to the machines: what came before is still what came last
                for transition, prefix in incoming[model].items():
                    incoming[after].setdefault(transition, (*prefix, step))
    return found


def _targets(taken: Iterable[Taken]) -> Iterator[Target]:
    last: dict[str, str] = {}
    for machine, source, step in taken:
        yield Single(step.transition.id, source)
        if machine.id in last:
            yield Pair(step.transition.id, last[machine.id])
        last[machine.id] = step.transition.id


def _ends(taken: Iterable[Taken]) -> tuple[dict[str, str], dict[str, str]]:
    """For each machine the first and the last of its transitions."""
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    for machine, _, step in taken:
        first.setdefault(machine.id, step.transition.id)
        last[machine.id] = step.transition.id
    return first, last
