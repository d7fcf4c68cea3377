"""The cheat sheet: frames, states, timers and errors on one page, all from the tables, the schema and the limits."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from tunneldraw.effects import outputs
from tunneldraw.picture import amount
from tunnelhandouts.page import html, rule, table
from tunnelref.wire import schema
from tunnelref.wire.schema import Type
from tunnelspec import connection
from tunnelspec.connection import CONN_G
from tunnelspec.endpoint import GATEWAY, RUNNER
from tunnelspec.events import CloseClient
from tunnelspec.frames import ToClientTunnelMessage, ToServerTunnelMessage
from tunnelspec.limits import DEFAULT
from tunnelspec.machine import Machine, State

WIRE = schema.SCHEMAS[2]
MORE = """
body{font-size:5.8pt}h1 small{display:block;margin:0;line-height:1.3}.frames{columns:2;column-gap:8pt}
.states{columns:3;column-gap:8pt}.two{display:grid;grid-template-columns:1.15fr 1fr;gap:10pt}
.states section,.frames section{break-inside:avoid}td:first-child{white-space:nowrap}.num{text-align:right}
"""


def sheet() -> str:
    """The page, as HTML."""
    body = "\n".join(
        (
            "<h1>Cheat sheet<small>the runner protocol, version 2: BARE on binary WebSocket frames, one frame one value, "
            "no version prefix; in a frame's name Client means the runner, Server the gateway</small></h1>",
            "<h2>Frames</h2>",
            f'<div class="frames">{"".join(frames())}</div>',
            "<h2>States of a socket</h2>",
            f'<div class="states">{"".join(map(states, (*GATEWAY.machines, *RUNNER.machines)))}</div>',
            '<div class="two"><div>',
            "<h2>Timers and limits</h2>",
            limits(),
            "</div><div>",
            "<h2>Errors: how a client's socket is closed</h2>",
            errors(),
            "</div></div>",
        )
    )
    return html("Cheat sheet: the runner protocol, version 2", "A4 portrait", "7mm 8mm", MORE, body)


# -- frames ----------------------------------------------------------------------------------------------------------


def frames() -> Iterator[str]:
    """A table for each union that goes over the link."""
    for title, union in (
        ("runner to gateway", WIRE.to_server),
        ("gateway to runner", WIRE.to_client),
        ("in ToServerTunnelMessage", _kinds(WIRE.to_server, ToServerTunnelMessage)),
        ("in ToClientTunnelMessage", _kinds(WIRE.to_client, ToClientTunnelMessage)),
    ):
        rows = (
            (str(tag), f"<b>{record.cls.__name__}</b>", _fields(record) or '<span class="soft">void</span>')
            for tag, record in enumerate(union.members)
        )
        yield f"<section><h3>{title}</h3>{table(('tag', 'frame', 'fields in order'), rows)}</section>"


def _kinds(union: schema.Union, frame: type[object]) -> schema.Union:
    record = next(r for r in union.members if r.cls is frame)
    kind = next(field.type for field in record.fields if field.name == "messageKind")
    assert isinstance(kind, schema.Union)
    return kind


def _fields(record: schema.Record) -> str:
    return ", ".join(
        f'{field.name} <span class="code soft">{escape(spelled(field.type))}</span>' for field in record.fields
    )


def spelled(type_: Type) -> str:
    """A type, as BARE spells it, or nearly so."""
    match type_:
        case schema.Int():
            return str(type_)
        case schema.Bool():
            return "bool"
        case schema.Fixed(width):
            return f"data[{width}]"
        case schema.Str():
            return "str"
        case schema.Data():
            return "data"
        case schema.Rest():
            return "opaque"
        case schema.Optional(inner):
            return f"{spelled(inner)}?"
        case schema.List(item):
            return f"[]{spelled(item)}"
        case schema.Map(value):
            return f"map[str]{spelled(value)}"
        case schema.Enum(cls):
            return cls.__name__
        case schema.Record():
            return type_.cls.__name__
        case schema.Union():
            return type_.name
        case _:
            return "-"


# -- states ----------------------------------------------------------------------------------------------------------


def states(machine: Machine) -> str:
    """A machine's states, and what ends a wait."""
    rows = ((f"<b>{escape(state.name)}</b>", escape(f"{state.says}{_end(state)}")) for state in machine.states)
    name = f"<h3>{machine.id} <span class='soft'>{machine.name}, {machine.role.value}</span></h3>"
    return f"<section>{name}{table((), rows)}</section>"


def _end(state: State) -> str:
    values = {name: amount(value, unit) for name, value, unit, _, _ in DEFAULT.describe()}
    if state.until in values:
        return f" At most {values[state.until]}.".replace(" ", "\u00a0")
    return f" Until {state.until}." if state.until else ""


def limits() -> str:
    """Every limit with its value."""
    rows = (
        (f'<span class="code">{name}</span>', f"<b>{_grouped(value, unit)}</b>", escape(why))
        for name, value, unit, _, why in DEFAULT.describe()
    )
    return table((), rows)


def _grouped(value: int, unit: str) -> str:
    said = amount(value, unit)
    number, _, rest = said.partition(" ")
    return (
        f"{int(number):,} {rest}".replace(",", "&#8239;") if value < 1 << 40 else f"2^{value.bit_length() - 1} {unit}"
    )


# -- errors ----------------------------------------------------------------------------------------------------------


def errors() -> str:
    """By what reason a client is closed, and the rules that close it so."""
    names = {
        name: value
        for name, value in vars(connection).items()
        if name.isupper() and isinstance(value, str) and value.startswith("guard.")
    }
    found: dict[str, list[str]] = {}
    for transition in CONN_G.transitions:
        for output in outputs(transition.then):
            if output.kind is CloseClient:
                reason = next((value for name, value in names.items() if name in output.text), "")
                found.setdefault(reason, []).append(transition.id)
    rows: list[tuple[str, str]] = []
    for reason, ids in found.items():
        head = (
            f'{connection.INTERNAL_ERROR} <span class="code">{reason}</span>'
            if reason
            else "with the actor's own code and reason"
        )
        rows.append((head, "<br>".join(f"{rule(id_)} {escape(CONN_G.transition(id_).says)}" for id_ in ids)))
    return "".join(f"<h3>{head}</h3><p>{says}</p>" for head, says in rows)
