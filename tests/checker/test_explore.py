"""The explorer finds what a plain search finds: the same states, transitions, levels and ends; and the same ways there."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelcheck.explore import Edges, Exploration
from tunnelcheck.replay import act, plain, replay
from tunnelcheck.runs import Graph, circling
from tunnelcheck.trace import End, shortest
from tunnelspec.system import Bounds, System
from tunnelspec.worlds import AGEING, SMALL

WORLDS = [
    Bounds(says=1),
    Bounds(says=1, acked=6, sleeps=1),
    Bounds(says=1, hibernates=False, leaves=1),
    Bounds(says=0, leaves=1, closes=1),
    Bounds(says=0, acked=3, wakes=1, breaks=1),
    Bounds(says=0, runners=2, moves=1),
    Bounds(says=0, acked=3, passes=True, limits=AGEING),
]
PINNED = {
    "sleep": 2580, "break": 6643, "wrap": 1575, "again": 1575, "limit": 502, "plain": 2562, "waver": 2644, "crash": 5387,
    "zombie": 2536, "wake": 634, "stall": 6328, "end": 1273, "lie-ack": 3732, "old": 903, "restless": 1121,
    "deaf": 6508, "window": 502, "pass": 306, "lie-down": 2822,
}  # fmt: skip


def search(system: System) -> tuple[list[set[Any]], int, set[Any]]:
    """Levels, transitions and ends, by a search that keeps whole worlds."""
    system = plain(system)
    names = system.components
    start = system.start()
    levels, seen, transitions, ends = [{tuple(start[n] for n in names)}], {tuple(start[n] for n in names)}, 0, set()
    while levels[-1]:
        fresh = set()
        for state in levels[-1]:
            world = dict(zip(names, state, strict=True))
            moments = [
                moment for moment in (act(system, world, action) for action in system.actions) if moment is not None
            ]
            after = [tuple(moment.after[n] for n in names) for moment in moments]
            transitions += len(after)
            if all(one == state for one in after):
                ends.add(state)
            fresh |= {one for one in after if one not in seen}
        seen |= fresh
        levels.append(fresh)
    return levels, transitions, ends


def explored(bounds: Bounds) -> Exploration:
    exploration = Exploration(System(bounds))
    while not exploration.done:
        exploration.step()
    return exploration


@pytest.mark.parametrize("bounds", WORLDS, ids=str)
def test_it_finds_what_a_plain_search_finds(bounds: Bounds) -> None:
    exploration = explored(bounds)
    levels, transitions, ends = search(System(bounds))
    names = exploration.system.components

    def worlds(numbers: Any) -> set[Any]:
        return {tuple(exploration.world(int(n))[name] for name in names) for n in numbers}

    assert [len(level) for level in levels[:-1]] == [b - a for a, b in pairwise(exploration.levels)]
    assert worlds(range(exploration.states)) == set().union(*levels)
    assert exploration.transitions == transitions
    assert worlds(np.concatenate(exploration.terminal)) == ends


@pytest.mark.parametrize("scenario", SMALL, ids=lambda s: s.name)
def test_state_counts_are_pinned(scenario: Any) -> None:
    """A change of the tables or of the world that changes what can happen is noticed."""
    assert explored(scenario.bounds).states == PINNED[scenario.name]


def test_a_shortest_trace_is_shortest_and_takes_the_fewest_turns() -> None:
    """Against all shortest ways, in a world that is small enough to list them."""
    exploration = explored(Bounds(says=0, leaves=1))
    party = {action.id: action.party for action in exploration.system.actions}
    names = exploration.system.components
    system = plain(exploration.system)
    ways: dict[Any, list[tuple[str, ...]]] = {tuple(system.start()[n] for n in names): [()]}
    for level in range(exploration.depth):
        after: dict[Any, list[tuple[str, ...]]] = {}
        for state, here in ways.items():
            for action in system.actions:
                moment = act(system, dict(zip(names, state, strict=True)), action)
                if moment is not None:
                    after.setdefault(tuple(moment.after[n] for n in names), []).extend(
                        (*way, action.id) for way in here
                    )
        first, last = exploration.levels[level + 1 : level + 3] if level + 2 < len(exploration.levels) else (0, 0)
        ways = {}
        for number in range(first, last):
            state = tuple(exploration.world(number)[n] for n in names)
            ways[state] = after[state]
            found = shortest(exploration, [End(np.array([number]))]).actions

            def turns(way: tuple[str, ...]) -> int:
                return sum(party[a] != party[b] for a, b in pairwise(way))

            assert len(found) == level + 1
            assert turns(found) == min(turns(way) for way in after[state])
            assert tuple(replay(exploration.system, found)[-1].after[n] for n in names) == state


@given(st.lists(st.lists(st.integers(0, 11), max_size=3), min_size=12, max_size=12))
def test_circles_are_found(successors: list[list[int]]) -> None:
    """L-END: against reachability, on any small graph."""
    rows = [sorted(set(row) - {place}) for place, row in enumerate(successors)]
    edges = Edges(
        [np.array([len(row) for row in rows], np.uint8)],
        [np.array([there for row in rows for there in row], np.uint32)],
    )
    reach = [set(row) for row in rows]
    for _ in rows:
        reach = [here.union(*(reach[there] for there in here)) for here in reach]
    on_circle = {place for place in range(12) if place in reach[place]}
    found = set(circling(Graph.of(edges, 12)).tolist())
    between = {p for p in range(12) if any(p in reach[c] for c in on_circle) and any(c in reach[p] for c in on_circle)}
    assert found == on_circle | between
