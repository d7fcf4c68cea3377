"""A world's states as columns: for each part of the world the values it takes, and for each state which one it has.

An endpoint is several parts: each of its machines, and its timers. What stands in a table of values is ready to be shown: words,
numbers, and lists of them; frames and events are said as everywhere else (``explain.label``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunnelcheck.explain import data_of, label
from tunnelcheck.explore import Exploration
from tunnelcheck.index import I64
from tunnelspec.endpoint import Local
from tunnelspec.system import Carried, Gateway, Runner, System

Tree = Any  # what JSON can say


@dataclass(frozen=True)
class Column:
    """One part of the world. ``of`` is the component that it belongs to; of a machine, ``name`` is its id."""

    name: str
    of: str
    values: tuple[Tree, ...]
    numbers: NDArray[np.int64]  # by state

    @property
    def key(self) -> str:
        """Its name, with its side where there are two."""
        return (
            self.name
            if self.name == self.of
            else f"{self.name}{self.of.removeprefix('runner').removeprefix('gateway')}"
        )


def columns(exploration: Exploration, states: I64) -> Iterator[Column]:
    """All parts of these states."""
    for component in exploration.system.components:
        known = exploration.parts(component, states)
        used, inverse = np.unique(known, return_inverse=True)
        split = [parts(exploration.system, component, exploration.domains[component].values[n]) for n in used.tolist()]
        for name in split[0]:
            table: dict[str, tuple[int, Tree]] = {}
            numbers = [table.setdefault(repr(one[name]), (len(table), one[name]))[0] for one in split]
            yield Column(
                name, component, tuple(value for _, value in table.values()), np.array(numbers)[inverse.ravel()]
            )


def parts(system: System, component: str, value: Any) -> Mapping[str, Tree]:
    """What a component's value is made of."""
    if isinstance(value, Gateway | Runner):
        endpoint = system.gateway if isinstance(value, Gateway) else system.runner
        rest = {name: tree(inner) for name, inner in zip(value._fields, value, strict=True) if name != "machines"}
        machines = {
            machine.id: standing(local) for machine, local in zip(endpoint.machines, value.machines, strict=True)
        }
        return {component: rest, **machines}
    return {component: tree(value)}


def standing(local: Local) -> Tree:
    """Where a machine stands."""
    return {"state": local.state, **(named(local.context) or {})}


def named(value: Any) -> dict[str, Tree] | None:
    """The fields of a ``NamedTuple``; None of anything else."""
    fields = getattr(value, "_fields", None)
    return None if fields is None else {name: tree(inner) for name, inner in zip(fields, value, strict=True)}


def tree(value: Any) -> Tree:
    """A value as JSON can say it: what has names keeps them, what is in a list is said in a few words."""
    if (fields := named(value)) is not None:
        return fields
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, bytes):
        return data_of(value) if value else ""
    if isinstance(value, type):
        return value.__name__.removeprefix("ToServerWebSocket").removeprefix("ToClientWebSocket")
    if hasattr(value, "__dataclass_fields__"):
        return label(value)
    return [words(item) for item in value]


def words(item: Any) -> Tree:
    """An item of a queue, in a few words."""
    fields = named(item)
    if fields is None:
        return tree(item)
    frame = fields.pop("frame", "")
    if isinstance(item, Carried):
        return label(item)
    return " ".join([*([frame] if frame else []), *(f"{name}={inner}" for name, inner in fields.items())])
