"""Profiles: what the oracle follows for a subject that differs by design is a table like any other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelconform.profiles import ENGINE, ENGINE_ROWS, STRICT, Swept
from tunnelspec.endpoint import TABLES
from tunnelspec.events import Collect, RouteFailed
from tunnelspec.limits import DEFAULT, Limits
from tunnelspec.machine import Machine, step
from tunnelspec.totality import prove


def machines() -> Iterable[Machine]:
    tables = ENGINE.tables()
    return (*tables.gateway.machines, *tables.link_gateway.machines, tables.http_gateway.machine("request"))


@pytest.mark.parametrize("machine", machines(), ids=lambda machine: machine.id)
def test_nothing_falls_through(machine: Machine) -> None:
    """With the profile's rows, too, exactly one transition is enabled for each state, event and context."""

    def events(limits: Limits) -> Iterable[Any]:
        yield from machine.events(limits)
        yield from (event for event in (Collect(0), Swept()) if type(event) in machine.alphabet)

    proof = prove(replace(machine, events=events))
    assert not proof.wrong
    assert proof.tried


def test_a_row_without_a_guard_takes_the_place_of_the_tables() -> None:
    """LINK-G-12 and the others no longer say anything of a socket that has not introduced itself."""
    link = ENGINE.tables().link_gateway.machine("link")
    for row in link.transitions:
        assert row.id.startswith("LINK-G-P") or "joining" not in row.sources or row.id in ("LINK-G-02", "LINK-G-03", "LINK-G-10",
            "LINK-G-21", "LINK-G-23", "LINK-G-25")  # fmt: skip


def test_without_a_profile_the_tables_are_as_they_are() -> None:
    """STRICT changes nothing; ENGINE changes what it names, and nothing of the runner's or of the relay's."""
    assert STRICT.tables() == TABLES
    ours = ENGINE.tables()
    assert (ours.runner, ours.link_runner, ours.relay) == (TABLES.runner, TABLES.link_runner, TABLES.relay)
    assert {row.id.rpartition("-P")[0] for row in ENGINE_ROWS} == {"CONN-G", "ACK-G", "LINK-G", "REQ-G"}


@given(st.integers(0, DEFAULT.max_retries))
def test_the_engine_looks_for_a_route_once(failures: int) -> None:
    """CONN-G-03, CONN-G-04, REQ-G-03, REQ-G-04: what waits long for a runner is over after that, be it a socket or a request."""
    ours = ENGINE.tables()
    for machine, end in (
        (ours.gateway.machine("connection"), "closed"),
        (ours.http_gateway.machine("request"), "done"),
    ):
        assert step(machine, "routing", machine.start._replace(failures=failures), RouteFailed(0), DEFAULT).state == end
