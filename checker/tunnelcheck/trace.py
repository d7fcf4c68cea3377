"""The shortest way to what breaks a property; of all shortest ways the one on which the parties take turns least often.

A run without end is shown as a *lasso*: a way to a circle, and the circle. As few steps as can be come first, of both parts
together, for that is what one has to read; a short way to a long circle is no easier than the reverse. Of all lassos of so few
steps, whichever circle it is and wherever it is entered, the one with the fewest changes of party is taken. They are counted along
the way, round the circle, and from the step that closes it to its first, which is then taken again.

Backwards, a level at a time: for each state on a shortest way, and each party that may have acted last, how many changes of party
the rest of the way takes at least. Forwards, the way is then read off. Between equals: the circle that is entered sooner, and
the action that the world names first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tunnelcheck.explore import Exploration
from tunnelcheck.index import I64
from tunnelcheck.runs import Circle, Graph, narrowed, ranges

Changes = NDArray[np.int32]
NEVER = np.int32(1 << 20)
SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")


@dataclass(frozen=True, eq=False)
class End:
    """Where a way may end: at one of these states of one level (numbers, ascending); or with this action from there; or, from
    the one state, with one of these circles."""

    states: I64
    action: str | None = None
    circle: Circle | None = None


@dataclass(frozen=True)
class Way:
    """The ids of the actions, and how many of the last ones lead back to where they began."""

    actions: tuple[str, ...]
    loop: int = 0


@dataclass(frozen=True, eq=False)
class Steps:
    """Which actions lead from some states to others: each by its number, and the states by theirs, or by their places."""

    actions: I64
    sources: I64
    targets: I64

    def where(self, rows: NDArray[Any]) -> Steps:
        """Some of them."""
        return Steps(self.actions[rows], self.sources[rows], self.targets[rows])


@dataclass(frozen=True)
class Ending:
    """One way of ending at a state: by which actions, and how many changes of party they take, by who acted before."""

    actions: tuple[int, ...]
    changes: Changes


def shortest(exploration: Exploration, ends: Sequence[End]) -> Way:
    """The way from the start to one of the ends, all of which take equally many steps, circles included."""
    ways = _Ways(exploration)
    levels: dict[int, list[End]] = {}
    for end in ends:
        levels.setdefault(exploration.level_of(int(end.states[0])), []).append(end)
    _, way = min((ways.to(level, levels[level]) for level in sorted(levels)), key=lambda found: found[0])
    return way


class _Ways:
    """Ways through an exploration."""

    def __init__(self, exploration: Exploration) -> None:
        assert exploration.edges is not None
        self._exploration = exploration
        self._graph = Graph.of(exploration.edges, exploration.states)
        self._ids = [action.id for action, _ in exploration.compiled]
        names = [action.party for action, _ in exploration.compiled]
        known = list(dict.fromkeys(names))
        self._party = np.array([known.index(name) for name in names])
        self._parties = np.arange(len(known) + 1)  # and nobody, who acted before the first step

    def to(self, level: int, ends: Sequence[End]) -> tuple[int, Way]:
        """The way to one of these ends, which begin at states of one level; and its changes of party."""
        levels = self._exploration.levels
        last = np.unique(np.concatenate([end.states for end in ends]))
        left = np.full((len(last), len(self._parties)), NEVER)
        endings: list[list[tuple[Ending, int]]] = [[] for _ in last]
        for end in ends:
            at, loop = np.searchsorted(last, end.states), len(end.circle.waves) if end.circle else 0
            for ending in self._endings(end):
                left[at] = np.minimum(left[at], ending.changes)
                for place in at.tolist():
                    endings[place].append((ending, loop))
        backwards = (np.arange(levels[before], levels[before + 1]) for before in reversed(range(level)))
        waves = [*narrowed(self._graph, backwards, last), last]
        steps = self._steps(waves)
        afters, left = self._left(waves, steps, left)
        nobody = int(self._parties[-1])
        way, here, actor = self._read(steps, afters, nobody)
        ending, loop = min(endings[here], key=lambda each: (int(each[0].changes[actor]), each[0].actions))
        return int(left[0, nobody]), Way(tuple(self._ids[number] for number in (*way, *ending.actions)), loop)

    def _endings(self, end: End) -> Iterator[Ending]:
        """The ways in which it may end: of a circle, the best one that begins with each party."""
        if end.circle is not None:
            waves = [*end.circle.waves, end.circle.entry]
            first, *rest = self._steps(waves)
            for party in np.unique(self._party[first.actions]):
                steps = [first.where(self._party[first.actions] == party), *rest]
                again = (self._parties != party).astype(np.int32)[np.newaxis]
                afters, left = self._left(waves, steps, again)
                yield Ending(tuple(self._read(steps, afters, int(party))[0]), left[0])
        elif end.action is not None:
            number = self._ids.index(end.action)
            yield Ending((number,), (self._parties != self._party[number]).astype(np.int32))
        else:
            yield Ending((), np.zeros(len(self._parties), np.int32))

    def _left(self, waves: Sequence[I64], steps: Sequence[Steps], left: Changes) -> tuple[list[Changes], Changes]:
        """The changes that are left after each step, given those that are left after all, and before the first: by the state's
        place in its wave, and by who acted last."""
        afters: list[Changes] = []
        for wave, step in zip(reversed(waves[:-1]), reversed(steps), strict=True):
            afters.append(left)
            party = self._party[step.actions]
            best = np.full((len(wave), len(self._parties)), NEVER)
            np.minimum.at(best, (step.sources, party), left[step.targets, party])
            left = np.minimum(best, best.min(axis=1, keepdims=True) + 1)
        return afters[::-1], left

    def _read(self, steps: Sequence[Steps], afters: Sequence[Changes], actor: int) -> tuple[list[int], int, int]:
        """The best way from the first state of the first wave: its actions, where it ends, and who acted last."""
        here, way = 0, list[int]()
        for step, after in zip(steps, afters, strict=True):
            possible = step.where(step.sources == here)
            party = self._party[possible.actions]
            changes = (party != actor) + after[possible.targets, party]
            _, number, here = min(
                zip(changes.tolist(), possible.actions.tolist(), possible.targets.tolist(), strict=True)
            )
            way.append(number)
            actor = int(self._party[number])
        return way, here, actor

    def _steps(self, waves: Sequence[I64]) -> list[Steps]:
        """The steps from each wave to the next, states by their places."""
        every = self._among(np.unique(np.concatenate(waves)))
        found: list[Steps] = []
        for here, there in pairwise(waves):
            first, last = (np.searchsorted(every.sources, here, side=side) for side in SIDES)
            steps = every.where(ranges(first, last - first))
            sources = np.repeat(np.arange(len(here)), last - first)
            targets = np.searchsorted(there, steps.targets)
            hit = there[np.minimum(targets, len(there) - 1)] == steps.targets
            found.append(Steps(steps.actions, sources, targets).where(hit))
        return found

    def _among(self, states: I64) -> Steps:
        """All steps between these states (ascending), by source; states by number."""
        words = self._exploration.visited.keys[states]
        order = np.argsort(words)
        found: list[Steps] = []
        for number, (action, tables) in enumerate(self._exploration.compiled):
            at, successors = self._exploration.successors(words, action, tables, 0)
            to = order[np.minimum(np.searchsorted(words, successors, sorter=order), len(words) - 1)]
            hit = words[to] == successors
            found.append(Steps(np.full(hit.sum(), number), states[at[hit]], states[to[hit]]))
        actions, sources, targets = (
            np.concatenate(column) for column in zip(*((s.actions, s.sources, s.targets) for s in found), strict=True)
        )
        return Steps(actions, sources, targets).where(np.argsort(sources, kind="stable"))
