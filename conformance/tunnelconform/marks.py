"""Marks on a machine's picture: beside each transition a shape, and a word where something is wrong."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Container, Mapping

from tunneldraw.picture import Picture, anchor
from tunneldraw.svg import XLINK, S, machine_svg

SHAPES: Mapping[str, str] = {
    "pass": "✓",
    "fail": "✗",
    "error": "!",
    "excused": "≈",
    "inconclusive": "?",
    "unsupported": "–",
    "": "○",
}
"""What stands beside a transition; the last: no case was run."""

RISE, FALL = 9.5, 3.0
"""A line of text reaches so far above and below its base line, in pixels, at the pictures' size of letters."""


def marked(picture: Picture, outcomes: Mapping[str, str], broken: Container[str]) -> str:
    """The picture as SVG, with each transition marked by what came of its cases (``report.OUTCOMES``), and a frame around those
    that are ``broken``; its links lead to the page's own list. Raises ``tunneldraw.svg.Undrawable``."""
    drawn, _ = machine_svg(picture)
    root = ET.fromstring(drawn[drawn.index("<svg") :])
    for style in root.findall(f"{S}style"):
        root.remove(style)
    places = {anchor(t.id): t.id for t in picture.machine.transitions}
    for group in list(root.iter(f"{S}g")):
        id_ = group.get("id", "")
        known = id_ if id_ in places else id_.partition("-in-")[0]
        if known in places:
            _mark(group, outcomes.get(places[known], ""), places[known] in broken)
    for link in root.iter(f"{S}a"):
        href = link.attrib.pop(f"{{{XLINK}}}href", "")
        _, _, rule = href.partition("#")
        if rule in places:
            link.set("href", f"#t-{rule}")
    return re.sub(r">\s+<", "><", ET.tostring(root, encoding="unicode")).strip()


def _mark(group: ET.Element, outcome: str, broken: bool) -> None:
    texts = [t for t in group.iter(f"{S}text") if t.get("text-anchor", "start") == "start" and t.get("textLength")]
    if not texts:
        return
    lines = [_number(t, "y") for t in texts]
    left, top = _number(texts[0], "x"), min(lines)
    right = max(_number(t, "x") + _number(t, "textLength") for t in texts)
    group.set("data-outcome", outcome or "none")
    badge = ET.SubElement(group, f"{S}g", {"class": f"badge {outcome or 'none'}"})
    if broken:
        _box(badge, "frame", left - 4, top - RISE - 1, right - left + 7, max(lines) - top + RISE + FALL + 2)
        _box(badge, "flag", right + 3, top - RISE - 1, 38, 13)
        _text(badge, right + 22, top - 0.5, "broken", 9.5)
    _box(badge, "disc", left - 16, top - RISE, 11, 12)
    _text(badge, left - 10.5, top, SHAPES[outcome], 9.5)


def _box(at: ET.Element, kind: str, x: float, y: float, wide: float, high: float) -> None:
    sides = {"x": f"{x:.2f}", "y": f"{y:.2f}", "width": f"{wide:.2f}", "height": f"{high:.2f}"}
    ET.SubElement(at, f"{S}rect", {"class": kind, "rx": "3", **sides})


def _number(element: ET.Element, name: str) -> float:
    return float(element.get(name, "0"))


def _text(at: ET.Element, x: float, y: float, text: str, size: float) -> None:
    shown = {"x": f"{x:.2f}", "y": f"{y:.2f}", "font-size": f"{size:g}", "font-weight": "bold", "text-anchor": "middle"}
    ET.SubElement(at, f"{S}text", shown).text = text
