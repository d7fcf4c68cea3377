"""The poster: all machines on one sheet of A3, gateway and runner told apart."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET

from tunneldraw.dot import BORDER, FILL, INK, PAPER, RULE, SOFT
from tunneldraw.metrics import FAMILY, width
from tunneldraw.picture import KINDS
from tunnelhandouts.compact import drawings
from tunnelhandouts.packing import pack
from tunnelspec.endpoint import MACHINES
from tunnelspec.machine import Kind, Machine, Role

MARK = "GENERATED FROM spec/ BY 'tunnelspec handouts': do not edit"
WIDE, HIGH = 1190.55, 841.89
"""A3 landscape, in points."""

MARGIN, TOP, HEAD, GAP = 24.0, 66.0, 17.0, 11.0
SIDE = {Role.GATEWAY: "#0b57a4", Role.RUNNER: "#8a4a00"}
SVG = "http://www.w3.org/2000/svg"
TITLE = "The runner protocol, version 2"
SAYS = (
    "All machines of both sides. A box is a state; a card on the way to a state has the numbers of the rules that lead "
    "there, and the event each is about; inside a state stand those that keep it."
)
MORE = (
    "What is ignored or refused is not drawn. Rule 07 of CONN-G is CONN-G-07: its guard, its outputs and its sentence "
    "are in spec/README.md."
)


def poster() -> str:
    """The poster, as SVG."""
    ET.register_namespace("", SVG)
    root = ET.Element(f"{{{SVG}}}svg", {
        "width": "420mm", "height": "297mm", "viewBox": f"0 0 {WIDE:g} {HIGH:g}", "font-family": FAMILY,
        "role": "graphics-document document", "aria-labelledby": "poster-title poster-desc",
    })  # fmt: skip
    ET.SubElement(root, f"{{{SVG}}}title", {"id": "poster-title"}).text = TITLE
    ET.SubElement(root, f"{{{SVG}}}desc", {"id": "poster-desc"}).text = f"{SAYS} {MORE}"
    ET.SubElement(root, f"{{{SVG}}}rect", {"width": f"{WIDE:g}", "height": f"{HIGH:g}", "fill": PAPER})
    _text(root, MARGIN, 38, TITLE, 22, INK, bold=True)
    _text(root, MARGIN + width(TITLE, 22, True) + 18, 27, SAYS, 8, SOFT)
    _text(root, MARGIN + width(TITLE, 22, True) + 18, 38, MORE, 8, SOFT)
    _legend(root, MARGIN, 50)
    drawn = [drawings(machine) for machine in MACHINES]
    sizes = [[_size(one) for one in both] for both in drawn]
    packing = pack(sizes, WIDE - 2 * MARGIN, HIGH - TOP - MARGIN, HEAD, GAP)
    for machine, both, shapes, place in zip(MACHINES, drawn, sizes, packing.places, strict=True):
        wide, high = (side * packing.scale for side in shapes[place.shape])
        tile = ET.SubElement(
            root, f"{{{SVG}}}g", {"transform": f"translate({MARGIN + place.x:.2f},{TOP + place.y:.2f})"}
        )
        _tile(tile, machine, both[place.shape], wide, high, packing.scale)
    ET.indent(root, " ")
    return f"<!-- {MARK} -->\n{ET.tostring(root, encoding='unicode')}\n"


def _tile(tile: ET.Element, machine: Machine, drawn: ET.Element, wide: float, high: float, scale: float) -> None:
    """One machine: its name, and its graph."""
    color = SIDE[machine.role]
    frame = {"x": "-4", "y": "-2", "width": f"{wide + 8:.2f}", "height": f"{high + HEAD + 4:.2f}", "rx": "3"}
    ET.SubElement(tile, f"{{{SVG}}}rect", {**frame, "fill": "none", "stroke": RULE, "stroke-width": "0.6"})
    ET.SubElement(tile, f"{{{SVG}}}path", {"d": f"M-4,13h{wide + 8:.2f}", "stroke": color, "stroke-width": "1.2"})
    _text(tile, 0, 9.5, machine.id, 10, color, bold=True)
    after = width(machine.id, 10, True) + 5
    name = f"{machine.name}, {machine.role.value}"
    if after + width(name, 7.5) <= wide:
        _text(tile, after, 9.5, name, 7.5, SOFT)
    holder = ET.SubElement(tile, f"{{{SVG}}}g", {"transform": f"translate(0,{HEAD:g}) scale({scale:.4f})"})
    for child in drawn:
        if child.tag == f"{{{SVG}}}g":
            holder.append(_plain(copy.deepcopy(child)))


def _plain(group: ET.Element) -> ET.Element:
    """What graphviz drew, without its names, which would stand on the sheet more than once."""
    for parent in list(group.iter()):
        parent.attrib.pop("id", None)
        for child in list(parent):
            if child.tag == f"{{{SVG}}}title":
                parent.remove(child)
        if parent.tag == f"{{{SVG}}}text":
            parent.attrib.pop("font-family", None)
            if parent.get("text-anchor") == "start" and parent.text:
                wide = width(parent.text, float(parent.get("font-size", "10")), parent.get("font-weight") == "bold")
                parent.set("textLength", f"{wide:.2f}")
                parent.set("lengthAdjust", "spacingAndGlyphs")
    return group


def _size(drawn: ET.Element) -> tuple[float, float]:
    return float(drawn.attrib["width"].removesuffix("pt")), float(drawn.attrib["height"].removesuffix("pt"))


def _legend(root: ET.Element, x: float, y: float) -> None:
    for kind in Kind:
        color, look, pen, _ = BORDER[kind]
        box = {"x": f"{x:.2f}", "y": f"{y - 7:g}", "width": "16", "height": "9", "fill": FILL[kind], "stroke": color}
        box |= {"stroke-width": pen} | ({"rx": "4"} if "rounded" in look else {})
        box |= {"stroke-dasharray": "4,2"} if "dashed" in look else {}
        box |= {"stroke-dasharray": "1,3"} if "dotted" in look else {}
        ET.SubElement(root, f"{{{SVG}}}rect", box)
        words = f"{kind.value}: {KINDS[kind]}"
        _text(root, x + 20, y + 1, words, 8, SOFT)
        x += 20 + width(words, 8) + 14
    for role, color in SIDE.items():
        words = f"a machine of the {role.value}"
        ET.SubElement(root, f"{{{SVG}}}path", {"d": f"M{x:.2f},{y - 2:g}h16", "stroke": color, "stroke-width": "1.6"})
        _text(root, x + 20, y + 1, words, 8, SOFT)
        x += 20 + width(words, 8) + 14


def _text(at: ET.Element, x: float, y: float, text: str, size: float, color: str, *, bold: bool = False) -> None:
    given = {"x": f"{x:.2f}", "y": f"{y:g}", "font-size": f"{size:g}", "fill": color}
    given |= {"font-weight": "bold"} if bold else {}
    given |= {"textLength": f"{width(text, size, bold):.2f}", "lengthAdjust": "spacingAndGlyphs"}
    ET.SubElement(at, f"{{{SVG}}}text", given).text = text
