"""One world as the page walks it: its states, what each step leads to and shows, and why other steps are not possible.

All of it comes from the checker: ``decide`` explores the world and decides its properties, and what is written here are the numbers
of its states and the rows of its tables. The page looks things up; it computes nothing.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunnelcheck.cli import DEVIANT_STATES
from tunnelcheck.decide import Decision, decide
from tunnelcheck.explain import lanes, why
from tunnelcheck.explore import Exploration
from tunnelcheck.index import I64
from tunnelcheck.replay import act
from tunnelcheck.report import counterexample
from tunnelexplore.atlas import ENOUGH, HARMLESS, SHOWS, Place
from tunnelexplore.columns import columns
from tunnelexplore.refusal import refusal
from tunnelexplore.standing import standings
from tunnelexplore.story import Stories
from tunnelexplore.walk import Walked, walk
from tunnelspec.system import Action, Bounds

BEYOND = 0xFFFF
"""The target of a step that leads to a state which the page does not have."""

Way = tuple[str, ...]  # the ids of actions, from the start


class Unplayable(ValueError):
    """A way that is not possible in its world: the message names the step."""


@dataclass(frozen=True)
class World:
    """A world, ready to be written: what JSON says of it, and arrays."""

    head: dict[str, Any]
    arrays: dict[str, NDArray[Any]]

    def packed(self) -> bytes:
        """The length of the head (u32, little-endian), the head, and the arrays as it names them."""
        listed = [[name, array.itemsize, len(array)] for name, array in self.arrays.items()]
        head = json.dumps({**self.head, "arrays": listed}, ensure_ascii=False, separators=(",", ":")).encode()
        return struct.pack("<I", len(head)) + head + b"".join(array.tobytes() for array in self.arrays.values())


def build(place: Place, ways: Iterable[Way] = ()) -> World:
    """The world, explored and decided. ``ways``: what it must have, however large it is. Raises ``Unplayable``."""
    decision = decide(place.scenario, place.system(), report=lambda e: e.states < DEVIANT_STATES)
    if decision.broken:
        raise Unplayable(f"{place.key}: {decision.broken}")
    exploration = decision.exploration
    found = [counterexample(decision, violation) for violation in decision.violations.values()]
    found.sort(key=lambda c: len(c.actions))
    if SHOWS.get(place.deviation) == place.world and (not found) != (place.deviation in HARMLESS):
        raise Unplayable(
            f"{place.key}: {'breaks no property' if not found else 'is not harmless'}: see tunnelexplore.atlas"
        )
    known = {action.id: number for number, (action, _) in enumerate(exploration.compiled)}
    states = kept(place, exploration, [*ways, *(c.actions for c in found)])
    maker = _Maker(decision, states)
    return World(
        {
            "key": place.key,
            "world": place.world,
            "deviation": place.deviation,
            "says": place.scenario.says,
            "bounds": bounds(exploration.system.bounds),
            "states": exploration.states,
            "complete": decision.complete,
            "lanes": [[lane.id, lane.label] for lane in lanes(exploration.system)],
            "actions": [[action.id, action.party, action.says] for action, _ in exploration.compiled],
            "judged": [p.id for p in decision.judged],
            "departs": sorted({line.id for d in place.departures for line in d.lines}),
            "violated": [
                {
                    "id": c.property.id,
                    "way": [known[id_] for id_ in c.actions],
                    "loop": c.loop,
                    "why": why(c.property, c.values),
                }
                for c in found
            ],
            **maker.head,
        },
        maker.arrays,
    )


def bounds(given: Bounds) -> list[list[Any]]:
    """What of the bounds is not as by default, for a reader."""
    default = Bounds()
    names = [name for name in Bounds.__slots__ if name != "limits" and getattr(given, name) != getattr(default, name)]
    limits = [
        name for name in type(given.limits).__slots__ if getattr(given.limits, name) != getattr(default.limits, name)
    ]
    return [[name, getattr(given, name)] for name in names] + [[name, getattr(given.limits, name)] for name in limits]


def kept(place: Place, exploration: Exploration, ways: Iterable[Way]) -> I64:
    """The states that the page has: all of a small world; of a large one the first, and what the ways go through and pass by."""
    enough = exploration.states if not place.deviation and exploration.states < BEYOND else ENOUGH
    wanted = set(range(min(enough, exploration.states)))
    for way in ways:
        wanted |= passed(exploration, way)
    return np.array(sorted(wanted))


def passed(exploration: Exploration, way: Way) -> set[int]:
    """The states on a way from the start, and those that one step leads to from there. Raises ``Unplayable``."""
    here, met = 0, {0}
    known = {action.id for action, _ in exploration.compiled}
    for number, id_ in enumerate((*way, ""), 1):
        if id_ and id_ not in known:
            raise Unplayable(
                f"step {number}: there is no action {id_!r} in this world; it has {', '.join(sorted(known))}"
            )
        word, onward = exploration.visited.keys[np.array([here])], None
        for action, tables in exploration.compiled:
            at, successors = exploration.successors(word, action, tables, 0)
            if len(at):
                there = int(exploration.visited.add(successors)[0])
                met.add(there)
                onward = there if action.id == id_ else onward
        if id_ and onward is None:
            raise Unplayable(f"step {number}: {id_} is not possible here")
        here = onward if onward is not None else here
    return met


class _Maker:
    """Puts a world's states and steps into tables and arrays."""

    def __init__(self, decision: Decision, states: I64) -> None:
        self.exploration, self.states = decision.exploration, states
        words = self.exploration.visited.keys[states]
        self._order = np.argsort(words)
        self._sorted = words[self._order]
        self._stories: dict[str, int] = {}
        self._reasons: dict[tuple[str, ...], int] = {}
        self._teller = Stories(self.exploration.system, decision.judged)
        self._worlds = {
            name: self.exploration.parts(name, states).tolist() for name in self.exploration.system.components
        }
        self._machines = {
            f"{side}.machines[{place}]": machine.id
            for side, endpoint in (
                ("gateway", self.exploration.system.gateway),
                ("runner", self.exploration.system.runner),
            )
            for place, machine in enumerate(endpoint.machines)
        }
        counts, edges = self._steps(words)
        moving = edges["target"] != np.repeat(np.arange(len(states)), counts)
        ends = np.bincount(np.repeat(np.arange(len(states)), counts)[moving], minlength=len(states)) == 0
        stands, which = standings(self.exploration, states, ends, decision.judged)
        parts = list(columns(self.exploration, states))
        self.head = {
            "columns": [[c.key, c.name, c.of, c.values] for c in parts],
            "stories": [json.loads(text) for text in self._stories],
            "reasons": [list(reason) for reason in self._reasons],
            "stands": stands,
        }
        self.arrays = {
            "counts": small(counts),
            **{name: small(values) for name, values in edges.items()},
            "reason": small(self._refusals),
            "stand": small(which),
            **{f"column {number}": small(c.numbers) for number, c in enumerate(parts)},
        }

    def _steps(self, words: NDArray[np.uint64]) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
        """How many steps are possible in each state, and of each the action, where it leads, and its story."""
        sources, actions, targets, stories = [], [], [], []
        reasons = np.full((len(self.states), len(self.exploration.compiled)), -1)
        for number, (action, tables) in enumerate(self.exploration.compiled):
            walked = walk(self.exploration, tables, self.states)
            at, successors = self.exploration.successors(words, action, tables, 0)
            assert (at == walked.at).all()
            sources.append(at)
            actions.append(np.full(len(at), number))
            targets.append(self._numbers(successors))
            stories.append(self._told(action, walked))
            self._refuse(action, walked, reasons[:, number])
        source = np.concatenate(sources)
        order = np.argsort(source, kind="stable")
        self._refusals = reasons[reasons >= 0]
        named = zip(("action", "target", "story"), (actions, targets, stories), strict=True)
        return np.bincount(source, minlength=len(words)), {name: np.concatenate(parts)[order] for name, parts in named}

    def _numbers(self, words: NDArray[np.uint64]) -> I64:
        place = np.minimum(np.searchsorted(self._sorted, words), len(self._sorted) - 1)
        return np.where(self._sorted[place] == words, self._order[place], BEYOND)

    def _world(self, at: int) -> dict[str, Any]:
        return {name: self.exploration.domains[name].values[numbers[at]] for name, numbers in self._worlds.items()}

    def _told(self, action: Action, walked: Walked) -> I64:
        """The story of each step: told once for all states whose steps go through the same rows."""
        _, first, which = np.unique(walked.rows, axis=0, return_index=True, return_inverse=True)
        numbers = []
        for at in walked.at[first].tolist():
            moment = act(self.exploration.system, self._world(at), action)
            assert moment is not None
            text = json.dumps(self._teller.tell(moment), ensure_ascii=False, separators=(",", ":"))
            numbers.append(self._stories.setdefault(text, len(self._stories)))
        return np.array(numbers, np.int64)[which.ravel()]

    def _refuse(self, action: Action, walked: Walked, reasons: NDArray[np.int64]) -> None:
        for refused in walked.refused:
            _, first, which = np.unique(refused.rows, return_index=True, return_inverse=True)
            numbers = []
            for at in refused.at[first].tolist():
                parts = tuple(self._named(part) for part in refusal(action, self._world(at)))
                assert parts, action.id
                numbers.append(self._reasons.setdefault(parts, len(self._reasons)))
            reasons[refused.at] = np.array(numbers)[which.ravel()]

    def _named(self, part: str) -> str:
        """Machines by their ids, rather than by their place in an endpoint."""
        return re.sub(r"(gateway|runner)\.machines\[\d\]", lambda found: self._machines[found[0]], part)


def small(values: Sequence[int] | NDArray[Any]) -> NDArray[Any]:
    """The numbers in as few bytes as they need."""
    array = np.asarray(values)
    top = int(array.max(initial=0))
    return array.astype(np.uint8 if top < 0x100 else np.uint16 if top < 0x10000 else np.uint32)
