"""Pictures as DOT. Whatever has words is a table, so that dot can place it without overlap; lines have none of their own."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import graphviz

from tunneldraw.metrics import wrap
from tunneldraw.picture import Card, Picture, Wiring, anchor, effect, guard, href, meaning, said, until
from tunnelspec.events import Signal
from tunnelspec.machine import Kind, State, Transition

FONT = "Arial"
INK, SOFT, LINE, RULE, PAPER, CARD = "#1b2430", "#55606e", "#5b6776", "#c3cad3", "#ffffff", "#f6f7f9"
LINK, TERM, ACT = "#0b57a4", "#7a4a00", "#1e6434"
FILL = {
    Kind.START: "#eceff3",
    Kind.WAITING: "#fff3d1",
    Kind.STEADY: "#dff3e4",
    Kind.RESTING: "#e3ecfb",
    Kind.END: "#f6e2e2",
}
BORDER = {
    Kind.START: ("#6b7685", "rounded,filled", "1.2", "1"),
    Kind.WAITING: ("#a06a00", "filled,dashed", "1.4", "1"),
    Kind.STEADY: ("#1f7a3d", "filled", "2.6", "1"),
    Kind.RESTING: ("#2c5aa8", "rounded,filled,dotted", "2.2", "1"),
    Kind.END: ("#a13a3a", "filled", "1.1", "2"),
}
HEAD, TEXT, STATE_ROOM, CARD_ROOM = 15, 10.5, 250, 262


def machine_dot(picture: Picture, direction: str = "TB") -> graphviz.Digraph:
    """A machine's graph."""
    machine = picture.machine
    graph = _graph(machine.id, direction)
    graph.node("begin", "", shape="circle", style="filled", fillcolor=INK, color=INK, width="0.16", tooltip="the start")
    for state in machine.states:
        _state(graph, picture, state)
    graph.edge("begin", f"state-{machine.initial}", weight="9", tooltip=f"{machine.id} starts in {machine.initial}")
    order = {state.name: place for place, state in enumerate(machine.states)}
    for card in picture.cards:
        _card(graph, card, order)
    for kind, rows in (("stays", picture.everywhere), ("refused", picture.refused), ("ignored", picture.ignored)):
        for t in rows:
            graph.body.append(f"\t// {kind} {t.id} {t.on.__name__} in {', '.join(t.sources)}: {t.says}\n")
    return graph


def wiring_dot(wiring: Wiring, direction: str = "TB") -> graphviz.Digraph:
    """An endpoint's graph: machines, and cards with the signals on the way from one to the other."""
    graph = _graph(wiring.name, direction)
    for machine in wiring.endpoint.machines:
        rows = [_line(f"<B>{_text(machine.id)}</B>", HEAD, INK), _line(_text(machine.name), TEXT, SOFT)]
        rows.append(_block((line, INK) for line in wrap(machine.says, TEXT, STATE_ROOM)))
        hears = [e.__name__ for e in machine.alphabet if not issubclass(e, Signal)]
        says = [o.__name__ for o in said(machine) if not issubclass(o, Signal)]
        for word, names in (("hears", hears), ("says", says)):
            if names:
                rows.append("<HR/>")
                lines = wrap(f"{word} " + ", ".join(names), TEXT, STATE_ROOM + 40)
                rows.append(_block((line, SOFT if word == "hears" else ACT) for line in lines))
        graph.node(
            anchor(machine.id),
            _table(rows),
            shape="box",
            style="filled",
            fillcolor=FILL[Kind.START],
            color=BORDER[Kind.START][0],
            penwidth="1.6",
            href=f"{anchor(machine.id)}.svg",
            tooltip=machine.says,
            id=f"{wiring.name}-machine-{anchor(machine.id)}",
        )
    for wire in wiring.wires:
        name = f"{anchor(wire.sender.id)}--{anchor(wire.hearer.id)}"
        cells: list[str] = []
        for signal in wire.signals:
            sentence = meaning(signal)
            attributes = _attributes(
                HREF=f"{anchor(wire.sender.id)}.svg",
                TITLE=f"{signal.__name__}, from {wire.sender.id} to {wire.hearer.id}: {sentence}",
                ID=f"{wiring.name}-{name}-{signal.__name__.lower()}",
            )
            cells.append(f"<TR><TD ALIGN='LEFT'{attributes}>{_font(signal.__name__, TEXT, LINK)}</TD></TR>")
        graph.node(name, _table(cells), shape="box", style="filled", fillcolor=CARD, color=RULE, penwidth="0.8")
        tip = f"{wire.sender.id} to {wire.hearer.id}: {', '.join(s.__name__ for s in wire.signals)}"
        common = {"tooltip": tip, "href": f"{anchor(wire.sender.id)}.svg"}
        graph.edge(anchor(wire.sender.id), name, dir="none", **common)
        graph.edge(name, anchor(wire.hearer.id), **common)
    return graph


def _graph(name: str, direction: str) -> graphviz.Digraph:
    return graphviz.Digraph(
        name,
        graph_attr={
            "rankdir": direction,
            "fontname": FONT,
            "bgcolor": "transparent",
            "nodesep": "0.28",
            "ranksep": "0.36",
            "pad": "0.15",
            "outputorder": "edgesfirst",
            "newrank": "true",
        },
        node_attr={"fontname": FONT, "fontsize": "10.5", "fontcolor": INK, "margin": "0.09,0.06"},
        edge_attr={"fontname": FONT, "color": LINE, "penwidth": "1.3", "arrowsize": "0.8"},
    )


def _state(graph: graphviz.Digraph, picture: Picture, state: State) -> None:
    color, style, pen, rings = BORDER[state.kind]
    rows = [
        f"<TR><TD ALIGN='LEFT'>{_font(f'<B>{_text(state.name)}</B>', HEAD, INK, raw=True)}"
        f"{_font(f' {state.kind.value}', TEXT, color)}</TD></TR>"
    ]
    lines = [(line, INK) for line in wrap(state.says, TEXT, STATE_ROOM)]
    if state.waits_for:
        lines += [(line, SOFT) for line in wrap(f"waits for {state.waits_for}", TEXT, STATE_ROOM)]
    if state.until:
        lines += [(line, SOFT) for line in wrap(f"until {until(state)}", TEXT, STATE_ROOM)]
    rows.append(_block(lines))
    for t in picture.inside(state.name):
        first = t.target is None and t.sources[0] == state.name  # an id stands once on a page
        id_ = anchor(t.id) if first else f"{anchor(t.id)}-in-{anchor(state.name)}"
        rows += ["<HR/>", _row(t, id_, state.name, state.name)]
    if also := picture.also(state.name):
        rows.append("<HR/>")
        rows.append(_block((line, SOFT) for line in wrap("also " + ", ".join(t.id for t in also), TEXT, STATE_ROOM)))
    graph.node(
        f"state-{state.name}",
        _table(rows),
        shape="box",
        style=style,
        fillcolor=FILL[state.kind],
        color=color,
        penwidth=pen,
        peripheries=rings,
        id=f"{picture.name}-state-{anchor(state.name)}",
        tooltip=f"{state.name}, {state.kind.value}: {state.says}",
    )


def _card(graph: graphviz.Digraph, card: Card, order: dict[str, int]) -> None:
    rows: list[str] = []
    if card.many:
        lines = wrap("from any of " + ", ".join(card.sources), TEXT, CARD_ROOM)
        rows += [_line(f"<I>{_text(line)}</I>", TEXT, SOFT) for line in lines]
        rows.append("<HR/>")
    for place, t in enumerate(card.transitions):
        rows += ["<HR/>"] if place else []
        rows.append(_row(t, anchor(t.id), ", ".join(card.sources), card.target))
    graph.node(
        card.name, _table(rows), shape="box", style="rounded,filled" if card.many else "filled",
        fillcolor=CARD, color=RULE, penwidth="0.8", tooltip=f"to {card.target}",
    )  # fmt: skip
    ids = ", ".join(t.id for t in card.transitions)
    says = " ".join(t.says for t in card.transitions)
    link = href(card.transitions[0].id)
    backward = all(order[source] > order[card.target] for source in card.sources)  # placed as the table has its states
    common = {"href": link, "weight": "4" if len(card.sources) == 1 else "1"}
    for source in () if card.many else card.sources:
        tip = f"{ids}: from {source} to {card.target}. {says}"
        ends = (card.name, f"state-{source}") if backward else (f"state-{source}", card.name)
        graph.edge(*ends, dir="none", tooltip=tip, **common)
    tip = f"{ids}: from {', '.join(card.sources)} to {card.target}. {says}"
    if backward and not card.many:
        graph.edge(f"state-{card.target}", card.name, dir="back", tooltip=tip, **common)
    else:
        graph.edge(card.name, f"state-{card.target}", tooltip=tip, **common)


def _row(t: Transition, id: str, source: str, target: str) -> str:
    """A transition as one cell: id and event, guard, outputs."""
    title = f"{t.id}: in {source} on {t.on.__name__}, {'stay' if source == target else f'to {target}'}. {t.says}"
    lines = [
        _font(f"<B>{_text(t.id)}</B>", TEXT, LINK, raw=True) + _font(f" {t.on.__name__}", TEXT, INK),
        *(_font(line, TEXT, TERM) for line in wrap(guard(t), TEXT, CARD_ROOM - 12) if line),
        *(_font(line, TEXT, ACT) for line in wrap(effect(t), TEXT, CARD_ROOM - 12) if line),
    ]
    cell = "".join(f"{line}<BR ALIGN='LEFT'/>" for line in lines)
    attributes = _attributes(HREF=href(t.id), TITLE=title, ID=id)
    return f"<TR><TD ALIGN='LEFT' BALIGN='LEFT'{attributes}>{cell}</TD></TR>"


def _attributes(**given: str) -> str:
    return "".join(f" {key}='{escape(value, quote=True)}'" for key, value in given.items())


def _line(content: str, size: float, color: str) -> str:
    return f"<TR><TD ALIGN='LEFT'>{_font(content, size, color, raw=True)}</TD></TR>"


def _block(lines: Iterable[tuple[str, str]]) -> str:
    """Lines of text, each with its colour, set tightly."""
    cell = "".join(f"{_font(line, TEXT, color)}<BR ALIGN='LEFT'/>" for line, color in lines)
    return f"<TR><TD ALIGN='LEFT' BALIGN='LEFT'>{cell}</TD></TR>"


def _font(content: str, size: float, color: str, *, raw: bool = False) -> str:
    return f"<FONT POINT-SIZE='{size}' COLOR='{color}'>{content if raw else _text(content)}</FONT>"


def _text(content: str) -> str:
    return escape(content, quote=False)


def _table(rows: Iterable[str]) -> str:
    return f"<<TABLE BORDER='0' CELLBORDER='0' CELLSPACING='0' CELLPADDING='2'>{''.join(rows)}</TABLE>>"
