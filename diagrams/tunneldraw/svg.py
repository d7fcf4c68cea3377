"""DOT to SVG: drawn by graphviz-pure, then made readable for everybody.

What is added: a heading, a legend and tables of what the picture does not draw; a title and a description for each node,
line and transition (screen readers, tooltips); the rules' links; colours for dark screens, and widths of texts, so that a
reader without Arial sees nothing cut off.
"""

from __future__ import annotations

import importlib.metadata
import pathlib
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import graphviz
from graphviz.backend import dot_command

from tunneldraw.dot import ACT, BORDER, CARD, FILL, INK, LINE, LINK, PAPER, RULE, SOFT, TERM, machine_dot, wiring_dot
from tunneldraw.metrics import FAMILY, width, wrap
from tunneldraw.picture import KINDS, Picture, Wiring, anchor, by, effect, guard, href, meaning
from tunnelspec.machine import Kind, Transition

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
ET.register_namespace("", SVG)
ET.register_namespace("xlink", XLINK)
S = f"{{{SVG}}}"
DARK = {
    INK: "#e8ecf1", SOFT: "#aab4c0", LINE: "#93a0af", RULE: "#47525f", PAPER: "#11161c", CARD: "#1b222b",
    LINK: "#7db8ff", TERM: "#e5b567", ACT: "#7fd196",
    FILL[Kind.START]: "#232b35", FILL[Kind.WAITING]: "#3a2e10", FILL[Kind.STEADY]: "#143021",
    FILL[Kind.RESTING]: "#17294a", FILL[Kind.END]: "#3b1d1f",
    BORDER[Kind.START][0]: "#8d99a8", BORDER[Kind.WAITING][0]: "#d9a441", BORDER[Kind.STEADY][0]: "#4fbf75",
    BORDER[Kind.RESTING][0]: "#7ea6ee", BORDER[Kind.END][0]: "#e08585",
}  # fmt: skip
"""Each colour of the light pictures, and the one that a dark screen shows instead."""

MARGIN, GAP, LEAST = 18.0, 26.0, 880.0


MARK = "GENERATED FROM spec/ BY 'tunnelspec draw': do not edit"
"""Stands in every file that is made here: only such a file is ever removed."""


class Undrawable(Exception):
    """graphviz-pure is missing, or refuses a picture."""


def style() -> str:
    """What all pictures share; a dark screen gets other colours, paper never does."""
    return f"{plain_style()}@media screen and (prefers-color-scheme:dark){{{dark_style()}}}"


def plain_style() -> str:
    """The same, for a page that says itself when it is dark."""
    return (
        f".td text{{font-family:{FAMILY}}}.td a:focus,.td a:hover{{outline:2px solid {LINK};outline-offset:2px}}"
        ".td a text{cursor:pointer}"
    )


def dark_style() -> str:
    """The other colours of the dark."""
    return "".join(f'.td [fill="{a}"]{{fill:{b}}}.td [stroke="{a}"]{{stroke:{b}}}' for a, b in DARK.items())


def binary() -> pathlib.Path:
    """Where ``graphviz-pure`` is. Raises ``Undrawable``."""
    try:
        for file in importlib.metadata.files("graphviz-pure") or ():
            if file.stem == "graphviz-pure" and (path := pathlib.Path(str(file.locate()))).exists():
                return path.resolve()
    except importlib.metadata.PackageNotFoundError:
        pass
    beside = pathlib.Path(sys.executable).with_name("graphviz-pure")
    found = str(beside) if beside.exists() else shutil.which("graphviz-pure")
    if not found:
        raise Undrawable("graphviz-pure is not installed: pip install graphviz-pure")
    return pathlib.Path(found)


def layout(graph: graphviz.Digraph) -> ET.Element:
    """The graph as graphviz-pure draws it."""
    before = dot_command.DOT_BINARY
    dot_command.DOT_BINARY = binary()
    try:
        drawn = graph.pipe(format="svg", quiet=True)
    except (graphviz.CalledProcessError, graphviz.ExecutableNotFound) as error:
        raise Undrawable(f"{graph.name}: {error}") from error
    finally:
        dot_command.DOT_BINARY = before
    return ET.fromstring(drawn)


def machine_svg(picture: Picture) -> tuple[str, str]:
    """A machine's picture, complete, and the DOT that it was drawn from."""
    machine = picture.machine
    notes = {
        f"{picture.name}-state-{anchor(s.name)}": (
            f"{s.name}, {s.kind.value}",
            f"{s.says}{f' Waits for {s.waits_for}' if s.waits_for else ''}{f' until {s.until}' if s.until else ''}",
        )
        for s in machine.states
    }
    graph, drawn = best(machine_dot(picture, "TB"), machine_dot(picture, "LR"))
    sheet = _Sheet(drawn, notes)
    sheet.head(f"{machine.id}  {machine.name}, {machine.role.value}", machine.says)
    sheet.legend([kind for kind in Kind if any(s.kind is kind for s in machine.states)])
    sheet.graph()
    sheet.table("Taken in several states, which stay", picture.everywhere)
    sheet.table(
        "Refused: whoever caused it broke the protocol; nothing changes, a Violation is put out", picture.refused
    )
    sheet.table("Ignored: it means nothing here", picture.ignored)
    return sheet.finish(picture.name, f"{machine.id}: {machine.says}"), graph.source


def wiring_svg(wiring: Wiring) -> tuple[str, str]:
    """An endpoint's picture, complete, and the DOT that it was drawn from."""
    endpoint = wiring.endpoint
    notes = {f"{wiring.name}-machine-{anchor(m.id)}": (f"{m.id}, {m.name}", m.says) for m in endpoint.machines}
    graph, drawn = best(wiring_dot(wiring, "TB"), wiring_dot(wiring, "LR"))
    sheet = _Sheet(drawn, notes)
    sheet.head(f"{endpoint.role.value} {endpoint.name}", f"{endpoint.says} Its machines, and the signals between them.")
    sheet.graph()
    rows = [
        (f"{wiring.name}-{anchor(wire.sender.id)}-{anchor(wire.hearer.id)}-{signal.__name__.lower()}",
         f"{anchor(wire.sender.id)}.svg", signal.__name__, f"{wire.sender.id} to {wire.hearer.id}",
         ", ".join(t.id for t in by(wire.sender, signal)), meaning(signal))
        for wire in wiring.wires for signal in wire.signals
    ]  # fmt: skip
    sheet.rows("Signals", ("signal", "runs", "put out by", "means"), rows, (0.14, 0.17, 0.34, 0.35))
    return sheet.finish(wiring.name, f"{endpoint.role.value} {endpoint.name}: {endpoint.says}"), graph.source


def best(*graphs: graphviz.Digraph) -> tuple[graphviz.Digraph, ET.Element]:
    """The graph whose layout fits a page best: small, not wider than a wide page, not much higher than wide."""

    def cost(pair: tuple[graphviz.Digraph, ET.Element]) -> float:
        wide, high = _size(pair[1])
        return wide * high * (1 + max(0.0, wide - 1100) / 400) * (1 + max(0.0, high / wide - 1.6))

    return min(((graph, layout(graph)) for graph in graphs), key=cost)


def _size(drawn: ET.Element) -> tuple[float, float]:
    return float(drawn.attrib["width"].removesuffix("pt")), float(drawn.attrib["height"].removesuffix("pt"))


@dataclass
class _Sheet:
    drawn: ET.Element
    notes: dict[str, tuple[str, str]]

    def __post_init__(self) -> None:
        self.wide = max(LEAST, _size(self.drawn)[0]) + 2 * MARGIN
        self.root = ET.Element(f"{S}svg")
        self.y = MARGIN
        self.place = self.root

    def finish(self, name: str, says: str) -> str:
        """The whole, as text."""
        wide, high = _number(self.wide), _number(self.y + MARGIN)
        attributes = {
            "class": "td", "width": wide, "height": high, "viewBox": f"0 0 {wide} {high}", "role": "graphics-document document",
            "aria-labelledby": f"{name}-title {name}-desc",
        }  # fmt: skip
        for key, value in attributes.items():
            self.root.set(key, value)
        head = [ET.Element(f"{S}title", id=f"{name}-title"), ET.Element(f"{S}desc", id=f"{name}-desc"),
                ET.Element(f"{S}style"), ET.Element(f"{S}rect", width=wide, height=high, fill=PAPER)]  # fmt: skip
        head[0].text, head[1].text, head[2].text = name, says, style()
        for element in reversed(head):
            self.root.insert(0, element)
        ET.indent(self.root, " ")
        return f"<!-- {MARK} -->\n" + ET.tostring(self.root, encoding="unicode") + "\n"

    def text(self, x: float, y: float, text: str, size: float = 10.5, color: str = INK, bold: bool = False) -> None:
        attributes = {"x": _number(x), "y": _number(y), "font-size": f"{size:g}", "fill": color}
        if bold:
            attributes["font-weight"] = "bold"
        element = ET.SubElement(self.place, f"{S}text", attributes)
        element.text = text
        _pin(element)

    def head(self, title: str, says: str) -> None:
        self.y += 18
        self.text(MARGIN, self.y, title, 20, INK, True)
        for line in wrap(says, 12, self.wide - 2 * MARGIN):
            self.y += 18
            self.text(MARGIN, self.y, line, 12, SOFT)
        self.y += 12

    def legend(self, kinds: Sequence[Kind]) -> None:
        """What borders and colours mean; the kind's name also stands in each state."""
        x, self.y = MARGIN, self.y + 6
        for kind in kinds:
            color, look, pen, rings = BORDER[kind]
            words = f"{kind.value}: {KINDS[kind]}"
            if x + 34 + width(words, 10.5) > self.wide - MARGIN:
                x, self.y = MARGIN, self.y + 20
            for ring in range(int(rings)):
                box = {"x": _number(x + 3 * ring), "y": _number(self.y + 3 * ring), "width": _number(26 - 6 * ring),
                       "height": _number(14 - 6 * ring), "fill": FILL[kind], "stroke": color, "stroke-width": pen}  # fmt: skip
                if "rounded" in look:
                    box["rx"] = "5"
                if "dashed" in look:
                    box["stroke-dasharray"] = "5,2"
                if "dotted" in look:
                    box["stroke-dasharray"] = "1,4"
                ET.SubElement(self.root, f"{S}rect", box)
            self.text(x + 32, self.y + 11, words, 10.5, SOFT)
            x += 32 + width(words, 10.5) + 22
        self.y += 20

    def graph(self) -> None:
        """The drawn graph, centred, with its parts named."""
        wide, high = _size(self.drawn)
        view = [float(number) for number in self.drawn.attrib["viewBox"].split()]
        scale = wide / view[2]
        shift = f"translate({_number((self.wide - wide) / 2)},{_number(self.y)})"
        holder = ET.SubElement(
            self.root, f"{S}g", transform=shift + (f" scale({scale:.4f})" if abs(scale - 1) > 0.01 else "")
        )
        for child in self.drawn:
            if child.tag == f"{S}g":
                holder.append(child)
        _name(holder, self.notes)
        self.y += high + 8

    def table(self, title: str, transitions: Iterable[Transition]) -> None:
        rows = [
            (anchor(t.id), href(t.id), t.id, t.on.__name__, ", ".join(t.sources),
             f"{guard(t)} {effect(t)}".strip(), t.says)
            for t in transitions
        ]  # fmt: skip
        self.rows(title, ("rule", "event", "in", "when / outputs", "because"), rows, (0.1, 0.21, 0.17, 0.23, 0.29))

    def rows(self, title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], parts: Sequence[float]) -> None:
        """A table: each row is an id, a link, and its cells."""
        if not rows:
            return
        self.y += GAP
        self.text(MARGIN, self.y, title, 12.5, INK, True)
        room = min(self.wide, 1400.0) - 2 * MARGIN
        starts = [MARGIN + room * sum(parts[:place]) for place in range(len(parts))]
        self.y += 18
        for x, head in zip(starts, heads, strict=True):
            self.text(x, self.y, head, 10, SOFT)
        for id_, link, *cells in rows:
            self.y += 5
            self._rule(room)
            group = ET.SubElement(self.root, f"{S}g", {"id": id_, "class": "row"})
            ET.SubElement(group, f"{S}title").text = f"{cells[0]}: {cells[1]}"
            ET.SubElement(group, f"{S}desc").text = cells[-1]
            self.place = ET.SubElement(group, f"{S}a", {f"{{{XLINK}}}href": link})
            lines = [wrap(cell, 10.5, room * part - 10) for cell, part in zip(cells, parts, strict=True)]
            for column, (x, words) in enumerate(zip(starts, lines, strict=True)):
                color = LINK if column == 0 else TERM if heads[column].startswith("when") else INK
                for place, line in enumerate(words):
                    self.text(x, self.y + 13 + 13 * place, line, 10.5, color, column == 0)
            self.place = self.root
            self.y += 13 * max(len(words) for words in lines) + 3

    def _rule(self, room: float) -> None:
        y = _number(self.y)
        line = {
            "x1": _number(MARGIN),
            "x2": _number(MARGIN + room),
            "y1": y,
            "y2": y,
            "stroke": RULE,
            "stroke-width": "0.7",
        }
        ET.SubElement(self.root, f"{S}line", line)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _pin(element: ET.Element) -> None:
    """Give a text the width it was placed with, whatever font the reader has."""
    bold = element.get("font-weight") == "bold"
    wide = width(element.text or "", float(element.get("font-size", "14")), bold)
    if wide:
        element.set("textLength", _number(wide))
        element.set("lengthAdjust", "spacingAndGlyphs")


def _name(holder: ET.Element, notes: dict[str, tuple[str, str]]) -> None:
    """Titles and descriptions for all that is drawn; graphviz puts its own names there, and the sentence in a tooltip."""
    for element in holder.iter():
        if element.tag == f"{S}text":
            element.attrib.pop("font-family", None)
            element.attrib.pop("textLength", None)
            if element.get("text-anchor") == "start":
                _pin(element)
    for group in list(holder.iter(f"{S}g")):
        kind = group.get("class")
        link = next((a for a in group if a.tag == f"{S}a"), None)
        if kind == "graph":
            group.attrib.pop("id", None)
            for child in list(group):
                if child.tag in (f"{S}title", f"{S}polygon"):
                    group.remove(child)
        elif kind in ("node", "edge"):
            tips = [tip for a in group.iter(f"{S}a") if (tip := a.get(f"{{{XLINK}}}title"))]
            title, says = notes.get(group.get("id", ""), _split(tips[0] if tips else ""))
            for child in list(group):
                if child.tag == f"{S}title":
                    group.remove(child)
            _say(group, title, says)
            if re.fullmatch(r"(node|edge)\d+", group.get("id", "")):
                del group.attrib["id"]
        elif link is not None and (tip := link.get(f"{{{XLINK}}}title")):
            _say(link, *_split(tip))
            id_ = group.get("id", "").removeprefix("a_")
            if re.fullmatch(r"(node|edge)\d+(_\d+)?", id_):
                del group.attrib["id"]
            elif id_ and "-state-" not in id_ and "-machine-" not in id_:
                group.set("id", id_)
    for a in holder.iter(f"{S}a"):
        a.attrib.pop(f"{{{XLINK}}}title", None)
    for element in holder.iter():
        for key in [key for key in element.attrib if key.startswith(f"{{{XLINK}}}") and not key.endswith("href")]:
            del element.attrib[key]


def _split(tip: str) -> tuple[str, str]:
    """A tooltip's first sentence is the title; the table's own sentence is the description."""
    title, _, says = tip.partition(". ")
    if not says:
        title, _, says = tip.partition(": ")
    return title, says or title


def _say(element: ET.Element, title: str, says: str) -> None:
    for place, (tag, words) in enumerate((("title", title), ("desc", says))):
        child = ET.Element(f"{S}{tag}")
        child.text = words
        element.insert(place, child)
