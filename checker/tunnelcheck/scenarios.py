"""The sizes of ``check``: which of the worlds it explores."""

from __future__ import annotations

from collections.abc import Mapping

from tunnelspec.cable import Link
from tunnelspec.duties import DUTIES
from tunnelspec.exchange import Exchange
from tunnelspec.link_properties import LINK_PROPERTIES
from tunnelspec.properties import PROPERTIES, Property
from tunnelspec.relay_properties import RELAY_PROPERTIES
from tunnelspec.request_properties import REQUEST_PROPERTIES
from tunnelspec.system import Bounds, System, small_limits
from tunnelspec.watch import Watch
from tunnelspec.worlds import AGEING, LARGE, MEDIUM, MEETINGS, SMALL, Scenario

__all__ = [
    "BESIDE",
    "DEFAULT_SIZE",
    "LARGE",
    "MEDIUM",
    "MEETINGS",
    "PROMISES",
    "PROPERTIES_OF",
    "SIZES",
    "SMALL",
    "WORLDS",
    "Scenario",
]

BESIDE = tuple(Scenario(*row) for row in (
    ("lie-commit", "An actor's host says what the tables do not.", Bounds(says=1, acked=6, lies=1, lying="commit"), System),
    ("request", "A plain request with a body, and a client that may leave.", Bounds(says=2, sends=1, leaves=1), Exchange),
    ("request-break", "A plain request over a link that breaks; the actor may fail or stop.",
     Bounds(says=1, sends=1, breaks=1, closes=1, sleeps=1), Exchange),
    ("request-stall", "A plain request over a link that carries nothing for a while.",
     Bounds(says=1, sends=1, stalls=1, passes=True, limits=AGEING), Exchange),
    ("request-lie", "A plain request, and a peer that says what the tables do not.",
     Bounds(says=1, lies=1, limits=small_limits(retries=0)), Exchange),
    ("link", "A runner that dials, pings, stops, and whose socket breaks.", Bounds(says=2, sends=1, sleeps=1, breaks=2), Link),
    ("link-silent", "A runner that falls silent, is replaced, or asked to go.",
     Bounds(says=1, sends=1, leaves=1, stalls=1, moves=1, sleeps=1), Link),
    ("link-lie", "A link on which is said what the tables do not.", Bounds(says=1, sends=1, lies=1, sleeps=1), Link),
    ("relay-socket", "What passes for a socket, and the link's loss.", Bounds(says=3), Watch),
    ("relay-request", "What passes for a request, and the link's loss.", Bounds(says=3, hibernates=False), Watch),
))  # fmt: skip
"""The worlds beside: plain requests, links, the relay, and one more of the socket's. They are small, and part of every size."""

PROMISES: Mapping[str, tuple[Property, ...]] = {
    "socket": PROPERTIES, "request": REQUEST_PROPERTIES, "link": LINK_PROPERTIES, "relay": RELAY_PROPERTIES,
}  # fmt: skip
"""What is asked of each kind of world, unless more is asked for."""

PROPERTIES_OF: Mapping[str, tuple[Property, ...]] = {**PROMISES, "socket": (*PROPERTIES, *DUTIES)}
"""All that can be asked of each kind of world."""

WORLDS: Mapping[str, type[System]] = {world.kind: world for world in (System, Exchange, Link, Watch)}
"""The kinds of world."""

SIZES: Mapping[str, tuple[Scenario, ...]] = {"small": SMALL, "medium": MEDIUM, "large": LARGE}
DEFAULT_SIZE = "medium"
