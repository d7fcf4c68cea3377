"""What a picture of a machine or an endpoint shows, derived from the tables; how it looks is decided elsewhere.

- A **card** stands on the way from one state to another and lists the transitions that lead there: its lines come from each
  of their sources. A transition is on one card, however many sources it has.
- A transition that is taken from three states or more draws no lines from them: its card names them, and each of them names
  it. Otherwise the end states of a machine are the centre of a web.
- A transition that keeps its state is **inside** the state; if it does so in three states or more, it is listed once,
  below the picture, and each state names it.
- Ignored and refused events are listed below.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tunneldraw.effects import outputs
from tunnelspec import source
from tunnelspec.endpoint import Endpoint
from tunnelspec.events import Signal
from tunnelspec.limits import DEFAULT
from tunnelspec.machine import Kind, Machine, State, Transition, Verdict

MANY = 3
"""From so many sources on, a transition draws no lines from them."""

KINDS = {
    Kind.START: "nothing has happened yet",
    Kind.WAITING: "for a named event",
    Kind.STEADY: "may last as long as both like",
    Kind.RESTING: "kept without a tunnel",
    Kind.END: "only late events follow",
}


def anchor(id: str) -> str:
    """The name of a rule's anchor, on the specification's pages and here."""
    return id.lower()


def href(id: str) -> str:
    """Where a rule is, from ``diagrams/``."""
    return f"../spec/README.md#{anchor(id)}"


def guard(transition: Transition) -> str:
    """``[condition]``, or nothing."""
    return f"[{source.text(transition.when)}]" if transition.when else ""


def effect(transition: Transition) -> str:
    """``/ outputs``, or nothing."""
    found = outputs(transition.then)
    return "/ " + ", ".join(output.text for output in found) if found else ""


def until(state: State) -> str:
    """When a state's wait ends: a limit's name and its default, or what the table says."""
    values = {name: f"{name} = {amount(value, unit)}" for name, value, unit, _, _ in DEFAULT.describe()}
    return values.get(state.until, state.until)


def amount(value: int, unit: str) -> str:
    """A limit as a reader says it: 24 h rather than 86400000 ms."""
    for name, size in (("h", 3_600_000), ("s", 1_000)):
        if unit == "ms" and value and value % size == 0:
            return f"{value // size} {name}"
    return f"{value} {unit}"


@dataclass(frozen=True)
class Card:
    """Transitions with the same sources and the same target."""

    sources: tuple[str, ...]
    target: str
    transitions: tuple[Transition, ...]

    @property
    def name(self) -> str:
        """A node's name, the same whatever else changes in the table."""
        return anchor(self.transitions[0].id)

    @property
    def many(self) -> bool:
        return len(self.sources) >= MANY


@dataclass(frozen=True)
class Picture:
    """One machine."""

    machine: Machine

    @property
    def name(self) -> str:
        return anchor(self.machine.id)

    @cached_property
    def taken(self) -> tuple[Transition, ...]:
        return tuple(t for t in self.machine.transitions if t.verdict is Verdict.TAKEN)

    @cached_property
    def refused(self) -> tuple[Transition, ...]:
        return tuple(t for t in self.machine.transitions if t.verdict is Verdict.REFUSED)

    @cached_property
    def ignored(self) -> tuple[Transition, ...]:
        return tuple(t for t in self.machine.transitions if t.verdict is Verdict.IGNORED)

    @cached_property
    def everywhere(self) -> tuple[Transition, ...]:
        """Transitions that keep their state, in many states."""
        return tuple(t for t in self.taken if t.target is None and len(t.sources) >= MANY)

    @cached_property
    def cards(self) -> tuple[Card, ...]:
        groups: dict[tuple[tuple[str, ...], str], list[Transition]] = {}
        for t in self.taken:
            if t.target and (sources := tuple(s for s in t.sources if s != t.target)):
                groups.setdefault((sources, t.target), []).append(t)
        return tuple(Card(sources, target, tuple(rows)) for (sources, target), rows in groups.items())

    def inside(self, state: str) -> tuple[Transition, ...]:
        """Transitions that leave ``state`` as it is, and are listed in it."""
        return tuple(
            t for t in self.taken if state in t.sources and t.target in (None, state) and t not in self.everywhere
        )

    def also(self, state: str) -> tuple[Transition, ...]:
        """Transitions from ``state`` that are drawn elsewhere, without a line from it."""
        far = {t for card in self.cards if card.many and state in card.sources for t in card.transitions}
        return tuple(t for t in self.taken if t in far or (t in self.everywhere and state in t.sources))


@dataclass(frozen=True)
class Wire:
    """The signals that one machine of an endpoint sends another."""

    sender: Machine
    hearer: Machine
    signals: tuple[type[object], ...]


@dataclass(frozen=True)
class Wiring:
    """One endpoint: its machines, and what runs between them."""

    endpoint: Endpoint

    @property
    def name(self) -> str:
        return f"{self.endpoint.role.value}-{self.endpoint.name}"

    @cached_property
    def wires(self) -> tuple[Wire, ...]:
        found = []
        for sender in self.endpoint.machines:
            for hearer in self.endpoint.machines:
                if signals := tuple(s for s in said(sender) if issubclass(s, Signal) and s in hearer.alphabet):
                    found.append(Wire(sender, hearer, signals))
        return tuple(found)

    @cached_property
    def unheard(self) -> tuple[tuple[Machine, type[object]], ...]:
        """Signals that no machine of the endpoint knows: an error in the tables."""
        known = {event for machine in self.endpoint.machines for event in machine.alphabet}
        return tuple(
            (m, s) for m in self.endpoint.machines for s in said(m) if issubclass(s, Signal) and s not in known
        )


def meaning(thing: type[object]) -> str:
    """A class's docstring as one plain line."""
    return " ".join((thing.__doc__ or "").replace("``", "").split())


def said(machine: Machine) -> tuple[type[object], ...]:
    """The classes that a machine's effects put out, in the order of the table."""
    return tuple(dict.fromkeys(o.kind for t in machine.transitions for o in outputs(t.then)))


def by(sender: Machine, signal: type[object]) -> tuple[Transition, ...]:
    """The transitions of ``sender`` that put out ``signal``."""
    return tuple(t for t in sender.transitions if any(o.kind is signal for o in outputs(t.then)))
