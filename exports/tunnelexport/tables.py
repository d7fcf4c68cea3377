"""The tables as JSON, for tools in other languages: all that they say, and the source of what they do.

The form has a version of its own and a schema (``tables.schema.json``). What is added in a compatible way raises its second
number, anything else its first. Values are as ``values`` says; a type is ``int``, ``str``, ``bool``, ``bytes``, ``class`` (the
name of a type), ``any``, the name of a type, ``list<T>``, ``pair<A, B>``, ``T?`` where null is allowed, or ``A | B``.
"""

from __future__ import annotations

import ast
import copy
import json
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum, IntEnum
from pathlib import Path
from types import NoneType
from typing import Any

from tunneldraw.effects import outputs
from tunneldraw.picture import KINDS
from tunnelexport import layout
from tunnelexport.code import needs, qualified, roots
from tunnelexport.hints import item, parts
from tunnelexport.values import plain
from tunnelspec import frames as wire
from tunnelspec import source
from tunnelspec.endpoint import ENDPOINTS, MACHINES
from tunnelspec.events import Signal
from tunnelspec.limits import DEFAULT
from tunnelspec.machine import Machine, Received, State, Transition, Verdict, Violation
from tunnelspec.properties import PROPERTIES

VERSION = "1.0"
"""Of the form, not of the protocol."""

SCHEMA = Path(__file__).with_name("tables.schema.json")
VERDICTS: dict[Verdict, str] = {
    Verdict.TAKEN: "The protocol moves on.",
    Verdict.IGNORED: "The event means nothing here; the sentence tells why that is harmless.",
    Verdict.REFUSED: "Whoever caused the event broke the protocol; the state stays, and a Violation is put out.",
}


def tables(machines: Iterable[Machine] = MACHINES) -> dict[str, Any]:
    """The tables of these machines, as JSON."""
    machines = tuple(machines)
    return {
        "$schema": SCHEMA.name,
        "format": "tunnelspec-tables",
        "version": VERSION,
        "protocol": {"name": "Rivet runner protocol", "version": 2},
        "kinds": {kind.value: says for kind, says in KINDS.items()},
        "verdicts": {verdict.value: says for verdict, says in VERDICTS.items()},
        "limits": [
            {"name": name, "value": value, "unit": unit, "source": origin, "why": why}
            for name, value, unit, origin, why in DEFAULT.describe()
        ],
        "machines": [_machine(machine) for machine in machines],
        "endpoints": [
            {"role": e.role.value, "name": e.name, "says": e.says, "machines": [m.id for m in e.machines]}
            for e in ENDPOINTS
            if set(e.machines) <= set(machines)
        ],
        "properties": [{"id": p.id, "scope": p.scope.value, "says": p.says} for p in PROPERTIES],
        "types": [_type(cls, machines) for cls in classes(machines)],
        "functions": [_function(f) for f in needs(f for m in machines for f in roots(m)).functions],
        "constants": _constants(machines),
        "wire": [layout.version(number) for number in layout.VERSIONS],
    }


def text(machines: Iterable[Machine] = MACHINES) -> str:
    """The same, as the file is written."""
    return json.dumps(tables(machines), indent=1, ensure_ascii=False) + "\n"


def files() -> dict[str, str]:
    """File name -> content, of what is committed."""
    return {"tables.json": text(), SCHEMA.name: SCHEMA.read_text(encoding="utf-8")}


def _machine(machine: Machine) -> dict[str, Any]:
    return {
        "id": machine.id,
        "name": machine.name,
        "role": machine.role.value,
        "says": machine.says,
        "initial": machine.initial,
        "context": {"type": type(machine.start).__name__, "start": plain(machine.start)},
        "states": [_state(state) for state in machine.states],
        "events": [
            {"name": event.__name__, "received": event.__module__ == wire.__name__} for event in machine.alphabet
        ],
        "transitions": [_transition(t) for t in machine.transitions],
    }


def _state(state: State) -> dict[str, Any]:
    return {
        "name": state.name,
        "kind": state.kind.value,
        "says": state.says,
        "waits_for": state.waits_for or None,
        "until": state.until or None,
    }


def _transition(t: Transition) -> dict[str, Any]:
    return {
        "id": t.id,
        "sources": list(t.sources),
        "event": t.on.__name__,
        "target": t.target,
        "verdict": t.verdict.value,
        "excluded": t.excluded,
        "guard": None if t.when is None else _guard(t.when),
        "effect": None if t.then is None else _effect(t.then),
        "says": t.says,
        "ref": t.ref,
    }


def _guard(guard: Callable[..., Any]) -> dict[str, Any]:
    return {"function": qualified(guard), "source": source.text(guard), "parts": list(source.parts(guard))}


def _effect(effect: Callable[..., Any]) -> dict[str, Any]:
    return {
        "function": qualified(effect),
        "source": _source(effect),
        "outputs": [
            {"type": o.kind.__name__, "arguments": o.arguments, "condition": o.condition or None, "each": o.each}
            for o in outputs(effect)
        ],
    }


def _source(function: Callable[..., Any]) -> str:
    """A function's definition without its docstring; what remains is its meaning."""
    node = copy.deepcopy(source.definition(function))
    if ast.get_docstring(node) is not None:
        node.body = node.body[1:]
    return ast.unparse(node)


def _function(function: Callable[..., Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(function)
    returns = hints.pop("return")
    return {
        "name": qualified(function),
        "says": _says(function) or None,
        "parameters": [{"name": name, "type": spelled(hint)} for name, hint in hints.items()],
        "returns": spelled(returns),
        "source": _source(function),
    }


def _constants(machines: tuple[Machine, ...]) -> list[dict[str, Any]]:
    found = needs(f for m in machines for f in roots(m)).constants
    return [{"name": name, "value": plain(value)} for name, value in sorted(found, key=lambda pair: pair[0])]


# -- types -----------------------------------------------------------------------------------------------------------


def classes(machines: tuple[Machine, ...]) -> tuple[type[Any], ...]:
    """Every class that the tables name, directly or in a field, by name."""
    found: dict[type[Any], None] = {}

    def visit(cls: type[Any]) -> None:
        if cls in found:
            return
        found[cls] = None
        for hint in _hints(cls).values():
            for inner in _inner(hint):
                visit(inner)

    visit(Received)
    visit(Violation)
    for machine in machines:
        visit(type(machine.start))
        for cls in (*machine.alphabet, *needs(roots(machine)).classes):
            if is_dataclass(cls) or hasattr(cls, "_fields"):
                visit(cls)
    for union in (wire.ToServer, wire.ToClient):
        for cls in typing.get_args(union):
            visit(cls)
    return tuple(sorted(found, key=lambda cls: cls.__name__))


def spelled(hint: Any) -> str:
    """An annotation in the form's own words. Raises ``TypeError`` for one that it has no word for."""
    if hint is Any or isinstance(hint, typing.TypeVar):
        return "any"
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        rest = [part for part in typing.get_args(hint) if part is not NoneType]
        said = " | ".join(map(spelled, rest))
        if NoneType not in parts(hint):
            return said
        return f"{said}?" if len(rest) == 1 else f"({said})?"
    if typing.get_origin(hint) is type:
        return "class"
    if typing.get_origin(hint) is Received:
        return f"Received<{spelled(typing.get_args(hint)[0])}>"
    if (inner := item(hint)) is not None:
        return f"list<{spelled(inner)}>"
    if typing.get_origin(hint) is tuple and len(typing.get_args(hint)) == 2:
        return f"pair<{', '.join(map(spelled, typing.get_args(hint)))}>"
    if isinstance(hint, type):
        return hint.__name__
    raise TypeError(f"{hint} has no word in the exported form")


def _type(cls: type[Any], machines: tuple[Machine, ...]) -> dict[str, Any]:
    made: dict[str, Any] = {"name": cls.__name__, "is": _is(cls, machines), "says": _says(cls)}
    if issubclass(cls, Enum):
        return made | {"members": {member.name: int(member.value) for member in cls}}
    defaults = (
        {f.name: f.default for f in fields(cls) if f.default is not MISSING}
        if is_dataclass(cls)
        else dict(cls._field_defaults)
    )
    return made | {
        "fields": [
            {"name": name, "type": spelled(hint)} | ({"default": plain(defaults[name])} if name in defaults else {})
            for name, hint in _hints(cls).items()
        ]
    }


def _is(cls: type[Any], machines: tuple[Machine, ...]) -> str:
    """What a class is in the tables."""
    put_out = {o.kind for m in machines for t in m.transitions for o in outputs(t.then)} | {Violation}
    heard = {event for m in machines for event in m.alphabet}
    if issubclass(cls, Enum):
        return "enum"
    if cls.__module__ == wire.__name__:
        return "frame" if cls in typing.get_args(wire.ToServer) + typing.get_args(wire.ToClient) else "wire"
    if issubclass(cls, Signal):
        return "signal"
    if cls in put_out:
        return "output"
    if cls in {type(m.start) for m in machines}:
        return "context"
    if cls in heard:
        return "event"
    return "value"


def _hints(cls: type[Any]) -> dict[str, Any]:
    if issubclass(cls, Enum):
        return {}
    hints = typing.get_type_hints(cls)
    names = [f.name for f in fields(cls)] if is_dataclass(cls) else list(getattr(cls, "_fields", ()))
    return {name: hints[name] for name in names}


def _inner(hint: Any) -> Iterator[type[Any]]:
    if isinstance(hint, type) and (is_dataclass(hint) or hasattr(hint, "_fields") or issubclass(hint, IntEnum)):
        yield hint
    for part in typing.get_args(hint):
        if typing.get_origin(hint) is not type:
            yield from _inner(part)


def _says(thing: Any) -> str:
    said = thing.__doc__ or ""
    return "" if said.startswith(f"{getattr(thing, '__name__', '')}(") else " ".join(said.replace("``", "").split())
