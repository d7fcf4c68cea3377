"""Whether every run ends: is the graph of states free of circles?

Kahn's way, a wave at a time: take away the states that nobody left leads to. What remains lies on a circle or behind one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tunnelcheck.explore import Edges
from tunnelcheck.index import I64


class Graph:
    """Successors by state, as two arrays."""

    def __init__(self, edges: Edges, states: int) -> None:
        self.targets: NDArray[np.uint32] = np.concatenate(edges.targets) if edges.targets else np.empty(0, np.uint32)
        counts = np.concatenate(edges.counts) if edges.counts else np.empty(0, np.uint8)
        self.counts = np.zeros(states, np.uint8)
        self.counts[: len(counts)] = counts
        self.starts = np.zeros(states + 1, np.int64)
        np.cumsum(self.counts, out=self.starts[1:])

    def after(self, states: I64) -> NDArray[np.uint32]:
        """The successors of these states, one by one."""
        counts = self.counts[states].astype(np.int64)
        offsets = np.repeat(self.starts[states] - np.concatenate(([0], np.cumsum(counts)[:-1])), counts)
        return self.targets[np.arange(counts.sum()) + offsets]


def circling(graph: Graph) -> I64:
    """The states that lie on circles, or between two of them; none if every run ends."""
    remaining = _peel(graph.after, np.bincount(graph.targets, minlength=len(graph.counts)))
    if not len(remaining):
        return remaining
    member = np.zeros(len(graph.counts), bool)
    member[remaining] = True
    while True:  # likewise from the other end: states that lead to nothing that is left
        sources = np.repeat(np.arange(len(graph.counts)), graph.counts)
        inner = member[sources] & member[graph.targets]
        alive = np.zeros(len(member), bool)
        alive[sources[inner]] = True
        alive &= member
        if alive.sum() == member.sum():
            return np.flatnonzero(member)
        member = alive


def _peel(after: object, incoming: NDArray[np.int64]) -> I64:
    assert callable(after)
    wave = np.flatnonzero(incoming == 0)
    gone = np.zeros(len(incoming), bool)
    while len(wave):
        gone[wave] = True
        reached, times = np.unique(after(wave), return_counts=True)
        incoming[reached] -= times
        wave = reached[(incoming[reached] == 0) & ~gone[reached]].astype(np.int64)
    return np.flatnonzero(~gone)


def shortest_circle(graph: Graph, members: I64, level_of: Callable[[int], int]) -> tuple[int, ...]:
    """The states of the circle that is the quickest to reach and to go round. ``members``: what ``circling`` found."""
    inner = set(members.tolist())
    after = {state: [to for to in graph.after(np.array([state])).tolist() if to in inner] for state in inner}
    best: tuple[int, ...] = ()
    steps = len(graph.counts) * 2  # to reach it, and to go round once
    for first in sorted(inner):
        way = level_of(first)
        if way + 2 >= steps:
            break
        circle = _back_to(after, first, steps - way - 1)
        if circle:
            best, steps = circle, way + len(circle)
    return best


def _back_to(after: Mapping[int, Sequence[int]], first: int, most: int) -> tuple[int, ...]:
    """The shortest circle through a state, of at most ``most`` steps; empty if there is none."""
    before: dict[int, int] = {}
    wave = [first]
    while wave and first not in before and most > 0:
        reached: list[int] = []
        for source in wave:
            for to in after[source]:
                if to not in before:
                    before[to] = source
                    reached.append(to)
        wave, most = reached, most - 1
    if first not in before:
        return ()
    circle = [before[first]]
    while circle[-1] != first:
        circle.append(before[circle[-1]])
    return tuple(reversed(circle))
