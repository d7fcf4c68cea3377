"""Writes a failing conversation with a gateway as a script that needs the standard library and ``websockets`` alone."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tunnelconform import conversation as talk
from tunnelconform.conversation import Conversation
from tunnelconform.explain import label
from tunnelconform.played import Played
from tunnelconform.subject import Door, Place
from tunnelspec.limits import Limits

TEMPLATE = Path(__file__).with_name("standalone_template.py.txt")

KNOWN = frozenset({"connect", "say", "leave", "vanish", "join", "dial", "ack-arrival", "answer", "tell", "ack-messages", "close",
                   "break", "part", "garble", "sleep", "mute", "wait"})  # fmt: skip
"""What the script can do."""


LONGEST_PAUSE_S = 0.3
"""So long the script waits between two steps, or a part of the shortest timeout."""


def can_write(conversation: Conversation) -> bool:
    """Whether every step is one that the script knows."""
    return all(step.do in KNOWN for step in conversation)


def script(case: str, played: Played, place: Place, door: Door, limits: Limits) -> str:
    """The script."""
    problem = played.problem
    assert problem is not None
    due = problem.due if problem.refusal is None else problem.refusal.allowed
    seen = None if problem.what is None else type(problem.what).__name__
    facts = {
        "case": case,
        "rules": list(dict.fromkeys(rule for said in due[:1] for rule in said.rules[:3])),
        "seen": seen,
        "seen_in_full": None if problem.what is None else label(problem.what),
        "due": [type(said.what).__name__ for said in due[:3]],
        "runner_url": place.runner_url,
        "runner_protocols": list(place.runner_protocols),
        "namespace": place.namespace,
        "runner_name": place.runner_name,
        "actor_names": list(place.actor_names),
        "client_url": door.client_url,
        "client_protocols": list(door.client_protocols),
        "pause_s": min(limits.open_timeout_ms / 6_000, LONGEST_PAUSE_S),
        "waits": {s.limit: getattr(limits, s.limit) for s in played.conversation if isinstance(s, talk.Wait)},
    }
    text = TEMPLATE.read_text(encoding="utf-8")
    return text.replace("@FACTS@", json.dumps(facts, indent=4)).replace(
        "@STEPS@", json.dumps(talk.to_json(played.conversation), indent=4)
    )


def file_name(case: str) -> str:
    """A file name for a case."""
    return case.replace("/", "-") + ".py"


def runner_script(case: str, played: Played, command: Sequence[str], limits: Limits) -> str:
    """To come."""
    return ""
