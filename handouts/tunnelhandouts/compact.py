"""A machine in few words: states, and between them the numbers of its rules with their events; for a poster."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from xml.etree.ElementTree import Element

import graphviz

from tunneldraw.dot import BORDER, CARD, FILL, FONT, INK, LINE, LINK, RULE, SOFT
from tunneldraw.picture import Card, Picture
from tunneldraw.svg import layout
from tunnelspec.machine import Machine, Transition

NAME, TEXT, FINE = 14, 10, 9


def drawings(machine: Machine) -> tuple[Element, Element]:
    """The machine's graph, from top to bottom and from left to right."""
    top, left = (layout(graph(Picture(machine), direction)) for direction in ("TB", "LR"))
    return top, left


def graph(picture: Picture, direction: str) -> graphviz.Digraph:
    """The graph, as DOT."""
    dot = graphviz.Digraph(
        picture.machine.id,
        graph_attr={
            "rankdir": direction, "fontname": FONT, "bgcolor": "transparent", "nodesep": "0.1", "ranksep": "0.17",
            "pad": "0.02", "outputorder": "edgesfirst", "newrank": "true",
        },
        node_attr={"fontname": FONT, "fontsize": str(TEXT), "fontcolor": INK, "margin": "0.03,0.02"},
        edge_attr={"fontname": FONT, "color": LINE, "penwidth": "1.2", "arrowsize": "0.7"},
    )  # fmt: skip
    order = {state.name: place for place, state in enumerate(picture.machine.states)}
    for state in picture.machine.states:
        color, style, pen, rings = BORDER[state.kind]
        rows = [_row(_font(f"<B>{escape(state.name)}</B>", NAME, INK)), *_rules(picture.inside(state.name), SOFT)]
        dot.node(
            f"state-{state.name}", _table(rows), shape="box", style=style, fillcolor=FILL[state.kind], color=color,
            penwidth=pen, peripheries=rings,
        )  # fmt: skip
    for card in picture.cards:
        _card(dot, card, order)
    for t in picture.everywhere:
        rows = [*_note(t.sources, "stays"), *_rules((t,), INK)]
        dot.node(f"{t.id}-stays", _table(rows), shape="box", style="filled", fillcolor=CARD, color=RULE, penwidth="0.6")
    return dot


def _card(dot: graphviz.Digraph, card: Card, order: dict[str, int]) -> None:
    above = _note(card.sources) if card.many else []
    dot.node(
        card.name, _table([*above, *_rules(card.transitions, INK)]), shape="box", style="filled", fillcolor=CARD,
        color=RULE, penwidth="0.6",
    )  # fmt: skip
    backward = all(order[source] > order[card.target] for source in card.sources)
    weight = "4" if len(card.sources) == 1 else "1"
    for source in () if card.many else card.sources:
        ends = (card.name, f"state-{source}") if backward else (f"state-{source}", card.name)
        dot.edge(*ends, dir="none", weight=weight)
    if backward and not card.many:
        dot.edge(f"state-{card.target}", card.name, dir="back", weight=weight)
    else:
        dot.edge(card.name, f"state-{card.target}", weight=weight)


def _note(sources: tuple[str, ...], more: str = "", most: int = 3) -> list[str]:
    """In which states, a few on a line."""
    words = [", ".join(sources[place : place + most]) for place in range(0, len(sources), most)]
    words[0] = f"in {words[0]}"
    words[-1] += f": {more}" if more else ""
    return [_row(_font(f"<I>{escape(line)}</I>", FINE, SOFT)) for line in words]


def _rules(transitions: Iterable[Transition], color: str) -> list[str]:
    lines = [
        _font(f"<B>{t.id.rpartition('-')[2]}</B>", TEXT, LINK) + _font(f" {short(t.on.__name__)}", TEXT, color)
        for t in transitions
    ]
    return [_row("".join(f"{line}<BR ALIGN='LEFT'/>" for line in lines), " BALIGN='LEFT'")] if lines else []


def short(event: str) -> str:
    """An event's name without what the direction of a frame says already."""
    for start in ("ToServerWebSocket", "ToClientWebSocket", "ToServer", "ToClient"):
        if event.startswith(start):
            return event.removeprefix(start)
    return event


def _font(content: str, size: int, color: str) -> str:
    return f"<FONT POINT-SIZE='{size}' COLOR='{color}'>{content}</FONT>"


def _row(content: str, more: str = "") -> str:
    return f"<TR><TD ALIGN='LEFT'{more}>{content}</TD></TR>"


def _table(rows: Iterable[str]) -> str:
    return f"<<TABLE BORDER='0' CELLBORDER='0' CELLSPACING='0' CELLPADDING='1'>{''.join(rows)}</TABLE>>"
