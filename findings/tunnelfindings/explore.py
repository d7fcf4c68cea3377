"""Explores what the claims need: each set of departures once, in the small worlds, and in all of them if those show no harm."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import as_completed

from tunnelcheck.interrupt import workers
from tunnelcheck.replay import Moment, replay
from tunnelcheck.report import check
from tunnelcheck.scenarios import MEDIUM, SMALL, Scenario
from tunnelfindings.experiments import Departures, Explored, Found, Harm
from tunnelspec.deviations import DEVIATIONS, apply
from tunnelspec.properties import PROPERTIES, Property
from tunnelspec.system import System

MOST_STATES = 400_000
"""A world that grows beyond this is given up, and what it would have shown is undecided. None of the tables' own does."""

WORLDS = {scenario.name: scenario for scenario in MEDIUM}
BY_ID: dict[str, Property] = {p.id: p for p in PROPERTIES}

Report = Callable[[int, int, Departures], None]


def build(scenario: Scenario, departures: Departures) -> System:
    """The world, with tables that depart so."""
    return apply(System(scenario.bounds), [DEVIATIONS[name] for name in departures])


def explore(departures: Departures) -> Found:
    """All properties, in all worlds that are needed. The tables themselves are always explored in all of them."""
    found = Found(departures, 0, 0, False, ())
    for scenarios in (SMALL, MEDIUM) if departures else (MEDIUM,):
        outcome = check(
            scenarios,
            lambda scenario: build(scenario, departures),
            report=lambda scenario: lambda exploration: exploration.states < MOST_STATES,
        )
        found = Found.of(departures, outcome)
        if found.violated:
            return found
    return found


def explore_all(needed: Iterable[Departures], report: Report = lambda done, total, departures: None) -> Explored:
    """Every set of departures once, side by side on the processors there are."""
    todo = sorted(set(needed), key=lambda departures: (bool(departures), departures))
    explored: dict[Departures, Found] = {}
    with workers(os.cpu_count() or 1) as pool:
        running = {pool.submit(explore, departures): departures for departures in todo}
        for future in as_completed(running):
            explored[running[future]] = future.result()
            report(len(explored), len(todo), running[future])
    return explored


def replayed(departures: Departures, harm: Harm) -> tuple[System, tuple[Moment, ...]]:
    """The harm's world and its trace, step by step, by the second interpreter."""
    system = build(WORLDS[harm.world], departures)
    return system, replay(system, harm.actions)
