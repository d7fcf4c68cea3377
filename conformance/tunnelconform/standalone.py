"""Writes a failing conversation as a script that needs the standard library and ``websockets`` alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunnelconform import conversation as talk
from tunnelconform.conversation import Conversation
from tunnelconform.explain import label
from tunnelconform.oracle import Tag
from tunnelconform.peers import VERSION
from tunnelconform.played import Played
from tunnelconform.subject import Door, Place
from tunnelref.wire import codec
from tunnelspec.events import HangUp
from tunnelspec.frames import ToServerTunnelMessage, ToServerWebSocketClose
from tunnelspec.limits import Limits

FOLDER = Path(__file__).parent

KNOWN = {
    "gateway": {"connect", "say", "leave", "vanish", "join", "dial", "ack-arrival", "answer", "tell", "ack-messages", "close",
                "break", "part", "garble", "sleep", "mute", "wait"},
    "runner": {"start", "stop", "open", "bring", "shut", "ack-arrival", "cut", "garble", "foreign", "deafen", "wait"},
}  # fmt: skip
"""What the script can do, for a subject of either role."""

USAGE = {"gateway": "[HOST:PORT of the gateway]", "runner": "[COMMAND that starts the runner]"}

LONGEST_PAUSE_S = 0.3
"""So long the script waits between two steps, or a part of the shortest timeout."""

SURPLUS_MS = 500
"""So much later than it must, a runner may collect."""


def can_write(role: str, conversation: Conversation) -> bool:
    """Whether every step is one that the script knows."""
    return all(step.do in KNOWN[role] for step in conversation)


def script(case: str, played: Played, place: Place, door: Door, limits: Limits) -> str:
    """The script for a conversation with a gateway."""

    def words(what: Any) -> str:
        return type(what).__name__

    facts = {
        "before": None,
        "runner_url": place.runner_url,
        "runner_protocols": list(place.runner_protocols),
        "namespace": place.namespace,
        "runner_name": place.runner_name,
        "actor_names": list(place.actor_names),
        "client_url": door.client_url,
        "client_protocols": list(door.client_protocols),
        "pause_s": min(limits.open_timeout_ms / 6_000, LONGEST_PAUSE_S),
        "waits": {limit: (ms * 0.7, ms * 1.5) for limit, ms in _waits(played.conversation, limits)},
    }
    return _filled("gateway", case, played, words, facts)


def runner_script(case: str, played: Played, command: Sequence[str], listen: str, limits: Limits) -> str:
    """The script for a conversation with a runner, which the command starts, or which dials ``listen`` without one."""
    side = played.at_fault.name
    aside = "" if played.at_fault is played.side else f"{side}: "

    def words(what: Any) -> str:
        if isinstance(what, HangUp):
            return f"link: HangUp {int(what.code)}"
        if isinstance(what, Tag):
            return f"{aside}TunnelAck of step {played.sent.get(what.message_id, 'none')}"
        if isinstance(what, ToServerWebSocketClose):
            what = replace(what, reason=what.reason or None)  # a close frame cannot tell an empty reason from none
        frame = codec(VERSION).encode_to_server(ToServerTunnelMessage(bytes(16), bytes(16), what))
        return f"{aside}{type(what).__name__} {frame[34:].hex()}"

    late = limits.runner_gc_interval_ms + SURPLUS_MS
    before = Counter(words(heard.what) for heard in played.heard if heard.side == side)
    if played.problem is not None and played.problem.what is not None:
        before[words(played.problem.what)] -= 1  # it was heard last
    facts = {
        "before": before,
        "command": list(command),
        "listen": listen,
        "lost_threshold_ms": limits.lost_threshold_ms,
        "pause_s": LONGEST_PAUSE_S,
        "waits": {limit: (ms * 0.7, ms + late) for limit, ms in _waits(played.conversation, limits)},
    }
    return _filled("runner", case, played, words, facts)


def _waits(conversation: Conversation, limits: Limits) -> list[tuple[str, int]]:
    return [(s.limit, getattr(limits, s.limit)) for s in conversation if isinstance(s, talk.Wait)]


def _filled(role: str, case: str, played: Played, words: Any, facts: dict[str, Any]) -> str:
    """The template with all that the script must know; ``words``: what the script calls something that the subject says."""
    problem = played.problem
    assert problem is not None
    due = problem.due if problem.refusal is None else problem.refusal.allowed
    facts = {
        "case": case,
        "rules": list(dict.fromkeys(rule for said in due[:1] for rule in said.rules[:3])),
        "seen": None if problem.what is None else words(problem.what),
        "seen_in_full": words(problem.what) if isinstance(problem.what, Tag) else label(problem.what),
        "due": [words(said.what) for said in due[:3]],
        **facts,
    }
    blanks = {
        "@ROLE@": role,
        "@USAGE@": USAGE[role],
        "@PEERS@": _text(role),
        "@FACTS@": json.dumps(facts, indent=4),
        "@STEPS@": json.dumps(talk.to_json(played.conversation), indent=4),
    }
    text = _text("template")
    for blank, value in blanks.items():
        text = text.replace(blank, value)
    return text


def _text(name: str) -> str:
    return (FOLDER / f"standalone_{name}.py.txt").read_text(encoding="utf-8").rstrip() + "\n"


def file_name(case: str) -> str:
    """A file name for a case."""
    return case.replace("/", "-") + ".py"
