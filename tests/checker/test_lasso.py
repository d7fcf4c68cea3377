"""A run without end is shown by the shortest way to a circle and round it, and of all that are as short by the one that changes
party least often: against every lasso there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tunnelcheck import runs
from tunnelcheck.decide import decide
from tunnelcheck.replay import act, plain
from tunnelcheck.report import Counterexample, cost, counterexample
from tunnelcheck.scenarios import Scenario
from tunnelspec.deviations import apply, named
from tunnelspec.properties import PROPERTIES
from tunnelspec.system import Action, Bounds, Stage, System, small_limits

ENDS = [prop for prop in PROPERTIES if prop.id == "L-END"]


def lasso(scenario: Scenario, system: System) -> Counterexample | None:
    """What the checker shows; None if every run ends."""
    decision = decide(scenario, system, ENDS)
    violation = decision.violations.get("L-END")
    if violation is None:
        return None
    found = counterexample(decision, violation)
    assert violation.steps == len(found.actions)
    assert found.moments[-found.loop].before == found.moments[-1].after
    return found


# -- any small graph -------------------------------------------------------------------------------------------------

Rows = Mapping[str, Mapping[int, int]]  # party -> from which state to which


@dataclass(frozen=True, eq=False)
class Drawn(System):
    """A world of one component, in which each party knows one step from some states to others."""

    rows: Rows = field(default_factory=dict)

    def start(self) -> dict[str, Any]:
        return dict.fromkeys(self.components, 0)

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        return tuple(
            Action(f"{party}{way}", party, "", (Stage(lambda here, to=to: to.get(here), ("client",), ("client",)),))
            for (party, way), steps in self.rows.items()
            for to in [{here: (there,) for here, there in steps.items()}]
        )


def lassos(rows: Rows, way: tuple[int, ...] = (0,), names: tuple[str, ...] = ()) -> Iterator[tuple[int, int]]:
    """Of each way from state 0 on which only the last state was passed before: its steps, and its changes of party."""
    for name, steps in rows.items():
        there = steps.get(way[-1], way[-1])
        if there == way[-1]:  # which changes nothing
            continue
        taken = (*names, name[0])
        if there in way:
            again = taken[way.index(there)]
            yield len(taken), sum(one != other for one, other in pairwise((*taken, again)))
        else:
            yield from lassos(rows, (*way, there), taken)


STATES = st.integers(0, 6)
GRAPHS = st.dictionaries(
    st.sampled_from([f"{party}{way}" for party in "xyz" for way in range(2)]),
    st.dictionaries(STATES, STATES, max_size=7),
    min_size=1,
)


@pytest.mark.parametrize("cells", [1, runs.CELLS])
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=GRAPHS)
@example({"x0": {0: 1, 1: 3, 2: 4, 4: 2}, "x1": {0: 2}, "y0": {3: 1}})  # two circles of one length, at one depth
@example({"x0": {0: 1, 1: 2, 2: 1}, "y0": {2: 3}, "y1": {1: 3, 3: 1}})  # two of them at one state
def test_no_lasso_of_any_small_graph_is_better(monkeypatch: pytest.MonkeyPatch, cells: int, rows: Rows) -> None:
    """B1, L-END; whether states are tried together or one by one."""
    monkeypatch.setattr(runs, "CELLS", cells)
    found = lasso(Scenario("drawn", "", Bounds()), Drawn(Bounds(), rows=rows))
    assert (cost(found) if found else None) == min(lassos(rows), default=None)


# -- a real world ----------------------------------------------------------------------------------------------------

Moves = Mapping[Any, tuple[tuple[str, Any], ...]]  # state -> party, and the state after
Cheapest = dict[Any, int]


def moves(system: System, within: int) -> tuple[Any, Moves]:
    """The start, and all that can happen in so many steps, which the second interpreter finds."""
    system, names = plain(system), system.components
    start = tuple(system.start().values())
    found: dict[Any, tuple[tuple[str, Any], ...]] = {}
    wave = [start]
    for _ in range(within):
        for state in wave:
            world = dict(zip(names, state, strict=True))
            taken = (moment for action in system.actions if (moment := act(system, world, action)) is not None)
            steps = ((moment.action.party, tuple(moment.after[n] for n in names)) for moment in taken)
            found[state] = tuple((party, there) for party, there in steps if there != state)
        wave = list({there for state in wave for _, there in found[state]} - found.keys())
    return start, found


def onward(cheapest: Iterable[tuple[Any, int]], possible: Moves) -> Cheapest:
    """A step further: for each state, who acted first and who acted last, the fewest changes of party."""
    after: Cheapest = {}
    for (state, begun, last), changes in cheapest:
        for party, there in possible[state]:
            place = (there, begun or party, party)
            after[place] = min(changes + (last not in ("", party)), after.get(place, changes + 1))
    return after


def least(start: Any, possible: Moves, steps: int) -> int | None:
    """The fewest changes of party of all lassos of so many steps; None if there are none. Raises ``AssertionError`` if there is one
    of fewer."""
    found: list[int] = []
    ways: Cheapest = {(start, "", ""): 0}
    for length in range(steps - 1):
        for entry in {state for state, _, _ in ways}:
            round_ = {(entry, "", last): changes for (state, _, last), changes in ways.items() if state == entry}
            for more in range(1, steps - length + 1):
                round_ = onward(round_.items(), possible)
                back = [c + (begun != last) for (there, begun, last), c in round_.items() if there == entry]
                assert not back or length + more == steps
                found += back
        ways = {(state, "", last): changes for (state, _, last), changes in onward(ways.items(), possible).items()}
    return min(found, default=None)


def test_no_lasso_of_a_real_world_is_better() -> None:
    """B1, L-END: an actor that falls asleep whenever it is woken, and a gateway for which a re-open is progress (G05). With so
    few message numbers the circle is short."""
    limits = replace(small_limits(modulus=4), number_modulus=3)
    scenario = Scenario("drawn", "", Bounds(says=1, acked=2, sleeps=1, restless=True, limits=limits))
    found = lasso(scenario, apply(scenario.system(), [named("retry-unspaced")]))
    assert found is not None
    steps, changes = cost(found)
    assert least(*moves(found.system, steps), steps) == changes
