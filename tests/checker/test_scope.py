"""The small-scope argument, checked: what is shown at modulus 8 holds at 2^16, for the worlds are the same.

An index is judged by its distance from another alone. So a world whose indices are moved and whose circle is larger has the same
runs, as long as the queue keeps within the same bound: as many states, steps and levels, and the same verdicts.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tunnelcheck.decide import decide
from tunnelcheck.scenarios import BESIDE, SMALL, Scenario
from tunnelspec.endpoint import MACHINES
from tunnelspec.serial import window
from tunnelspec.timing import LINE_PROPERTIES, judge

WORLDS = [s for s in SMALL if s.honest and s.name in ("wrap", "again", "limit", "crash", "waver", "restless", "zombie")]


def at_modulus(scenario: Scenario, modulus: int) -> Scenario:
    """The same world on a larger circle; an earlier life's index keeps its distance from the wrap."""
    b = scenario.bounds
    limits = replace(b.limits, index_modulus=modulus)
    acked = b.acked if b.acked < 0 else (b.acked - b.limits.index_modulus) % modulus
    return replace(scenario, bounds=replace(b, limits=limits, acked=acked))


@pytest.mark.parametrize("modulus", [16, 1 << 16])
@pytest.mark.parametrize("scenario", WORLDS, ids=lambda s: s.name)
def test_a_larger_modulus_is_the_same_world(scenario: Scenario, modulus: int) -> None:
    small, large = decide(scenario), decide(at_modulus(scenario, modulus))
    assert small.complete
    assert large.complete
    assert large.exploration.levels == small.exploration.levels
    assert large.exploration.transitions == small.exploration.transitions
    assert set(large.violations) == set(small.violations) == set()
    assert large.took == small.took


@pytest.mark.parametrize("scenario", [s for s in WORLDS if s.name in ("again", "limit", "crash")], ids=lambda s: s.name)
def test_a_smaller_modulus_is_too_within_its_window(scenario: Scenario) -> None:
    """Modulus 4 can tell one message apart."""
    bound = window(4)
    limits = replace(scenario.bounds.limits, max_pending_messages=bound)
    scenario = replace(scenario, bounds=replace(scenario.bounds, limits=limits, says=min(scenario.bounds.says, 2)))
    small, large = decide(at_modulus(scenario, 4)), decide(scenario)
    assert small.exploration.levels == large.exploration.levels
    assert set(small.violations) == set(large.violations) == set()


@pytest.mark.parametrize("scenario", BESIDE, ids=lambda s: s.name)
def test_the_worlds_beside_the_sockets_hold(scenario: Scenario) -> None:
    """H, K and R: plain requests, links and the relay."""
    decision = decide(scenario)
    assert decision.complete
    assert not decision.violations


def test_timers_run_as_long_as_their_states_wait() -> None:
    """T-WAIT, T-PAUSE: in every machine; each could have failed."""
    judged = [j for machine in MACHINES for j in judge(machine)]
    assert not [j for j in judged if j.wrong]
    for prop in LINE_PROPERTIES:
        assert sum(j.situations for j in judged if j.property is prop)
