"""How the properties of states, and of ends, stand in each state: could they fail there, and do they?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tunnelcheck.decide import readings
from tunnelcheck.explore import Exploration
from tunnelcheck.index import I64
from tunnelspec.properties import Property, Scope

Stand = tuple[tuple[str, ...], tuple[str, ...]]  # the properties that could fail here and hold; those that fail


def standings(
    exploration: Exploration, states: I64, ends: NDArray[np.bool_], judged: Iterable[Property]
) -> tuple[list[Stand], NDArray[np.int64]]:
    """All ways in which they stand, and by state which of them."""
    ids: list[str] = []
    bits: list[NDArray[np.int64]] = []
    for prop in judged:
        if prop.scope not in (Scope.STATE, Scope.END):
            continue
        verdict = np.zeros(len(states), np.int64)
        for names in readings(prop, exploration.system):
            verdict = np.maximum(verdict, _verdicts(exploration, states, prop, names))
        ids.append(prop.id)
        bits.append(np.where(ends, verdict, 0) if prop.scope is Scope.END else verdict)
    ways, which = np.unique(np.stack(bits, axis=1), axis=0, return_inverse=True)
    stands = [
        (
            tuple(id_ for id_, verdict in zip(ids, way, strict=True) if verdict == 1),
            tuple(id_ for id_, verdict in zip(ids, way, strict=True) if verdict == 2),
        )
        for way in ways.tolist()
    ]
    return stands, which.ravel()


def _verdicts(exploration: Exploration, states: I64, prop: Property, names: tuple[str, ...]) -> NDArray[np.int64]:
    """By state: 0 nothing is at stake, 1 it could fail and holds, 2 it fails."""
    stacked = np.stack([exploration.parts(name, states) for name in names])
    combinations, which = np.unique(stacked, axis=1, return_inverse=True)
    verdicts = []
    for numbers in combinations.T.tolist():
        values = [exploration.domains[name].values[n] for name, n in zip(names, numbers, strict=True)]
        bounds = exploration.system.bounds
        verdicts.append(2 if not prop.holds(bounds, *values) else int(bool(prop.could(bounds, *values))))
    return np.array(verdicts)[which.ravel()]
