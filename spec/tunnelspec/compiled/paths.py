"""What one event does, as one function: the machines that hear it, what they say to one another, and where it all ends.

While the code is written an event is followed as ``Endpoint.step`` would follow it: every machine that knows it decides, in its
order, every guard of its rows; what the enabled row says is put before what waits. Who listens to a signal is known, so a signal is
never built; the function is a tree of conditions with a ``return`` at each end. Where a row is missing, or two are enabled, or one
cannot be compiled, the end is a call of the interpreter, which knows what to do and how to complain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from tunnelspec.compiled.forms import class_of, field_names
from tunnelspec.compiled.inline import Inliner
from tunnelspec.compiled.terms import Atom, Block, Fork, Known, Made, Names, Refused, Run, Several, Term
from tunnelspec.compiled.tidy import tidied
from tunnelspec.events import Signal
from tunnelspec.limits import Limits
from tunnelspec.machine import Machine, Transition, Verdict, Violation

MAX_ENDS = 256
"""A function with more ends than this is not written: the interpreter is used."""


class Passed(NamedTuple):
    """One machine's part in a path: where it stood, the transition it took, and where it stands."""

    machine: Machine
    source: str
    transition: Transition
    target: str


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """A way through the tables, from an event to its outputs. There is one object for each way, so it can be counted."""

    steps: tuple[Passed, ...]
    moves: bool  # whether some machine changes its state

    @property
    def ids(self) -> tuple[str, ...]:
        """The transitions' ids, in the order in which they were taken."""
        return tuple(passed.transition.id for passed in self.steps)


@dataclass(frozen=True, slots=True)
class _World:
    """Where everything stands on the way."""

    states: tuple[str, ...]
    contexts: tuple[Term, ...]
    steps: tuple[Passed, ...] = ()
    outputs: tuple[Term, ...] = ()
    waiting: tuple[Term, ...] = ()  # the next is last


class Writer:
    """Writes the function for one kind of event and one state of each machine.

    ``listeners`` says which machines know an event. With ``alone`` what they put out goes out: nobody hears it.
    """

    def __init__(
        self,
        machines: Sequence[Machine],
        listeners: Mapping[type[Any], tuple[int, ...]],
        limits: Limits,
        path: Callable[[tuple[Passed, ...]], Path],
        *,
        moving: bool,
        alone: bool = False,
    ) -> None:
        self.machines = machines
        self.listeners = listeners
        self.limits = Known(limits)
        self.path = path
        self.moving = moving
        self.alone = alone
        self.names = Names()
        self.inliner = Inliner(self.names)
        self.ends = 0
        self.compiled = 0  # ends that are not the interpreter's

    def write(self, states: tuple[str, ...], kind: type[Any], received: bool) -> str:
        """The source. Raises ``Refused`` if it would be too long, or nothing but calls of the interpreter."""
        block = Block([])
        self.event, self.kind = Atom("e"), kind
        if received:
            self.inliner.exact["e.frame"] = kind
        places = range(len(states))
        contexts: tuple[Term, ...] = tuple(map(self._context, places))
        self._go_on(_World(states, contexts, waiting=(self.event,)), block)
        if not self.compiled:
            raise Refused("nothing but the interpreter's")
        lines = tidied(block.lines, {f"c{place}": _fields(machine) for place, machine in enumerate(self.machines)})
        if self.alone:
            return "\n".join(["def step(c0, e):", *lines, ""])
        whole = any(re.search(r"\bs\d", line) for line in lines)
        head = ["def step(s, e):"] + [f"    {''.join(f's{place}, ' for place in places)}= s"] * whole
        return "\n".join([*head, *lines, ""])

    def _context(self, place: int) -> Atom:
        """A machine's context."""
        name = f"c{place}"
        self.inliner.roots |= {name, "e"}
        if _fields(self.machines[place]):
            self.inliner.types[name] = type(self.machines[place].start)
        if not self.alone:
            self.inliner.sources[name] = f"s{place}[1]"
        return Atom(name)

    def _go_on(self, world: _World, block: Block) -> None:
        if not world.waiting:
            self._end(world, block)
            return
        item, rest = world.waiting[-1], world.waiting[:-1]
        world = replace(world, waiting=rest)
        if isinstance(item, Run) or (self.alone and item is not self.event):
            self._go_on(replace(world, outputs=(*world.outputs, item)), block)
            return
        kind = self.kind if item is self.event else item.cls  # type: ignore[union-attr]  # an output is a Made
        places = self.listeners.get(kind)
        if places is not None:
            self._hear(places, item, kind, (), world, block)
        elif item is self.event or issubclass(kind, Signal):
            self._interpret(block)
        else:
            self._go_on(replace(world, outputs=(*world.outputs, item)), block)

    def _hear(
        self, places: tuple[int, ...], item: Term, kind: type[Any], said: tuple[Term, ...], world: _World, block: Block
    ) -> None:
        if not places:
            self._go_on(replace(world, waiting=(*world.waiting, *reversed(said))), block)
            return
        place = places[0]
        rows = self.machines[place].rows[world.states[place]].get(kind, ())

        def then(here: Block, row: Transition) -> None:
            try:
                after, outputs = self._fire(row, place, item, world, here)
            except Fork as fork:
                again = partial(then, row=row)
                self.inliner.first(fork, here, again)
            except Refused:  # of this row alone: nothing that follows it is written in here
                self._interpret(here)
            else:
                self._hear(places[1:], item, kind, said + outputs, after, here)

        self._choose(rows, None, place, item, world, block, then)

    def _choose(
        self,
        rows: tuple[Transition, ...],
        found: Transition | None,
        place: int,
        item: Term,
        world: _World,
        block: Block,
        then: Callable[[Block, Transition], None],
    ) -> None:
        """Decide every row's guard, as the direct evaluator does: exactly one holds, or the interpreter complains."""
        if not rows:
            if found is None:
                self._interpret(block)
            else:
                then(block, found)
            return
        row, rest = rows[0], rows[1:]

        def holds(here: Block) -> None:
            if found is None:
                self._choose(rest, row, place, item, world, here, then)
            else:
                self._interpret(here)

        if row.when is None:
            holds(block)
        else:
            arguments = (world.contexts[place], item, self.limits)
            self.inliner.decide_call(
                row.when,
                arguments,
                block,
                holds,
                lambda here: self._choose(rest, found, place, item, world, here, then),
            )

    def _fire(
        self, row: Transition, place: int, item: Term, world: _World, block: Block
    ) -> tuple[_World, tuple[Term, ...]]:
        state = world.states[place]
        target = row.target or state
        if target != state and not self.moving:
            raise Refused("a change of phase")
        outputs: tuple[Term, ...] = ()
        contexts = world.contexts
        if row.verdict is Verdict.REFUSED:
            outputs = (Made(Violation, {"rule": Known(row.id)}),)
        elif row.then is not None:
            done = self.inliner.inline(row.then, (contexts[place], item, self.limits), block)
            if not isinstance(done, Several) or len(done.items) != 2:
                raise Refused("its outputs are not known beforehand")
            context, said = done.items
            outputs = self.inliner.run(said, block)
            if not all(isinstance(output, Made) or self._goes_out(output) for output in outputs):
                raise Refused("its outputs are not known beforehand")
            contexts = (*contexts[:place], context, *contexts[place + 1 :])
        step = Passed(self.machines[place], state, row, target)
        states = (*world.states[:place], target, *world.states[place + 1 :])
        return replace(world, states=states, contexts=contexts, steps=(*world.steps, step)), outputs

    def _goes_out(self, outputs: Term) -> bool:
        """Whether none of so many outputs is heard by a machine."""
        if not isinstance(outputs, Run):
            return False
        cls = class_of(outputs.item)
        return self.alone or (cls is not None and cls not in self.listeners and not issubclass(cls, Signal))

    def _end(self, world: _World, block: Block) -> None:
        self._count()
        self.compiled += 1
        if self.alone:
            after, said = (self.inliner.text(term, block) for term in (world.contexts[0], Several(world.outputs)))
            row = world.steps[0].transition
            block.line(f"return {self.names.of(row)}, {world.states[0]!r}, {after}, {said}  # {row.id}")
            return
        path = self.path(world.steps)
        before = {passed.machine: passed.source for passed in reversed(world.steps)}
        parts = []
        for place, context in enumerate(world.contexts):
            state = world.states[place]
            if context == Atom(f"c{place}") and before.get(self.machines[place], state) == state:
                parts.append(f"s{place}")
            else:
                parts.append(f"tuple_new(Local, ({state!r}, {self.inliner.text(context, block)}))")
        outputs = self.inliner.text(Several(world.outputs), block)
        same = all(part == f"s{place}" for place, part in enumerate(parts))
        state = "s" if same else f"({', '.join(parts)},)"
        block.line(f"return {state}, {outputs}, {self.names.of(path)}  # {' '.join(path.ids)}")

    def _interpret(self, block: Block) -> None:
        self._count()
        block.line("return interpret(c0, e)" if self.alone else "return interpret(s, e)")

    def _count(self) -> None:
        self.ends += 1
        if self.ends > MAX_ENDS:
            raise TooLong(f"more than {MAX_ENDS} ends")


def _fields(machine: Machine) -> tuple[str, ...]:
    """The fields of a machine's context."""
    return field_names(type(machine.start))


class TooLong(Refused):
    """A refusal of the whole function, not of one row."""
