"""The tables run by ``transitions`` and by the direct evaluator: the same states, contexts, outputs and transitions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelref.engine import engine, evaluate, stationary, step_by_transitions
from tunnelspec.endpoint import ENDPOINTS, MACHINES, Endpoint
from tunnelspec.events import Signal
from tunnelspec.machine import Machine, Undecided, key, step
from tunnelspec.totality import SMALL


@pytest.mark.parametrize("machine", MACHINES, ids=lambda m: m.id)
@given(data=st.data())
def test_a_step_is_the_same(machine: Machine, data: st.DataObject) -> None:
    """Every machine, in any state and bounded context, on any event: one step by both evaluators."""
    state = data.draw(st.sampled_from([s.name for s in machine.states]))
    context = data.draw(st.sampled_from(list(machine.contexts(SMALL))))
    event = data.draw(st.sampled_from(list(machine.events(SMALL))))
    direct = step(machine, state, context, event, SMALL)
    assert step_by_transitions(machine, state, context, event, SMALL) == direct
    assert evaluate(machine, state, context, event, SMALL) == direct


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: f"{e.role}-{e.name}")
@given(data=st.data())
def test_a_walk_is_the_same(endpoint: Endpoint, data: st.DataObject) -> None:
    """A whole endpoint, on a random walk of outside events: both evaluators in lockstep."""
    events: list[Any] = [
        event for machine in endpoint.machines for event in machine.events(SMALL) if not isinstance(event, Signal)
    ]
    direct = through = endpoint.start()
    for event in data.draw(st.lists(st.sampled_from(events), max_size=30)):
        by_table = endpoint.step(direct, event, SMALL)
        by_transitions = endpoint.step(through, event, SMALL, step_by_transitions)
        assert by_transitions == by_table
        direct, through = by_table.state, by_transitions.state


def test_one_shared_machine_without_models() -> None:
    """A table is built once, and keeps no model."""
    for machine in MACHINES:
        assert engine(machine) is engine(machine)
        assert engine(machine).models == []


def test_the_message_path_is_direct_and_the_rest_is_not() -> None:
    """Pairs that keep their state go past ``transitions``; every change of phase goes through it."""
    for machine in MACHINES:
        for (state, event), rows in machine.table.items():
            assert (event in stationary(machine)[state]) == all(row.target is None for row in rows)


def test_an_unknown_event_is_an_error() -> None:
    """Silence is no answer: the machine, the state and the event are named."""
    machine = MACHINES[0]
    with pytest.raises(Undecided, match=rf"{machine.id}.*'new'.*object"):
        step_by_transitions(machine, "new", machine.start, object(), SMALL)
    assert key(object()) is object
