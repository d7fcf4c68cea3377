"""A trace as a sequence diagram, and why its property is false."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from tunnelcheck.replay import Moment
from tunneldraw.sequence import Again, Lane, Message, Note, StateChange, Step
from tunneldraw.sequence import Sequence as Drawing
from tunnelspec.endpoint import MACHINES
from tunnelspec.events import CloseClient, Deliver, Emit, ReadClient, SocketMessage
from tunnelspec.frames import ToClientWebSocketMessage, TunnelAck
from tunnelspec.machine import Received, Transition, Verdict
from tunnelspec.properties import Property, Scope
from tunnelspec.source import definition, parts
from tunnelspec.system import Carried, System

RULES: Mapping[str, Transition] = {t.id: t for machine in MACHINES for t in machine.transitions}


def lanes(system: System) -> tuple[Lane, ...]:
    """The parties, from the client to the durable state."""
    sides = (
        lane for x in system.sides for lane in (Lane(f"runner_{x}", f"runner {x}"), Lane(f"actor_{x}", f"actor on {x}"))
    )
    return (Lane("client", "client"), Lane("gateway", "gateway"), *sides)


def draw(system: System, moments: Sequence[Moment], title: str, ending: str = "", loop: int = 0) -> Drawing:
    """The sequence diagram of a trace: only what moved, with the rules that moved it. ``loop``: how many of the last moments
    lead back to where they began."""
    steps: list[Step] = []
    for place, moment in enumerate(moments):
        if loop and place == len(moments) - loop:
            steps.append(Again())
        steps += _steps(system, moment)
    if ending:
        steps.append(Note(None, ending))
    known = lanes(system)
    return Drawing(title, known, tuple(steps))


def _steps(system: System, moment: Moment) -> Iterator[Step]:
    action, _, side = moment.action.id.partition("-")
    side = moment.action.id.rpartition("-")[2]
    moving = tuple(id_ for id_ in moment.took if id_ in RULES and RULES[id_].verdict is Verdict.TAKEN) or moment.took
    heard = moment.registers.get("heard")
    if moment.action.id.startswith(("up-", "down-")) and isinstance(heard, Received):
        ends = (f"runner_{side}", "gateway") if action == "up" else ("gateway", f"runner_{side}")
        yield Message(
            *ends, label(heard.frame, heard.number or (heard.message_id[0] if heard.message_id else 0)), moving
        )
    elif action in ("connect", "say", "leave"):
        words = {"connect": "connects", "say": f"message {moment.after['client'].said}", "leave": "closes"}
        yield Message("client", "gateway", words[action], moving)
    else:
        yield Note(_lane(moment), _phrase(moment), moving)
    yield from _losses(moment)
    for output in moment.registers.get("said_client", ()):
        if isinstance(output, Deliver):
            yield Message("gateway", "client", f"message {output.data[0]} of the actor")
        elif isinstance(output, CloseClient):
            yield Message("gateway", "client", f"close {output.code} {output.reason}".strip())
        elif isinstance(output, ReadClient):
            yield Message("gateway", "client", "reads from now on")
    for output in moment.registers.get("said_host", ()):
        if isinstance(output, Emit) and isinstance(output.event, SocketMessage):
            yield Message(
                f"runner_{side}", f"actor_{side}", f"message {output.event.data[0]} (index {output.event.index})"
            )
        elif isinstance(output, Emit):
            yield Message(f"runner_{side}", f"actor_{side}", label(output.event))
    yield from _changes(system, moment)


def _losses(moment: Moment) -> Iterator[Step]:
    for name, before in moment.before.items():
        if (
            name.startswith(("up_", "down_"))
            and moment.action.id.startswith(("break-", "crash-"))
            and not moment.after[name]
        ):
            x = name[-1]
            ends = (f"runner_{x}", "gateway") if name.startswith("up_") else ("gateway", f"runner_{x}")
            for frame in before:
                yield Message(*ends, label(frame), lost=True)


def _changes(system: System, moment: Moment) -> Iterator[Step]:
    for name in moment.after:
        endpoint = {"gateway": system.gateway, "runner": system.runner}.get(name.partition("_")[0])
        if endpoint is not None:
            stands = zip(moment.before[name].machines, moment.after[name].machines, endpoint.machines, strict=True)
            for was, now, machine in stands:
                if was.state != now.state:
                    rule = next((id_ for id_ in moment.took if id_.startswith(machine.id)), "")
                    yield StateChange(name, machine.id, was.state, now.state, rule)


def _lane(moment: Moment) -> str | None:
    party, _, side = moment.action.party.partition(" ")
    return {"gateway": "gateway", "runner": f"runner_{side}", "actor": f"actor_{side}", "client": "client"}.get(party)


def _phrase(moment: Moment) -> str:
    before, after = moment.before["store"], moment.after["store"]
    changed = [
        f"{name} {was if was != '' else 'nobody'} -> {now if now != '' else 'nobody'}"
        for name, was, now in zip(before._fields, before, after, strict=True)
        if was != now
    ]
    return moment.action.says + (f" Durable: {', '.join(changed)}." if changed else "")


def label(frame: Any, number: int = 0) -> str:
    """A frame or event in a few words, without what is empty."""
    if isinstance(frame, Carried):
        return label(frame.frame, frame.number)
    name = type(frame).__name__.removeprefix("ToServerWebSocket").removeprefix("ToClientWebSocket")
    if isinstance(frame, TunnelAck):
        return f"TunnelAck of {number}"
    values = [
        f"{field.name}={data_of(getattr(frame, field.name))}"
        for field in fields(frame)
        if is_dataclass(frame) and getattr(frame, field.name) not in ("", None, (), b"") and field.name != "binary"
    ]
    tag = f" #{number}" if number else ""
    if isinstance(frame, ToClientWebSocketMessage):
        return f"Message {frame.data[0]} index={frame.index}{tag}"
    return f"{name}{tag} {' '.join(values)}".strip()


def data_of(value: Any) -> str:
    """Bytes as the ordinal that they are."""
    return str(value[0]) if isinstance(value, bytes) and value else str(value)


# -- why -------------------------------------------------------------------------------------------------------------


def why(prop: Property, values: Sequence[Any]) -> tuple[str, ...]:
    """The parts of the property that failed, each with the values of what it compares."""
    if prop.scope is Scope.RUN:
        return ("the last steps lead back to where they began, and can be taken again, for ever",)
    names = _names(prop.holds)
    scope = _scope(names, values)
    reasons: list[str] = []
    for part in parts(prop.holds):
        if not eval(part, {**prop.holds.__globals__, **scope}):
            facts = dict.fromkeys(_facts(ast.parse(part, mode="eval").body, prop.holds, scope))
            reasons.append(f"{part} is false")
            reasons += [f"  {fact}" for fact in facts]
    return tuple(reasons)


def _names(function: Callable[..., Any]) -> tuple[tuple[str, ...], str | None]:
    arguments = definition(function).args
    return tuple(a.arg for a in arguments.args), arguments.vararg.arg if arguments.vararg else None


def _scope(names: tuple[tuple[str, ...], str | None], values: Sequence[Any]) -> dict[str, Any]:
    plain, rest = names
    scope = dict(zip(plain, values, strict=False))
    return scope | {rest: tuple(values[len(plain) :])} if rest else scope


def _facts(node: ast.expr, function: Callable[..., Any], scope: dict[str, Any]) -> Iterable[str]:
    """What the comparisons in an expression compare, with their values."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Compare):
            for side in (inner.left, *inner.comparators):
                if isinstance(side, ast.Constant) or any(isinstance(n, ast.comprehension) for n in ast.walk(side)):
                    continue
                try:
                    value = eval(ast.unparse(side), {**function.__globals__, **scope})
                except Exception:  # a name that is bound inside a comprehension, or a part that another part guards
                    continue
                yield f"{ast.unparse(side)} = {short(value)}"


def short(value: Any) -> str:
    """A value in one line."""
    text = repr(value)
    return text if len(text) <= 90 else f"{text[:87]}..."
