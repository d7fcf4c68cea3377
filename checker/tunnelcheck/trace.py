"""The shortest way to any of several states or steps; of all shortest ways the one on which the parties take turns least often.

Backwards, a level at a time: for each state on a shortest way, and each party that may have acted last, how many changes of party
the rest of the way takes at least. Forwards, the way is then read off; between equals the action that the world names first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunnelcheck.explore import Exploration
from tunnelcheck.index import I64
from tunnelcheck.runs import Graph

Edges = list[tuple[int, I64, I64]]
"""Of each action, by its place: which of the sources it leads from, and to which of the wanted states; both by their place."""

Changes = NDArray[np.int32]
NEVER = np.int32(1 << 20)


@dataclass(frozen=True, eq=False)
class End:
    """Where a way may end: at one of these states of one level (numbers, ascending), or with this action from there."""

    states: I64
    action: str | None = None


def shortest(exploration: Exploration, ends: Sequence[End]) -> tuple[str, ...]:
    """The ids of the actions that lead from the start to one of the ends, which lie equally far."""
    actions = [action for action, _ in exploration.compiled]
    names = list(dict.fromkeys(action.party for action in actions))
    party = np.array([names.index(action.party) for action in actions])
    place = {action.id: number for number, action in enumerate(actions)}
    last = np.unique(np.concatenate([end.states for end in ends]))
    left, finals = _finals(last, [(end.states, place[end.action] if end.action else -1) for end in ends], party)
    layers: list[tuple[Edges, Changes]] = []
    for sources, edges in _layers(exploration, last):
        layers.append((edges, left))
        left = _before(len(sources), edges, left, party)
    here, actor, way = 0, len(names), list[int]()
    for edges, after in reversed(layers):
        choices = [
            (int(actor != party[number]) + int(after[to, party[number]]), number, int(to))
            for number, at, tos in edges
            for to in tos[at == here]
        ]
        _, number, here = min(choices)
        way.append(number)
        actor = int(party[number])
    _, number = min((int(number >= 0 and party[number] != actor), number) for number in finals[here])
    return tuple(actions[number].id for number in (*way, number) if number >= 0)


def _finals(last: I64, ends: list[tuple[I64, int]], party: I64) -> tuple[Changes, list[list[int]]]:
    """The changes that the end itself takes; and with which actions each state of the last level ends, -1 for none."""
    parties = int(party.max()) + 2  # and nobody
    left = np.full((len(last), parties), NEVER, np.int32)
    finals: list[list[int]] = [[] for _ in last]
    for states, number in ends:
        at = np.searchsorted(last, states)
        cost = np.zeros(parties, np.int32) if number < 0 else (np.arange(parties) != party[number]).astype(np.int32)
        left[at] = np.minimum(left[at], cost)
        for one in at.tolist():
            finals[one].append(number)
    return left, finals


def _before(sources: int, edges: Edges, after: Changes, party: I64) -> Changes:
    """The changes that are left one level earlier, by who acted last."""
    best = np.full((sources, after.shape[1]), NEVER, np.int32)
    for number, at, to in edges:
        np.minimum.at(best[:, party[number]], at, after[to, party[number]])
    fewest: Changes = np.minimum(best, best.min(axis=1, keepdims=True) + 1)
    return fewest


def around(exploration: Exploration, circle: tuple[int, ...]) -> tuple[str, ...]:
    """The ids of the actions that lead from the circle's first state through the others and back to it; none of no circle."""
    pairs = zip(circle, (*circle[1:], *circle[:1]), strict=True)
    numbers = (_edges(exploration, np.array([source]), np.array([to]))[0][0] for source, to in pairs)
    return tuple(exploration.compiled[number][0].id for number in numbers)


def _layers(exploration: Exploration, wanted: I64) -> list[tuple[I64, Edges]]:
    """The states and edges that lie on shortest ways to the wanted states of one level, last level first."""
    assert exploration.edges is not None
    graph = Graph(exploration.edges, exploration.states)
    layers: list[tuple[I64, Edges]] = []
    for level in range(exploration.level_of(int(wanted[0])), 0, -1):
        first, last = exploration.levels[level - 1], exploration.levels[level]
        counts = graph.counts[first:last].astype(np.int64)
        targets = graph.targets[graph.starts[first] : graph.starts[last]]
        sources = np.unique(np.repeat(np.arange(first, last), counts)[np.isin(targets, wanted)])
        layers.append((sources, _edges(exploration, sources, wanted)))
        wanted = sources
    return layers


def _edges(exploration: Exploration, sources: I64, wanted: I64) -> Edges:
    words, goals = exploration.visited.keys[sources], exploration.visited.keys[wanted]
    order = np.argsort(goals)
    edges: Edges = []
    for number, (action, tables) in enumerate(exploration.compiled):
        at, successors = exploration.successors(words, action, tables, 0)
        if len(at):
            found = order[np.minimum(np.searchsorted(goals, successors, sorter=order), len(goals) - 1)]
            hit = goals[found] == successors
            if hit.any():
                edges.append((number, at[hit], found[hit]))
    return edges
