"""Whether every run ends: is the graph of states free of circles? And if it is not, which circles are the soonest gone round?

Kahn's way, a wave at a time: take away the states that nobody left leads to. What remains lies on a circle or behind one; the
same from the other end leaves what lies on circles, or between two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tunnelcheck.explore import Edges
from tunnelcheck.index import I64

CELLS = 1 << 26
"""Of the table of who has seen what, while circles are searched: a byte each."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Successors by state: those of state s are ``targets[starts[s]:starts[s + 1]]``."""

    starts: I64
    targets: NDArray[np.uint32]

    @classmethod
    def of(cls, edges: Edges, states: int) -> Graph:
        """The graph of an exploration; states that were not expanded have no successors."""
        starts = np.zeros(states + 1, np.int64)
        first = 1
        for counts in edges.counts:
            starts[first : first + len(counts)] = counts
            first += len(counts)
        np.cumsum(starts, out=starts)
        return cls(starts, np.concatenate(edges.targets) if edges.targets else np.empty(0, np.uint32))

    @classmethod
    def among(cls, sources: I64, targets: I64, states: int) -> Graph:
        """The graph of these edges."""
        starts = np.zeros(states + 1, np.int64)
        np.cumsum(np.bincount(sources, minlength=states), out=starts[1:])
        return cls(starts, targets[np.argsort(sources, kind="stable")].astype(np.uint32))

    def __len__(self) -> int:
        return len(self.starts) - 1

    def counts(self, states: I64) -> I64:
        """How many successors each of these states has."""
        return self.starts[states + 1] - self.starts[states]

    def after(self, states: I64) -> NDArray[np.uint32]:
        """The successors of these states, one by one."""
        return self.targets[ranges(self.starts[states], self.counts(states))]

    def within(self, members: I64) -> tuple[I64, I64]:
        """The edges between these states (ascending), each by its ends' places among them."""
        place = np.full(len(self), -1, np.int64)
        place[members] = np.arange(len(members))
        sources = np.repeat(np.arange(len(members)), self.counts(members))
        targets = place[self.after(members)]
        return sources[targets >= 0], targets[targets >= 0]


def ranges(starts: I64, counts: I64) -> I64:
    """The numbers from each start on, as many as it counts, one range after another."""
    before = np.concatenate(([0], np.cumsum(counts)[:-1])) if len(counts) else counts
    return np.arange(counts.sum()) + np.repeat(starts - before, counts)


def circling(graph: Graph) -> I64:
    """The states that lie on circles, or between two of them; none if every run ends."""
    remaining = _peel(graph)
    if not len(remaining):
        return remaining
    sources, targets = graph.within(remaining)
    return remaining[_peel(Graph.among(targets, sources, len(remaining)))]


def _peel(graph: Graph) -> I64:
    """What is left when no state is that nothing left leads to."""
    incoming = np.bincount(graph.targets, minlength=len(graph))
    wave = np.flatnonzero(incoming == 0)
    gone = np.zeros(len(graph), bool)
    while len(wave):
        gone[wave] = True
        reached, times = np.unique(graph.after(wave), return_counts=True)
        incoming[reached] -= times
        wave = reached[(incoming[reached] == 0) & ~gone[reached]].astype(np.int64)
    return np.flatnonzero(~gone)


@dataclass(frozen=True, eq=False)
class Circle:
    """All circles of the same length through one state: that state alone, then the states that can be next, and so on; from the
    last of them one comes back to it."""

    waves: tuple[I64, ...]

    @property
    def entry(self) -> I64:
        """The state, alone."""
        return self.waves[0]


def shortest_circles(graph: Graph, members: I64, levels: Sequence[int]) -> tuple[int, tuple[Circle, ...]]:
    """In how few steps one gets to a circle and once round it; and for each state at which one may enter it and take no more,
    all ways round. ``members``: what ``circling`` found, at least one; ``levels``: the number of each level's first state.

    Where such a circle is entered it is the least deep, or one had better enter it elsewhere. So only states are tried to which
    something as deep or deeper leads, from each only what is as deep or deeper is followed, and no further than the best so far.
    """
    level = np.searchsorted(levels, members, side="right") - 1
    sources, targets = graph.within(members)
    inner = Graph.among(sources, targets, len(members))
    entries = np.unique(targets[level[targets] <= level[sources]])
    best, found = 2 * len(graph), list[Circle]()
    for depth in np.unique(level[entries]).tolist():
        if depth + 2 > best:
            break
        here, floor = entries[level[entries] == depth], int(np.searchsorted(level, depth))
        for part in np.array_split(here, -(-len(here) * len(inner) // CELLS)):
            steps, through = _back(inner, part, floor, best - depth)
            if len(through) and depth + steps < best:
                best, found = depth + steps, []
            for entry in through.tolist():
                there = list(_waves(inner, entry, floor, steps))
                around = narrowed(inner, reversed(there), np.array([entry]))
                found.append(Circle(tuple(members[wave] for wave in around)))
    return best, tuple(found)


def _back(graph: Graph, firsts: I64, floor: int, most: int) -> tuple[int, I64]:
    """In how few steps, of at most ``most``, one comes back to any of these states, through states from number ``floor`` on; and
    to which of them one then comes."""
    seen = np.zeros((len(firsts), len(graph)), bool)
    who, here = np.arange(len(firsts)), firsts
    for steps in range(1, most + 1):
        who, here = np.repeat(who, graph.counts(here)), graph.after(here).astype(np.int64)
        back = here == firsts[who]
        if back.any():
            return steps, firsts[np.unique(who[back])]
        fresh = (here >= floor) & ~seen[who, here]
        pairs = np.unique(who[fresh] * len(graph) + here[fresh])
        who, here = np.divmod(pairs, len(graph))
        seen[who, here] = True
        if not len(here):
            break
    return 0, firsts[:0]


def _waves(graph: Graph, first: int, floor: int, count: int) -> Iterator[I64]:
    """The states to which it takes 0, 1, 2, … steps from a state, through states from number ``floor`` on."""
    wave, seen = np.array([first]), np.zeros(len(graph), bool)
    for _ in range(count):
        seen[wave] = True
        yield wave
        reached = np.unique(graph.after(wave)).astype(np.int64)
        wave = reached[(reached >= floor) & ~seen[reached]]


def narrowed(graph: Graph, waves: Iterable[I64], wanted: I64) -> list[I64]:
    """Of waves, the last one first, the states from which one gets to what is wanted, by a state of each wave that follows; the
    first wave first."""
    kept: list[I64] = []
    for wave in waves:
        leads = np.isin(graph.after(wave), wanted)
        wanted = wave[np.unique(np.repeat(np.arange(len(wave)), graph.counts(wave))[leads])]
        kept.append(wanted)
    return kept[::-1]
