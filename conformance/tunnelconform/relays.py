"""The relay, beside what is supposed of a gateway: what a request passed over each link, and what is said for a lost runner.

The relay sees a frame when the gateway reads or sends it, and that order cannot be seen from outside: an answer that crosses the
next try ends it for the relay, or came before it. So each hypothesis keeps its own.
"""

from __future__ import annotations

from typing import Any

from tunnelspec.endpoint import RELAY, State
from tunnelspec.events import Free, LinkLost, OnBehalf
from tunnelspec.limits import Limits
from tunnelspec.machine import Received

Relays = tuple[tuple[int, State], ...]
"""Where it stands on each link, in the order of their numbers; where nothing is open it keeps nothing."""


def passed(relays: Relays, link: int, frame: Any, limits: Limits) -> Relays:
    """Where it stands once a frame has passed."""
    if type(frame) not in RELAY.listeners:
        return relays
    kept = dict(relays)
    result = RELAY.step(kept.pop(link, RELAY.start()), Received(frame, link), limits)
    if Free() not in result.outputs:
        kept[link] = result.state
    return tuple(sorted(kept.items(), key=lambda item: item[0]))


def hears(relays: Relays, event: Any, limits: Limits) -> tuple[Relays, Any]:
    """Where it stands once the gateway has worked on an event, and what the request's entry is told: of a lost link what is said on
    the runner's behalf, or nothing."""
    if isinstance(event, Received):
        return passed(relays, event.link, event.frame, limits), event
    return lost(relays, event, limits) if isinstance(event, LinkLost) else (relays, event)


def lost(relays: Relays, event: LinkLost, limits: Limits) -> tuple[Relays, Received[Any] | None]:
    """Where it stands once a link is lost, and what it says on the runner's behalf, if anything."""
    kept = dict(relays)
    outputs = RELAY.step(kept.pop(event.link, RELAY.start()), event, limits).outputs
    said = (Received(o.frame, event.link, now=event.now) for o in outputs if isinstance(o, OnBehalf))
    return tuple(kept.items()), next(said, None)
