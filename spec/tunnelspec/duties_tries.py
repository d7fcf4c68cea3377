"""What each step of a gateway owes to who waits for a tunnel: how often and how soon it is tried, and what counts as progress."""

from __future__ import annotations

from typing import Any

from tunnelspec.duties_sent import closes_sent
from tunnelspec.events import (
    ActorStarted,
    ClientClosed,
    Collect,
    OpenTimeout,
    RouteFailed,
)
from tunnelspec.frames import (
    ToServerWebSocketClose,
    ToServerWebSocketOpen,
)
from tunnelspec.properties import (
    Property,
    Said,
    Scope,
    acks_something,
    connection,
    hears,
    queue,
    released,
    reopens,
    sent_again,
    wakes,
)
from tunnelspec.serial import distance
from tunnelspec.system import Bounds, Gateway


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


def opens_first(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return before.machines[2].state == "shut" and after.machines[2].state in ("plain", "live")


def actor_ends_it(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return (
        is_closed_by_runner(b, before, heard, after, *said)
        and not heard.frame.retry
        and before.machines[0].context.established
        and not before.machines[0].context.client_gone
    )


def ages_from_now(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return not falls_asleep(b, before, heard, after, *said) or after.machines[3].context.since == 0


def falls_asleep(b: Bounds, before: Gateway, heard: Any, after: Gateway, *said: Said) -> bool:
    return before.machines[3].state == "awake" and after.machines[3].state in ("asleep", "waking")


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


TRY_DUTIES: tuple[Property, ...] = (
    Property("P-AGE", "A connection's sleep begins when it falls asleep.",
             Scope.STEP, ("gateway",), ages_from_now, falls_asleep, honest=False),
    Property("P-TRY", "A try counts once, as it fails or as it is opened.",
             Scope.STEP, ("gateway",), counts_once, tries, honest=False),
    Property("P-GIVE-UP", "It is tried again as often as the limit says, and no more.",
             Scope.STEP, ("gateway",), gives_up_in_time, try_fails, honest=False),
    Property("P-SPACED", "A lost tunnel is opened again at once after progress, after a pause without, and not without end.",
             Scope.STEP, ("gateway",), is_spaced, retries, honest=False),
    Property("P-HEED", "A runner's close ends its attempt, or its tunnel, at once.",
             Scope.STEP, ("gateway",), heeds_close, is_closed_by_runner, honest=False),
    Property("P-RESUME", "An actor is resumed if what it has seen fits what was sent and acked, and given up if not.",
             Scope.STEP, ("gateway",), resumes_rightly, is_answered, honest=False),
    Property("P-PROGRESS", "What came of a tunnel, and nothing else, sets the attempts back, whoever has left.",
             Scope.STEP, ("gateway",), counts_progress, may_progress, honest=False),
    Property("P-ESTABLISHED", "That a socket was open is never forgotten.",
             Scope.STEP, ("gateway",), remembers_opening, opens_first, honest=False),
    Property("L-LEAVE", "A client that leaves before its socket is open ends it.",
             Scope.STEP, ("gateway",), lets_client_go, leaves_early, honest=False),
    Property("L-WAKE-ACTOR", "A sleeper whose actor runs again is opened again.",
             Scope.STEP, ("gateway",), wakes_with_its_actor, actor_runs_again, honest=False),
    Property("P-TAKE-BACK", "An open that is still on its way when it is given up is taken back.",
             Scope.STEP, ("gateway",), takes_back_its_open, gives_up_on_its_way, honest=False),
)  # fmt: skip
