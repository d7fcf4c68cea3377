"""What each step of a runner owes to its socket: how it is opened, closed, lost and forgotten."""

from __future__ import annotations

from typing import Any

from tunnelspec.duties_inbox import runner_takes
from tunnelspec.duties_sent import frames_in, in_turn, numbers_of
from tunnelspec.endpoint import RUNNER
from tunnelspec.events import (
    ActorAccepts,
    ActorCloses,
    ActorRefuses,
    ActorStops,
    AskActor,
    Collect,
    Conclude,
    Concluded,
    Emit,
    Forget,
    LinkLost,
    Remember,
    SocketClosed,
)
from tunnelspec.frames import (
    ToClientWebSocketClose,
    ToClientWebSocketOpen,
    ToServerWebSocketClose,
    ToServerWebSocketOpen,
    TunnelAck,
)
from tunnelspec.properties import (
    Property,
    Said,
    Scope,
    hears,
)
from tunnelspec.system import Bounds, Runner


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


def runner_numbers_in_turn(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return in_turn(
        (*numbers_of(said[0]), after.machines[1].context.next),
        before.machines[1].context.next,
        b.limits.number_modulus,
    )


def runner_sends_something(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return len(numbers_of(said[0])) > 0


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


def forgets_durably(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not grows_too_old(b, before, heard, after, *said) or Forget() in said[1]


def grows_too_old(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        isinstance(heard, Collect)
        and before.machines[3].state in ("dormant", "concluded")
        and after.machines[3].state == "none"
    )


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


def waits_for_its_ack(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not concludes_unacked(b, before, heard, after, *said) or (
        after.machines[0].state == "CLOSING" and said[0] == ()
    )


def concludes_unacked(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        isinstance(heard, Concluded)
        and before.machines[0].state == "CLOSING"
        and any(sent.kind is ToServerWebSocketClose for sent in before.machines[1].context.pending)
    )


def ends_with_link_or_actor(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not loses_link_or_actor(b, before, heard, after, *said) or after.machines[0].state == "CLOSED"


def loses_link_or_actor(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return isinstance(heard, ActorStops) or (
        isinstance(heard, LinkLost) and heard.link == before.machines[0].context.link
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


RUNNER_DUTIES: tuple[Property, ...] = (
    Property("P-CLOSED-R", "A runner's socket that is closed is closed whole: no machine or timer is left half open.",
             Scope.STATE, ("runner_",), closed_whole, is_shut, honest=False),
    Property("L-FREE-R", "Of a socket that its actor's state does not know, a runner keeps nothing once it is closed.",
             Scope.STATE, ("runner_",), nothing_is_left, has_nothing, honest=False),
    Property("P-NUMBER-R", "Each tunnel message of a runner takes the next number; none is used twice.",
             Scope.STEP, ("runner",), runner_numbers_in_turn, runner_sends_something, honest=False),
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
    Property("P-CLOSE-DONE", "A runner's socket ends when its close is acked.",
             Scope.STEP, ("runner",), ends_when_acked, our_close_is_acked, honest=False),
    Property("P-CLOSE-WAITS", "A runner's close waits to be acked, also once its durable state knows it.",
             Scope.STEP, ("runner",), waits_for_its_ack, concludes_unacked, honest=False),
    Property("P-LOST-R", "A runner's socket ends with its link, and with its actor.",
             Scope.STEP, ("runner",), ends_with_link_or_actor, loses_link_or_actor, honest=False),
    Property("P-ANSWER", "A socket that the actor takes is answered for, with what its durable state has seen.",
             Scope.STEP, ("runner",), answers_open, is_accepted, honest=False),
    Property("P-CONCLUDE", "The actor's close is made durable.",
             Scope.STEP, ("runner",), makes_close_durable, actor_closes_now, honest=False),
    Property("P-ASK", "A runner that is offered a socket asks the actor.",
             Scope.STEP, ("runner",), asks_who_is_open, is_opened, honest=False),
    Property("P-TIMER-R", "The runner's collection ends what is overdue, and nothing else.",
             Scope.STEP, ("runner",), collects_at_runner, runner_collects, honest=False),
    Property("P-REMEMBER", "The durable state has each socket that can hibernate, while it is open.",
             Scope.STEP, ("runner",), remembers_socket, binds, honest=False),
    Property("L-FORGET", "The durable state forgets a socket when the runner does.",
             Scope.STEP, ("runner",), forgets_durably, grows_too_old, honest=False),
    Property("P-ASK-ONCE", "An actor that is being asked is not asked again.",
             Scope.STEP, ("runner",), asks_once, is_opened_twice, honest=False),
    Property("P-DECLINE", "An actor that refuses a socket has it closed for good, with its code.",
             Scope.STEP, ("runner",), declines, is_declined, honest=False),
    Property("P-LIFE-R", "With the actor's life ends what the runner knew of its socket.",
             Scope.STEP, ("runner",), forgets_life, life_ends, honest=False),
    Property("P-REPORT-ACK", "A TunnelAck of what was never sent is reported.",
             Scope.STEP, ("runner",), reports_foreign_acks, is_acked_wrongly, honest=False),
)  # fmt: skip
