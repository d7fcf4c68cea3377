"""The tables, compiled: for each state of an endpoint and each kind of event one Python function, written from the tables.

    steps = program(GATEWAY, DEFAULT).at(state)      # event class -> function
    state, outputs, path = steps[ClientMessage](state, event)

A function is written when it is first needed. It is the tables' meaning and nothing else: a property-based test drives it, the
direct evaluator and ``transitions`` with the same random events and demands the same states, outputs and transitions, for the
tables as they are and as every deviation patches them. What it cannot do it hands to ``interpret``, by default the direct
evaluator:

- where no row is enabled, or two are, the interpreter raises ``Undecided`` or ``Ambiguous``: every guard is decided, here as there;
- where a row's effect cannot be read (a ``for``, a callable object, source that is not what runs) the interpreter executes it;
- without ``moving``, so is every event that changes a machine's state: the reference leaves changes of phase to ``transitions``.

``python -m tunnelspec.compiled`` prints what was written, and says what was refused.
"""

from __future__ import annotations

import linecache
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

from tunnelspec.compiled.paths import Passed, Path, Writer
from tunnelspec.compiled.terms import Refused
from tunnelspec.endpoint import Endpoint, Local, Result, State
from tunnelspec.limits import Limits
from tunnelspec.machine import Machine, TableError, key, step

Outcome: TypeAlias = tuple[State, tuple[Any, ...], Path]
"""What an event did: the new state, what goes out, and the way through the tables."""

Interpreter = Callable[[Endpoint, State, Any, Limits], Result]


def by_tables(endpoint: Endpoint, state: State, event: Any, limits: Limits) -> Result:
    """The direct evaluator."""
    return endpoint.step(state, event, limits)


class Program:
    """One endpoint's functions, for one set of limits."""

    def __init__(self, endpoint: Endpoint, limits: Limits, interpreter: Interpreter, *, moving: bool) -> None:
        self.endpoint = endpoint
        self.limits = limits
        self.moving = moving
        self._interpreter = interpreter
        self._vectors: dict[tuple[str, ...], Vector] = {}
        self._paths: dict[tuple[Passed, ...], Path] = {}

    def at(self, state: State) -> Vector:
        """The functions for an endpoint whose machines stand so. Raises ``TableError`` for a context of another machine."""
        for machine, local in zip(self.endpoint.machines, state, strict=True):
            if type(local[1]) is not type(machine.start):
                raise TableError(f"{machine.id}: a {type(local[1]).__name__} is no context of this machine")
        states = tuple(local[0] for local in state)
        found = self._vectors.get(states)
        if found is None:
            found = self._vectors[states] = Vector(self, states)
        return found

    def step(self, state: State, event: Any) -> Outcome:
        """What ``event`` does. Raises ``TableError`` as ``Endpoint.step`` does."""
        outcome: Outcome = self.at(state)[key(event)](state, event)
        return outcome

    def interpret(self, state: State, event: Any) -> Outcome:
        """The same by the interpreter."""
        result = self._interpreter(self.endpoint, state, event, self.limits)
        steps = tuple(
            Passed(taken.machine, taken.source, taken.step.transition, taken.step.state) for taken in result.steps
        )
        return result.state, result.outputs, self.path(steps)

    def path(self, steps: tuple[Passed, ...]) -> Path:
        """The one object for these steps."""
        found = self._paths.get(steps)
        if found is None:
            moves = any(passed.source != passed.target for passed in steps)
            found = self._paths[steps] = Path(steps, moves)
        return found


class Functions(dict[type[Any], Callable[[Any, Any], Any]], ABC):
    """Event class -> function. Each is written when it is first asked for."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.sources: dict[type[Any], str] = {}  # what was written
        self.refused: dict[type[Any], str] = {}  # what was not, and why

    def __missing__(self, kind: type[Any]) -> Callable[[Any, Any], Any]:
        writer, states, interpret = self._writer()
        try:
            source = writer.write(states, kind, received=kind.__module__ == "tunnelspec.frames")
        except Refused as refused:
            self.refused[kind] = str(refused)
            self[kind] = interpret
            return interpret
        self.sources[kind] = source
        name = f"<{self.name}, {', '.join(states)}: {kind.__name__}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)  # tracebacks show the lines
        scope = {
            **writer.names.objects,
            "Local": Local,
            "interpret": interpret,
            "new": object.__new__,
            "tuple_new": tuple.__new__,
        }
        exec(compile(source, name, "exec"), scope)
        self[kind] = scope["step"]
        return self[kind]

    @abstractmethod
    def _writer(self) -> tuple[Writer, tuple[str, ...], Callable[[Any, Any], Any]]:
        """Who writes, for which states, and what is called where nothing was written."""


class Vector(Functions):
    """The functions for one state of each machine of an endpoint: ``(state, event) -> Outcome``."""

    def __init__(self, program: Program, states: tuple[str, ...]) -> None:
        super().__init__(f"{program.endpoint.role} {program.endpoint.name}")
        self.program = program
        self.states = states

    def _writer(self) -> tuple[Writer, tuple[str, ...], Callable[[Any, Any], Any]]:
        program, endpoint = self.program, self.program.endpoint
        writer = Writer(endpoint.machines, endpoint.listeners, program.limits, program.path, moving=program.moving)
        return writer, self.states, program.interpret


class Rows(Functions):
    """The functions for one state of one machine: ``(context, event)`` -> what a ``Step`` holds, as a plain tuple.

    Nobody hears what it puts out.
    """

    def __init__(self, machine: Machine, state: str, limits: Limits) -> None:
        super().__init__(machine.id)
        self.machine = machine
        self.state = state
        self.limits = limits

    def _writer(self) -> tuple[Writer, tuple[str, ...], Callable[[Any, Any], Any]]:
        machine, state, limits = self.machine, self.state, self.limits
        listeners = dict.fromkeys(machine.alphabet, (0,))
        writer = Writer((machine,), listeners, limits, lambda steps: Path(steps, False), moving=True, alone=True)
        return writer, (state,), lambda context, event: step(machine, state, context, event, limits)


@cache
def program(endpoint: Endpoint, limits: Limits, interpreter: Interpreter = by_tables, moving: bool = True) -> Program:
    """The endpoint's functions for these limits, shared by all who ask."""
    return Program(endpoint, limits, interpreter, moving=moving)


@cache
def machine_rows(machine: Machine, limits: Limits) -> Mapping[str, Rows]:
    """One machine's functions, by its state."""
    return {state.name: Rows(machine, state.name, limits) for state in machine.states}


__all__ = ["Outcome", "Passed", "Path", "Program", "Rows", "Vector", "by_tables", "machine_rows", "program"]
