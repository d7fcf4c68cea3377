"""Marks on a machine's picture: beside each transition a shape, and a word where something is wrong."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping

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

WORDS: Mapping[str, str] = {**{outcome: outcome for outcome in SHAPES}, "fail": "fails", "": "not run"}
RISE, FALL = 9.5, 3.0
"""A line of text reaches so far above and below its base line, in pixels, at the pictures' size of letters."""


def marked(picture: Picture, outcomes: Mapping[str, str]) -> str:
    """The picture as SVG, with each transition marked by what came of its cases (``report.OUTCOMES``); its links lead to the
    page's own list. Raises ``tunneldraw.svg.Undrawable``."""
    drawn, _ = machine_svg(picture)
    root = ET.fromstring(drawn[drawn.index("<svg") :])
    for style in root.findall(f"{S}style"):
        root.remove(style)
    places = {anchor(t.id): outcomes.get(t.id, "") for t in picture.machine.transitions}
    for group in list(root.iter(f"{S}g")):
        id_ = group.get("id", "")
        known = id_ if id_ in places else id_.partition("-in-")[0]
        if known in places:
            _mark(group, places[known])
    for link in root.iter(f"{S}a"):
        href = link.attrib.pop(f"{{{XLINK}}}href", "")
        _, _, rule = href.partition("#")
        if rule in places:
            link.set("href", f"#t-{rule}")
    return re.sub(r">\s+<", "><", ET.tostring(root, encoding="unicode")).strip()


def _mark(group: ET.Element, outcome: str) -> None:
    texts = [t for t in group.iter(f"{S}text") if t.get("text-anchor", "start") == "start" and t.get("textLength")]
    if not texts:
        return
    ends = [_number(t, "x") + _number(t, "textLength") for t in texts]
    left, top = _number(texts[0], "x"), min(_number(t, "y") for t in texts)
    group.set("data-outcome", outcome or "none")
    badge = ET.SubElement(group, f"{S}g", {"class": f"badge {outcome or 'none'}"})
    if outcome in ("fail", "error"):
        box = {"x": left - 10, "y": top - RISE - 1, "width": max(ends) - left + 13,
               "height": max(_number(t, "y") for t in texts) - top + RISE + FALL + 2}  # fmt: skip
        ET.SubElement(badge, f"{S}rect", {"rx": "3", **{name: f"{value:.2f}" for name, value in box.items()}})
        first = [end for t, end in zip(texts, ends, strict=True) if _number(t, "y") == top]
        at = min(max(first) + 4, max(ends) - 24)
        ET.SubElement(badge, f"{S}rect", {"class": "flag", "x": f"{at:.2f}", "y": f"{top - RISE - 4:.2f}", "width": "30",
                                          "height": "12", "rx": "2"})  # fmt: skip
        _text(badge, at + 15, top - 4.5, WORDS[outcome], 8, "middle")
    _text(badge, left - 9, top, SHAPES[outcome], 9)


def _number(element: ET.Element, name: str) -> float:
    return float(element.get(name, "0"))


def _text(at: ET.Element, x: float, y: float, text: str, size: float, anchored: str = "start") -> None:
    shown = {"x": f"{x:.2f}", "y": f"{y:.2f}", "font-size": f"{size:g}", "font-weight": "bold", "text-anchor": anchored}
    ET.SubElement(at, f"{S}text", shown).text = text
