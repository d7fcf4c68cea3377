"""What each step of a gateway owes while there is a tunnel: what it acks, keeps, delivers and reports, and what a close is."""

from __future__ import annotations

from typing import Any

from tunnelspec.duties_sent import closes_sent, in_turn, numbers_of
from tunnelspec.duties_tries import actor_ends_it, is_closed_by_runner, opens_first
from tunnelspec.events import (
    ClientClosed,
    ClientMessage,
    CloseClient,
    Deliver,
    ReadClient,
)
from tunnelspec.frames import (
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
    TunnelAck,
)
from tunnelspec.machine import Received
from tunnelspec.properties import (
    Property,
    Said,
    Scope,
    acks_beyond,
    acks_something,
    connection,
    hears,
    queue,
    released,
    reopens,
    sent_again,
)
from tunnelspec.serial import distance, window
from tunnelspec.system import LEAVE_CODE, Bounds, Gateway


def numbered_in_turn(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return in_turn(numbers_of(*said[: b.runners]), before.machines[1].context.next, b.limits.number_modulus)


def sends_something(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return len(numbers_of(*said[: b.runners])) > 0


def numbers_unheard(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not passes_plain(b, before, heard, after, *said) or all(frame.index == 0 for frame in sent_again(b, *said))


def passes_plain(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return isinstance(heard, ClientMessage) and before.machines[2].state == "plain"


def acks_what_it_takes(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not takes(b, before, heard, after, *said) or any(
        isinstance(sent.frame, TunnelAck) and sent.number == heard.message_id[0]
        for frames in said[: b.runners]
        for _, sent in frames
    )


def takes(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        isinstance(heard, Received)
        and heard.message_id != b""
        and heard.link == before.machines[0].context.link
        and said[-2] == ()
        and (
            (hears(heard, ToServerWebSocketOpen) and connection(before) == "awaiting")
            or (hears(heard, ToServerWebSocketMessage) and connection(before) == "open")
            or (hears(heard, ToServerWebSocketMessageAck) and before.machines[2].state == "live")
            or (hears(heard, ToServerWebSocketClose) and connection(before) in ("open", "closing"))
            or actor_ends_it(b, before, heard, after, *said)
        )
    )


def delivers(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not is_sent_on(b, before, heard, after, *said) or any(
        isinstance(output, Deliver) and (output.data, output.binary) == (heard.frame.data, heard.frame.binary)
        for output in said[-3]
    )


def is_sent_on(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return takes(b, before, heard, after, *said) and hears(heard, ToServerWebSocketMessage)


def reads_once_open(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not opens_first(b, before, heard, after, *said) or ReadClient() in said[-3]


def tells_code(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not actor_ends_it(b, before, heard, after, *said) or tuple(
        output.code for output in said[-3] if isinstance(output, CloseClient)
    ) == (LEAVE_CODE if heard.frame.code is None else heard.frame.code,)


def keeps_first_close(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not was_closed(b, before, heard, after, *said) or closed_with(after) == closed_with(before)


def was_closed(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return bool(before.machines[0].context.client_gone) and after.ended == ""


def closed_with(gateway: Gateway) -> tuple[Any, ...]:
    """The close that still has to reach the actor."""
    context = gateway.machines[0].context
    return (context.client_gone, context.code, context.reason)


def keeps_close(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not leaves_now(b, before, heard, after, *said) or closed_with(after) == (True, heard.code, heard.reason)


def leaves_now(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        isinstance(heard, ClientClosed)
        and bool(before.machines[0].context.established)
        and not before.machines[0].context.client_gone
        and before.ended == ""
    )


def sends_that_close(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not sends_close(b, before, heard, after, *said) or all(
        (True, frame.code, frame.reason) == closed_with(after) for frame in closes_sent(b, *said)
    )


def sends_close(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return after.ended == "" and len(closes_sent(b, *said)) > 0


def tells_runner(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not gives_tunnel_up(b, before, heard, after, *said) or len(closes_sent(b, *said)) > 0


def gives_tunnel_up(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        connection(before) in ("offered", "awaiting", "open", "closing")
        and connection(after) == "closed"
        and not hears(heard, ToServerWebSocketClose)
        and not hears(heard, TunnelAck)
    )


def tells_client(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not gives_client_up(b, before, heard, after, *said) or any(
        isinstance(output, CloseClient) for output in said[-3]
    )


def gives_client_up(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        before.ended == ""
        and after.ended != ""
        and not isinstance(heard, ClientClosed)
        and not before.machines[0].context.client_gone
    )


def same_to_both(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not closes_client_first(b, before, heard, after, *said) or all(
        closed_with(after) == (True, output.code, output.reason)
        for output in said[-3]
        if isinstance(output, CloseClient)
    )


def closes_client_first(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return after.ended == "" and any(isinstance(output, CloseClient) for output in said[-3])


def reports_lies(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not is_a_lie(b, before, heard, after, *said) or said[-2] != ()


def is_a_lie(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        (hears(heard, TunnelAck) and heard.number == 0 and before.machines[1].state == "up")
        or (
            acks_beyond(b, before, heard, after, *said)
            and heard.link == queue(before).link
            and not acks_before(b, before, heard, after, *said)
        )
        or (hears(heard, ToServerWebSocketMessageAck) and before.machines[2].state in ("shut", "plain"))
        or (
            hears(heard, ToServerWebSocketOpen)
            and connection(before) in ("open", "closing")
            and heard.link == before.machines[0].context.link
        )
    )


def forgives_old_acks(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not acks_again(b, before, heard, after, *said) or said[-2] == ()


def acks_again(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return acks_something(b, before, heard, after, *said) and acks_before(b, before, heard, after, *said)


def acks_before(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return distance(heard.frame.index, queue(before).acked, b.limits.index_modulus) <= window(b.limits.index_modulus)


def ends_for_good(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not is_closed_for_good(b, before, heard, after, *said) or connection(after) == "closed"


def is_closed_for_good(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        is_closed_by_runner(b, before, heard, after, *said)
        and not heard.frame.retry
        and bool(before.machines[0].context.established)
    )


def goes_on_keeping(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        not concerns_messages(b, before, heard, after, *said)
        or after.machines[2].state == before.machines[2].state
        or connection(after) == "closed"
    )


def concerns_messages(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return isinstance(heard, ClientMessage) or hears(heard, ToServerWebSocketMessageAck)


def uses_its_room(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        not has_room_left(b, before, heard, after, *said)
        or len(queue(after).pending) == len(queue(before).pending) + 1
        or connection(after) == "closed"
    )


def has_room_left(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        isinstance(heard, ClientMessage)
        and before.machines[2].state in ("live", "held")
        and not before.machines[0].context.client_gone
        and len(queue(before).pending) < b.limits.max_pending_messages
        and queue(before).bytes + heard.size <= b.limits.max_pending_bytes
        and heard.total + heard.size <= b.limits.max_total_pending_bytes
    )


def remembers_acks(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not releases(b, before, heard, after, *said) or bool(queue(after).confirmed)


def releases(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return after.machines[2].state == "live" and (
        bool(queue(before).confirmed)
        or (
            (acks_something(b, before, heard, after, *said) or reopens(b, before, heard, after, *said))
            and released(before, after, b.limits.index_modulus) > 0
        )
    )


def heeds_no_stranger(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not is_strange(b, before, heard, after, *said) or (
        after.machines == before.machines and said[-3] == () and all(frames == () for frames in said[: b.runners])
    )


def is_strange(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        isinstance(heard, Received)
        and before.machines[1].state == "up"
        and before.machines[0].context.link != heard.link
    )


GATEWAY_DUTIES: tuple[Property, ...] = (
    Property("P-NUMBER", "Each tunnel message takes the next number.",
             Scope.STEP, ("gateway",), numbered_in_turn, sends_something, honest=False),
    Property("P-PLAIN", "Where nothing is kept, no message is numbered.",
             Scope.STEP, ("gateway",), numbers_unheard, passes_plain, honest=False),
    Property("P-TAKEN", "What the gateway takes of its runner, it acks.",
             Scope.STEP, ("gateway",), acks_what_it_takes, takes, honest=False),
    Property("P-DELIVER", "What the actor sends over an open tunnel reaches the client, as it was.",
             Scope.STEP, ("gateway",), delivers, is_sent_on, honest=False),
    Property("P-READ", "The client is read once its socket is open.",
             Scope.STEP, ("gateway",), reads_once_open, opens_first, honest=False),
    Property("P-CODE", "A close by the actor reaches the client with its code.",
             Scope.STEP, ("gateway",), tells_code, actor_ends_it, honest=False),
    Property("P-CLOSE-FIRST", "What closed a socket first is what the actor will see.",
             Scope.STEP, ("gateway",), keeps_first_close, was_closed, honest=False),
    Property("P-CLOSE-KEPT", "A client's close is kept as it was.",
             Scope.STEP, ("gateway",), keeps_close, leaves_now, honest=False),
    Property("P-CLOSE-SENT", "The close that the runner is sent is the one that is kept.",
             Scope.STEP, ("gateway",), sends_that_close, sends_close, honest=False),
    Property("P-TELL-RUNNER", "A runner that may have the open is told when it is given up.",
             Scope.STEP, ("gateway",), tells_runner, gives_tunnel_up, honest=False),
    Property("P-TELL-CLIENT", "A client that is given up is told.",
             Scope.STEP, ("gateway",), tells_client, gives_client_up, honest=False),
    Property("P-SAME-CODE", "What a client is told is what its actor will see.",
             Scope.STEP, ("gateway",), same_to_both, closes_client_first, honest=False),
    Property("P-REPORT", "What no runner that follows the tables says is reported.",
             Scope.STEP, ("gateway",), reports_lies, is_a_lie, honest=False),
    Property("P-OLD-ACK", "An ack of what is acked already is no error.",
             Scope.STEP, ("gateway",), forgives_old_acks, acks_again, honest=False),
    Property("P-FINAL", "A final close ends the connection, whoever has left.",
             Scope.STEP, ("gateway",), ends_for_good, is_closed_for_good, honest=False),
    Property("P-MODE", "Whether the gateway numbers and keeps messages is not changed by a message or an ack.",
             Scope.STEP, ("gateway",), goes_on_keeping, concerns_messages, honest=False),
    Property("P-ROOM-G", "No message is refused that there is room for: the limit is used to the last message.",
             Scope.STEP, ("gateway",), uses_its_room, has_room_left, honest=False),
    Property("P-CONFIRMED", "That an actor has acked something is never forgotten.",
             Scope.STEP, ("gateway",), remembers_acks, releases, honest=False),
    Property("P-STRANGER", "What comes over another link changes nothing.",
             Scope.STEP, ("gateway",), heeds_no_stranger, is_strange, honest=False),
)  # fmt: skip
