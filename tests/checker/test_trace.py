"""A counterexample is as short as can be, and of all that are as short it changes party least often: against all ways there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tunnelcheck.replay import Moment, act, breaks, plain
from tunnelcheck.report import check, cost
from tunnelspec.deviations import apply, named
from tunnelspec.properties import Property, Scope
from tunnelspec.system import Bounds, System
from tunnelspec.worlds import AGEING, Scenario

WORLDS = [
    Bounds(says=1),
    Bounds(says=1, acked=6),
    Bounds(says=1, acked=6, sleeps=1),
    Bounds(says=0, leaves=1),
    Bounds(says=0, leaves=1, closes=1),
    Bounds(says=0, acked=3, wakes=1, breaks=1),
    Bounds(says=0, runners=2, moves=1),
    Bounds(says=1, hibernates=False),
    Bounds(says=0, acked=3, passes=True, limits=AGEING),
]
CASES = [
    (0, "first-index-0-gateway"),
    (0, "without-TUN-G-09"),
    (0, "same-index"),
    (0, "without-ACK-G-06"),
    (1, "any-answer-opens"),
    (1, "without-ACK-G-17"),
    (1, "without-ACK-R-10"),
    (1, "without-EVT-R-04"),
    (2, "without-EVT-R-03"),
    (2, "without-CONN-G-26"),
    (3, "without-CONN-G-27"),
    (3, "without-CONN-R-10"),
    (3, "without-CONN-R-13"),
    (4, "without-TUN-G-01"),
    (5, "fresh-ack-ids"),
    (5, "without-CONN-G-03"),
]
"""Which world, and what breaks something in it."""

Ways = dict[Any, dict[str, int]]  # state -> who acted last -> the fewest changes of party on the ways there


def least(system: System, prop: Property, steps: int) -> int | None:
    """The fewest changes of party on the ways of so many steps that break the property; None if there are none. Raises
    ``AssertionError`` if a shorter one breaks it."""
    system, names = plain(system), system.components
    ways: Ways = {tuple(system.start().values()): {"": -1}}  # whoever is first changes nothing
    seen: set[Any] = set(ways)
    assert prop.scope is Scope.STEP or breaks(system, (), prop) is None
    for step in range(1, steps + 1):
        after: Ways = {}
        broken: list[int] = []
        for state, costs in ways.items():
            for moment in moments(system, dict(zip(names, state, strict=True))):
                party = moment.action.party
                cost = min(turns + (last != party) for last, turns in costs.items())
                there = tuple(moment.after[n] for n in names)
                if prop.scope is Scope.STEP and breaks(system, [moment], prop) is not None:
                    broken.append(cost)
                if there not in seen:
                    if prop.scope is not Scope.STEP and breaks(system, [moment], prop) is not None:
                        broken.append(cost)
                    known = after.setdefault(there, {})
                    known[party] = min(cost, known.get(party, cost))
        assert step == steps or not broken
        if step == steps:
            return min(broken, default=None)
        seen |= after.keys()
        ways = after
    return None


def moments(system: System, world: dict[str, Any]) -> Iterator[Moment]:
    return (moment for action in system.actions if (moment := act(system, world, action)) is not None)


@pytest.mark.parametrize(("place", "name"), CASES)
def test_no_trace_as_short_changes_party_less_often(place: int, name: str) -> None:
    """B1, for each scope of property: the trace is held against all ways, which the second interpreter finds."""
    scenario = Scenario("drawn", "", WORLDS[place])
    found = check([scenario], lambda s: apply(s.system(), [named(name)]))
    harms = [c for c in found.counterexamples.values() if c.property.scope is not Scope.RUN]
    assert harms
    for harm in harms:
        steps, changes = cost(harm)
        assert least(harm.system, harm.property, steps) == changes
