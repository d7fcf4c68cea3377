"""What each action does in many states at once, stage by stage: the rows of the stages' tables, or the row that said no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunnelcheck.explore import Exploration
from tunnelcheck.index import I64
from tunnelcheck.tabulate import Table


@dataclass(frozen=True)
class Refused:
    """States in which a stage said that the action is not possible, by the row of its table that says so."""

    table: Table
    at: I64
    rows: I64


@dataclass(frozen=True)
class Walked:
    """One action in some states: ``at`` are the places of the states in which it is possible, and ``rows`` has for each of them
    the row of every stage. States with the same rows go through the same moment."""

    at: I64
    rows: NDArray[np.int64]
    refused: tuple[Refused, ...]


def walk(exploration: Exploration, tables: list[Table], states: I64) -> Walked:
    """Every stage of an action, in every one of these states."""
    at = np.arange(len(states))
    values: dict[str, NDArray[Any]] = {}
    gone: list[Refused] = []
    taken: list[I64] = []

    def read(name: str) -> NDArray[Any]:
        if name not in values:
            values[name] = exploration.parts(name, states[at])
        return values[name]

    for table in tables:
        rows = table.rows([read(name) for name in table.stage.reads], len(at))
        enabled = table.enabled[rows] != 0
        if not enabled.all():
            gone.append(Refused(table, at[~enabled], rows[~enabled]))
            at, rows = at[enabled], rows[enabled]
            values = {name: value[enabled] for name, value in values.items()}
            taken = [column[enabled] for column in taken]
        taken.append(rows)
        for name, column in zip(table.stage.writes, table.columns, strict=True):
            values[name] = column[rows]
    return Walked(at, np.stack(taken, axis=1), tuple(gone))
