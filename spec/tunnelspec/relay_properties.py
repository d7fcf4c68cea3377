"""Properties of the relay (R), in its own world (``watch``).

They are as ``properties`` has them: a sentence, ``holds`` and ``could``, of every state, step or end of their own world.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from tunnelspec.events import (
    LinkLost,
)
from tunnelspec.frames import (
    ToClientRequestStart,
    ToClientWebSocketOpen,
    ToServerResponseAbort,
    ToServerResponseChunk,
    ToServerResponseStart,
    ToServerWebSocketClose,
)
from tunnelspec.properties import CENTRE, Property, Said, Scope, breaks_no_rule, hears_something
from tunnelspec.system import Bounds
from tunnelspec.watch import Watcher

# -- the relay -------------------------------------------------------------------------------------------------------


def ends(frame: Any, socket: bool) -> bool:
    """Whether a frame of the runner's ends a socket, or a request."""
    if socket:
        return isinstance(frame, ToServerWebSocketClose)
    return (
        isinstance(frame, ToServerResponseAbort)
        or (isinstance(frame, ToServerResponseStart) and not frame.stream)
        or (isinstance(frame, ToServerResponseChunk) and frame.finish)
    )


def owed(passed: tuple[Any, ...]) -> tuple[Any, ...]:
    """What must be said for a lost runner: of a socket or a request whose opening nothing has ended since; and of a request that
    was sent again, for what ends then may be an earlier attempt."""
    openings = [n for n, frame in enumerate(passed) if isinstance(frame, ToClientWebSocketOpen | ToClientRequestStart)]
    if not openings:
        return ()
    socket = isinstance(passed[openings[-1]], ToClientWebSocketOpen)
    again = not socket and any(not any(ends(f, socket) for f in passed[a:b]) for a, b in pairwise(openings))
    if not again and any(ends(frame, socket) for frame in passed[openings[-1] :]):
        return ()
    return (ToServerWebSocketClose(None, None, True) if socket else ToServerResponseAbort(),)


def speaks_for_what_is_open(b: Bounds, before: Watcher, heard: Any, after: Watcher, *said: Said) -> bool:
    return said[0] == (owed(before.passed) if isinstance(heard, LinkLost) else ())


def loses_what_is_open(b: Bounds, before: Watcher, heard: Any, after: Watcher, *said: Said) -> bool:
    return isinstance(heard, LinkLost) and len(owed(before.passed)) > 0


def watches_what_is_open(b: Bounds, client: Any, gateway: Watcher, store: Any, budget: Any) -> bool:
    return (gateway.machines[0].state != "idle") == (len(owed(gateway.passed)) > 0 and not gateway.lost)


def something_is_open(b: Bounds, client: Any, gateway: Watcher, store: Any, budget: Any) -> bool:
    return len(owed(gateway.passed)) > 0


RELAY_PROPERTIES: tuple[Property, ...] = (
    Property("R-SPEAKS", "For a lost runner the relay ends what is open, as it must end, and nothing else.",
             Scope.STEP, ("gateway",), speaks_for_what_is_open, loses_what_is_open, honest=False),
    Property("R-WATCHES", "The relay remembers what is open on a link, and nothing else.",
             Scope.STATE, CENTRE, watches_what_is_open, something_is_open, honest=False),
    Property("R-HONEST", "No frame that passes is an error of the relay's.",
             Scope.STEP, ("gateway",), breaks_no_rule, hears_something, honest=False),
)  # fmt: skip
"""Of the relay."""
