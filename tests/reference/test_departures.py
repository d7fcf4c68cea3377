"""The reference runs other tables than the specification's, and says so: what tests a checker, and what teaches."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.reference.test_world import CLASSES, states
from tests.reference.world import World
from tests.sockets.conftest import EXAMPLES, end, start, until
from tunnelspec.deviations import ALL, Deviation, depart, named
from tunnelspec.endpoint import TABLES
from tunnelspec.fifo import Fifo
from tunnelspec.limits import DEFAULT


def departed(*names: str) -> World:
    """A world whose gateway and runners run other tables."""
    tables, limits = depart(TABLES, DEFAULT, [named(name) for name in names])
    return World(limits, tables=tables)


def test_without_departures_the_tables_are_the_specifications() -> None:
    assert depart(TABLES, DEFAULT, []) == (TABLES, DEFAULT)


@pytest.mark.parametrize("deviation", ALL, ids=lambda d: d.id)
def test_each_departure_is_run(deviation: Deviation) -> None:
    """Whatever the departure, gateway and runner come up, a socket opens (CONN-G-11), and its message is sent (ACK-G-06)."""
    world = departed(deviation.id)
    world.runner("a", CLASSES)
    world.client("echo.1").says("one")
    world.wait(100)
    assert {"CONN-G-11", "ACK-G-06"} <= set(world.gateway.metrics.by_transition)


def test_fresh_ack_ids_leave_the_runners_messages_pending() -> None:
    """F16, G01: the departure is in what runs, for it does what the checker says it does; and not in the default."""
    for world, pending in ((departed("fresh-ack-ids"), True), (World(), False)):
        runner = world.runner("a", CLASSES)
        world.client("echo.1").says("one")
        world.wait(100)
        (entry,) = runner.core.entries.values()
        assert (entry.local("tunnel").context.pending != Fifo()) is pending


def test_a_line_can_be_deleted() -> None:
    """CONN-G-11: a gateway without it hears the answer, and never opens."""
    world = departed("without-CONN-G-11")
    world.runner("a", CLASSES)
    client = world.client("echo.1")
    world.wait(100)
    assert states(client)[0] not in ("open", "closed")


def test_an_unknown_departure_is_refused() -> None:
    for name in ("nonsense", "without-CONN-G-999"):
        with pytest.raises(ValueError, match=f"no deviation '{name}'"):
            named(name)


def test_the_commands_say_that_they_depart() -> None:
    """``--deviation``: the gateway's first line and both logs name it."""
    gateway = start("gateway", "--deviation", "fresh-ack-ids", "without-TUN-G-04")
    running: list[subprocess.Popen[str]] = [gateway]
    try:
        assert gateway.stdout is not None
        told = json.loads(gateway.stdout.readline())
        assert told["deviations"] == ["fresh-ack-ids", "without-TUN-G-04"]
        assert until(gateway, "departs_from_specification")["deviation"] == "fresh-ack-ids"
        arguments = ("--gateway", told["url"], "--actor", f"{EXAMPLES}:Echo", "--deviation", "index-unvalidated")
        running.append(start("runner", *arguments))
        assert until(running[-1], "departs_from_specification")["deviation"] == "index-unvalidated"
        until(gateway, "runner_joined")
    finally:
        codes = [end(process) for process in running[::-1]]
    assert codes == [0, 0]
