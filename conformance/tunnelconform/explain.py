"""A breach, told to a person: what was seen, where the side may have been, and what the tables allow instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from tunnelconform.oracle import Hypothesis, Oracle, Refusal, Said, Tag, Told
from tunnelconform.passive import Breach, Judgement
from tunnelconform.profiles import PROFILES
from tunnelconform.recording import TO_SERVER, Entry, Frame, LinkClosed, LinkOpened, decoded
from tunneldraw.sequence import Lane, Message, Note, Step
from tunneldraw.sequence import Sequence as Drawing
from tunnelref.wire import SUPPORTED, WireError
from tunnelspec.endpoint import GATEWAY, MACHINES, RUNNER, Endpoint
from tunnelspec.frames import ToClientTunnelMessage, ToServerTunnelMessage
from tunnelspec.machine import Received, key
from tunnelspec.source import failing

SAYS = {t.id: t.says for machine in MACHINES for t in machine.transitions}
SAYS |= {row.id: row.says for profile in PROFILES.values() for row in profile.rows}
SHOWN = 8
"""So many states, and so many things that are allowed, are shown."""


def label(what: Any) -> str:
    """A frame in a few words."""
    if isinstance(what, Tag):
        return f"TunnelAck of {what.message_id.hex()}"
    if not is_dataclass(what):
        return str(what)
    values = [f"{field.name}={_short(getattr(what, field.name))}" for field in fields(what)]
    return " ".join((type(what).__name__, *values))


def _short(value: Any) -> str:
    text = f"{value.hex()}" if isinstance(value, bytes) else str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def standing(h: Hypothesis, endpoint: Endpoint) -> str:
    """Where a side may be."""
    states = " · ".join(f"{m.id} {local.state}" for m, local in zip(endpoint.machines, h.state, strict=True))
    waits = f"; {len(h.told)} frame{'s' * (len(h.told) > 1)} to work on" if h.told else ""
    due = f"; due: {', '.join(type(said.what).__name__ for said in h.said)}" if h.said else ""
    return f"{states}{waits}{due}"


def differences(due: Any, seen: Any) -> str:
    """The fields in which two frames of one kind differ."""
    if type(due) is not type(seen) or not is_dataclass(due):
        return ""
    parts = [
        f"{field.name}: {_short(getattr(due, field.name))}, not {_short(getattr(seen, field.name))}"
        for field in fields(due)
        if getattr(due, field.name) != getattr(seen, field.name)
    ]
    return "; ".join(parts)


def explain(breach: Breach, name: str) -> Iterator[str]:
    """The breach of a recording of that name, line by line; the first begins with the place, as compilers give it."""
    who = f"{breach.side}, request {breach.request.hex()}" if breach.request else breach.side
    yield f"{name}:{breach.line}: frame {breach.frame}, at {breach.time_ms} ms, {who}:"
    if isinstance(breach.what, WireError):
        yield f"  what it sent is no frame: {breach.what}"
        return
    endpoint = GATEWAY if breach.side == "gateway" else RUNNER
    yield from reasons(breach.what, breach.refusal, breach.due, endpoint)


def reasons(what: Any, refusal: Refusal | None, due: Sequence[Said], endpoint: Endpoint) -> Iterator[str]:
    """Why something seen, or a silence, is not allowed: where the side may have been, and what would have been allowed."""
    if refusal is None:
        yield "  it was silent where the tables are not; due was:"
        yield from _allowed(due, None)
        return
    yield f"  {label(what)}"
    yield "  is not allowed here. It may have been in:"
    states = tuple(dict.fromkeys(standing(h, endpoint) for h in refusal.before))
    yield from (f"    {state}" for state in states[:SHOWN])
    if len(states) > SHOWN:
        yield f"    and {len(states) - SHOWN} more"
    yield "  allowed instead:" if refusal.allowed else "  nothing was allowed on this channel."
    near = refusal.near
    yield from _allowed(sorted(refusal.allowed, key=lambda said: said not in near), what)


def near(told: Told, before: Sequence[Hypothesis], oracle: Oracle) -> Iterator[str]:
    """What the tables make of what a side was told last: the transition that is taken, and of those that were near the part of the
    guard that failed."""
    lines: dict[str, None] = {}
    for h in before:
        event = oracle.around.work(h.memory, told.event)[1]
        for machine, local in zip(oracle.endpoint.machines, h.state, strict=True):
            for row in machine.table.get((local.state, key(event)), ()):
                failed = () if row.when is None else failing(row.when, local.context, event, oracle.limits)
                why = f"not {' and not '.join(failed)}" if failed else "applies"
                lines[f"    {row.id} in {local.state}: {why}  ({row.says})"] = None
    if lines:
        event = told.event.frame if isinstance(told.event, Received) else told.event
        yield f"  told last: {label(event)}"
        yield from list(lines)[:SHOWN]


def _allowed(allowed: Sequence[Said], seen: Any) -> Iterator[str]:
    for said in allowed[:SHOWN]:
        told = differences(said.what, seen)
        yield f"    {label(said.what)}" + (f"  ({told})" if told else "")
        yield from (f"      {id_}  {SAYS[id_]}" for id_ in said.rules[:3])
    if len(allowed) > SHOWN:
        yield f"    and {len(allowed) - SHOWN} more"


def conversation(entries: Sequence[Entry], breach: Breach, judgement: Judgement, last: int = 14) -> Drawing:
    """The request's frames up to the breach, with how many states were possible before each."""
    lanes = (Lane("gateway", "gateway"), Lane("runner", "runner"))
    steps: list[Step] = []
    versions: dict[int, int] = {}
    for place, entry in enumerate(entries[: breach.place + 1]):
        if isinstance(entry, LinkOpened):
            versions[entry.link] = entry.protocol_version
            steps.append(Note("runner", f"link {entry.link} opens ({entry.runner_key})", time_ms=entry.time_ms))
        elif isinstance(entry, LinkClosed):
            steps.append(Note("runner", f"link {entry.link} is gone", time_ms=entry.time_ms))
        else:
            what = _of_request(entry, versions[entry.link], breach.request)
            if what:
                ends = ("runner", "gateway") if entry.way == TO_SERVER else ("gateway", "runner")
                possible = judgement.possible[place]
                note = f"{possible} states possible" if possible > 1 else ""
                steps.append(Message(*ends, what, time_ms=entry.time_ms, note=note))
    steps.append(Note(breach.side, "this is not allowed" if breach.refusal else "silence", time_ms=breach.time_ms))
    return Drawing(f"request {breach.request.hex()}", lanes, tuple(steps[-last:]))


def _of_request(entry: Frame, version: int, request: bytes) -> str:
    if version not in SUPPORTED:
        return ""
    try:
        frame = decoded(entry, version)
    except WireError:
        return ""
    if isinstance(frame, ToServerTunnelMessage | ToClientTunnelMessage) and frame.requestId == request:
        return label(frame.messageKind)
    return ""
