"""Conversations and runs: whole requests as an observer of the links sees them, and as each side's tables live them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tunnelexport.values import plain
from tunnelexport.vectors.chance import conversation
from tunnelexport.vectors.form import Group, Note, Origin, Result, digest, unique
from tunnelexport.vectors.frames import frame_json, union
from tunnelexport.vectors.scripts import REQUESTS, SCRIPTS, says_of, wrap_around
from tunnelexport.vectors.steps import LIMITS
from tunnelexport.vectors.talk import Side, Talk
from tunnelexport.vectors.talks_by_hand import TALKS, entries
from tunnelexport.xstate import limits_of
from tunnelref.wire import WireError, codec
from tunnelspec.endpoint import ENDPOINTS, Endpoint
from tunnelspec.events import Signal
from tunnelspec.machine import key
from tunnelspec.totality import SMALL

BY_CHANCE = 20
WALKS, LENGTH = 5, 25
"""Random runs of each endpoint, and events in each."""

CONVERSATION_NOTES = {
    "Scenario": Note("A conversation that the protocol describes.", "What the protocol promises does not happen."),
    "Chance": Note(
        "An order of things that nobody thought of.",
        "A message lost, doubled or out of order after a rare coincidence.",
    ),
    "Violation": Note(
        "A breach: 'wrong' names the first frame that the protocol does not allow, and whose it is.",
        "An observer, or a peer, that does not notice it.",
    ),
    "Http": Note("An HTTP request through the tunnel.", "A response that is cut off is taken for complete."),
}
RUN_NOTES = {
    "Scenario": Note("One side of a conversation.", "What the protocol promises does not happen."),
    "Walk": Note(
        "An endpoint that goes wrong on events which nobody sends in that order.", "It hangs, or forgets what it kept."
    ),
}


def conversations() -> Group:
    """What passes over the links of one request."""
    made = (*by_hand(), *scripted(), *by_chance())
    says = (
        "All frames of one request on the links between a gateway and its runners, as a recording of 'tunnelspec record' has them. "
        "A valid one is allowed from its first frame to its last."
    )
    return Group("conversations", says, CONVERSATION_NOTES, unique(made), {})


def by_hand() -> Iterator[dict[str, Any]]:
    """From the protocol's text."""
    for talk in TALKS:
        result = Result.INVALID if talk.wrong else Result.VALID
        notes = ["Violation" if talk.wrong else "Scenario"]
        head = {"id": f"talk-{talk.name}", "result": result.value, "notes": notes, "from": Origin.HAND.value}
        lines = [{**entry, **_shown(entry, talk.version)} for entry in entries(talk)]
        made: dict[str, Any] = {**head, "comment": talk.comment, "entries": lines}
        if talk.wrong:  # frames are counted without the opening of the link
            made["wrong"] = {"side": talk.wrong.side, "entry": talk.wrong.frame + 1, "why": talk.wrong.why}
        yield made


def _shown(entry: Mapping[str, Any], version: int) -> dict[str, Any]:
    """The frame that the bytes are, if they are one."""
    if "way" not in entry:
        return {}
    direction = entry["way"].replace("-", "_")
    try:
        frame = getattr(codec(version), f"decode_{direction}")(bytes.fromhex(entry["hex"]))
    except WireError:
        return {}
    return {"frame": frame_json(union(version, direction), frame)}


def scripted() -> Iterator[dict[str, Any]]:
    """What the scripts do."""
    for script in SCRIPTS:
        talk = script()
        if any("way" in entry for entry in talk.entries):
            note = "Http" if script in REQUESTS else "Scenario"
            more = {"before": "65 534 messages were sent and acked; the actor sleeps."} if script is wrap_around else {}
            yield _conversation(f"talk-{_name(script)}", note, says_of(script), talk, **more)


def by_chance() -> Iterator[dict[str, Any]]:
    """What happens by chance."""
    for seed in range(BY_CHANCE):
        yield _conversation(f"talk-chance-{seed}", "Chance", f"By chance, number {seed}.", conversation(seed))


def _conversation(id_: str, note: str, comment: str, talk: Talk, **more: Any) -> dict[str, Any]:
    head = {"id": id_, "result": Result.VALID.value, "notes": [note], "from": Origin.TABLES.value}
    return {**head, "comment": comment, **more, "entries": talk.entries}


# -- runs ------------------------------------------------------------------------------------------------------------


def runs() -> Group:
    """What each side hears, one event after the other, and what comes of it."""
    says = (
        "One endpoint: events from outside and frames received, one after the other. For each, the transitions that its machines "
        "take, in order, also on the signals between them; what it puts out; and where each machine stands after it."
    )
    head = {"limits": {name: limits_of(limits) for name, limits in LIMITS.items()}}
    return Group("runs", says, RUN_NOTES, unique((*lived(), *walked())), head)


def lived() -> Iterator[dict[str, Any]]:
    """Each side of each script."""
    for script in SCRIPTS:
        talk = script()
        sides = {"gateway": talk.gateway} | {f"runner-{link}": side for link, side in talk.runners.items()}
        for name, side in sides.items():
            if side.run:
                id_ = f"run-{_name(script)}-{name}"
                yield _run(id_, "Scenario", says_of(script), side, "default")


def walked() -> Iterator[dict[str, Any]]:
    """Random events from outside, one endpoint after the other."""
    for endpoint in ENDPOINTS:
        events = outside(endpoint)
        for seed in range(WALKS):
            name = f"{endpoint.role.value}-{endpoint.name}"
            die = random.Random(f"{name} {seed}")
            side = Side(name, endpoint)
            for _ in range(LENGTH):
                side.hear(die.choice(events), SMALL)
            yield _run(f"run-walk-{name}-{seed}", "Walk", f"Random events, number {seed}.", side, "small")


def outside(endpoint: Endpoint) -> tuple[Any, ...]:
    """The bounded events of its machines that are no signals, each once."""
    found: dict[str, Any] = {}
    for machine in endpoint.machines:
        for event in machine.events(SMALL):
            if not issubclass(key(event), Signal):
                found.setdefault(digest(plain(event)), event)
    return tuple(found.values())


def _run(id_: str, note: str, comment: str, side: Side, limits: str) -> dict[str, Any]:
    head = {"id": id_, "result": Result.VALID.value, "notes": [note], "from": Origin.TABLES.value, "comment": comment}
    names = {"role": side.endpoint.role.value, "name": side.endpoint.name}
    machines = zip(side.endpoint.machines, side.start, strict=True)
    start = [{"machine": m.id, "state": local.state, "context": plain(local.context)} for m, local in machines]
    return {**head, "endpoint": names, "limits": limits, "start": start, "steps": side.run}


def _name(script: Callable[[], Talk]) -> str:
    return script.__name__.replace("_", "-")
