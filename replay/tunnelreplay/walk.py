"""Random walks of the model: what may happen, in an order that nobody chose."""

from __future__ import annotations

from random import Random

from tunnelcheck.replay import act, plain
from tunnelspec.system import System

MISHAPS = (
    "open-timeout", "route-fails", "leave", "sleep", "break", "crash", "stall", "waver", "close", "lie", "tick",
)  # fmt: skip
"""What the actions are called that lead away from an open socket at work."""

SELDOM = 0.1
"""How likely one of them is beside an action that leads on; else most walks would never see a socket at work."""


def walk(system: System, seed: int, steps: int) -> tuple[str, ...]:
    """The ids of at most so many actions that may follow one another from the start.

    A client that has left says no more: the world lets one that was told of its close do so, a real socket cannot.
    """
    chance, system = Random(seed), plain(system)
    world, way = system.start(), list[str]()
    while len(way) < steps:
        possible = [moment for action in system.actions if (moment := act(system, world, action)) is not None]
        if "leave" in way:
            possible = [moment for moment in possible if moment.action.id != "say"]
        if not possible:
            break
        weights = [SELDOM if moment.action.id.startswith(MISHAPS) else 1.0 for moment in possible]
        (moment,) = chance.choices(possible, weights)
        way.append(moment.action.id)
        world = moment.after
    return tuple(way)
