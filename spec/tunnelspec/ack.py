"""Acknowledgement: what the actor has durably processed, and what the gateway therefore still holds (ACK-G, ACK-R).

A message ack is cumulative, over the u16 index that numbers what the client sent; until it comes the gateway keeps the frame and
can send it again. (That a message *arrived* is another matter: see ``tunnel``.)

The gateway's queue is always one contiguous run of indices, (acked, acked + len(pending)]. An index is therefore judged by
its distance from ``acked`` alone, which is unambiguous as long as the queue stays within the window of RFC 1982.

The machines do not know whether the client sleeps or wakes: they are told that a tunnel is up (``TunnelUp``), agreed to
(``Opened``), ``Lost`` or ``Ended``.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any, NamedTuple

from tunnelspec.events import (
    AckDue,
    ActorGone,
    Backlog,
    CancelTimer,
    ClientMessage,
    Collect,
    Committed,
    Ended,
    Flush,
    Gap,
    Happens,
    LimitReached,
    Lost,
    NoMore,
    Opened,
    Progress,
    ReadClient,
    SendAck,
    SetTimer,
    SocketMessage,
    TimedOut,
    Transmit,
    TunnelUp,
    Unresumable,
)
from tunnelspec.fifo import Fifo
from tunnelspec.frames import (
    ToClientWebSocketMessage,
    ToServerWebSocketMessageAck,
)
from tunnelspec.limits import Limits
from tunnelspec.machine import Kind, Machine, Received, Role, State, excludes, ignores, moves, refuses
from tunnelspec.serial import distance, window

Outputs = tuple[Any, ...]

# == message acks, the gateway's side ================================================================================


class Kept(NamedTuple):
    """A client message that the actor has not acked."""

    frame: ToClientWebSocketMessage
    size: int  # bytes on the wire
    sent: int  # ms; sent again counts as sent


class Queue(NamedTuple):
    """Context of ACK-G. ``pending`` holds the indices acked + 1, acked + 2, … in order."""

    link: int = 0
    acked: int = 0  # the last index acked; the first message has index 1
    confirmed: bool = False  # whether anything was ever acked, so that 0 is not mistaken for "none"
    pending: Fifo[Kept] = Fifo()
    bytes: int = 0  # of all pending
    refusing: bool = False  # a message was refused: one accepted after it would leave a gap


def last_sent(c: Queue, lim: Limits) -> int:
    """The index of the newest message."""
    return (c.acked + len(c.pending)) % lim.index_modulus


def covered(c: Queue, last: int, lim: Limits) -> int:
    """How many pending messages an actor has processed whose last index is ``last``; -1 if ``last`` cannot be right."""
    if last == -1:
        return -1 if c.confirmed else 0
    if 0 <= last < lim.index_modulus and distance(c.acked, last, lim.index_modulus) <= len(c.pending):
        return distance(c.acked, last, lim.index_modulus)
    return -1


def drop(c: Queue, count: int, lim: Limits) -> Queue:
    """The queue without its ``count`` oldest; the byte count goes down with them."""
    gone = sum(kept.size for kept in c.pending.oldest(count))
    acked = (c.acked + count) % lim.index_modulus
    return Queue(c.link, acked, c.confirmed or count > 0, c.pending.drop(count), c.bytes - gone, c.refusing)


def has_room(c: Queue, e: ClientMessage, lim: Limits) -> bool:
    return (
        not c.refusing
        and len(c.pending) < lim.max_pending_messages
        and c.bytes + e.size <= lim.max_pending_bytes
        and e.total + e.size <= lim.max_total_pending_bytes
    )


def has_no_room(c: Queue, e: ClientMessage, lim: Limits) -> bool:
    return not has_room(c, e, lim)


def opens_plain(c: Queue, e: Opened, lim: Limits) -> bool:
    return covered(c, e.last, lim) >= 0 and not e.can_hibernate


def opens_kept(c: Queue, e: Opened, lim: Limits) -> bool:
    return covered(c, e.last, lim) >= 0 and e.can_hibernate


def opens_wrongly(c: Queue, e: Opened, lim: Limits) -> bool:
    return covered(c, e.last, lim) < 0


def ack_advances(c: Queue, e: Received[ToServerWebSocketMessageAck], lim: Limits) -> bool:
    return e.link == c.link and 0 < distance(c.acked, e.frame.index, lim.index_modulus) <= len(c.pending)


def ack_is_old(c: Queue, e: Received[ToServerWebSocketMessageAck], lim: Limits) -> bool:
    return e.link == c.link and distance(e.frame.index, c.acked, lim.index_modulus) <= window(lim.index_modulus)


def ack_is_ahead(c: Queue, e: Received[ToServerWebSocketMessageAck], lim: Limits) -> bool:
    return (
        e.link == c.link
        and distance(c.acked, e.frame.index, lim.index_modulus) > len(c.pending)
        and distance(e.frame.index, c.acked, lim.index_modulus) > window(lim.index_modulus)
    )


def ack_is_foreign(c: Queue, e: Received[ToServerWebSocketMessageAck], lim: Limits) -> bool:
    return e.link != c.link


def something_pending(c: Queue, e: Any, lim: Limits) -> bool:
    return len(c.pending) > 0


def nothing_pending(c: Queue, e: Any, lim: Limits) -> bool:
    return len(c.pending) == 0


def message_overdue(c: Queue, e: Collect, lim: Limits) -> bool:
    return len(c.pending) > 0 and e.now - c.pending[0].sent > lim.ack_timeout_ms


def message_not_overdue(c: Queue, e: Collect, lim: Limits) -> bool:
    return len(c.pending) == 0 or e.now - c.pending[0].sent <= lim.ack_timeout_ms


def tell_overdue(c: Queue, e: Collect, lim: Limits) -> tuple[Queue, Outputs]:
    return c, (TimedOut(e.now),)


def note_link(c: Queue, e: TunnelUp, lim: Limits) -> tuple[Queue, Outputs]:
    return c._replace(link=e.link), ()


def start_reading(c: Queue, e: Opened, lim: Limits) -> tuple[Queue, Outputs]:
    return c, (ReadClient(), Progress())


def keep(c: Queue, e: ClientMessage, lim: Limits) -> Queue:
    """The queue with the message, under the next index."""
    index = (last_sent(c, lim) + 1) % lim.index_modulus
    kept = Kept(ToClientWebSocketMessage(index, e.data, e.binary), e.size, e.now)
    return Queue(c.link, c.acked, c.confirmed, c.pending.append(kept), c.bytes + e.size, c.refusing)


def pass_on(c: Queue, e: ClientMessage, lim: Limits) -> tuple[Queue, Outputs]:
    return c, (Transmit(ToClientWebSocketMessage(0, e.data, e.binary), e.now),)


def keep_and_send(c: Queue, e: ClientMessage, lim: Limits) -> tuple[Queue, Outputs]:
    after = keep(c, e, lim)
    return after, (Transmit(after.pending[-1].frame, e.now),)


def keep_and_wake(c: Queue, e: ClientMessage, lim: Limits) -> tuple[Queue, Outputs]:
    return keep(c, e, lim), (Backlog(e.now),)


def tell_limit(c: Queue, e: ClientMessage, lim: Limits) -> tuple[Queue, Outputs]:
    return c._replace(refusing=True), (LimitReached(e.now),)


def release(c: Queue, e: Received[ToServerWebSocketMessageAck], lim: Limits) -> tuple[Queue, Outputs]:
    after = drop(c, distance(c.acked, e.frame.index, lim.index_modulus), lim)
    return after, (SendAck(e.link, e.message_id), Progress())


def ack_again(c: Queue, e: Received[ToServerWebSocketMessageAck], lim: Limits) -> tuple[Queue, Outputs]:
    return c, (SendAck(e.link, e.message_id),)


def hold(c: Queue, e: Lost, lim: Limits) -> tuple[Queue, Outputs]:
    return c._replace(link=0), ()


def hold_and_wake(c: Queue, e: Lost, lim: Limits) -> tuple[Queue, Outputs]:
    return c._replace(link=0), (Backlog(e.now),)


def replay(c: Queue, e: Opened, lim: Limits) -> tuple[Queue, Outputs]:
    count = covered(c, e.last, lim)
    rest = Fifo(kept._replace(sent=e.now) for kept in drop(c, count, lim).pending)
    after = drop(c, count, lim)._replace(pending=rest)
    progress = (Progress(),) if count > 0 or len(rest) == 0 else ()
    return after, (*(Transmit(kept.frame, e.now) for kept in rest), *progress)


def replay_plain(c: Queue, e: Opened, lim: Limits) -> tuple[Queue, Outputs]:
    after, outputs = replay(c, e, lim)
    return after._replace(pending=Fifo(), bytes=0), outputs


def tell_unresumable(c: Queue, e: Opened, lim: Limits) -> tuple[Queue, Outputs]:
    return c, (Unresumable(e.now),)


def let_go(c: Queue, e: Ended, lim: Limits) -> tuple[Queue, Outputs]:
    return c._replace(pending=Fifo(), bytes=0), ()


def _queue_contexts(lim: Limits) -> Iterable[Queue]:
    for acked, count, confirmed in product(
        range(lim.index_modulus), range(lim.max_pending_messages + 1), (False, True)
    ):
        pending = Fifo(
            Kept(ToClientWebSocketMessage((acked + 1 + n) % lim.index_modulus, b"", False), 1, n) for n in range(count)
        )
        yield from (Queue(1, acked, confirmed, pending, count, refusing) for refusing in (False, True))


def _queue_events(lim: Limits) -> Iterable[Any]:
    yield from (TunnelUp(2), Lost(None, None, 0), Ended(0))
    for size, total in product((1, lim.max_pending_bytes), (0, lim.max_total_pending_bytes)):
        yield ClientMessage(b"", False, size, total, 0)
    for can, last in product((False, True), range(-2, lim.index_modulus + 1)):
        yield Opened(can, last, 0)
    for link, index in product((1, 2), range(lim.index_modulus)):
        yield Received(ToServerWebSocketMessageAck(index), link)
    yield from (Collect(lim.ack_timeout_ms + late) for late in (-1, 0, 1, 2))


_ONLY_ONCE = "The connection opens only what is not open, so this cannot come."

ACK_G = Machine(
    id="ACK-G",
    name="ack",
    role=Role.GATEWAY,
    says="Numbers the client's messages, and keeps each until the actor has acked it.",
    states=(
        State("shut", Kind.START, "The tunnel was never open; the client is not read.", "the first open", "open_timeout_ms"),
        State("plain", Kind.STEADY, "The socket cannot hibernate: messages pass, and nothing is kept."),
        State("live", Kind.STEADY, "Messages are numbered, kept and sent.", "a message ack for each", "ack_timeout_ms"),
        State("held", Kind.RESTING, "The tunnel is lost: messages are numbered and kept.", "an open", "max_hibernation_ms"),
        State("ended", Kind.END, "The socket is closed."),
    ),
    start=Queue(),
    transitions=(
        moves("ACK-G-01", ("shut", "held"), TunnelUp, None, then=note_link, ref="F10, zombie runners",
              says="Only the runner on this link may ack from now on."),
        moves("ACK-G-02", "shut", Opened, "plain", when=opens_plain, then=start_reading, ref="protocol 3",
              says="A socket that cannot hibernate is read, and nothing is kept for it."),
        moves("ACK-G-03", "shut", Opened, "live", when=opens_kept, then=start_reading, ref="protocol 5",
              says="A socket that can hibernate is read, and its messages are kept until they are acked."),
        moves("ACK-G-04", ("shut", "held"), Opened, "ended", when=opens_wrongly, then=tell_unresumable,
              ref="F11, P-RESUME-FAIL",
              says="An actor that has seen what was never sent, or lost what it acked, cannot be resumed: never silently."),
        moves("ACK-G-05", "plain", ClientMessage, None, then=pass_on, ref="protocol 3",
              says="Without hibernation each message is sent with index 0 and forgotten."),
        moves("ACK-G-06", "live", ClientMessage, None, when=has_room, then=keep_and_send, ref="protocol 3, 5; P-WINDOW",
              says="A message takes the next index, is kept, and is sent."),
        moves("ACK-G-07", ("live", "held"), ClientMessage, None, when=has_no_room, then=tell_limit,
              ref="protocol 5; P-BOUND, P-GAP-LOUD, F02, F17",
              says="A message beyond a limit is not kept, nor is any after it, and the client is told."),
        moves("ACK-G-08", "live", ToServerWebSocketMessageAck, None, when=ack_advances, then=release, ref="protocol 4; F02",
              says="An ack releases its index and all before it; the byte count goes down with them."),
        moves("ACK-G-09", "live", ToServerWebSocketMessageAck, None, when=ack_is_old, then=ack_again, ref="P-ACK-MONO",
              says="An ack of what is acked already arrived, and changes nothing."),
        refuses("ACK-G-10", "live", ToServerWebSocketMessageAck, when=ack_is_ahead, ref="P-ACK-BOUND, F10",
                says="An ack of what was never sent is an error and changes nothing."),
        ignores("ACK-G-11", "live", ToServerWebSocketMessageAck, when=ack_is_foreign, ref="zombie runners",
                says="Only the runner that has the connection now may ack."),
        moves("ACK-G-12", "live", Lost, "held", when=something_pending, then=hold_and_wake, ref="protocol 6; L-WAKE",
              says="What was sent and not acked is a cause to wake the actor again."),
        moves("ACK-G-13", "live", Lost, "held", when=nothing_pending, then=hold, ref="protocol 6; L-WAKE",
              says="With nothing pending there is no cause to wake the actor."),
        moves("ACK-G-14", "live", Collect, None, when=message_overdue, then=tell_overdue, ref="protocol 9; F01",
              says="A message that the actor has not acked in time has timed out; the client is told."),
        ignores("ACK-G-15", "live", Collect, when=message_not_overdue, ref="protocol 9; F01",
                says="Collection keeps what is not overdue; a message exactly as old as the timeout is not."),
        moves("ACK-G-16", "held", ClientMessage, None, when=has_room, then=keep_and_wake, ref="protocol 6; L-WAKE",
              says="A message to a sleeping actor is numbered and kept, and is a cause to wake it."),
        moves("ACK-G-17", "held", Opened, "live", when=opens_kept, then=replay, ref="protocol 6; P-REPLAY-EXACT, F03",
              says="All that the actor has not seen is sent again, in order, with the same indices, before anything newer."),
        moves("ACK-G-18", "held", Opened, "plain", when=opens_plain, then=replay_plain, ref="P-REPLAY-EXACT",
              says="An actor that no longer hibernates still gets all it has not seen; then nothing is kept."),
        moves("ACK-G-19", ("shut", "plain", "live", "held"), Ended, "ended", then=let_go, ref="L-FREE",
              says="With the socket closed, what was kept for it goes."),
        excludes("ACK-G-20", "shut", ClientMessage, says="The client is not read before the tunnel is open.", ref="protocol 1"),
        refuses("ACK-G-21", ("shut", "plain"), ToServerWebSocketMessageAck, ref="P-ACK-BOUND",
                says="Where no message carries an index, there is nothing to ack."),
        ignores("ACK-G-22", ("held", "ended"), ToServerWebSocketMessageAck,
                says="An ack from a tunnel that was lost; the next open says what the actor has seen."),
        excludes("ACK-G-23", ("plain", "live", "ended"), TunnelUp, says=_ONLY_ONCE),
        excludes("ACK-G-24", ("plain", "live", "ended"), Opened, says=_ONLY_ONCE),
        ignores("ACK-G-25", ("shut", "plain", "held", "ended"), Lost, says="There is nothing to hold, or it is held."),
        ignores("ACK-G-26", ("shut", "plain", "held", "ended"), Collect, ref="F15",
                says="Only what has been sent can be overdue; how long a connection sleeps is hibernation's affair."),
        ignores("ACK-G-27", "ended", ClientMessage, says="What the client sent before it saw the close is not accepted."),
        ignores("ACK-G-28", "ended", Ended, says="It has ended."),
    ),
    contexts=_queue_contexts,
    events=_queue_events,
)  # fmt: skip

# == message acks, the runner's side =================================================================================


class Inbox(NamedTuple):
    """Context of ACK-R: three indices, acked <= committed <= received; and whether the client has closed."""

    link: int = 0
    received: int = 0  # the last message given to the actor
    committed: int = 0  # the last one that its durable state has
    acked: int = 0  # the last one that the gateway was told of
    closed: bool = False  # on this tunnel


def is_next(c: Inbox, e: Received[ToClientWebSocketMessage], lim: Limits) -> bool:
    return e.link == c.link and not c.closed and distance(c.received, e.frame.index, lim.index_modulus) == 1


def is_duplicate(c: Inbox, e: Received[ToClientWebSocketMessage], lim: Limits) -> bool:
    return (
        e.link == c.link
        and not c.closed
        and distance(e.frame.index, c.received, lim.index_modulus) <= window(lim.index_modulus)
    )


def leaves_gap(c: Inbox, e: Received[ToClientWebSocketMessage], lim: Limits) -> bool:
    return (
        e.link == c.link
        and not c.closed
        and distance(c.received, e.frame.index, lim.index_modulus) > 1
        and distance(e.frame.index, c.received, lim.index_modulus) > window(lim.index_modulus)
    )


def precedes_close(c: Inbox, e: Received[Any], lim: Limits) -> bool:
    return e.link == c.link and not c.closed


def follows_close(c: Inbox, e: Received[Any], lim: Limits) -> bool:
    return e.link == c.link and c.closed


def from_elsewhere(c: Inbox, e: Received[Any], lim: Limits) -> bool:
    return e.link != c.link


def commits(c: Inbox, index: int, lim: Limits) -> bool:
    """Whether ``index`` is one that the actor was given and has not committed before."""
    return 0 <= index < lim.index_modulus and 0 < distance(c.committed, index, lim.index_modulus) <= distance(
        c.committed, c.received, lim.index_modulus
    )


def commits_first(c: Inbox, e: Committed, lim: Limits) -> bool:
    return commits(c, e.index, lim) and c.acked == c.committed


def commits_more(c: Inbox, e: Committed, lim: Limits) -> bool:
    return commits(c, e.index, lim) and c.acked != c.committed


def commits_any(c: Inbox, e: Committed, lim: Limits) -> bool:
    return commits(c, e.index, lim)


def commits_wrongly(c: Inbox, e: Committed, lim: Limits) -> bool:
    return not commits(c, e.index, lim)


def unacked_commits(c: Inbox, e: Flush, lim: Limits) -> bool:
    return c.acked != c.committed


def no_unacked_commits(c: Inbox, e: Flush, lim: Limits) -> bool:
    return c.acked == c.committed


def hibernates(c: Inbox, e: Opened, lim: Limits) -> bool:
    return e.can_hibernate


def stays_awake(c: Inbox, e: Opened, lim: Limits) -> bool:
    return not e.can_hibernate


def note_inbox_link(c: Inbox, e: TunnelUp, lim: Limits) -> tuple[Inbox, Outputs]:
    return c._replace(link=e.link), ()


def start_after(c: Inbox, e: Opened, lim: Limits) -> tuple[Inbox, Outputs]:
    last = e.last if e.last > 0 else 0
    return Inbox(c.link, last, last, last), ()


def go_on_after(c: Inbox, e: Opened, lim: Limits) -> tuple[Inbox, Outputs]:
    last = e.last if e.last > 0 else 0
    return Inbox(c.link, c.received, last, last), ()


def accept(c: Inbox, e: Received[ToClientWebSocketMessage], lim: Limits) -> tuple[Inbox, Outputs]:
    message = SocketMessage(e.frame.index, e.frame.data, e.frame.binary)
    after = Inbox(c.link, e.frame.index, c.committed, c.acked)
    return after, (SendAck(e.link, e.message_id), Happens(message, e.now))


def accept_plain(c: Inbox, e: Received[ToClientWebSocketMessage], lim: Limits) -> tuple[Inbox, Outputs]:
    message = SocketMessage(-1, e.frame.data, e.frame.binary)
    return c, (SendAck(e.link, e.message_id), Happens(message, e.now))


def ack_duplicate(c: Inbox, e: Received[ToClientWebSocketMessage], lim: Limits) -> tuple[Inbox, Outputs]:
    return c, (SendAck(e.link, e.message_id),)


def note_close(c: Inbox, e: NoMore, lim: Limits) -> tuple[Inbox, Outputs]:
    return c._replace(closed=True), ()


def tell_gap(c: Inbox, e: Received[ToClientWebSocketMessage], lim: Limits) -> tuple[Inbox, Outputs]:
    return c, (Gap(e.now),)


def note_commit(c: Inbox, e: Committed, lim: Limits) -> tuple[Inbox, Outputs]:
    return c._replace(committed=e.index), ()


def note_commit_and_wait(c: Inbox, e: Committed, lim: Limits) -> tuple[Inbox, Outputs]:
    return c._replace(committed=e.index), (SetTimer(AckDue, lim.ack_delay_ms),)


def send_message_ack(c: Inbox, e: Any, lim: Limits) -> tuple[Inbox, Outputs]:
    return c._replace(acked=c.committed), (
        CancelTimer(AckDue),
        Transmit(ToServerWebSocketMessageAck(c.committed), e.now),
    )


def pause(c: Inbox, e: Any, lim: Limits) -> tuple[Inbox, Outputs]:
    return c._replace(link=0, acked=c.committed), (CancelTimer(AckDue),)


def clear(c: Inbox, e: Any, lim: Limits) -> tuple[Inbox, Outputs]:
    return Inbox(), (CancelTimer(AckDue),)


def _inbox_contexts(lim: Limits) -> Iterable[Inbox]:
    for acked, behind, ahead, closed in product(range(lim.index_modulus), range(3), range(3), (False, True)):
        committed = (acked + behind) % lim.index_modulus
        yield Inbox(1, (committed + ahead) % lim.index_modulus, committed, acked, closed)


def _inbox_events(lim: Limits) -> Iterable[Any]:
    yield from (TunnelUp(1), AckDue(0), Flush(0), Lost(None, None, 0), Ended(0), ActorGone(0), NoMore(0))
    yield from (Opened(can, last, 0) for can in (False, True) for last in range(-1, lim.index_modulus))
    yield from (Committed(index) for index in range(-1, lim.index_modulus + 1))
    for link, index in product((1, 2), range(lim.index_modulus)):
        yield Received(ToClientWebSocketMessage(index, b"", False), link)


ACK_R = Machine(
    id="ACK-R",
    name="ack",
    role=Role.RUNNER,
    says="Gives the actor each message once and in order, and acks what the actor's durable state has.",
    states=(
        State("shut", Kind.START, "No socket, or an actor that was stopped.", "an open"),
        State("plain", Kind.STEADY, "The socket cannot hibernate: messages are not numbered, nothing is acked."),
        State("live", Kind.STEADY, "Messages come in order; commits are acked in batches.", "commits", "ack_delay_ms"),
        State("paused", Kind.RESTING, "The tunnel is lost, the actor goes on with what it has.", "an open, or the actor's stop"),
    ),
    start=Inbox(),
    transitions=(
        moves("ACK-R-01", ("shut", "plain", "live", "paused"), TunnelUp, None, then=note_inbox_link, ref="zombie gateways",
              says="Messages count from this link only."),
        moves("ACK-R-02", "shut", Opened, "live", when=hibernates, then=start_after, ref="protocol 6; P-RESUME-CONT, P-ZERO",
              says="After an open, the next message is the one after lastMsgIndex; after none it is 1."),
        moves("ACK-R-03", "shut", Opened, "plain", when=stays_awake, ref="protocol 3",
              says="Without hibernation messages are not numbered."),
        moves("ACK-R-04", ("live", "paused"), Opened, "live", when=hibernates, then=go_on_after, ref="P-NO-DUP, P-RACE-OPEN",
              says="An actor that was never stopped has been given what it has been given: the replay's duplicates are dropped."),
        moves("ACK-R-05", "live", ToClientWebSocketMessage, None, when=is_next, then=accept, ref="protocol 3; P-NO-DUP",
              says="The next message is acked and given to the actor, with its index."),
        moves("ACK-R-06", "live", ToClientWebSocketMessage, None, when=is_duplicate, then=ack_duplicate, ref="P-NO-DUP",
              says="A message that the actor has been given is acked again, and dropped."),
        moves("ACK-R-07", "live", ToClientWebSocketMessage, None, when=leaves_gap, then=tell_gap, ref="P-GAP-LOUD, F09",
              says="A message after a gap is neither acked nor given to the actor: the tunnel is closed, to be replayed."),
        excludes("ACK-R-08", ("plain", "live"), ToClientWebSocketMessage, when=from_elsewhere,
                says="A message from a link that no longer carries this socket."),
        moves("ACK-R-09", "plain", ToClientWebSocketMessage, None, when=precedes_close, then=accept_plain,
              ref="protocol 3",
              says="Without hibernation each message is acked and given to the actor; its index means nothing."),
        moves("ACK-R-10", "live", Committed, None, when=commits_first, then=note_commit_and_wait, ref="protocol 4",
              says="The first commit since the last ack starts a batch."),
        moves("ACK-R-11", ("live",), Committed, None, when=commits_more, then=note_commit, ref="protocol 4",
              says="Further commits join the batch: the ack is cumulative."),
        moves("ACK-R-12", "paused", Committed, None, when=commits_any, then=note_commit, ref="protocol 6",
              says="What the actor commits while the tunnel is lost will be told by the next open."),
        refuses("ACK-R-13", ("live", "paused"), Committed, when=commits_wrongly, ref="protocol 4; F09",
                says="A commit outside the indices given to the actor is refused, and never acked."),
        moves("ACK-R-14", "live", AckDue, None, then=send_message_ack, ref="protocol 4",
              says="One ack covers all that was committed."),
        moves("ACK-R-15", "live", Flush, None, when=unacked_commits, then=send_message_ack, ref="protocol 4, 6",
              says="Before the tunnel closes, what was committed is acked."),
        ignores("ACK-R-16", "live", Flush, when=no_unacked_commits, says="Everything committed has been acked."),
        moves("ACK-R-17", "live", Lost, "paused", then=pause, ref="protocol 6; P-NO-DUP",
              says="The tunnel is lost; the actor keeps what it was given."),
        moves("ACK-R-18", ("plain", "live", "paused"), Ended, "shut", then=clear, ref="L-FREE",
              says="The socket is closed."),
        moves("ACK-R-19", ("plain", "live", "paused"), ActorGone, "shut", then=clear, ref="protocol 6",
              says="What a stopped actor was given and had not committed is forgotten here, and will be sent again."),
        moves("ACK-R-20", "plain", Lost, "shut", then=clear, ref="protocol 12",
              says="Without hibernation a lost tunnel is the end."),
        ignores("ACK-R-21", "shut", ToClientWebSocketMessage, ref="protocol 1, P-HONEST-G",
                says="A message that finds no open socket is not delivered, and therefore not acked; it may just be late."),
        ignores("ACK-R-22", "paused", ToClientWebSocketMessage, says="A late message of a lost tunnel: it will be replayed."),
        excludes("ACK-R-23", ("shut", "plain", "paused"), AckDue, says="There is nothing to ack, or nobody to tell."),
        ignores("ACK-R-24", ("shut", "plain", "paused"), Flush, says="There is nothing to ack, or nobody to tell."),
        ignores("ACK-R-25", ("shut", "plain"), Committed, says="A commit after the socket's end, or of an unnumbered message."),
        excludes("ACK-R-26", ("live", "paused"), Opened, when=stays_awake,
                says="An actor cannot stop hibernating while it runs; it was opened with hibernation."),
        ignores("ACK-R-27", "plain", Opened, says="A second open of a socket that is open changes nothing."),
        ignores("ACK-R-28", ("shut", "paused"), Lost, says="There is no tunnel to lose."),
        ignores("ACK-R-29", "shut", Ended, says="It has ended."),
        ignores("ACK-R-30", "shut", ActorGone, says="There is nothing to forget."),
        moves("ACK-R-31", ("plain", "live"), NoMore, None, then=note_close, ref="protocol 7; RFC 6455, section 5.5.1",
              says="The client's close is the last that comes of it on this tunnel."),
        excludes("ACK-R-32", ("shut", "paused"), NoMore, says="Only an open socket is closed by its client."),
        ignores("ACK-R-33", ("plain", "live"), ToClientWebSocketMessage, when=follows_close,
                ref="RFC 6455, section 1.4; P-CLOSE-LAST",
                says="What comes after the client's close is discarded: it is neither given to the actor nor acked."),
    ),
    contexts=_inbox_contexts,
    events=_inbox_events,
)  # fmt: skip

MACHINES: tuple[Machine, ...] = (ACK_G, ACK_R)
