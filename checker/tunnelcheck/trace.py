"""The shortest way to a state; of all shortest ways the one on which the parties take turns least often."""

from __future__ import annotations

import numpy as np

from tunnelcheck.explore import Exploration
from tunnelcheck.index import I64
from tunnelcheck.runs import Graph

Edge = tuple[int, str, int]  # from, action, to


def shortest(exploration: Exploration, target: int, then: str | None = None) -> tuple[str, ...]:
    """The ids of the actions that lead from the start to ``target``; ``then``: an action that follows."""
    layers = _layers(exploration, target)
    party = {action.id: action.party for action in exploration.system.actions}
    order = {action.id: place for place, action in enumerate(exploration.system.actions)}
    best: dict[tuple[int, str], tuple[int, tuple[str, ...]]] = {(0, ""): (0, ())}
    for layer in layers:
        reached: dict[tuple[int, str], tuple[int, tuple[str, ...]]] = {}
        for source, action, to in sorted(layer, key=lambda edge: order[edge[1]]):
            for (state, last), (turns, way) in best.items():
                if state != source:
                    continue
                cost = turns + (party[action] != last)
                known = reached.get((to, party[action]))
                if known is None or cost < known[0]:
                    reached[to, party[action]] = (cost, (*way, action))
        best = reached
    last_party = party[then] if then is not None else None
    ways = [
        (turns + (last_party is not None and last != last_party), tuple(order[a] for a in way), way)
        for (state, last), (turns, way) in best.items()
        if state == target
    ]
    way = min(ways)[2]
    return way if then is None else (*way, then)


def around(exploration: Exploration, circle: tuple[int, ...]) -> tuple[str, ...]:
    """The ids of the actions that lead from the circle's first state through the others and back to it; none of no circle."""
    pairs = zip(circle, (*circle[1:], *circle[:1]), strict=True)
    return tuple(_edges(exploration, np.array([source]), np.array([to]))[0][1] for source, to in pairs)


def _layers(exploration: Exploration, target: int) -> list[list[Edge]]:
    """All edges that lie on shortest ways to the target, first level first."""
    assert exploration.edges is not None
    graph = Graph(exploration.edges, exploration.states)
    layers: list[list[Edge]] = []
    wanted = np.array([target])
    for level in range(exploration.level_of(target), 0, -1):
        first, last = exploration.levels[level - 1], exploration.levels[level]
        counts = graph.counts[first:last].astype(np.int64)
        targets = graph.targets[graph.starts[first] : graph.starts[last]]
        sources = np.unique(np.repeat(np.arange(first, last), counts)[np.isin(targets, wanted)])
        layers.append(_edges(exploration, sources, wanted))
        wanted = sources
    return layers[::-1]


def _edges(exploration: Exploration, sources: I64, wanted: I64) -> list[Edge]:
    words = exploration.visited.keys[sources]
    goals = {int(word): int(state) for word, state in zip(exploration.visited.keys[wanted], wanted, strict=True)}
    edges: list[Edge] = []
    for action, tables in exploration.compiled:
        at, successors = exploration.successors(words, action, tables, 0)
        edges += [
            (int(sources[place]), action.id, goals[word])
            for place, word in zip(at.tolist(), successors.tolist(), strict=True)
            if word in goals
        ]
    return edges
