"""What each step of a runner owes to the messages: what it gives to the actor, acks, and sends for it."""

from __future__ import annotations

from typing import Any

from tunnelspec.duties_sent import frames_in
from tunnelspec.events import (
    ActorAccepts,
    ActorListens,
    ActorSends,
    Committed,
    Conclude,
    Emit,
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
    TunnelAck,
)
from tunnelspec.properties import (
    Property,
    Said,
    Scope,
    acks_message,
    acks_what_it_has,
    client_closed,
    has_message,
    hears,
    kept_events,
)
from tunnelspec.serial import distance
from tunnelspec.system import Bounds, Runner


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
            and not client_closed(before)
            and (before.machines[2].state == "plain" or has_message(b, before, heard))
        )
    )


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


def batch_is_over(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not acks_batch(b, before, heard, after, *said) or not after.due


def acks_batch(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return any(isinstance(frame, ToServerWebSocketMessageAck) for frame in frames_in(said[0]))


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


def gives_once(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return not comes_again(b, before, heard, after, *said) or (after.machines == before.machines and said[1] == ())


def comes_again(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return hears(heard, ToClientWebSocketMessage) and has_message(b, before, heard) and inbox(before).link == heard.link


def goes_on_giving(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return (
        not is_given(b, before, heard, after, *said)
        or after.machines[2].state == before.machines[2].state
        or after.machines[0].state == "CLOSED"
    )


def is_given(b: Bounds, before: Runner, heard: Any, after: Runner, *said: Said) -> bool:
    return hears(heard, ToClientWebSocketMessage) and before.machines[2].state in ("plain", "live")


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


INBOX_DUTIES: tuple[Property, ...] = (
    Property("P-PLAIN-R", "Where nothing is acked, the actor is given no index.",
             Scope.STEP, ("runner",), gives_no_index, gives_plain, honest=False),
    Property("P-TAKEN-R", "What the runner takes of the gateway, it acks.",
             Scope.STEP, ("runner",), runner_acks_what_it_takes, runner_takes, honest=False),
    Property("P-FLUSH", "What the actor has committed is acked before its socket closes.",
             Scope.STEP, ("runner",), acks_before_it_closes, closes_with_commits, honest=False),
    Property("P-ACK-HAS", "A runner acks a message only if its actor has it or will be given it, whoever sent it.",
             Scope.STEP, ("runner",), acks_what_it_has, acks_message, honest=False),
    Property("P-SEND", "What the actor sends on an open socket is sent as it was; on another it is an error.",
             Scope.STEP, ("runner",), sends_what_the_actor_sends, actor_speaks, honest=False),
    Property("P-REPORT-R", "An actor that commits what it was not given is reported.",
             Scope.STEP, ("runner",), reports_commits, commits_what_it_was_not_given, honest=False),
    Property("P-DEAF", "An actor that listens too late is told that its socket is closed.",
             Scope.STEP, ("runner",), closes_late_listener, listens_too_late, honest=False),
    Property("P-ROOM", "A socket is closed for an actor that does not listen only when no more can be kept for it.",
             Scope.STEP, ("runner",), overflows_when_full, overflows, honest=False),
    Property("P-OPENED", "The actor sees each opening of its socket.",
             Scope.STEP, ("runner",), sees_opening, opens, honest=False),
    Property("P-LISTENS", "An actor that listens is given what comes as it comes.",
             Scope.STEP, ("runner",), listens_on, is_listened_to, honest=False),
    Property("P-BATCH", "Once a batch of commits is acked, its timer is not armed.",
             Scope.STEP, ("runner",), batch_is_over, acks_batch, honest=False),
    Property("P-GAP-ENDS", "A message after a gap ends the tunnel, to be replayed, and is blamed on nobody.",
             Scope.STEP, ("runner",), ends_at_gap, finds_gap, honest=False),
    Property("P-GAP-LATE", "In a socket that closes, a gap changes nothing, and is blamed on nobody.",
             Scope.STEP, ("runner",), blames_nobody_late, finds_gap_late, honest=False),
    Property("P-GIVEN-ONCE", "What the actor was given is not given again.",
             Scope.STEP, ("runner",), gives_once, comes_again, honest=False),
    Property("P-MODE-R", "Whether the runner numbers messages is not changed by a message.",
             Scope.STEP, ("runner",), goes_on_giving, is_given, honest=False),
    Property("P-DEAF-KEPT", "That a socket was closed for an actor that does not listen is made durable.",
             Scope.STEP, ("runner",), concludes_what_is_final, closes_deaf_socket, honest=False),
    Property("P-RESUME-R", "After an open the runner expects what follows what the durable state has seen; after none, the first.",
             Scope.STEP, ("runner",), expects_what_follows, resumes_afresh, honest=False),
)  # fmt: skip
