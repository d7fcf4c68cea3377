"""Mutants: the tables with one small fault each.

An operator is a kind of fault. Where a fault in one guard leaves a pair undecided or decided twice, the proof of totality sees
that at once; so each such fault is put in a second time with the lines beside it *fitted* to it: they give up what the faulty line
now takes, and one of them takes what it left. That table is total and deterministic, and only a property can tell it is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tunnelcheck.mutation.source import Function, bounds_moved, conjuncts_changed, helpers, with_helper
from tunnelspec.limits import Limits
from tunnelspec.machine import Machine, Transition, Verdict, key
from tunnelspec.source import text
from tunnelspec.totality import SMALL

Outputs = tuple[Any, ...]

OPERATORS = {
    "drop": "the line is not there",
    "silence": "the line is there, and does nothing",
    "verdict": "what is refused is ignored, and what is ignored is refused",
    "negate": "the guard is turned round",
    "drop-part": "a conjunct of the guard is not asked",
    "negate-part": "a conjunct of the guard is turned round",
    "move-bound": "a bound is one higher or one lower",
    "retarget": "it leads to another state",
    "drop-output": "something is not put out",
    "keep-field": "something in the context stays as it was",
}
"""The kinds of fault."""


@dataclass(frozen=True, eq=False)
class Mutant:
    """A machine with one fault. ``build`` raises ``TableError`` if the table is malformed."""

    id: str  # the line, the operator and what was changed
    operator: str
    machine: Machine  # without the fault
    lines: tuple[str, ...]  # the lines that may behave otherwise
    build: Callable[[], Machine]
    guards: bool = False  # whether guards differ, so that totality is in question
    fitted: bool = False


# -- guards and effects with something on top ------------------------------------------------------------------------


@dataclass(frozen=True)
class Not:
    """A guard, turned round."""

    guard: Function

    def __call__(self, c: Any, e: Any, lim: Limits) -> bool:
        return not self.guard(c, e, lim)


@dataclass(frozen=True)
class Fitted:
    """The guard of a line beside a faulty one: without what that one takes now; the heir takes what it left."""

    own: Function
    was: Function
    now: Function
    heir: bool

    def __call__(self, c: Any, e: Any, lim: Limits) -> bool:
        mine = self.own(c, e, lim) or (self.heir and self.was(c, e, lim))
        return bool(mine) and not self.now(c, e, lim)


@dataclass(frozen=True)
class Without:
    """An effect without some of its outputs: all of that kind, or only the last."""

    effect: Function
    kind: str
    last: bool

    def __call__(self, c: Any, e: Any, lim: Limits) -> tuple[Any, Outputs]:
        after, outputs = self.effect(c, e, lim)
        places = [place for place, output in enumerate(outputs) if named(output) == self.kind]
        gone = places[-1:] if self.last else places
        return after, tuple(output for place, output in enumerate(outputs) if place not in gone)


@dataclass(frozen=True)
class Keeping:
    """An effect that leaves one field of the context as it was."""

    effect: Function
    field: str

    def __call__(self, c: Any, e: Any, lim: Limits) -> tuple[Any, Outputs]:
        after, outputs = self.effect(c, e, lim)
        return after._replace(**{self.field: getattr(c, self.field)}), outputs


def named(output: Any) -> str:
    """What a reader calls an output: its class, and what it sets, sends or tells of."""
    inner = getattr(output, "frame", getattr(output, "event", None))
    name = type(output).__name__
    if inner is None:
        return name
    return f"{name}({(inner if isinstance(inner, type) else type(inner)).__name__})"


# -- one machine's mutants -------------------------------------------------------------------------------------------


def mutants(machine: Machine, limits: Limits = SMALL) -> tuple[Mutant, ...]:
    """All mutants of a machine, each under its own id."""
    seen: dict[str, int] = {}
    found = []
    bounded = _Bounded(machine, limits)
    for mutant in (*_by_line(machine, bounded), *_by_helper(machine)):
        seen[mutant.id] = seen.get(mutant.id, 0) + 1
        times = seen[mutant.id]
        found.append(mutant if times == 1 else replace(mutant, id=f"{mutant.id} ({times})"))
    return tuple(found)


@dataclass(frozen=True)
class _Bounded:
    """What a machine is tried with."""

    machine: Machine
    limits: Limits

    def moments(self, line: Transition) -> Iterator[tuple[Any, Any]]:
        """Contexts and events in which a line applies."""
        events = [event for event in self.machine.events(self.limits) if key(event) is line.on]
        for context in self.machine.contexts(self.limits):
            for event in events:
                if line.when is None or line.when(context, event, self.limits):
                    yield context, event

    def decisions(self, machine: Machine, line: Transition) -> tuple[tuple[str, ...], ...]:
        """Which lines apply to a line's event in its states, for every context."""
        rows = [t for t in machine.transitions if t.on is line.on]
        events = [event for event in machine.events(self.limits) if key(event) is line.on]
        return tuple(
            tuple(
                t.id.rstrip("~")
                for t in rows
                if state in t.sources and (t.when is None or t.when(context, event, self.limits))
            )
            for state in line.sources
            for context in machine.contexts(self.limits)
            for event in events
        )


def _by_line(machine: Machine, bounded: _Bounded) -> Iterator[Mutant]:
    for line in machine.transitions:
        yield _mutant(machine, line, "drop", "", None)
        if line.verdict is Verdict.TAKEN:
            yield _mutant(machine, line, "silence", "", replace(line, then=None, target=None, verdict=Verdict.IGNORED))
            yield from _retargeted(machine, line)
            yield from _otherwise(machine, line, bounded)
        elif not line.excluded:
            other = Verdict.REFUSED if line.verdict is Verdict.IGNORED else Verdict.IGNORED
            yield _mutant(machine, line, "verdict", f"to {other}", replace(line, verdict=other))
        if line.when is not None:
            yield from _guarded(machine, line, bounded)


def _mutant(
    machine: Machine, line: Transition, operator: str, what: str, changed: Transition | None, guards: bool = False
) -> Mutant:
    def build() -> Machine:
        rows = tuple(changed if t is line else t for t in machine.transitions)
        return replace(machine, transitions=tuple(t for t in rows if t is not None))

    lines = tuple(t.id for t in machine.transitions if t.on is line.on and set(t.sources) & set(line.sources))
    return Mutant(
        f"{line.id} {operator} {what}".rstrip(), operator, machine, lines if guards else (line.id,), build, guards
    )


def _retargeted(machine: Machine, line: Transition) -> Iterator[Mutant]:
    states = [state.name for state in machine.states]
    stays = {line.sources[0]} if len(line.sources) == 1 else set()
    targets: list[str | None] = [name for name in states if name != line.target and name not in stays]
    if line.target is not None and set(line.sources) != {line.target}:
        targets.append(None)
    for target in targets:
        yield _mutant(machine, line, "retarget", f"to {target or 'where it is'}", replace(line, target=target))


def _otherwise(machine: Machine, line: Transition, bounded: _Bounded) -> Iterator[Mutant]:
    """Its outputs, its fields and its bounds."""
    effect = line.then
    if effect is None:
        return
    outputs: dict[str, bool] = {}  # kind -> whether several are put out at once
    fields: dict[str, None] = {}
    for context, event in bounded.moments(line):
        after, said = effect(context, event, bounded.limits)
        kinds = [named(output) for output in said]
        outputs |= {kind: outputs.get(kind, False) or kinds.count(kind) > 1 for kind in kinds}
        fields |= {name: None for name, a, b in zip(context._fields, context, after, strict=True) if a != b}
    for kind, several in outputs.items():
        yield _mutant(machine, line, "drop-output", kind, replace(line, then=Without(effect, kind, False)))
        if several:
            yield _mutant(
                machine, line, "drop-output", f"the last {kind}", replace(line, then=Without(effect, kind, True))
            )
    for name in fields:
        yield _mutant(machine, line, "keep-field", name, replace(line, then=Keeping(effect, name)))
    for what, changed in bounds_moved(effect):
        yield _mutant(machine, line, "move-bound", what, replace(line, then=changed))


def _guarded(machine: Machine, line: Transition, bounded: _Bounded) -> Iterator[Mutant]:
    assert line.when is not None
    faults: list[tuple[str, str, Function]] = [("negate", text(line.when), Not(line.when))]
    faults += conjuncts_changed(line.when)
    faults += [("move-bound", what, changed) for what, changed in bounds_moved(line.when)]
    known = {bounded.decisions(machine, line)}
    for operator, what, guard in faults:
        yield _mutant(machine, line, operator, what, replace(line, when=guard), guards=True)
        if operator == "negate":
            continue  # fitted, it is the lines beside it that have changed places
        for heir in _heirs(machine, line):
            fitted = _fitted(machine, line, operator, what, guard, heir)
            try:
                decisions = bounded.decisions(fitted.build(), line)
            except (
                LookupError,
                TypeError,
            ):  # the faulty guard looks where nothing is: totality sees that, fitted or not
                break
            if decisions not in known:
                known.add(decisions)
                yield fitted


def _heirs(machine: Machine, line: Transition) -> tuple[int, ...]:
    most = max(
        sum(t is not line and t.on is line.on and state in t.sources for t in machine.transitions)
        for state in line.sources
    )
    return (0, -1) if most > 1 else (0,)


def _fitted(machine: Machine, line: Transition, operator: str, what: str, guard: Function, heir: int) -> Mutant:
    def build() -> Machine:
        rows = [
            t for t in machine.transitions if t is not line and t.on is line.on and set(t.sources) & set(line.sources)
        ]
        heirs = {id([t for t in rows if state in t.sources][heir]) for state in line.sources}
        table: list[Transition] = []
        for t in machine.transitions:
            if t is line:
                table.append(replace(line, when=guard))
            elif t in rows:
                here = tuple(state for state in t.sources if state in line.sources)
                there = tuple(state for state in t.sources if state not in line.sources)
                own, was = t.when or _always, line.when or _always
                table.append(replace(t, sources=here, when=Fitted(own, was, guard, id(t) in heirs)))
                if there:
                    table.append(replace(t, id=f"{t.id}~", sources=there))
            else:
                table.append(t)
        return replace(machine, transitions=tuple(table))

    plain = _mutant(machine, line, operator, what, None, guards=True)
    beside = " fitted" if heir == 0 else " fitted otherwise"
    return replace(plain, id=plain.id + beside, build=build, fitted=True)


def _always(c: Any, e: Any, lim: Limits) -> bool:
    return True


# -- helper functions ------------------------------------------------------------------------------------------------


def _by_helper(machine: Machine) -> Iterator[Mutant]:
    """Bounds in the functions that guards and effects call: the fault is in all lines that call them."""
    users: dict[Function, list[str]] = {}
    for line in machine.transitions:
        for function in (line.when, line.then):
            for helper in helpers(function) if function is not None else ():
                users.setdefault(helper, []).append(line.id)
    for helper, lines in users.items():
        for what, changed in bounds_moved(helper):
            yield Mutant(
                f"{machine.id} move-bound {helper.__name__}: {what}",
                "move-bound",
                machine,
                _beside(machine, lines),
                _with_helper(machine, helper, changed),
                guards=True,
            )


def _beside(machine: Machine, lines: Iterable[str]) -> tuple[str, ...]:
    """These lines, and all that share a state and an event with one of them."""
    own = [machine.transition(id_) for id_ in dict.fromkeys(lines)]
    return tuple(
        t.id for t in machine.transitions if any(t.on is o.on and set(t.sources) & set(o.sources) for o in own)
    )


def _with_helper(machine: Machine, helper: Function, changed: Function) -> Callable[[], Machine]:
    def other(function: Function | None) -> Function | None:
        if function is None or helper not in tuple(helpers(function)):
            return function
        return with_helper(function, helper.__name__, changed)

    def build() -> Machine:
        rows = tuple(replace(t, when=other(t.when), then=other(t.then)) for t in machine.transitions)
        return replace(machine, transitions=rows)

    return build
