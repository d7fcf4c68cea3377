"""What must always hold in the closed world, what each step must keep, and what every run must come to.

A property is a sentence and two predicates of one ``return`` each: ``holds``, a conjunction, so that a report can say which part
of it failed; and ``could``, its *witness*: a situation in which it could have failed. A property without a witness is idle, and
an idle property proves nothing.

- ``STATE``: of every reachable state. The predicates take the bounds and the components that the property reads.
- ``STEP``: of every step of one stage. They take the bounds, what the stage read, and what it wrote.
- ``END``: of every state in which nothing more can happen. Since every run ends (L-END, itself a property), that is what every
  run comes to, however it is scheduled: the only fairness assumed is that something happens as long as something can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tunnelspec.events import (
    ActorListens,
    ActorStarted,
    ClientMessage,
    CloseClient,
    Collect,
    Committed,
    Deliver,
    Emit,
    SocketClosed,
    SocketMessage,
)
from tunnelspec.frames import (
    ToClientWebSocketMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
    TunnelAck,
)
from tunnelspec.machine import Received
from tunnelspec.serial import distance, window
from tunnelspec.system import ACTOR_CODE, LEAVE_CODE, Bounds, Budget, Client, Gateway, Host, Line, Runner, Store


class Scope(StrEnum):
    """What a property is a property of."""

    STATE = "state"
    STEP = "step"
    END = "end"
    RUN = "run"


@dataclass(frozen=True, eq=False)
class Property:
    """A property: its name, its sentence, what it is about, and how it and its witness are decided."""

    id: str
    says: str
    scope: Scope
    reads: tuple[str, ...]  # components; of a STEP: the one stage's name. A trailing underscore stands for each side.
    holds: Callable[..., bool]
    could: Callable[..., bool]
    honest: bool = True  # only promised where every peer follows the tables


# -- reading a world -------------------------------------------------------------------------------------------------


def queue(gateway: Gateway) -> Any:
    """What the gateway keeps for the client."""
    return gateway.machines[2].context


def keeps(gateway: Gateway) -> bool:
    """Whether it numbers and keeps the client's messages now."""
    return gateway.machines[2].state in ("live", "held")


def connection(gateway: Gateway) -> str:
    """The state of the gateway's connection."""
    return gateway.machines[0].state


def unacked(gateway: Gateway) -> Any:
    """The gateway's tunnel messages that were not acked."""
    return gateway.machines[1].context.pending


def hears(heard: Any, frame: type[Any]) -> bool:
    """Whether the event is a frame of this class."""
    return isinstance(heard, Received) and isinstance(heard.frame, frame)


def messages(said: tuple[Any, ...]) -> tuple[Any, ...]:
    """The client's messages among what goes over a link."""
    return tuple(carried.frame for _, carried in said if isinstance(carried.frame, ToClientWebSocketMessage))


def released(before: Gateway, after: Gateway, modulus: int) -> int:
    """By how much the acked index went forward."""
    return distance(queue(before).acked, queue(after).acked, modulus)


def same_length(before: Gateway, after: Gateway) -> bool:
    return (len(queue(before).pending), queue(before).acked) == (len(queue(after).pending), queue(after).acked)


def resting(gateway: Gateway) -> bool:
    """Whether the gateway's connection is in a state that may last."""
    return connection(gateway) in ("new", "open", "asleep", "closed")


def has_cause(gateway: Gateway) -> bool:
    """Whether a sleeper has a cause to wake."""
    return len(queue(gateway).pending) > 0 or bool(gateway.machines[0].context.client_gone)


# -- of every state --------------------------------------------------------------------------------------------------


def something_kept(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return len(queue(gateway).pending) > 0 or queue(gateway).bytes > 0


def accounts(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return bool(queue(gateway).bytes == sum(kept.size for kept in queue(gateway).pending))


def counts_same(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return (
        not keeps(gateway)
        or client.phase not in ("open", "left")
        or distance(
            max(b.acked, 0) + client.said, queue(gateway).acked + len(queue(gateway).pending), b.limits.index_modulus
        )
        == 0
    )


def keeps_messages(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return keeps(gateway) and client.phase in ("open", "left")


def numbers_on(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return not kept_over_sleep(b, client, gateway, store, budget) or is_one_run(b, gateway)


def wraps(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return not kept_over_wrap(b, client, gateway, store, budget) or is_one_run(b, gateway)


def is_one_run(b: Bounds, gateway: Gateway) -> bool:
    """Whether what is kept has the indices after the last acked one, one after another."""
    return all(
        distance(queue(gateway).acked, kept.frame.index, b.limits.index_modulus) == place + 1
        for place, kept in enumerate(queue(gateway).pending)
    )


def kept_over_sleep(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return len(queue(gateway).pending) > 0 and gateway.machines[0].context.established and connection(gateway) != "open"


def kept_over_wrap(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return any(kept.frame.index < queue(gateway).acked for kept in queue(gateway).pending)


def released_is_durable(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return not keeps(gateway) or client.phase == "told" or client.said - len(queue(gateway).pending) <= store.applied


def something_released(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return keeps(gateway) and client.said > len(queue(gateway).pending)


def within_window(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return len(queue(gateway).pending) <= window(b.limits.index_modulus)


def window_is_full(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return len(queue(gateway).pending) >= window(b.limits.index_modulus)


def within_bound(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return len(queue(gateway).pending) <= b.limits.max_pending_messages


def bound_is_reached(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return len(queue(gateway).pending) >= b.limits.max_pending_messages


def ends_whole(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return connection(gateway) != "closed" or (
        gateway.machines[1].state == "down"
        and gateway.machines[2].state == "ended"
        and gateway.machines[3].state == "ended"
        and not gateway.opening
        and not gateway.backing
    )


def has_ended(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return connection(gateway) == "closed"


def one_link(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return connection(gateway) not in ("offered", "awaiting", "open", "closing") or (
        gateway.machines[1].context.link == gateway.machines[0].context.link
        and (gateway.machines[2].state == "ended" or queue(gateway).link == gateway.machines[0].context.link)
    )


def has_a_link(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return connection(gateway) in ("offered", "awaiting", "open", "closing")


def told_truly(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return client.told != ACTOR_CODE or store.concluded == ACTOR_CODE


def was_told(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return client.told == ACTOR_CODE


def nothing_is_old(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return all(-sent.sent <= b.limits.ack_timeout_ms for sent in unacked(gateway)) and (
        gateway.machines[2].state != "live"
        or all(-kept.sent <= b.limits.ack_timeout_ms for kept in queue(gateway).pending)
    )


def something_ages(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return any(-sent.sent >= b.limits.ack_timeout_ms for sent in unacked(gateway)) or (
        gateway.machines[2].state == "live"
        and any(-kept.sent >= b.limits.ack_timeout_ms for kept in queue(gateway).pending)
    )


def buffers_within(b: Bounds, runner: Runner) -> bool:
    return kept_events(runner) <= b.limits.max_buffered_events


def kept_events(runner: Runner) -> int:
    """What is kept for the actor's listener, but for a close."""
    return sum(not isinstance(event, SocketClosed) for event in runner.machines[4].context.events)


def buffer_is_full(b: Bounds, runner: Runner) -> bool:
    return kept_events(runner) == b.limits.max_buffered_events


# -- of every step: the actor ----------------------------------------------------------------------------------------


def applies(heard: Any) -> bool:
    """Whether the actor applied a client's message, durably."""
    return isinstance(heard, Committed)


def applies_message(b: Bounds, store: Store, host: Host, after: Store, left: Host, heard: Any) -> bool:
    return applies(heard)


def applies_once(b: Bounds, store: Store, host: Host, after: Store, left: Host, heard: Any) -> bool:
    return not applies(heard) or host.mailbox[0].data[0] > store.applied


def skips_nothing(b: Bounds, store: Store, host: Host, after: Store, left: Host, heard: Any) -> bool:
    return not applies(heard) or host.mailbox[0].data[0] <= store.applied + 1


def applies_again(b: Bounds, store: Store, host: Host, after: Store, left: Host, heard: Any) -> bool:
    return applies(heard) and store.applied > 0


def concludes_once(b: Bounds, store: Store, host: Host, after: Store, left: Host, heard: Any) -> bool:
    return store.concluded == 0 or after.concluded == store.concluded


def concludes(b: Bounds, store: Store, host: Host, after: Store, left: Host, heard: Any) -> bool:
    return after.concluded != 0


# -- of every step: the gateway --------------------------------------------------------------------------------------

Said = tuple[Any, ...]


def reopens(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        hears(heard, ToServerWebSocketOpen)
        and before.machines[2].state == "held"
        and after.machines[2].state in ("live", "plain")
    )


def replays_exactly(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not reopens(b, before, heard, after, *said) or (
        sent_again(b, *said) == unseen(b, before, heard.frame.lastMsgIndex)
        and (after.machines[2].state == "plain" or sent_again(b, *said) == frames_of(queue(after).pending))
    )


def sent_again(b: Bounds, *said: Said) -> tuple[Any, ...]:
    """The client's messages that this step put on a link."""
    return tuple(frame for frames in said[: b.runners] for frame in messages(frames))


def unseen(b: Bounds, before: Gateway, last: int) -> tuple[Any, ...]:
    """What of the queue comes after the index ``last``; all of it, after none."""
    return frames_of(queue(before).pending)[
        distance(queue(before).acked, last, b.limits.index_modulus) if last >= 0 else 0 :
    ]


def frames_of(pending: Any) -> tuple[Any, ...]:
    return tuple(kept.frame for kept in pending)


def replays_something(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return reopens(b, before, heard, after, *said) and len(sent_again(b, *said)) > 0


def counts_as_sent_now(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not reopens(b, before, heard, after, *said) or all(kept.sent == 0 for kept in queue(after).pending)


def replays_what_is_old(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return reopens(b, before, heard, after, *said) and any(kept.sent < 0 for kept in queue(before).pending)


def none_is_none(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not reopens_from_none(b, before, heard, after, *said) or not keeps(after) or same_length(before, after)


def reopens_from_none(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return reopens(b, before, heard, after, *said) and heard.frame.lastMsgIndex == -1


def acks_forward(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not (keeps(before) and keeps(after)) or released(before, after, b.limits.index_modulus) <= len(
        queue(before).pending
    )


def acks_something(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return hears(heard, ToServerWebSocketMessageAck) and before.machines[2].state == "live"


def ack_is_bounded(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not acks_beyond(b, before, heard, after, *said) or same_length(before, after)


def acks_beyond(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return acks_something(b, before, heard, after, *said) and distance(
        queue(before).acked, heard.frame.index, b.limits.index_modulus
    ) > len(queue(before).pending)


def keeps_what_it_accepts(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        not accepts(b, before, heard, after, *said)
        or len(queue(after).pending) == len(queue(before).pending) + 1
        or after.machines[0].context.client_gone
    )


def accepts(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return isinstance(heard, ClientMessage) and keeps(before)


def collects_rightly(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not collects(b, before, heard, after, *said) or (after.ended != "") == (
        any(-sent.sent > b.limits.ack_timeout_ms for sent in unacked(before))
        or (
            before.machines[2].state == "live"
            and any(-kept.sent > b.limits.ack_timeout_ms for kept in queue(before).pending)
        )
        or (connection(before) == "asleep" and -before.machines[3].context.since > b.limits.max_hibernation_ms)
    )


def collects(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return isinstance(heard, Collect) and before.ended == "" and resting(before)


def wakes_for_a_cause(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not wakes(b, before, heard, after, *said) or has_cause(after) or isinstance(heard, ActorStarted)


def wakes(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return before.machines[3].state in ("awake", "asleep") and after.machines[3].state == "waking"


def breaks_no_rule(b: Bounds, before: Any, heard: Any, after: Any, *said: Said) -> bool:
    return said[-2] == ()


def hears_something(b: Bounds, before: Any, heard: Any, after: Any, *said: Said) -> bool:
    return isinstance(heard, Received)


def runner_hears_something(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return isinstance(heard, Received | Committed)


# -- of every step: the runner ---------------------------------------------------------------------------------------


def gives_what_it_kept(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not listens_late(b, before, heard, after, *said) or tuple(
        output.event for output in said[1] if isinstance(output, Emit)
    ) == tuple(before.machines[4].context.events)


def listens_late(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return isinstance(heard, ActorListens) and len(before.machines[4].context.events) > 1


def runner_keeps_no_rule(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return all(rule in ("CONN-R-24",) for rule in said[-2])


def acks_what_it_has(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        not acks_message(b, before, heard, after, *said)
        or gives_message(*said)
        or kept_events(after) > kept_events(before)
        or has_message(b, before, heard)
        or is_closing(after)
    )


def acks_message(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return hears(heard, ToClientWebSocketMessage) and any(
        isinstance(carried.frame, TunnelAck) for _, carried in said[0]
    )


def gives_message(*said: Said) -> bool:
    """Whether this step gave the actor a message."""
    return any(isinstance(output.event, SocketMessage) for output in said[1] if isinstance(output, Emit))


def has_message(b: Bounds, before: Runner, heard: Any) -> bool:
    """Whether the actor was given this message before."""
    return before.machines[2].state == "live" and distance(
        heard.frame.index, before.machines[2].context.received, b.limits.index_modulus
    ) <= window(b.limits.index_modulus)


def gives_nothing_late(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not comes_late(b, before, heard, after, *said) or (
        said[:2] == ((), ()) and kept_events(after) == kept_events(before)
    )


def comes_late(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return hears(heard, ToClientWebSocketMessage) and client_closed(before)


def client_closed(runner: Runner) -> bool:
    """Whether the client's close came, and waits to be made durable."""
    return is_closing(runner) and bool(runner.machines[0].context.close_id)


def is_closing(runner: Runner) -> bool:
    return runner.machines[0].state == "CLOSING"


# -- of every step: the client ---------------------------------------------------------------------------------------


def closed_once(b: Bounds, before: Client, said: Said, after: Client) -> bool:
    return not is_closed(b, before, said, after) or before.phase in ("connecting", "open")


def is_closed(b: Bounds, before: Client, said: Said, after: Client) -> bool:
    return any(isinstance(output, CloseClient) for output in said)


def hears_in_order(b: Bounds, before: Client, said: Said, after: Client) -> bool:
    return all(output.data[0] > before.heard for output in said if isinstance(output, Deliver))


def hears_actor(b: Bounds, before: Client, said: Said, after: Client) -> bool:
    return any(isinstance(output, Deliver) for output in said)


# -- of every end ----------------------------------------------------------------------------------------------------


def open_attempt_ended(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return client.phase != "connecting"


def always(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return client.phase != "new"


def all_applied_or_told(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return client.phase != "open" or store.applied == client.said


def client_is_open(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return client.phase == "open" and client.said > 0


def all_acked_or_told(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return client.phase != "open" or len(queue(gateway).pending) == 0


def drained(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return connection(gateway) != "open" or len(unacked(gateway)) == 0


def gateway_is_open(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return connection(gateway) == "open"


def comes_to_rest(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return resting(gateway)


def no_cause_left(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return connection(gateway) != "asleep" or not has_cause(gateway)


def sleeps_on(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return connection(gateway) == "asleep"


def freed(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return client.phase not in ("left", "told") or gateway.ended != ""


def client_is_gone(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return client.phase in ("left", "told")


def close_arrived(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return not saw_close(b, client, gateway, store, budget) or (
        store.concluded in (LEAVE_CODE, ACTOR_CODE) and (store.applied == client.said or store.concluded == ACTOR_CODE)
    )


def saw_close(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return client.phase == "left" and gateway.ended == "CONN-G-19" and remembers(b)


def remembers(b: Bounds) -> bool:
    """Whether what the durable state knows of a socket is there to the end: it was told, and does not age."""
    return b.hibernates and not b.wavers and not b.passes


def actor_close_arrived(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return store.concluded != ACTOR_CODE or client.phase in ("left", "told")


def actor_closed(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return store.concluded == ACTOR_CODE


def second_as_first(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return not lost_twice(b, client, gateway, store, budget) or (
        resting(gateway) and store.applied == client.said and not has_cause(gateway)
    )


def lost_twice(b: Bounds, client: Client, gateway: Gateway, store: Store, budget: Budget) -> bool:
    return client.phase == "open" and losses(b, budget) >= 2


def losses(b: Bounds, budget: Budget) -> int:
    """How often the tunnel was lost: with its actor's life, its link, or its runner, or to another runner."""
    return (
        (b.sleeps - budget.sleeps)
        + (b.breaks - budget.breaks)
        + (b.crashes - budget.crashes)
        + (b.moves - budget.moves)
    )


def ends_agree(b: Bounds, gateway: Gateway, line: Line, runner: Runner) -> bool:
    return gateway.machines[0].context.link != line.link or (
        connection(gateway) != "open"
        or (runner.machines[0].state == "OPEN" and runner.machines[0].context.link == line.link)
    )


def meets(b: Bounds, gateway: Gateway, line: Line, runner: Runner) -> bool:
    return connection(gateway) == "open" and gateway.machines[0].context.link == line.link


def nothing(b: Bounds, *values: Any) -> bool:
    return True


CENTRE = ("client", "gateway", "store", "budget")

PROPERTIES: tuple[Property, ...] = (
    Property("P-ACCOUNT", "The byte count equals what the queue holds, always.",
             Scope.STATE, CENTRE, accounts, something_kept, honest=False),
    Property("P-COUNT-SAME", "The index counts the client's accepted messages and nothing else.",
             Scope.STATE, CENTRE, counts_same, keeps_messages),
    Property("P-RESUME-CONT", "Numbering continues over sleep and wake: what is kept is one run of indices.",
             Scope.STATE, CENTRE, numbers_on, kept_over_sleep, honest=False),
    Property("P-WRAP", "The same across the wrap of the index.",
             Scope.STATE, CENTRE, wraps, kept_over_wrap, honest=False),
    Property("P-DURABLE", "What the gateway no longer keeps is in the actor's durable state.",
             Scope.STATE, CENTRE, released_is_durable, something_released),
    Property("P-WINDOW", "Never more is in flight than the comparison can tell apart.",
             Scope.STATE, CENTRE, within_window, window_is_full, honest=False),
    Property("P-BOUND", "The limit of what is kept is never passed.",
             Scope.STATE, CENTRE, within_bound, bound_is_reached, honest=False),
    Property("P-RESUME-FAIL", "What ends, ends whole: no machine or timer is left half open.",
             Scope.STATE, CENTRE, ends_whole, has_ended, honest=False),
    Property("P-RACE-OPEN", "A connection has one link, and all its machines mean the same.",
             Scope.STATE, CENTRE, one_link, has_a_link, honest=False),
    Property("P-CLOSE-TRUE", "A client that is told the actor's close code was closed by the actor.",
             Scope.STATE, CENTRE, told_truly, was_told),
    Property("P-KEEPALIVE", "Nothing waits for an ack for longer than the timeout.",
             Scope.STATE, CENTRE, nothing_is_old, something_ages, honest=False),
    Property("P-EARLY-BOUND", "What is kept for an actor that does not listen is bounded.",
             Scope.STATE, ("runner_",), buffers_within, buffer_is_full, honest=False),
    Property("P-NO-DUP", "The durable state applies each message once.",
             Scope.STEP, ("process",), applies_once, applies_again),
    Property("P-GAP-LOUD", "The durable state never applies a message whose predecessor it has not.",
             Scope.STEP, ("process",), skips_nothing, applies_message),
    Property("P-CLOSE-ONCE", "How a socket was closed is decided once.",
             Scope.STEP, ("process",), concludes_once, concludes),
    Property("P-REPLAY-EXACT", "After a re-open all that is unseen is sent again, in order and unchanged, before anything newer.",
             Scope.STEP, ("gateway",), replays_exactly, replays_something),
    Property("P-SENT-AGAIN", "What is sent again counts as sent now, for every timeout.",
             Scope.STEP, ("gateway",), counts_as_sent_now, replays_what_is_old, honest=False),
    Property("P-ZERO", "None is not 0: an actor that has seen nothing releases nothing.",
             Scope.STEP, ("gateway",), none_is_none, reopens_from_none),
    Property("P-ACK-MONO", "What is acked stays acked.",
             Scope.STEP, ("gateway",), acks_forward, acks_something, honest=False),
    Property("P-ACK-BOUND", "An ack of what is not pending changes nothing.",
             Scope.STEP, ("gateway",), ack_is_bounded, acks_beyond, honest=False),
    Property("P-SEND-FAIL", "A message that is accepted is kept, whatever becomes of its sending.",
             Scope.STEP, ("gateway",), keeps_what_it_accepts, accepts),
    Property("P-TIMER", "Collection ends what is overdue, and nothing else.",
             Scope.STEP, ("gateway",), collects_rightly, collects, honest=False),
    Property("L-WAKE-CAUSE", "A sleeper wakes for a cause only.",
             Scope.STEP, ("gateway",), wakes_for_a_cause, wakes),
    Property("P-HONEST-R", "A runner that follows the tables never breaks a rule of the gateway's.",
             Scope.STEP, ("gateway",), breaks_no_rule, hears_something),
    Property("P-HONEST-G", "A gateway and an actor that follow the tables never break a rule of the runner's.",
             Scope.STEP, ("runner",), runner_keeps_no_rule, runner_hears_something),
    Property("P-ACK-KEPT", "A runner acks a message only if its actor has it or will be given it, or while it closes.",
             Scope.STEP, ("runner",), acks_what_it_has, acks_message),
    Property("P-CLOSE-LAST", "What comes after the client's close is neither given to the actor nor acked.",
             Scope.STEP, ("runner",), gives_nothing_late, comes_late, honest=False),
    Property("P-EARLY", "What came before the listener is given to it in order, and once.",
             Scope.STEP, ("runner",), gives_what_it_kept, listens_late),
    Property("P-CLOSE-SEEN", "A client is closed once, and not after it left.",
             Scope.STEP, ("client",), closed_once, is_closed, honest=False),
    Property("P-ASYM", "Towards the client each message arrives at most once, and in order.",
             Scope.STEP, ("client",), hears_in_order, hears_actor),
    Property("P-LOSS-KNOWN", "In the end, every message has been applied, or its sender was told.",
             Scope.END, CENTRE, all_applied_or_told, client_is_open),
    Property("P-CLOSE-CLIENT", "A client's close that was acked is in the actor's state, after all that the client sent.",
             Scope.END, CENTRE, close_arrived, saw_close),
    Property("P-CLOSE-ACTOR", "In the end, a close by the actor has reached the client.",
             Scope.END, CENTRE, actor_close_arrived, actor_closed),
    Property("P-AGAIN", "A second loss ends as the first: resumed, with nothing left over.",
             Scope.END, CENTRE, second_as_first, lost_twice),
    Property("P-AGREE", "In the end, an open connection is open at both ends.",
             Scope.END, ("gateway", "line_", "runner_"), ends_agree, meets),
    Property("L-TOLD", "In the end, every accepted message is acked, or its sender was told.",
             Scope.END, CENTRE, all_acked_or_told, client_is_open),
    Property("L-OPEN", "Every attempt to open ends: open, refused or given up.",
             Scope.END, CENTRE, open_attempt_ended, always, honest=False),
    Property("L-REST", "In the end a connection is open, asleep or closed: nothing is left half way.",
             Scope.END, CENTRE, comes_to_rest, always),
    Property("L-WAKE", "A sleeper with a cause to wake wakes, or is given up.",
             Scope.END, CENTRE, no_cause_left, sleeps_on),
    Property("L-DRAIN", "In the end, an open tunnel has nothing unacked.",
             Scope.END, CENTRE, drained, gateway_is_open),
    Property("L-FREE", "Every entry is freed once its client is gone.",
             Scope.END, CENTRE, freed, client_is_gone),
    Property("L-END", "Every run ends: nothing goes round in circles.",
             Scope.RUN, (), nothing, nothing, honest=False),
)  # fmt: skip
"""All of them. ``properties.md`` has their origins."""
