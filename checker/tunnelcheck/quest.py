"""What is asked of worlds, and what comes of each: of one after the other, or of several at once, each in a process of its own."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from typing import NamedTuple

from tunnelcheck.decide import Report, decide
from tunnelcheck.interrupt import workers
from tunnelcheck.scenarios import PROMISES, PROPERTIES_OF, Scenario
from tunnelcheck.trace import Way, shortest
from tunnelspec.properties import Property
from tunnelspec.system import System

Patch = Callable[[Scenario], System]

BEAT_S = 0.1
"""So often somebody who waits for a world asks whether it is still wanted."""


@dataclass
class Summary:
    """What is left of an exploration once its states are let go."""

    scenario: Scenario
    states: int
    transitions: int
    depth: int
    seconds: float
    bytes_per_state: float
    violated: tuple[str, ...]
    stopped: str
    broken: str


@dataclass(frozen=True)
class Decided:
    """What came of a world, as data that one process can tell another."""

    summary: Summary
    judged: tuple[str, ...]
    witnesses: Counter[str]
    took: frozenset[str]
    ways: Mapping[str, Way]  # to each property that is violated


class Quest(NamedTuple):
    """What is asked of which worlds. ``properties``: None for what is promised of such a world."""

    scenarios: Sequence[Scenario]
    build: Patch
    properties: Sequence[Property] | None
    report: Callable[[Scenario], Report]

    def asked(self, system: System) -> tuple[Property, ...]:
        """What is asked of such a world."""
        if self.properties is None:
            return PROMISES[system.kind]
        return tuple(prop for prop in PROPERTIES_OF[system.kind] if prop in self.properties)

    def decided(self, scenario: Scenario, interrupted: Callable[[], bool]) -> Decided | None:
        """What comes of one of them; None if nothing is asked of it."""
        system = self.build(scenario)
        asked = self.asked(system)
        if not asked:
            return None
        decision = decide(scenario, system, asked, self.report(scenario), interrupted=interrupted)
        exploration, violations = decision.exploration, {} if decision.broken else decision.violations
        summary = Summary(
            scenario,
            exploration.states,
            exploration.transitions,
            exploration.depth,
            decision.seconds,
            exploration.bytes / exploration.states,
            tuple(decision.violations),
            decision.stopped,
            decision.broken,
        )
        ways = {id_: shortest(exploration, violation.ends) for id_, violation in violations.items()}
        judged = tuple(prop.id for prop in decision.judged)
        return Decided(summary, judged, decision.witnesses, decision.took, ways)


def one_by_one(quest: Quest, interrupted: Callable[[], bool]) -> Iterator[Decided | None]:
    """What comes of each world, up to the one that is interrupted."""
    for scenario in quest.scenarios:
        if interrupted():
            return
        yield quest.decided(scenario, interrupted)


def side_by_side(quest: Quest, processes: int, interrupted: Callable[[], bool]) -> Iterator[Decided | None]:
    """The same, in the same order, of so many worlds at once."""
    stop = multiprocessing.get_context("fork").Event()
    _INHERITED.append((quest, stop))
    try:
        with workers(processes) as pool:
            places = range(len(quest.scenarios))
            futures = {place: pool.submit(_decided, place) for place in reversed(places)}  # the larger ones come last
            for future in map(futures.__getitem__, places):
                while not future.done():
                    wait((future,), BEAT_S)
                    if interrupted():
                        stop.set()
                if isinstance(future.exception(), InterruptedError):
                    return
                yield future.result()
    finally:
        _INHERITED.pop()


_INHERITED: list[tuple[Quest, Event]] = []
"""What a worker is forked with, for functions cannot be sent: what is asked, and whether it is no longer."""


def _decided(place: int) -> Decided | None:
    """What comes of the world at that place. Raises ``InterruptedError`` if it was not begun."""
    quest, stop = _INHERITED[-1]
    if stop.is_set():
        raise InterruptedError
    return quest.decided(quest.scenarios[place], stop.is_set)
