"""Profiles: subjects that differ from the specification by design.

A profile is a named set of departures from the tables, which the oracle then follows, so that all that lies behind the first
difference is still checked. It excuses a difference of design, never a loss: what is sent must still arrive, once and in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tunnelspec.ack import Queue
from tunnelspec.connection import Connection
from tunnelspec.deviations import DEVIATIONS, Deviation, Line, apply, without
from tunnelspec.endpoint import Endpoint
from tunnelspec.events import CancelTimer, Opened, OpenTimeout, Progress, RouteFound, Transmit, TunnelUp
from tunnelspec.fifo import Fifo
from tunnelspec.limits import Limits
from tunnelspec.machine import Transition, moves
from tunnelspec.system import Bounds, System

Outputs = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Profile:
    """``deviations`` and ``rows`` change the tables that the oracle follows, ``rows`` by adding to the machine that their ids
    name; without ``acks``, nobody judges the subject's TunnelAcks. ``differs`` says all this to a reader."""

    name: str
    says: str
    differs: tuple[str, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    rows: tuple[Transition, ...] = ()
    acks: bool = True
    excuses: Mapping[str, str] = field(default_factory=dict)

    def tables(self) -> tuple[Endpoint, Endpoint]:
        """The endpoints of gateway and runner as the profile has them."""
        system = apply(System(Bounds()), self.deviations)
        return self._with_rows(system.gateway), self._with_rows(system.runner)

    def _with_rows(self, endpoint: Endpoint) -> Endpoint:
        machines = tuple(
            replace(m, transitions=(*m.transitions, *more), departs=True)
            if (more := [row for row in self.rows if row.id.startswith(m.id + "-")])
            else m
            for m in endpoint.machines
        )
        return replace(endpoint, machines=machines)

    def excuse(self, rules: tuple[str, ...]) -> str:
        """Why a failure that rests on one of these rules is one of design; "" if it is not."""
        return next((self.excuses[rule] for rule in rules if rule in self.excuses), "")


STRICT = Profile("none", "The tables as they are.")

# -- the production engine, over version 2 ---------------------------------------------------------------------------


def was_open(c: Connection, e: RouteFound, lim: Limits) -> bool:
    return c.established


def was_never_open(c: Connection, e: RouteFound, lim: Limits) -> bool:
    return not c.established


def resume(c: Connection, e: RouteFound, lim: Limits) -> tuple[Connection, Outputs]:
    return c._replace(link=e.link), (CancelTimer(OpenTimeout), TunnelUp(e.link), Opened(True, -1, e.now))


def opens_anyhow(c: Queue, e: Opened, lim: Limits) -> bool:
    return e.can_hibernate


def opens_plainly(c: Queue, e: Opened, lim: Limits) -> bool:
    return not e.can_hibernate


def never(c: Any, e: Any, lim: Limits) -> bool:
    return False


def send_again(c: Queue, e: Opened, lim: Limits) -> tuple[Queue, Outputs]:
    again = Fifo(kept._replace(sent=e.now) for kept in c.pending)
    return c._replace(pending=again), (*(Transmit(kept.frame, e.now) for kept in again), Progress())


RESUMES = Deviation(
    "resumes-without-open", "A socket that was open is not opened anew: what is pending is sent again, lastMsgIndex is ignored.",
    (), False, (
        Line("CONN-G-02", when=was_never_open), Line("ACK-G-17", when=opens_anyhow, then=send_again),
        Line("ACK-G-04", when=never), Line("ACK-G-02", when=opens_plainly), Line("ACK-G-03", when=opens_anyhow),
        Line("ACK-G-18", when=opens_plainly),
    ),
)  # fmt: skip

ENGINE = Profile(
    "engine-v2",
    "The production engine, which translates version 2 to its own, later one.",
    (
        "TunnelAcks go from the engine to the runner only, as a receipt of its socket's handler, under ids of its own: they are "
        "not judged, and none is waited for.",
        "After a close with retry there is no new ToClientWebSocketOpen: what was not acked is sent again under the same request "
        "id with the same indices, and lastMsgIndex is ignored.",
    ),
    (DEVIATIONS["any-answer-opens"], without("TUN-G-07"), RESUMES),
    (moves("CONN-G-P1", "routing", RouteFound, "open", when=was_open, then=resume, ref="later versions",
           says="A socket that was open goes on over the new tunnel."),),
    acks=False,
)  # fmt: skip

PROFILES: Mapping[str, Profile] = {p.name: p for p in (STRICT, ENGINE)}
"""All of them, by name."""
