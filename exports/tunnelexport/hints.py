"""Annotations as values: what a union is made of, what an array holds, what type a field has."""

from __future__ import annotations

import builtins
import types
import typing
from functools import reduce
from operator import or_
from types import NoneType
from typing import Any

from tunnelspec.fifo import Fifo
from tunnelspec.machine import Received

CLASS: Any = type[Any]
"""The type of a class: a value that stands for one."""


def parts(hint: Any) -> frozenset[Any]:
    """The members of a union; of anything else, itself."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return frozenset(typing.get_args(hint))
    return frozenset({NoneType if hint is None else hint})


def joined(*kinds: Any) -> Any:
    """The type of what is one of several."""
    flat = dict.fromkeys(part for kind in kinds for part in parts(kind))
    return Any if Any in flat else reduce(or_, flat)


def array(kind: Any) -> Any:
    """A tuple of any length, of that kind."""
    return types.GenericAlias(tuple, (kind, ...))


def row(*kinds: Any) -> Any:
    """A tuple of known length."""
    return types.GenericAlias(tuple, kinds)


def queue(kind: Any) -> Any:
    """A queue of that kind."""
    return types.GenericAlias(Fifo, (kind,))


def item(hint: Any) -> Any:
    """What a tuple or a queue of any length holds; None for anything else."""
    found = []
    for part in parts(hint):
        match typing.get_origin(part), typing.get_args(part):
            case (builtins.tuple, (inner, last)) if last is ...:
                found.append(inner)
            case (origin, (inner,)) if origin is Fifo:
                found.append(inner)
            case _:
                return None
    return joined(*found)


def attribute(hint: Any, name: str) -> Any:
    """The type of a field; None if something of that type may have no such field."""
    found: list[Any] = []
    for part in parts(hint):
        origin = typing.get_origin(part)
        if part is Any:
            found.append(Any)
        elif origin is Received and name == "frame":
            found.append(typing.get_args(part)[0])
        else:
            found.append(typing.get_type_hints(origin or part).get(name))
    return None if None in found else joined(*found)
