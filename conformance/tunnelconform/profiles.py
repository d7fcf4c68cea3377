"""Profiles: subjects that differ from the specification by design.

A profile is a named set of departures from the tables, which the oracle then follows, so that all that lies behind the first
difference is still checked. It excuses a difference of design, never a loss: what is sent must still arrive, once and in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple

from tunnelspec.ack import Queue
from tunnelspec.connection import NORMAL_CLOSURE, Connection, abandon, end_as_actor_says, lose_tunnel
from tunnelspec.deviations import DEVIATIONS, Deviation, Line, depart, without
from tunnelspec.endpoint import TABLES, Endpoint, Tables
from tunnelspec.events import (
    Abandon,
    BadFrame,
    CancelTimer,
    ClientMessage,
    Collect,
    Free,
    HangUp,
    InitTimeout,
    Opened,
    OpenTimeout,
    Progress,
    ReadClient,
    RequestBegun,
    RequestBody,
    RequestDropped,
    Resolve,
    RouteFound,
    Send,
    Transmit,
    TunnelUp,
    Welcome,
)
from tunnelspec.fifo import Fifo
from tunnelspec.frames import (
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToServerAckCommands,
    ToServerEvents,
    ToServerInit,
    ToServerKvRequest,
    ToServerPing,
    ToServerStopping,
    ToServerWebSocketClose,
)
from tunnelspec.limits import DEFAULT, Limits
from tunnelspec.link import POLICY_VIOLATION, Nothing
from tunnelspec.machine import Machine, Received, Transition, ignores, moves
from tunnelspec.request import Exchange, drop_quietly

Outputs = tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Profile:
    """``deviations`` and ``rows`` change the tables that the oracle follows. A row is added to the machine that its id names, and
    takes the place of what the table says of its states and event, unless both have guards. Without ``acks``, nobody judges the
    subject's TunnelAcks; with ``own_words``, nor the reason of a close that it gives for a cause of its own. ``differs`` says all
    this to a reader."""

    name: str
    says: str
    differs: tuple[str, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    rows: tuple[Transition, ...] = ()
    acks: bool = True
    own_words: bool = False
    size_differs: int = 0  # bytes by which what it counts for a message differs from the frame of version 2
    route_patience_ms: int = 0  # a client waits so long for a runner, before its upgrade is answered
    excuses: Mapping[str, str] = field(default_factory=dict)

    def tables(self) -> Tables:
        """The endpoints as the profile has them."""
        tables, _ = depart(TABLES, DEFAULT, self.deviations)
        return Tables(**{f.name: self._with_rows(getattr(tables, f.name)) for f in fields(Tables)})

    def _with_rows(self, endpoint: Endpoint) -> Endpoint:
        machines = tuple(self._extended(machine) for machine in endpoint.machines)
        return endpoint if machines == endpoint.machines else replace(endpoint, machines=machines)

    def _extended(self, machine: Machine) -> Machine:
        more = tuple(row for row in self.rows if row.id.startswith(machine.id + "-"))
        said = {(state, row.on) for row in more for state in row.sources}
        alone = {(state, row.on) for row in more if row.when is None for state in row.sources}
        kept = (
            replace(row, sources=tuple(s for s in row.sources if (s, row.on) not in (alone if row.when else said)))
            for row in machine.transitions
        )
        return replace(machine, transitions=(*kept, *more), departs=True) if more else machine

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


def always(c: Any, e: Any, lim: Limits) -> bool:
    return True


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


def number_and_pass_on(c: Queue, e: ClientMessage, lim: Limits) -> tuple[Queue, Outputs]:
    index = (c.acked + 1) % lim.index_modulus
    return c._replace(acked=index), (Transmit(ToClientWebSocketMessage(index, e.data, e.binary), e.now),)


def count_open(c: Queue, e: TunnelUp, lim: Limits) -> tuple[Queue, Outputs]:
    """A further open, where the one before was not answered, takes a number of its own."""
    return c._replace(link=e.link, acked=(c.acked + 1) % lim.index_modulus if c.link else c.acked), ()


class Swept(NamedTuple):
    """The entry of an attempt that failed is gone, and its numbers with it."""


def sweep(c: Connection, e: Collect, lim: Limits) -> tuple[Connection, Outputs]:
    return c, () if c.established else (Swept(),)


def number_anew(c: Queue, e: Swept, lim: Limits) -> tuple[Queue, Outputs]:
    return c._replace(link=0, acked=0), ()


def close_over(link: int) -> Outputs:
    """A close that no number of the tunnel's belongs to: it comes when the tunnel is down."""
    return (Send(link, 0, ToClientWebSocketClose(NORMAL_CLOSURE, None)),)


def end_and_close(c: Connection, e: Received[ToServerWebSocketClose], lim: Limits) -> tuple[Connection, Outputs]:
    after, outputs = end_as_actor_says(c, e, lim)
    return after, (*outputs, *close_over(e.link))


def lose_and_keep_link(c: Connection, e: Received[ToServerWebSocketClose], lim: Limits) -> tuple[Connection, Outputs]:
    after, outputs = lose_tunnel(c, e, lim)
    return after._replace(link=e.link), outputs


def abandon_and_close(c: Connection, e: Abandon, lim: Limits) -> tuple[Connection, Outputs]:
    after, outputs = abandon(c, e, lim)
    return after, (*outputs, *close_over(c.link))


NUMBERS_ALL = Deviation(
    "numbers-all", "The index is the message's place in the request: opens count, and every message has one.",
    (), False, (Line("ACK-G-05", then=number_and_pass_on), Line("ACK-G-01", then=count_open)),
)  # fmt: skip

CLOSES_AFTER = Deviation(
    "closes-after-close", "The actor's close is answered with ToClientWebSocketClose 1000.",
    (), False, (
        Line("CONN-G-10", then=end_and_close), Line("CONN-G-16", then=end_and_close),
        Line("CONN-G-17", then=lose_and_keep_link), Line("CONN-G-25", then=abandon_and_close),
    ),
)  # fmt: skip


def without_body(c: Exchange, e: RequestBegun, lim: Limits) -> bool:
    return not e.frame.stream


def with_body(c: Exchange, e: RequestBegun, lim: Limits) -> bool:
    return e.frame.stream


def body_goes_on(c: Exchange, e: RequestBody, lim: Limits) -> bool:
    return not e.finish


def body_is_whole(c: Exchange, e: RequestBody, lim: Limits) -> bool:
    return e.finish


def collect_body(c: Exchange, e: RequestBegun, lim: Limits) -> tuple[Exchange, Outputs]:
    return c._replace(start=replace(e.frame, body=b"", stream=False)), (ReadClient(),)


def collect_more(c: Exchange, e: RequestBody, lim: Limits) -> tuple[Exchange, Outputs]:
    return c._replace(start=replace(c.start, body=(c.start.body or b"") + e.data)), ()


def collect_last(c: Exchange, e: RequestBody, lim: Limits) -> tuple[Exchange, Outputs]:
    return collect_more(c, e, lim)[0], (Resolve(),)


ANSWERS_AT_ONCE = Deviation(
    "answers-at-once", "A response is taken before the request's TunnelAck, for which nobody waits.",
    (), False, (
        *(Line(id_, sources=("offered",)) for id_ in ("REQ-G-23", "REQ-G-44", "REQ-G-45", "REQ-G-50", "REQ-G-51")),
        Line("REQ-G-46", when=never), Line("REQ-G-47", when=never), Line("REQ-G-01", when=without_body),
    ),
)  # fmt: skip


def hang_up_stranger(c: Nothing, e: Any, lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (CancelTimer(InitTimeout), HangUp(POLICY_VIOLATION, ""), Free())


def welcome_again(c: Nothing, e: Received[ToServerInit], lim: Limits) -> tuple[Nothing, Outputs]:
    return c, (Welcome(),)


BEFORE_INIT: tuple[type[Any], ...] = (
    BadFrame, ToServerPing, ToServerStopping, ToServerEvents, ToServerAckCommands, ToServerKvRequest,
)  # fmt: skip
"""What may come over a socket that has not introduced itself."""

LATER = "later versions"

ENGINE_ROWS: tuple[Transition, ...] = (
    moves("CONN-G-P1", "routing", RouteFound, "open", when=was_open, then=resume, ref=LATER,
          says="A socket that was open goes on over the new tunnel."),
    moves("CONN-G-P2", "backoff", Collect, None, then=sweep, ref=LATER,
          says="Between two tries the entry may be collected; then numbers begin anew."),
    ignores("CONN-G-P3", ("new", "routing", "offered", "awaiting", "open", "asleep", "closing", "closed"), Collect,
            says="The entry is in use."),
    moves("ACK-G-P1", "shut", Swept, None, then=number_anew, ref=LATER, says="The next open has the first number again."),
    ignores("ACK-G-P2", ("plain", "live", "held", "ended"), Swept, says="It was open once."),
    *(moves(f"LINK-G-P{number}", "joining", event, "gone", then=hang_up_stranger, ref=LATER,
            says="A socket that says anything before it has introduced itself is closed.")
      for number, event in enumerate(BEFORE_INIT, 1)),
    moves("LINK-G-P7", ("ready", "draining"), ToServerInit, None, then=welcome_again, ref=LATER,
          says="A runner that introduces itself again is welcomed again."),
    moves("REQ-G-P1", "new", RequestBegun, None, when=with_body, then=collect_body, ref=LATER,
          says="A request is sent once its body is whole."),
    moves("REQ-G-P2", "new", RequestBody, None, when=body_goes_on, then=collect_more, ref=LATER, says="The body is collected."),
    moves("REQ-G-P3", "new", RequestBody, "routing", when=body_is_whole, then=collect_last, ref=LATER,
          says="The body is whole: the request looks for its actor."),
    moves("REQ-G-P4", "new", RequestDropped, "done", then=drop_quietly, ref=LATER, says="The client leaves before that."),
)  # fmt: skip

WAITS_FOR_ROUTE = Deviation(
    "waits-for-route", "A route that is not found in time is not looked for again: the client is told.",
    (), False, (
        Line("CONN-G-03", when=never), Line("CONN-G-04", when=always),
        Line("REQ-G-03", when=never), Line("REQ-G-04", when=always),
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
        "The index of a message is its place in the request: every open takes one, and so does a message of a socket that cannot "
        "hibernate. Between two tries of the open it may begin anew.",
        "Where the actor has no runner, the client's upgrade waits for one, up to 30 s; it is then accepted and closed. Before it "
        "is answered there is no socket that could be retried, so that no try is counted. A plain request waits likewise, and "
        "then gets 503.",
        "A runner's socket that says anything before its ToServerInit is closed at once; there is no tunnel yet that could suffer. "
        "A second ToServerInit is answered like the first.",
        "The actor's final close, and the loss of a tunnel that cannot hibernate, are answered with ToClientWebSocketClose 1000.",
        "A close for a cause of the gateway's own has the code 1011 and a reason in its own words; links are closed likewise.",
        "A plain request is sent once its body is whole, in one frame; its response is taken before any receipt of the request.",
        "The limit on what is pending counts the frame of its own, later version: 23 bytes less than that of version 2.",
    ),
    (DEVIATIONS["any-answer-opens"], without("TUN-G-07"), RESUMES, NUMBERS_ALL, CLOSES_AFTER, WAITS_FOR_ROUTE, ANSWERS_AT_ONCE),
    ENGINE_ROWS,
    acks=False,
    own_words=True,
    size_differs=-23,
    route_patience_ms=30_000,
)  # fmt: skip

PROFILES: Mapping[str, Profile] = {p.name: p for p in (STRICT, ENGINE)}
"""All of them, by name."""
