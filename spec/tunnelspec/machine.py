"""What a machine is: states, events, transitions, and the one meaning of a table.

A machine is data. Each ``Transition`` says: *in these states, on this event, when this guard holds, go there and do that*.
A guard is a pure function ``(c, e, lim) -> bool`` and an effect a pure function ``(c, e, lim) -> (context, outputs)`` of

- ``c``, the machine's context: a ``NamedTuple``, immutable and hashable,
- ``e``, the event: a frozen dataclass; time and identity come in as its fields,
- ``lim``, the ``Limits``.

Neither reads a clock, rolls a die or touches the world. Both keep to a small part of Python, because their *source* is
printed on diagrams and translated to other tools' languages.

Every (state, event) pair of a machine's alphabet is decided for every context by exactly one transition, whose verdict is

- ``TAKEN``: the protocol moves on;
- ``IGNORED``: the event means nothing here, and ``says`` tells why that is harmless (if it can come at all: what the table
  ``excludes`` cannot, and the checker holds it to that);
- ``REFUSED``: whoever caused the event broke the protocol; the state stays, and a ``Violation`` is put out.

``Machine`` refuses a malformed table when it is built; ``totality`` proves the rest over bounded contexts; ``step``, the
direct evaluator, raises where a table is silent or ambiguous. Nothing falls through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from tunnelspec.limits import Limits

Context = Any  # a NamedTuple of the machine's own
Guard = Callable[[Any, Any, Limits], bool]
Effect = Callable[[Any, Any, Limits], tuple[Any, tuple[Any, ...]]]
F = TypeVar("F")


class Role(StrEnum):
    """Which side of the link a machine belongs to."""

    GATEWAY = "gateway"
    RUNNER = "runner"


class Kind(StrEnum):
    """What a state is to a reader: diagrams tell kinds apart by colour *and* by shape."""

    START = "start"  # nothing has happened yet
    WAITING = "waiting"  # for a named event, within a named time
    STEADY = "steady"  # may last as long as both parties like
    RESTING = "resting"  # kept without a tunnel
    END = "end"  # nothing follows but late events


class Verdict(StrEnum):
    """What a transition makes of its event."""

    TAKEN = "taken"
    IGNORED = "ignored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class State:
    """A state: what it means, what it waits for, and which limit or event ends the wait."""

    name: str
    kind: Kind
    says: str
    waits_for: str = ""
    until: str = ""  # the name of a limit (``open_timeout_ms``), or a phrase


@dataclass(frozen=True, slots=True)
class Received(Generic[F]):
    """A frame that came over a link, with what the link knows about it."""

    frame: F
    link: int  # which link it came on; links are numbered from 1 and never reused
    message_id: bytes = b""  # the tunnel message's id, to be acked with
    number: int = 0  # of a TunnelAck: which of our own messages it names; 0 when none
    now: int = 0  # ms


@dataclass(frozen=True, slots=True)
class Violation:
    """Output: a peer broke the rule ``rule``; the endpoint reports it and lives on."""

    rule: str


@dataclass(frozen=True, slots=True, eq=False)
class Transition:
    """One line of a table."""

    id: str
    sources: tuple[str, ...]
    on: type[Any]
    target: str | None  # None: the state stays
    says: str
    ref: str
    when: Guard | None = None
    then: Effect | None = None
    verdict: Verdict = Verdict.TAKEN
    excluded: bool = False  # it cannot come: no run of the closed world takes this line


def moves(
    id: str,
    source: str | tuple[str, ...],
    on: type[Any],
    target: str | None,
    *,
    when: Guard | None = None,
    then: Effect | None = None,
    says: str,
    ref: str,
) -> Transition:
    """A transition that is taken. ``target`` None keeps the state."""
    return Transition(id, _names(source), on, target, says, ref, when, then)


def ignores(
    id: str,
    source: str | tuple[str, ...],
    on: type[Any],
    *,
    when: Guard | None = None,
    says: str,
    ref: str = "spec: late and foreign events",
) -> Transition:
    """An event that means nothing in these states, and why that is harmless."""
    return Transition(id, _names(source), on, None, says, ref, when, None, Verdict.IGNORED)


def refuses(
    id: str,
    source: str | tuple[str, ...],
    on: type[Any],
    *,
    when: Guard | None = None,
    says: str,
    ref: str = "spec: violations",
) -> Transition:
    """An event that breaks the protocol: nothing changes but a ``Violation`` is put out."""
    return Transition(id, _names(source), on, None, says, ref, when, None, Verdict.REFUSED)


def excludes(
    id: str,
    source: str | tuple[str, ...],
    on: type[Any],
    *,
    when: Guard | None = None,
    says: str,
    ref: str = "spec: late and foreign events",
) -> Transition:
    """An event that cannot come in these states, and would be ignored. The checker shows that it does not come."""
    return Transition(id, _names(source), on, None, says, ref, when, None, Verdict.IGNORED, excluded=True)


class TableError(ValueError):
    """A table that does not say what it must: the message names the machine and the transition or pair."""


class Undecided(TableError):
    """No transition is enabled for a (state, event, context)."""


class Ambiguous(TableError):
    """More than one transition is enabled for a (state, event, context)."""


class Step(NamedTuple):
    """What one event did to one machine."""

    transition: Transition
    state: str
    context: Context
    outputs: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Machine:
    """A table, and the context it starts with."""

    id: str  # the prefix of its transitions' ids: ``CONN-G``
    name: str
    role: Role
    says: str
    states: tuple[State, ...]
    start: Context
    transitions: tuple[Transition, ...]
    contexts: Callable[[Limits], Iterable[Context]]  # bounded, for the proof of totality
    events: Callable[[Limits], Iterable[Any]]  # bounded, likewise
    departs: bool = False  # a patched table, some of whose states may be out of reach

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise TableError(f"{self.id}: {problem}")

    @property
    def initial(self) -> str:
        return self.states[0].name

    @cached_property
    def alphabet(self) -> tuple[type[Any], ...]:
        """The events it knows, in the order in which its table first names them."""
        return tuple(dict.fromkeys(t.on for t in self.transitions))

    @cached_property
    def table(self) -> Mapping[tuple[str, type[Any]], tuple[Transition, ...]]:
        """(state, event) -> the transitions that share it, told apart by their guards."""
        pairs: dict[tuple[str, type[Any]], list[Transition]] = {}
        for transition in self.transitions:
            for source in transition.sources:
                pairs.setdefault((source, transition.on), []).append(transition)
        return {pair: tuple(rows) for pair, rows in pairs.items()}

    @cached_property
    def rows(self) -> Mapping[str, Mapping[type[Any], tuple[Transition, ...]]]:
        """The same, as state -> event -> transitions: two look-ups by identity are faster than one by a pair."""
        nested: dict[str, dict[type[Any], tuple[Transition, ...]]] = {state.name: {} for state in self.states}
        for (state, event), rows in self.table.items():
            nested[state][event] = rows
        return nested

    def transition(self, id: str) -> Transition:
        """The transition of that id. Raises KeyError."""
        return self._by_id[id]

    @cached_property
    def _by_id(self) -> dict[str, Transition]:
        return {t.id: t for t in self.transitions}

    def _problems(self) -> Iterable[str]:
        names = [state.name for state in self.states]
        if len(set(names)) < len(names):
            yield "two states have the same name"
        seen: set[str] = set()
        for t in self.transitions:
            if t.id in seen:
                yield f"{t.id} is used twice"
            seen.add(t.id)
            if not t.id.startswith(self.id + "-"):
                yield f"{t.id} does not begin with {self.id}-"
            unknown = [s for s in (*t.sources, *([t.target] if t.target else [])) if s not in names]
            if unknown:
                yield f"{t.id} names unknown states: {', '.join(unknown)}"
            if not t.says.endswith("."):
                yield f"{t.id}: its sentence does not end with a period"
            if not t.ref:
                yield f"{t.id} has no source"
            if t.verdict is not Verdict.TAKEN and (t.then is not None or t.target is not None):
                yield f"{t.id} is {t.verdict}, and yet does something"
        for name in names:
            for event in self.alphabet:
                if (name, event) not in self.table:
                    yield f"state {name!r} says nothing about {event.__name__}"
        reached, frontier = {names[0]}, [names[0]]
        while frontier:
            here = frontier.pop()
            for t in self.transitions:
                if here in t.sources and t.target and t.target not in reached:
                    reached.add(t.target)
                    frontier.append(t.target)
        if (unreached := set(names) - reached) and not self.departs:
            yield f"unreachable states: {', '.join(sorted(unreached))}"


def key(event: Any) -> type[Any]:
    """What a table calls an event: its class, and for a received frame the frame's class."""
    return type(event.frame) if type(event) is Received else type(event)


def enabled(machine: Machine, state: str, context: Context, event: Any, limits: Limits) -> tuple[Transition, ...]:
    """All transitions enabled here: exactly one, if the table is right."""
    rows = machine.table.get((state, key(event)), ())
    return tuple(t for t in rows if t.when is None or t.when(context, event, limits))


def fire(transition: Transition, state: str, context: Context, event: Any, limits: Limits) -> Step:
    """What an enabled transition does."""
    if transition.verdict is Verdict.REFUSED:
        return Step(transition, state, context, (Violation(transition.id),))
    outputs: tuple[Any, ...] = ()
    if transition.then is not None:
        context, outputs = transition.then(context, event, limits)
    return Step(transition, transition.target or state, context, outputs)


def step(machine: Machine, state: str, context: Context, event: Any, limits: Limits) -> Step:
    """The direct evaluator: the meaning of a table.

    Raises ``Undecided`` or ``Ambiguous``, with the machine, the state, the event, the context and the ids concerned.
    """
    rows = machine.rows.get(state, {}).get(type(event) if type(event) is not Received else type(event.frame), ())
    found = None
    for row in rows:
        when = row.when
        if when is None or when(context, event, limits):
            if found is not None:
                raise Ambiguous(
                    f"{machine.id}: {found.id} and {row.id} both apply in {state!r} to {event} with {context}"
                )
            found = row
    if found is None:
        raise Undecided(f"{machine.id}: nothing applies in {state!r} to {event} with {context}")
    if found.then is None:
        return fire(found, state, context, event, limits)
    context, outputs = found.then(context, event, limits)
    return Step(found, found.target or state, context, outputs)


def _names(source: str | tuple[str, ...]) -> tuple[str, ...]:
    return (source,) if isinstance(source, str) else source
