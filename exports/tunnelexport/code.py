"""What a guard or an effect is made of: its own source, and the helpers and constants that it names."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from types import FunctionType
from typing import Any, NamedTuple

from tunnelspec.machine import Machine, TableError
from tunnelspec.source import definition


class Needs(NamedTuple):
    """All that some functions need, in an order in which each comes after what it names."""

    functions: tuple[Callable[..., Any], ...]
    constants: tuple[tuple[str, Any], ...]
    classes: tuple[type[Any], ...]


def qualified(function: Callable[..., Any]) -> str:
    """A function's name that is nobody else's: ``ack.has_room``."""
    return f"{function.__module__.removeprefix('tunnelspec.')}.{function.__name__}"


@cache
def named(function: Callable[..., Any]) -> tuple[tuple[str, Any], ...]:
    """The names that a function's body and defaults take from its module, and what they stand for; builtins apart.

    Raises ``TableError`` for what is no plain function, such as a deviation's wrapper: it has no source of its own.
    """
    if not isinstance(function, FunctionType):
        raise TableError(f"{function!r} is not a plain function")
    found: dict[str, Any] = {}
    for part in (*definition(function).body, *definition(function).args.defaults):
        for node in ast.walk(part):
            if isinstance(node, ast.Name) and node.id in function.__globals__:
                found.setdefault(node.id, function.__globals__[node.id])
    own = {argument.arg for argument in definition(function).args.args}
    return tuple((name, value) for name, value in found.items() if name not in own and not hasattr(builtins, name))


def needs(functions: Iterable[Callable[..., Any]]) -> Needs:
    """The functions and all that they name, directly or not."""
    ordered: dict[Callable[..., Any], None] = {}
    constants: dict[str, Any] = {}
    classes: dict[type[Any], None] = {}

    def visit(function: Callable[..., Any]) -> None:
        if function in ordered:
            return
        for name, value in named(function):
            if isinstance(value, FunctionType):
                visit(value)
            elif isinstance(value, type):
                classes[value] = None
            else:
                constants[name] = value
        ordered[function] = None

    for function in functions:
        visit(function)
    return Needs(tuple(ordered), tuple(constants.items()), tuple(classes))


def roots(machine: Machine) -> Iterator[Callable[..., Any]]:
    """The guards and effects of a machine, in the order of its table."""
    for transition in machine.transitions:
        yield from (function for function in (transition.when, transition.then) if function is not None)
