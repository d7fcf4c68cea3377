"""Why a guard does not hold: the parts that fail, and none that means nothing where an earlier one fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tunnelspec.ack import ACK_G, Kept, Queue
from tunnelspec.endpoint import MACHINES
from tunnelspec.events import Collect
from tunnelspec.fifo import Fifo
from tunnelspec.frames import ToClientWebSocketMessage
from tunnelspec.limits import DEFAULT
from tunnelspec.machine import Machine, key
from tunnelspec.source import failing
from tunnelspec.totality import SMALL


def test_a_part_that_an_earlier_one_guards_is_left_out() -> None:
    """ACK-G-14 asks for the age of the oldest, if there is one."""
    guard = ACK_G.transition("ACK-G-14").when
    assert guard is not None
    assert failing(guard, Queue(), Collect(0), DEFAULT) == ("len(c.pending) > 0",)
    kept = Kept(ToClientWebSocketMessage(1, b"", False), 1, 0)
    assert failing(guard, Queue(pending=Fifo([kept])), Collect(0), DEFAULT) == (
        "e.now - c.pending[0].sent > lim.ack_timeout_ms",
    )
    assert failing(guard, Queue(pending=Fifo([kept])), Collect(30_001), DEFAULT) == ()


def test_a_guard_that_cannot_be_evaluated_at_all_is_an_error() -> None:
    guard = ACK_G.transition("ACK-G-14").when
    assert guard is not None
    with pytest.raises(AttributeError):
        failing(guard, None, Collect(0), DEFAULT)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.id)
def test_a_guard_fails_in_some_part_wherever_it_does_not_hold(machine: Machine) -> None:
    """And in none where it holds: over some of the contexts and events that totality is proved over."""
    contexts = some(machine.contexts(SMALL))
    for event in some(machine.events(SMALL)):
        for row in machine.transitions:
            if row.on is key(event) and row.when is not None:
                for context in contexts:
                    assert (failing(row.when, context, event, SMALL) == ()) == row.when(context, event, SMALL)


def some(values: Iterable[Any]) -> list[Any]:
    """About twenty of them, spread over all."""
    every = list(values)
    return every[:: len(every) // 20 + 1]
