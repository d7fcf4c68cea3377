"""What each step of an endpoint owes: the properties that mutants of the tables asked for.

They are as ``properties`` has them, of the same world. Those say what the protocol promises to a client and an actor; these say
what a gateway and a runner must do in each step so that it can: what they ack, tell, keep and report. Each is here because a
fault in a table went unnoticed without it.
"""

from __future__ import annotations

from typing import Any

from tunnelspec.endpoint import RUNNER
from tunnelspec.events import (
    ActorAccepts,
    ActorCloses,
    ActorListens,
    ActorRefuses,
    ActorSends,
    ActorStarted,
    ActorStops,
    AskActor,
    ClientClosed,
    ClientMessage,
    CloseClient,
    Collect,
    Committed,
    Conclude,
    Deliver,
    Emit,
    Forget,
    LinkLost,
    OpenTimeout,
    ReadClient,
    Remember,
    RouteFailed,
    SocketClosed,
    SocketMessage,
    SocketOpened,
)
from tunnelspec.frames import (
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
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
    acks_message,
    acks_something,
    acks_what_it_has,
    connection,
    has_message,
    hears,
    kept_events,
    queue,
    released,
    reopens,
    sent_again,
    wakes,
)
from tunnelspec.serial import distance, window
from tunnelspec.system import LEAVE_CODE, Bounds, Gateway, Runner


def closed_whole(b: Bounds, runner: Runner) -> bool:
    return runner.machines[0].state != "CLOSED" or (
        runner.machines[1].state == "down"
        and runner.machines[2].state not in ("plain", "live")
        and runner.machines[3].state != "bound"
        and not runner.due
    )


def is_shut(b: Bounds, runner: Runner) -> bool:
    return runner.machines[0].state == "CLOSED" and runner.machines[3].state != "none"


def nothing_is_left(b: Bounds, runner: Runner) -> bool:
    return not has_nothing(b, runner) or what_is_left(runner) == ()


def what_is_left(runner: Runner) -> tuple[Any, ...]:
    """What a runner knows that a new entry would not; how long ago it learned that the durable state knows nothing is nothing."""
    pairs = zip(runner.machines, RUNNER.again(runner.machines), strict=True)
    return tuple(local for local, new in pairs if local != new and local.state != "none")


def has_nothing(b: Bounds, runner: Runner) -> bool:
    return runner.machines[0].state == "CLOSED" and runner.machines[3].state == "none"


def failures(gateway: Gateway) -> int:
    """The tries since the last progress."""
    return gateway.machines[0].context.failures  # type: ignore[no-any-return]


def counts_once(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        not tries(b, before, heard, after, *said)
        or failures(after) == failures(before) + 1
        or (failures(after) == 0 and connection(after) != "backoff")
    )


def tries(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return connection(before) in ("routing", "offered", "awaiting") and connection(after) in (
        "backoff",
        "open",
        "closing",
    )


def gives_up_in_time(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not try_fails(b, before, heard, after, *said) or (failures(before) < b.limits.max_retries) == (
        connection(after) == "backoff"
    )


def try_fails(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        connection(before) in ("routing", "offered", "awaiting")
        and connection(after) in ("backoff", "closed")
        and (
            isinstance(heard, RouteFailed | OpenTimeout)
            or (
                hears(heard, ToServerWebSocketClose)
                and (heard.frame.retry or not before.machines[0].context.established)
            )
        )
    )


def is_spaced(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not retries(b, before, heard, after, *said) or connection(after) == (
        "routing" if failures(before) == 0 else "backoff" if failures(before) <= b.limits.max_retries else "closed"
    )


def retries(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return wakes(b, before, heard, after, *said) or (
        before.machines[3].state in ("awake", "asleep")
        and connection(after) == "closed"
        and connection(before) != "closed"
        and (
            (hears(heard, ToServerWebSocketClose) and heard.frame.retry)
            or (connection(before) == "asleep" and not isinstance(heard, Collect))
        )
    )


def heeds_close(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not is_closed_by_runner(b, before, heard, after, *said) or (
        connection(after) not in ("offered", "awaiting", "open", "closing") and after.machines[1].state == "down"
    )


def is_closed_by_runner(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        hears(heard, ToServerWebSocketClose)
        and connection(before) in ("offered", "awaiting", "open", "closing")
        and heard.link == before.machines[0].context.link
    )


def numbered_in_turn(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return in_turn(numbers_of(*said[: b.runners]), before.machines[1].context.next, b.limits.number_modulus)


def sends_something(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return len(numbers_of(*said[: b.runners])) > 0


def numbers_of(*frames: Said) -> tuple[int, ...]:
    """The numbers of the messages that this step put on a link."""
    return tuple(sent.number for said in frames for _, sent in said if not isinstance(sent.frame, TunnelAck))


def in_turn(numbers: tuple[int, ...], first: int, modulus: int) -> bool:
    """Whether they follow one another from the first; 0 is nobody's."""
    return all(number == (first - 1 + place) % (modulus - 1) + 1 for place, number in enumerate(numbers))


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


def opens_first(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return before.machines[2].state == "shut" and after.machines[2].state in ("plain", "live")


def tells_code(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not actor_ends_it(b, before, heard, after, *said) or tuple(
        output.code for output in said[-3] if isinstance(output, CloseClient)
    ) == (LEAVE_CODE if heard.frame.code is None else heard.frame.code,)


def actor_ends_it(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        is_closed_by_runner(b, before, heard, after, *said)
        and not heard.frame.retry
        and before.machines[0].context.established
        and not before.machines[0].context.client_gone
    )


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


def closes_sent(b: Bounds, *said: Said) -> tuple[Any, ...]:
    """The closes that this step put on a link."""
    return tuple(
        sent.frame
        for frames in said[: b.runners]
        for _, sent in frames
        if isinstance(sent.frame, ToClientWebSocketClose)
    )


def ages_from_now(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not falls_asleep(b, before, heard, after, *said) or after.machines[3].context.since == 0


def falls_asleep(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return before.machines[3].state == "awake" and after.machines[3].state in ("asleep", "waking")


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


def runner_numbers_in_turn(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return in_turn(
        (*numbers_of(said[0]), after.machines[1].context.next),
        before.machines[1].context.next,
        b.limits.number_modulus,
    )


def runner_sends_something(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return len(numbers_of(said[0])) > 0


def gives_no_index(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not gives_plain(b, before, heard, after, *said) or all(
        not isinstance(output.event, SocketMessage) or output.event.index == -1
        for output in said[1]
        if isinstance(output, Emit)
    )


def gives_plain(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return before.machines[2].state == "plain" and hears(heard, ToClientWebSocketMessage)


def runner_acks_what_it_takes(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not runner_takes(b, before, heard, after, *said) or any(
        isinstance(sent.frame, TunnelAck) and sent.number == heard.message_id[0] for _, sent in said[0]
    )


def runner_takes(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        (hears(heard, ToClientWebSocketOpen) and before.machines[0].state != "CLOSING")
        or (
            hears(heard, ToClientWebSocketClose)
            and before.machines[0].state in ("CONNECTING", "CLOSING")
            and before.machines[0].context.link == heard.link
        )
        or (
            hears(heard, ToClientWebSocketMessage)
            and inbox(before).link == heard.link
            and (before.machines[2].state == "plain" or has_message(b, before, heard))
        )
    )


def ends_withdrawn(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not is_withdrawn(b, before, heard, after, *said) or after.machines[0].state == "CLOSED"


def is_withdrawn(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return runner_takes(b, before, heard, after, *said) and hears(heard, ToClientWebSocketClose)


def tells_actor(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not loses_for_good(b, before, heard, after, *said) or any(
        isinstance(output.event, SocketClosed) for output in said[1] if isinstance(output, Emit)
    )


def loses_for_good(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        isinstance(heard, LinkLost | Collect)
        and before.machines[0].state == "OPEN"
        and after.machines[0].state == "CLOSED"
        and before.machines[3].state == "none"
        and before.machines[4].state == "heard"
    )


def tells_gateway(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not gives_socket_up(b, before, heard, after, *said) or any(
        isinstance(sent.frame, ToServerWebSocketClose) for _, sent in said[0]
    )


def gives_socket_up(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        before.machines[0].state == "OPEN"
        and after.machines[0].state in ("CLOSED", "CLOSING")
        and not isinstance(heard, LinkLost)
        and not hears(heard, ToClientWebSocketClose)
    )


def forgets_in_time(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not sleeps_at_runner(b, before, heard, after, *said) or (after.machines[3].state == "none") == (
        -before.machines[3].context.since > b.limits.max_hibernation_ms
    )


def sleeps_at_runner(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return isinstance(heard, Collect) and before.machines[3].state in ("dormant", "concluded")


def runner_ages_from_now(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not rests(b, before, heard, after, *said) or after.machines[3].context.since == 0


def rests(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return before.machines[3].state == "bound" and after.machines[3].state in ("dormant", "concluded")


def answers_open(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not is_accepted(b, before, heard, after, *said) or ToServerWebSocketOpen(
        heard.can_hibernate, heard.last
    ) in (sent.frame for _, sent in said[0])


def is_accepted(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return isinstance(heard, ActorAccepts) and before.machines[0].state in ("CONNECTING", "OPEN")


def makes_close_durable(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not actor_closes_now(b, before, heard, after, *said) or Conclude(heard.code, heard.reason) in said[1]


def actor_closes_now(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return isinstance(heard, ActorCloses) and before.machines[0].state in ("CONNECTING", "OPEN")


def asks_who_is_open(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not is_opened(b, before, heard, after, *said) or AskActor() in said[1]


def is_opened(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return hears(heard, ToClientWebSocketOpen) and before.machines[0].state in ("CLOSED", "OPEN")


def sends_what_the_actor_sends(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not actor_speaks(b, before, heard, after, *said) or (
        (len(said[0]) == 1 and sends_data(heard.data, heard.binary, said[0]))
        if before.machines[0].state == "OPEN"
        else said[-2] != ()
    )


def sends_data(data: bytes, binary: bool, said: Said) -> bool:
    """Whether all that was put on a link are messages of the actor's with this data."""
    return all(
        isinstance(sent.frame, ToServerWebSocketMessage) and (sent.frame.data, sent.frame.binary) == (data, binary)
        for _, sent in said
    )


def actor_speaks(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return isinstance(heard, ActorSends)


def reports_commits(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not commits_what_it_was_not_given(b, before, heard, after, *said) or said[-2] != ()


def commits_what_it_was_not_given(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        isinstance(heard, Committed)
        and before.machines[2].state in ("live", "paused")
        and not 0
        < distance(inbox(before).committed, heard.index, b.limits.index_modulus)
        <= distance(inbox(before).committed, inbox(before).received, b.limits.index_modulus)
    )


def inbox(runner: Runner) -> Any:
    """What the runner knows of the client's messages."""
    return runner.machines[2].context


def collects_at_runner(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not runner_collects(b, before, heard, after, *said) or (after.machines[1].state == "down") == any(
        -sent.sent > b.limits.runner_ack_timeout_ms for sent in before.machines[1].context.pending
    )


def runner_collects(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        isinstance(heard, Collect)
        and before.machines[1].state == "up"
        and before.machines[0].state in ("CONNECTING", "OPEN", "CLOSING")
    )


def remembers_socket(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not binds(b, before, heard, after, *said) or (Remember() in said[1] and after.machines[3].state == "bound")


def binds(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        isinstance(heard, ActorAccepts)
        and heard.can_hibernate
        and before.machines[0].state == "CONNECTING"
        and before.machines[3].state in ("none", "dormant")
    )


def ends_for_good(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not is_closed_for_good(b, before, heard, after, *said) or connection(after) == "closed"


def is_closed_for_good(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        is_closed_by_runner(b, before, heard, after, *said)
        and not heard.frame.retry
        and bool(before.machines[0].context.established)
    )


def batch_is_over(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not acks_batch(b, before, heard, after, *said) or not after.due


def acks_batch(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return any(isinstance(frame, ToServerWebSocketMessageAck) for frame in frames_in(said[0]))


def forgets_durably(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not grows_too_old(b, before, heard, after, *said) or Forget() in said[1]


def grows_too_old(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        isinstance(heard, Collect)
        and before.machines[3].state in ("dormant", "concluded")
        and after.machines[3].state == "none"
    )


def closes_late_listener(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not listens_too_late(b, before, heard, after, *said) or any(
        isinstance(output.event, SocketClosed) for output in said[1] if isinstance(output, Emit)
    )


def listens_too_late(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return isinstance(heard, ActorListens) and before.machines[4].state == "full" and kept_events(before) > 0


def overflows_when_full(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not overflows(b, before, heard, after, *said) or kept_events(before) >= b.limits.max_buffered_events


def overflows(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return before.machines[4].state == "unheard" and after.machines[4].state == "full"


def sees_opening(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        not opens(b, before, heard, after, *said)
        or any(isinstance(output.event, SocketOpened) for output in said[1] if isinstance(output, Emit))
        or any(isinstance(event, SocketOpened) for event in after.machines[4].context.events)
        or after.machines[4].state == "full"
    )


def opens(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return before.machines[0].state == "CONNECTING" and after.machines[0].state == "OPEN"


def listens_on(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        not is_listened_to(b, before, heard, after, *said)
        or after.machines[4].state == "heard"
        or after.machines[0].state == "CLOSED"
    )


def is_listened_to(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return before.machines[4].state == "heard"


def resumes_rightly(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not is_answered(b, before, heard, after, *said) or fits(b, before, heard.frame.lastMsgIndex) == (
        after.machines[2].state in ("plain", "live")
    )


def is_answered(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        hears(heard, ToServerWebSocketOpen)
        and connection(before) == "awaiting"
        and heard.link == before.machines[0].context.link
    )


def fits(b: Bounds, before: Gateway, last: int) -> bool:
    """Whether an actor that has seen ``last`` has seen all that it acked, and nothing that was not sent."""
    if last == -1:
        return not queue(before).confirmed
    return distance(queue(before).acked, last, b.limits.index_modulus) <= len(queue(before).pending)


def ends_when_acked(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not our_close_is_acked(b, before, heard, after, *said) or after.machines[0].state == "CLOSED"


def our_close_is_acked(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        hears(heard, TunnelAck)
        and before.machines[0].state == "CLOSING"
        and heard.link == before.machines[1].context.link
        and any(
            sent.number == heard.number and sent.kind is ToServerWebSocketClose
            for sent in before.machines[1].context.pending
        )
    )


def ends_with_link_or_actor(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not loses_link_or_actor(b, before, heard, after, *said) or after.machines[0].state == "CLOSED"


def loses_link_or_actor(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return isinstance(heard, ActorStops) or (
        isinstance(heard, LinkLost) and heard.link == before.machines[0].context.link
    )


def acks_before_it_closes(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not closes_with_commits(b, before, heard, after, *said) or ToServerWebSocketMessageAck(
        inbox(before).committed
    ) in (sent.frame for _, sent in said[0])


def closes_with_commits(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        before.machines[2].state == "live"
        and inbox(before).acked != inbox(before).committed
        and any(isinstance(frame, ToServerWebSocketClose) for frame in frames_in(said[0]))
    )


def ends_at_gap(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not finds_gap(b, before, heard, after, *said) or (
        after.machines[0].state == "CLOSED"
        and said[-2] == ()
        and tuple(sent.frame for _, sent in said[0] if isinstance(sent.frame, ToServerWebSocketClose))
        == (ToServerWebSocketClose(None, None, retry=True),)
    )


def finds_gap(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        before.machines[0].state == "OPEN"
        and is_after_gap(b, before, heard)
        and before.machines[2].context.link == heard.link
    )


def is_after_gap(b: Bounds, before: Runner, heard: Any) -> bool:
    """Whether the event is a message that is neither the next nor one that the actor was given."""
    return (
        hears(heard, ToClientWebSocketMessage)
        and before.machines[2].state == "live"
        and distance(inbox(before).received, heard.frame.index, b.limits.index_modulus) > 1
        and not has_message(b, before, heard)
    )


def blames_nobody_late(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not finds_gap_late(b, before, heard, after, *said) or (said[-2] == () and after.machines == before.machines)


def finds_gap_late(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return before.machines[0].state == "CLOSING" and is_after_gap(b, before, heard)


def frames_in(said: Said) -> tuple[Any, ...]:
    """The frames of what was put on a link."""
    return tuple(sent.frame for _, sent in said)


def gives_once(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not comes_again(b, before, heard, after, *said) or (after.machines == before.machines and said[1] == ())


def comes_again(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return hears(heard, ToClientWebSocketMessage) and has_message(b, before, heard) and inbox(before).link == heard.link


def goes_on_keeping(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        not concerns_messages(b, before, heard, after, *said)
        or after.machines[2].state == before.machines[2].state
        or connection(after) == "closed"
    )


def concerns_messages(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return isinstance(heard, ClientMessage) or hears(heard, ToServerWebSocketMessageAck)


def goes_on_giving(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        not is_given(b, before, heard, after, *said)
        or after.machines[2].state == before.machines[2].state
        or after.machines[0].state == "CLOSED"
    )


def is_given(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return hears(heard, ToClientWebSocketMessage) and before.machines[2].state in ("plain", "live")


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


def counts_progress(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not may_progress(b, before, heard, after, *said) or failures(after) == (
        0
        if released(before, after, b.limits.index_modulus) > 0
        else failures(before)
        if before.machines[2].state == "live"
        else 0
        if sent_again(b, *said) == ()
        else failures(before) + 1
    )


def may_progress(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return connection(after) in ("open", "closing") and (
        acks_something(b, before, heard, after, *said) or reopens(b, before, heard, after, *said)
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


def remembers_opening(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not opens_first(b, before, heard, after, *said) or bool(after.machines[0].context.established)


def lets_client_go(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not leaves_early(b, before, heard, after, *said) or connection(after) == "closed"


def leaves_early(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        isinstance(heard, ClientClosed)
        and not before.machines[0].context.established
        and connection(before) in ("routing", "offered", "awaiting", "backoff")
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


def wakes_with_its_actor(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not actor_runs_again(b, before, heard, after, *said) or after.machines[3].state in ("waking", "ended")


def actor_runs_again(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return isinstance(heard, ActorStarted) and before.machines[3].state == "asleep"


def takes_back_its_open(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not gives_up_on_its_way(b, before, heard, after, *said) or len(closes_sent(b, *said)) > 0


def gives_up_on_its_way(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        hears(heard, ToServerWebSocketClose)
        and connection(before) == "offered"
        and connection(after) == "closed"
        and not actor_ends_it(b, before, heard, after, *said)
        and (heard.frame.retry or not before.machines[0].context.established)
    )


def asks_once(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not is_opened_twice(b, before, heard, after, *said) or (
        after.machines[0].state == "CONNECTING" and AskActor() not in said[1]
    )


def is_opened_twice(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return hears(heard, ToClientWebSocketOpen) and before.machines[0].state == "CONNECTING"


def declines(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not is_declined(b, before, heard, after, *said) or (
        after.machines[0].state == "CLOSED"
        and ToServerWebSocketClose(heard.code, heard.reason, retry=False) in frames_in(said[0])
    )


def is_declined(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return isinstance(heard, ActorRefuses) and before.machines[0].state in ("CONNECTING", "OPEN")


def concludes_what_is_final(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not closes_deaf_socket(b, before, heard, after, *said) or all(
        Conclude(frame.code, frame.reason) in said[1]
        for frame in frames_in(said[0])
        if isinstance(frame, ToServerWebSocketClose)
    )


def closes_deaf_socket(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return overflows(b, before, heard, after, *said) and after.machines[0].state == "CLOSING"


def expects_what_follows(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not resumes_afresh(b, before, heard, after, *said) or (
        inbox(after).received == inbox(after).committed == inbox(after).acked == (heard.last if heard.last >= 0 else 0)
    )


def resumes_afresh(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return isinstance(heard, ActorAccepts) and before.machines[2].state == "shut" and after.machines[2].state == "live"


def forgets_life(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not life_ends(b, before, heard, after, *said) or (
        after.machines[2].state == "shut" and after.machines[3].state == "none" and after.machines[4].state == "unheard"
    )


def life_ends(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return isinstance(heard, ActorStops)


def reports_foreign_acks(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not is_acked_wrongly(b, before, heard, after, *said) or said[-2] != ()


def is_acked_wrongly(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return hears(heard, TunnelAck) and heard.number == 0 and before.machines[1].state == "up"


DUTIES: tuple[Property, ...] = (
    Property("P-CLOSED-R", "A runner's socket that is closed is closed whole: no machine or timer is left half open.",
             Scope.STATE, ("runner_",), closed_whole, is_shut, honest=False),
    Property("L-FREE-R", "Of a socket that its actor's state does not know, a runner keeps nothing once it is closed.",
             Scope.STATE, ("runner_",), nothing_is_left, has_nothing, honest=False),
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
    Property("P-AGE", "A connection's sleep begins when it falls asleep.",
             Scope.STEP, ("gateway",), ages_from_now, falls_asleep, honest=False),
    Property("P-REPORT", "What no runner that follows the tables says is reported.",
             Scope.STEP, ("gateway",), reports_lies, is_a_lie, honest=False),
    Property("P-OLD-ACK", "An ack of what is acked already is no error.",
             Scope.STEP, ("gateway",), forgives_old_acks, acks_again, honest=False),
    Property("P-TRY", "A try counts once, as it fails or as it is opened.",
             Scope.STEP, ("gateway",), counts_once, tries, honest=False),
    Property("P-GIVE-UP", "It is tried again as often as the limit says, and no more.",
             Scope.STEP, ("gateway",), gives_up_in_time, try_fails, honest=False),
    Property("P-SPACED", "A lost tunnel is opened again at once after progress, after a pause without, and not without end.",
             Scope.STEP, ("gateway",), is_spaced, retries, honest=False),
    Property("P-HEED", "A runner's close ends its attempt, or its tunnel, at once.",
             Scope.STEP, ("gateway",), heeds_close, is_closed_by_runner, honest=False),
    Property("P-NUMBER-R", "The same, at the runner, which never uses a number twice.",
             Scope.STEP, ("runner",), runner_numbers_in_turn, runner_sends_something, honest=False),
    Property("P-PLAIN-R", "Where nothing is acked, the actor is given no index.",
             Scope.STEP, ("runner",), gives_no_index, gives_plain, honest=False),
    Property("P-TAKEN-R", "What the runner takes of the gateway, it acks.",
             Scope.STEP, ("runner",), runner_acks_what_it_takes, runner_takes, honest=False),
    Property("P-WITHDRAWN", "A close that crosses an answer, or a close, ends the socket.",
             Scope.STEP, ("runner",), ends_withdrawn, is_withdrawn, honest=False),
    Property("P-TELL-ACTOR", "An actor that listens is told when a socket that cannot hibernate is lost.",
             Scope.STEP, ("runner",), tells_actor, loses_for_good, honest=False),
    Property("P-TELL-GATEWAY", "A gateway whose socket is given up is told.",
             Scope.STEP, ("runner",), tells_gateway, gives_socket_up, honest=False),
    Property("P-OLD-R", "The runner forgets what is older than the maximum age, and nothing else.",
             Scope.STEP, ("runner",), forgets_in_time, sleeps_at_runner, honest=False),
    Property("P-AGE-R", "What the runner keeps of a socket ages from when its tunnel ended.",
             Scope.STEP, ("runner",), runner_ages_from_now, rests, honest=False),
    Property("P-RESUME", "An actor is resumed if what it has seen fits what was sent and acked, and given up if not.",
             Scope.STEP, ("gateway",), resumes_rightly, is_answered, honest=False),
    Property("P-CLOSE-DONE", "A runner's socket ends when its close is acked.",
             Scope.STEP, ("runner",), ends_when_acked, our_close_is_acked, honest=False),
    Property("P-LOST-R", "A runner's socket ends with its link, and with its actor.",
             Scope.STEP, ("runner",), ends_with_link_or_actor, loses_link_or_actor, honest=False),
    Property("P-FLUSH", "What the actor has committed is acked before its socket closes.",
             Scope.STEP, ("runner",), acks_before_it_closes, closes_with_commits, honest=False),
    Property("P-ACK-HAS", "A runner acks a message only if its actor has it or will be given it, whoever sent it.",
             Scope.STEP, ("runner",), acks_what_it_has, acks_message, honest=False),
    Property("P-ANSWER", "A socket that the actor takes is answered for, with what its durable state has seen.",
             Scope.STEP, ("runner",), answers_open, is_accepted, honest=False),
    Property("P-CONCLUDE", "The actor's close is made durable.",
             Scope.STEP, ("runner",), makes_close_durable, actor_closes_now, honest=False),
    Property("P-ASK", "A runner that is offered a socket asks the actor.",
             Scope.STEP, ("runner",), asks_who_is_open, is_opened, honest=False),
    Property("P-SEND", "What the actor sends on an open socket is sent as it was; on another it is an error.",
             Scope.STEP, ("runner",), sends_what_the_actor_sends, actor_speaks, honest=False),
    Property("P-REPORT-R", "An actor that commits what it was not given is reported.",
             Scope.STEP, ("runner",), reports_commits, commits_what_it_was_not_given, honest=False),
    Property("P-TIMER-R", "The runner's collection ends what is overdue, and nothing else.",
             Scope.STEP, ("runner",), collects_at_runner, runner_collects, honest=False),
    Property("P-REMEMBER", "The durable state has each socket that can hibernate, while it is open.",
             Scope.STEP, ("runner",), remembers_socket, binds, honest=False),
    Property("L-FORGET", "The durable state forgets a socket when the runner does.",
             Scope.STEP, ("runner",), forgets_durably, grows_too_old, honest=False),
    Property("P-DEAF", "An actor that listens too late is told that its socket is closed.",
             Scope.STEP, ("runner",), closes_late_listener, listens_too_late, honest=False),
    Property("P-ROOM", "A socket is closed for an actor that does not listen only when no more can be kept for it.",
             Scope.STEP, ("runner",), overflows_when_full, overflows, honest=False),
    Property("P-OPENED", "The actor sees each opening of its socket.",
             Scope.STEP, ("runner",), sees_opening, opens, honest=False),
    Property("P-LISTENS", "An actor that listens is given what comes as it comes.",
             Scope.STEP, ("runner",), listens_on, is_listened_to, honest=False),
    Property("P-FINAL", "A final close ends the connection, whoever has left.",
             Scope.STEP, ("gateway",), ends_for_good, is_closed_for_good, honest=False),
    Property("P-BATCH", "Once a batch of commits is acked, its timer is not armed.",
             Scope.STEP, ("runner",), batch_is_over, acks_batch, honest=False),
    Property("P-GAP-ENDS", "A message after a gap ends the tunnel, to be replayed, and is blamed on nobody.",
             Scope.STEP, ("runner",), ends_at_gap, finds_gap, honest=False),
    Property("P-GAP-LATE", "In a socket that closes, a gap changes nothing, and is blamed on nobody.",
             Scope.STEP, ("runner",), blames_nobody_late, finds_gap_late, honest=False),
    Property("P-GIVEN-ONCE", "What the actor was given is not given again.",
             Scope.STEP, ("runner",), gives_once, comes_again, honest=False),
    Property("P-MODE", "Whether the gateway numbers and keeps messages is not changed by a message or an ack.",
             Scope.STEP, ("gateway",), goes_on_keeping, concerns_messages, honest=False),
    Property("P-MODE-R", "Whether the runner numbers messages is not changed by a message.",
             Scope.STEP, ("runner",), goes_on_giving, is_given, honest=False),
    Property("P-ROOM-G", "No message is refused that there is room for: the limit is used to the last message.",
             Scope.STEP, ("gateway",), uses_its_room, has_room_left, honest=False),
    Property("P-PROGRESS", "What came of a tunnel, and nothing else, sets the attempts back, whoever has left.",
             Scope.STEP, ("gateway",), counts_progress, may_progress, honest=False),
    Property("P-CONFIRMED", "That an actor has acked something is never forgotten.",
             Scope.STEP, ("gateway",), remembers_acks, releases, honest=False),
    Property("P-ESTABLISHED", "That a socket was open is never forgotten.",
             Scope.STEP, ("gateway",), remembers_opening, opens_first, honest=False),
    Property("L-LEAVE", "A client that leaves before its socket is open ends it.",
             Scope.STEP, ("gateway",), lets_client_go, leaves_early, honest=False),
    Property("P-STRANGER", "What comes over another link changes nothing.",
             Scope.STEP, ("gateway",), heeds_no_stranger, is_strange, honest=False),
    Property("L-WAKE-ACTOR", "A sleeper whose actor runs again is opened again.",
             Scope.STEP, ("gateway",), wakes_with_its_actor, actor_runs_again, honest=False),
    Property("P-TAKE-BACK", "An open that is still on its way when it is given up is taken back.",
             Scope.STEP, ("gateway",), takes_back_its_open, gives_up_on_its_way, honest=False),
    Property("P-ASK-ONCE", "An actor that is being asked is not asked again.",
             Scope.STEP, ("runner",), asks_once, is_opened_twice, honest=False),
    Property("P-DECLINE", "An actor that refuses a socket has it closed for good, with its code.",
             Scope.STEP, ("runner",), declines, is_declined, honest=False),
    Property("P-DEAF-KEPT", "That a socket was closed for an actor that does not listen is made durable.",
             Scope.STEP, ("runner",), concludes_what_is_final, closes_deaf_socket, honest=False),
    Property("P-RESUME-R", "After an open the runner expects what follows what the durable state has seen; after none, the first.",
             Scope.STEP, ("runner",), expects_what_follows, resumes_afresh, honest=False),
    Property("P-LIFE-R", "With the actor's life ends what the runner knew of its socket.",
             Scope.STEP, ("runner",), forgets_life, life_ends, honest=False),
    Property("P-REPORT-ACK", "A TunnelAck of what was never sent is reported.",
             Scope.STEP, ("runner",), reports_foreign_acks, is_acked_wrongly, honest=False),
)  # fmt: skip
"""All of them."""
