"""Departures from the tables, each a small patch with a name: what the merged code does, and what the reviews suggest.

The tables are right; these are not. A deviation replaces a guard, an effect or a target of a few lines, or a limit. Several can
be applied together: what an ``after`` does comes on top of the line's effect, whether that was patched before or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from tunnelspec.ack import Inbox, Kept, Queue, accept, drop, last_sent, precedes_close
from tunnelspec.connection import Connection
from tunnelspec.endpoint import MACHINES, Endpoint, Tables
from tunnelspec.events import (
    Backlog,
    Collect,
    Lost,
    Opened,
    Progress,
    SendAck,
    SocketClosed,
    SocketMessage,
    SocketOpened,
    Transmit,
    TunnelUp,
)
from tunnelspec.fifo import Fifo
from tunnelspec.frames import (
    ToClientWebSocketMessage,
    ToServerWebSocketMessageAck,
)
from tunnelspec.hibernation import Sleep
from tunnelspec.limits import Limits
from tunnelspec.listener import Buffer
from tunnelspec.machine import Machine, Received, Transition, Verdict
from tunnelspec.serial import greater
from tunnelspec.system import System
from tunnelspec.tunnel import Tunnel

Outputs = tuple[Any, ...]
After = Callable[[Any, Any, Limits, Any, Outputs], tuple[Any, Outputs]]


# -- what a patch is -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Then:
    """An effect with something on top: ``by(c, e, lim, after, outputs)``."""

    base: Callable[[Any, Any, Limits], tuple[Any, Outputs]] | None
    by: After

    def __call__(self, c: Any, e: Any, lim: Limits) -> tuple[Any, Outputs]:
        after, outputs = (c, ()) if self.base is None else self.base(c, e, lim)
        return self.by(c, e, lim, after, outputs)


@dataclass(frozen=True)
class Anywhere:
    """A guard that takes every frame for one from the link that counts."""

    base: Callable[[Any, Any, Limits], bool]

    def __call__(self, c: Any, e: Any, lim: Limits) -> bool:
        return self.base(c, replace(e, link=c.link), lim)


@dataclass(frozen=True)
class Line:
    """What changes in one line of a table. What is None stays."""

    id: str
    when: Callable[[Any, Any, Limits], bool] | None = None
    then: Callable[[Any, Any, Limits], tuple[Any, Outputs]] | None = None
    after: After | None = None
    target: str | None = None
    sources: tuple[str, ...] = ()  # further states in which it applies
    anywhere: bool = False
    silent: bool = False  # the line does nothing
    refused: bool = False  # the line is an error of the peer's

    def apply(self, line: Transition) -> Transition:
        """The line, changed."""
        if self.silent:
            return replace(line, then=None, target=None, verdict=Verdict.IGNORED)
        when = line.when if self.when is None else self.when
        then = line.then if self.then is None else self.then
        return replace(
            line,
            when=Anywhere(when) if self.anywhere and when is not None else when,
            then=Then(then, self.after) if self.after is not None else then,
            target=self.target or line.target,
            sources=(*line.sources, *self.sources),
            verdict=self._verdict(line),
        )

    def _verdict(self, line: Transition) -> Verdict:
        if self.refused:
            return Verdict.REFUSED
        return Verdict.TAKEN if self.then is not None or self.after is not None else line.verdict


@dataclass(frozen=True)
class Deviation:
    """A departure: its name, what it does, the claims that it is about, and its patches."""

    id: str
    says: str
    about: tuple[str, ...]
    merged: bool  # whether the merged code does this
    lines: tuple[Line, ...] = ()
    limits: Mapping[str, Callable[[Limits], int]] = field(default_factory=dict)


def depart(tables: Tables, limits: Limits, deviations: Iterable[Deviation]) -> tuple[Tables, Limits]:
    """Tables and limits that depart from the specification."""
    patches: dict[str, list[Line]] = {}
    for deviation in deviations:
        for line in deviation.lines:
            patches.setdefault(line.id, []).append(line)
        limits = replace(limits, **{name: change(limits) for name, change in deviation.limits.items()})
    for lines in patches.values():
        lines.sort(key=lambda line: line.after is not None)  # what comes on top comes last
    return Tables(**{f.name: _patched(getattr(tables, f.name), patches) for f in fields(Tables)}), limits


def apply(system: System, deviations: Iterable[Deviation]) -> System:
    """The world with tables and limits that depart from the specification."""
    own = Tables(gateway=system.gateway, runner=system.runner)
    tables, limits = depart(own, system.limits, deviations)
    bounds = replace(system.bounds, limits=limits)
    return replace(system, gateway=tables.gateway, runner=tables.runner, bounds=bounds)


def _patched(endpoint: Endpoint, patches: Mapping[str, Iterable[Line]]) -> Endpoint:
    """The endpoint with these lines changed; itself, if it has none of them."""

    def machine(before: Machine) -> Machine:
        if not any(t.id in patches for t in before.transitions):
            return before
        rows = []
        for row in before.transitions:
            for patch in patches.get(row.id, ()):
                row = patch.apply(row)
            rows.append(row)
        return replace(before, transitions=tuple(rows), departs=True)

    machines = tuple(machine(m) for m in endpoint.machines)
    return endpoint if machines == endpoint.machines else replace(endpoint, machines=machines)


def without(id_: str) -> Deviation:
    """The tables without one line: its event is heard, and nothing comes of it."""
    return Deviation(
        f"without-{id_}", f"{id_} is deleted: its event does nothing.", (), False, (Line(id_, silent=True),)
    )


def blame(deviation: Deviation, taken: Iterable[str]) -> tuple[str, ...]:
    """Which of its lines a trace took."""
    took = set(taken)
    hit = tuple(dict.fromkeys(line.id for line in deviation.lines if line.id in took))
    return (f"{deviation.id}: {', '.join((*hit, *deviation.limits))}",) if hit or deviation.limits else ()


# -- guards and effects ----------------------------------------------------------------------------------------------

NOBODYS = bytes(16)
"""A message id that no message has."""


def never(c: Any, e: Any, lim: Limits) -> bool:
    return False


def always(c: Any, e: Any, lim: Limits) -> bool:
    return True


def pending_and_not_overdue(c: Queue | Tunnel, e: Collect, lim: Limits) -> bool:
    return len(c.pending) > 0 and e.now - c.pending[0].sent <= lim.ack_timeout_ms


def nothing_pending_or_overdue(c: Queue | Tunnel, e: Collect, lim: Limits) -> bool:
    return len(c.pending) == 0 or e.now - c.pending[0].sent > lim.ack_timeout_ms


def overdue_or_just_so(c: Queue | Tunnel, e: Collect, lim: Limits) -> bool:
    return len(c.pending) > 0 and e.now - c.pending[0].sent >= lim.ack_timeout_ms


def not_even_just_so(c: Queue | Tunnel, e: Collect, lim: Limits) -> bool:
    return len(c.pending) == 0 or e.now - c.pending[0].sent < lim.ack_timeout_ms


def says_nothing(c: Any, e: Any, lim: Limits, after: Any, outputs: Outputs) -> tuple[Any, Outputs]:
    return after, ()


def size_stays(c: Queue, e: Any, lim: Limits, after: Queue, outputs: Outputs) -> tuple[Queue, Outputs]:
    return after._replace(bytes=c.bytes), outputs


def acks_afresh(c: Any, e: Any, lim: Limits, after: Any, outputs: Outputs) -> tuple[Any, Outputs]:
    return after, tuple(SendAck(o.link, NOBODYS) if isinstance(o, SendAck) else o for o in outputs)


def acks_anyway(c: Any, e: Received[Any], lim: Limits, after: Any, outputs: Outputs) -> tuple[Any, Outputs]:
    return after, (SendAck(e.link, e.message_id), *outputs)


def from_link(c: Queue, e: Received[Any], lim: Limits) -> bool:
    return e.link == c.link


def not_after(pending: Fifo[Kept], index: int, lim: Limits) -> int:
    """How many pending messages do not come after ``index``."""
    return sum(not greater(kept.frame.index, index, lim.index_modulus) for kept in pending)


def release_unchecked(c: Queue, e: Received[ToServerWebSocketMessageAck], lim: Limits) -> tuple[Queue, Outputs]:
    return drop(c, not_after(c.pending, e.frame.index, lim), lim), (SendAck(e.link, e.message_id), Progress())


def replay_unchecked(c: Queue, e: Opened, lim: Limits) -> tuple[Queue, Outputs]:
    left = drop(c, not_after(c.pending, e.last, lim) if e.last >= 0 else 0, lim)
    rest = Fifo(kept._replace(sent=e.now) for kept in left.pending)
    return left._replace(pending=rest), (*(Transmit(kept.frame, e.now) for kept in rest), Progress())


def can_hibernate(c: Queue, e: Opened, lim: Limits) -> bool:
    return e.can_hibernate


def cannot_hibernate(c: Queue, e: Opened, lim: Limits) -> bool:
    return not e.can_hibernate


def fall_asleep_and_wake(c: Sleep, e: Lost, lim: Limits) -> tuple[Sleep, Outputs]:
    return Sleep(e.now), (Backlog(e.now),)


def counts_as_progress(
    c: Connection, e: Any, lim: Limits, after: Connection, outputs: Outputs
) -> tuple[Connection, Outputs]:
    return after._replace(failures=0), outputs


def clear_pending(c: Queue, e: TunnelUp, lim: Limits) -> tuple[Queue, Outputs]:
    return c._replace(link=e.link, pending=Fifo(), bytes=0), ()


def replay_first_only(c: Queue, e: Opened, lim: Limits, after: Queue, outputs: Outputs) -> tuple[Queue, Outputs]:
    first = next((place for place, o in enumerate(outputs) if isinstance(o, Transmit)), -1)
    return after, tuple(o for place, o in enumerate(outputs) if not isinstance(o, Transmit) or place == first)


def first_is_zero(c: Inbox, e: Opened, lim: Limits) -> tuple[Inbox, Outputs]:
    last = e.last if e.last >= 0 else lim.index_modulus - 1
    return Inbox(c.link, last, last, last), ()


def goes_on_from_zero(c: Inbox, e: Opened, lim: Limits) -> tuple[Inbox, Outputs]:
    last = e.last if e.last >= 0 else lim.index_modulus - 1
    return Inbox(c.link, c.received, last, last), ()


def read_from_zero(c: Queue, e: Opened, lim: Limits, after: Queue, outputs: Outputs) -> tuple[Queue, Outputs]:
    return after._replace(acked=lim.index_modulus - 1), outputs


def leave_at_once(c: Connection, e: Any, lim: Limits) -> bool:
    return not c.client_gone


def closes_first(c: Buffer, e: Any, lim: Limits, after: Buffer, outputs: Outputs) -> tuple[Buffer, Outputs]:
    return after, (
        *(o for o in outputs if isinstance(o.event, SocketOpened | SocketClosed)),
        *(o for o in outputs if isinstance(o.event, SocketMessage)),
    )


def warn_and_give(c: Inbox, e: Received[ToClientWebSocketMessage], lim: Limits) -> tuple[Inbox, Outputs]:
    return accept(c, e, lim)


def room_for_one_more(c: Queue, e: Any, lim: Limits) -> bool:
    return not c.refusing and len(c.pending) <= lim.max_pending_messages and c.bytes + e.size <= lim.max_pending_bytes


def no_room_for_one_more(c: Queue, e: Any, lim: Limits) -> bool:
    return not room_for_one_more(c, e, lim)


def forgets_refusal(c: Queue, e: Any, lim: Limits, after: Queue, outputs: Outputs) -> tuple[Queue, Outputs]:
    return c, outputs


def refusal_counts(c: Queue, e: Any, lim: Limits, after: Queue, outputs: Outputs) -> tuple[Queue, Outputs]:
    return after._replace(bytes=c.bytes + e.size), outputs


def ages_stay(c: Queue, e: Any, lim: Limits, after: Queue, outputs: Outputs) -> tuple[Queue, Outputs]:
    kept = c.pending.drop(len(c.pending) - len(after.pending))
    return after._replace(pending=kept), outputs


def same_index_again(c: Queue, e: Any, lim: Limits, after: Queue, outputs: Outputs) -> tuple[Queue, Outputs]:
    newest = after.pending[-1]
    twice = replace(newest.frame, index=last_sent(c, lim))
    pending = c.pending.append(newest._replace(frame=twice))
    sent = tuple(replace(o, frame=twice) if isinstance(o, Transmit) else o for o in outputs)
    return after._replace(pending=pending), sent


GATEWAY_ACKS = (
    "CONN-G-10", "CONN-G-11", "CONN-G-12", "CONN-G-15", "CONN-G-16", "CONN-G-17", "CONN-G-20", "CONN-G-21",
    "ACK-G-08", "ACK-G-09",
)  # fmt: skip
"""The lines by which the gateway sends a TunnelAck."""

FROM_ANYWHERE = (
    "CONN-G-08", "CONN-G-09", "CONN-G-10", "CONN-G-11", "CONN-G-12", "CONN-G-15", "CONN-G-16", "CONN-G-17",
    "CONN-G-20", "CONN-G-21", "CONN-G-36", "CONN-G-37", "CONN-G-38", "CONN-G-40",
    "ACK-G-08", "ACK-G-09", "ACK-G-10", "ACK-G-11",
)  # fmt: skip
"""The lines whose guards ask which link a frame came on."""

ALL: tuple[Deviation, ...] = (
    Deviation("collect-inverted", "Collection ends what is not overdue, and keeps what is.", ("F01",), True, (
        Line("TUN-G-07", when=pending_and_not_overdue), Line("TUN-G-08", when=nothing_pending_or_overdue),
        Line("ACK-G-14", when=pending_and_not_overdue), Line("ACK-G-15", when=nothing_pending_or_overdue))),
    Deviation("collect-silent", "Collection tells nobody what has timed out.", ("F01", "G02"), True, (
        Line("TUN-G-07", after=says_nothing), Line("ACK-G-14", after=says_nothing))),
    Deviation("size-not-released", "What is acked stays in the byte count.", ("F02",), True, (
        Line("ACK-G-08", after=size_stays),)),
    Deviation("size-not-replayed", "What a re-open shows as seen stays in the byte count.", ("F03",), True, (
        Line("ACK-G-17", after=size_stays),)),
    Deviation("fresh-ack-ids", "The gateway answers a tunnel message with a fresh message id.", ("F16", "G01"), True, tuple(
        Line(id_, after=acks_afresh) for id_ in GATEWAY_ACKS)),
    Deviation("ack-unchecked", "The gateway does not ask whether it ever sent what is acked.", ("F10",), True, (
        Line("ACK-G-08", when=from_link, then=release_unchecked), Line("ACK-G-09", when=never),
        Line("ACK-G-10", when=never))),
    Deviation("any-runner", "The gateway takes frames for a connection from every runner.", ("F32",), True, tuple(
        Line(id_, anywhere=True) for id_ in FROM_ANYWHERE)),
    Deviation("last-index-trusted", "lastMsgIndex is not held against what was sent.", ("F11",), True, (
        Line("ACK-G-04", when=never), Line("ACK-G-02", when=cannot_hibernate), Line("ACK-G-03", when=can_hibernate),
        Line("ACK-G-17", when=can_hibernate, then=replay_unchecked),
        Line("ACK-G-18", when=cannot_hibernate, then=replay_unchecked))),
    Deviation("acks-what-it-drops", "The runner acks before it handles, and what it then drops.", ("G03",), True, (
        Line("ACK-R-07", after=acks_anyway), Line("ACK-R-21", after=acks_anyway), Line("ACK-R-22", after=acks_anyway))),
    Deviation("index-unvalidated", "The runner gives the actor every message, whatever its index.", ("F09",), True, (
        Line("ACK-R-05", when=precedes_close, then=accept), Line("ACK-R-06", when=never), Line("ACK-R-07", when=never))),
    Deviation("wakes-for-nothing", "A connection that falls asleep wakes its actor at once.", ("G04",), True, (
        Line("HIB-G-05", then=fall_asleep_and_wake),)),
    Deviation("retry-unspaced", "A re-open counts as progress, whatever comes of it.", ("P7", "G05"), True, (
        Line("CONN-G-11", after=counts_as_progress), Line("CONN-G-12", after=counts_as_progress))),
    Deviation("window-full-circle", "65 535 messages may be pending.", ("F05", "F17"), True,
              limits={"max_pending_messages": lambda lim: lim.index_modulus - 1}),
    Deviation("no-age", "A sleeping connection lives for ever.", ("F15",), True, (
        Line("HIB-G-09", when=never), Line("HIB-G-10", when=always))),
    Deviation("any-answer-opens", "An answer to an earlier attempt opens a later one.", ("G06",), True, (
        Line("CONN-G-34", when=never), Line("CONN-G-11", sources=("offered",)), Line("CONN-G-12", sources=("offered",)),
        Line("CONN-G-36", sources=("offered",)))),
    Deviation("replay-keeps-age", "What is sent again is as old as when it was first sent.", ("G07",), True, (
        Line("ACK-G-17", after=ages_stay),)),
    Deviation("refusal-counts", "A message that is refused for the limit stays in the byte count.", ("G08",), True, (
        Line("ACK-G-07", after=refusal_counts),)),
    Deviation("collect-at-boundary", "Collection ends what is exactly as old as the timeout (the fix `<`).", ("F01",), False, (
        Line("TUN-G-07", when=overdue_or_just_so), Line("TUN-G-08", when=not_even_just_so),
        Line("ACK-G-14", when=overdue_or_just_so), Line("ACK-G-15", when=not_even_just_so))),
    Deviation("reopen-clears", "A re-open clears what is pending for the actor.", ("F07",), False, (
        Line("ACK-G-01", then=clear_pending),)),
    Deviation("replay-stops", "A replay sends one message, and forgets to send the rest.", ("F14",), False, (
        Line("ACK-G-17", after=replay_first_only),)),
    Deviation("first-index-0", "The first message has index 0, on both sides.", ("F04",), False, (
        Line("ACK-G-03", after=read_from_zero), Line("ACK-R-02", then=first_is_zero),
        Line("ACK-R-04", then=goes_on_from_zero))),
    Deviation("first-index-0-gateway", "The first message has index 0 at the gateway; the runner is as it was.", ("F04",), False, (
        Line("ACK-G-03", after=read_from_zero),)),
    Deviation("gap-warned", "A gap is noticed, and passed over.", ("F09",), False, (
        Line("ACK-R-07", then=warn_and_give),)),
    Deviation("count-one-more", "One more message than the limit is accepted (the fix `>`).", ("F17",), False, (
        Line("ACK-G-06", when=room_for_one_more), Line("ACK-G-16", when=room_for_one_more),
        Line("ACK-G-07", when=no_room_for_one_more))),
    Deviation("drops-silently", "A message beyond the limit is dropped, and nobody told.", ("F12",), False, (
        Line("ACK-G-07", after=says_nothing),)),
    Deviation("early-by-kind", "Events before the listener are kept by kind: a close overtakes messages.", ("P8",), False, (
        Line("EVT-R-03", after=closes_first),)),
    Deviation("same-index", "Two messages at once take the same index.", ("F13",), False, (
        Line("ACK-G-06", after=same_index_again),)),
    Deviation("acks-not-removed", "An acked tunnel message stays pending.", ("F16",), False, (
        Line("TUN-G-04", silent=True),)),
    Deviation("unknown-ack-refused", "A TunnelAck of nothing pending is an error.", ("F19",), False, (
        Line("TUN-G-05", refused=True),)),
    Deviation("runner-as-patient", "The runner waits for an ack as long as the gateway.", ("F08",), False,
              limits={"runner_ack_timeout_ms": lambda lim: lim.ack_timeout_ms}),
    Deviation("asleep-close-lost", "A client that leaves a sleeping actor is forgotten at once.", (), False, (
        Line("CONN-G-60", silent=True),)),
    Deviation("stop-forgets-close", "An actor that stops while a client's close waits says nothing.", ("H01",), False, (
        Line("CONN-R-41", after=says_nothing),)),
    Deviation("accepts-after-limit", "After a message was refused for the limit, a later one is accepted.", ("H02",), False, (
        Line("ACK-G-07", after=forgets_refusal),)),
    Deviation("late-message-refused", "A message for a socket that is closed is an error of the gateway's.", ("H03",), False, (
        Line("ACK-R-21", refused=True),)),
    Deviation("late-answer-refused", "A stranger's answer to an open is an error of the runner's.", ("H04",), False, (
        Line("CONN-G-36", refused=True),)),
    Deviation("heeds-after-close", "What comes after the client's close is given to the actor.", ("H05",), False, (
        Line("ACK-R-31", silent=True),)),
)  # fmt: skip

DEVIATIONS: Mapping[str, Deviation] = {d.id: d for d in ALL}
"""All of them, by name."""

MERGED: tuple[Deviation, ...] = tuple(d for d in ALL if d.merged)
"""What the merged code does."""


def named(name: str) -> Deviation:
    """A deviation by its name; ``without-ID`` is the tables without that line. Raises ``ValueError`` that says what is known."""
    if name in DEVIATIONS:
        return DEVIATIONS[name]
    id_ = name.removeprefix("without-")
    if id_ != name and any(id_ == t.id for machine in MACHINES for t in machine.transitions):
        return without(id_)
    raise ValueError(f"no deviation {name!r}: expected without-TRANSITION, or one of {', '.join(DEVIATIONS)}")
