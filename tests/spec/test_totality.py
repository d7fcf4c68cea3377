"""Every (state, event, context) is decided, and decided once; and the proof notices when that is not so."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from tunneldraw.effects import outputs
from tunnelspec.endpoint import ENDPOINTS, HTTP_RUNNER, MACHINES, Endpoint
from tunnelspec.events import Arrived, Signal, Transmit
from tunnelspec.machine import Machine, TableError, Transition
from tunnelspec.request import REQ_R
from tunnelspec.totality import prove, prove_all, report
from tunnelspec.tunnel import AWAITED

SIZES = {
    "CONN-G": (9, 60), "TUN-G": (2, 13), "ACK-G": (5, 28), "HIB-G": (5, 23), "CONN-R": (4, 41), "TUN-R": (2, 13),
    "ACK-R": (4, 33), "HIB-R": (4, 16), "EVT-R": (3, 8), "REQ-G": (7, 44), "REQ-R": (4, 25), "LINK-G": (5, 32),
    "LINK-R": (6, 28), "RELAY-G": (5, 22),
}  # fmt: skip


def test_the_tables_are_total_and_deterministic() -> None:
    proofs = prove_all(MACHINES)
    assert [p.wrong for p in proofs if p.wrong] == []
    assert [p.never for p in proofs if p.never] == []
    assert "68966" in report(proofs)


def test_sizes_are_pinned() -> None:
    """A state or a transition that comes or goes is noticed."""
    assert {m.id: (len(m.states), len(m.transitions)) for m in MACHINES} == SIZES


def without(machine: Machine, gone: Transition) -> Machine:
    return replace(machine, transitions=tuple(t for t in machine.transitions if t is not gone))


GUARDED = [(m, t) for m in MACHINES for t in m.transitions if t.when is not None]


@pytest.mark.parametrize(("machine", "row"), GUARDED, ids=[t.id for _, t in GUARDED])
def test_a_transition_that_is_dropped_is_missed(machine: Machine, row: Transition) -> None:
    """Without any one guarded transition, or with its guard gone, the proof (or the table itself) fails."""
    with contextlib.suppress(TableError):  # the table may be refused before anything is tried
        assert not prove(without(machine, row)).holds
    unguarded = tuple(replace(t, when=None) if t is row else t for t in machine.transitions)
    alone = all(len(machine.table[source, row.on]) == 1 for source in row.sources)
    assert alone or not prove(replace(machine, transitions=unguarded)).holds


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: f"{e.role}-{e.name}")
def test_whoever_is_signalled_listens(endpoint: Endpoint) -> None:
    """A signal that a machine puts out is known to another machine of its endpoint."""
    for machine in endpoint.machines:
        for transition in machine.transitions:
            for kind in (output.kind for output in outputs(transition.then)):
                if issubclass(kind, Signal) and not (kind is Arrived and endpoint is HTTP_RUNNER):
                    assert kind in endpoint.listeners, f"{transition.id} says {kind.__name__}, and nobody listens"


def test_a_runners_response_waits_for_no_arrival() -> None:
    """TUN-R-03 is never taken for an HTTP response: REQ-R sends nothing whose TunnelAck somebody awaits."""
    sent = {kind for t in REQ_R.transitions for o in outputs(t.then) if o.kind is Transmit for kind in o.inner}
    assert sent & set(AWAITED) == set()
