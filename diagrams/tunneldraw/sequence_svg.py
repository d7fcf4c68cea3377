"""Sequence diagrams as SVG."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from tunneldraw.metrics import FAMILY, wrap
from tunneldraw.metrics import width as text_width
from tunneldraw.sequence import Again, Message, Note, Sequence, StateChange, Step, fold, lanes_of, rules_of, says
from tunneldraw.sequence_text import visible

LANE, TOP, SIZE = 230.0, 74.0, 12.0
STYLE = (
    f".sq text{{font-family:{FAMILY};fill:#1b2430}}"
    + """
.sq .paper{fill:#fff}.sq .life{stroke:#9aa5b1;
stroke-dasharray:3 3}.sq .head{fill:#eceff3;stroke:#6b7685}.sq .sent{stroke:#1e6434;fill:none}.sq .tip{fill:#1e6434}.sq .lost{
stroke:#b3261e;fill:none;stroke-dasharray:6 4}.sq .x{stroke:#b3261e;stroke-width:2.5}.sq .rule{fill:#0b57a4}.sq .soft{fill:#55606e}
.sq .again{stroke:#8a3d00;fill:none;stroke-width:1.6;stroke-dasharray:7 3}.sq .spin{fill:#8a3d00}
.sq .state{fill:#fff3d1;stroke:#a06a00}.sq .note{fill:#f6f7f9;stroke:#c3cad3}
@media screen and (prefers-color-scheme:dark){.sq text{fill:#e8ecf1}.sq .paper{fill:#11161c}.sq .life{stroke:#66727f}
.sq .head{fill:#232b35;stroke:#8d99a8}.sq .sent{stroke:#7fd196}.sq .tip{fill:#7fd196}.sq .lost,.sq .x{stroke:#ff8a80}
.sq .again{stroke:#ffb27a}.sq .spin{fill:#ffb27a}
.sq .rule{fill:#7db8ff}.sq .soft{fill:#aab4c0}.sq .state{fill:#3a2e10;stroke:#d9a441}.sq .note{fill:#1b222b;stroke:#47525f}}
"""
)


def to_svg(sequence: Sequence, rule_page: str = "../spec/README.md") -> str:
    """The whole, as SVG: each step has a title and a description, each rule a link to ``rule_page``."""
    return _Svg(sequence, rule_page).text()


class _Svg:
    def __init__(self, sequence: Sequence, rule_page: str) -> None:
        self.sequence, self.page = sequence, rule_page
        self.labels = {lane.id: lane.label for lane in sequence.lanes}
        self.x = {lane.id: 80 + LANE * (place + 0.5) for place, lane in enumerate(sequence.lanes)}
        self.wide = 80 + LANE * max(1, len(sequence.lanes))
        self.y = TOP
        self.rings: list[ET.Element] = []
        self.root = ET.Element(
            "svg", {"xmlns": "http://www.w3.org/2000/svg", "class": "sq", "role": "graphics-document document"}
        )

    def text(self) -> str:
        steps = ET.Element("g", {"role": "list"})
        again: float | None = None  # where a lasso began
        folded = fold(self.sequence.steps)
        for step in folded:
            if again is not None and step is folded[-1] and isinstance(step, Note) and step.lane is None:
                self._ring(again)
                again = None
            group = ET.SubElement(steps, "g", {"class": "step", "role": "listitem"})
            ET.SubElement(group, "title").text = visible(", ".join(rules_of(step))) or type(step).__name__
            ET.SubElement(group, "desc").text = visible(says(step, self.labels))
            if step.time_ms is not None:
                self._words(group, 8, self.y + 16, f"{step.time_ms} ms", "soft")
            if isinstance(step, Message) and step.source != step.target:
                self._message(group, step)
            elif isinstance(step, Again):
                again = self._again(group, step)
            else:
                self._box(group, step)
        if again is not None:
            self._ring(again)
        high = self.y + 24
        self.root.set("width", f"{self.wide:g}")
        self.root.set("height", f"{high:g}")
        self.root.set("viewBox", f"0 0 {self.wide:g} {high:g}")
        ET.SubElement(self.root, "title").text = visible(self.sequence.title)
        ET.SubElement(self.root, "desc").text = visible(
            f"{len(self.sequence.steps)} steps between {', '.join(self.labels.values())}."
        )
        ET.SubElement(self.root, "style").text = STYLE
        ET.SubElement(self.root, "rect", {"class": "paper", "width": f"{self.wide:g}", "height": f"{high:g}"})
        self._words(self.root, 12, 24, visible(self.sequence.title), "", SIZE + 4, bold=True)
        for lane in self.sequence.lanes:
            x = self.x[lane.id]
            ET.SubElement(
                self.root,
                "line",
                {"class": "life", "x1": f"{x:g}", "x2": f"{x:g}", "y1": f"{TOP - 10:g}", "y2": f"{high - 8:g}"},
            )
            label = _cut(visible(lane.label), SIZE + 1, LANE - 40, True)
            box = text_width(label, SIZE + 1, True) + 24
            ET.SubElement(
                self.root,
                "rect",
                {"class": "head", "x": f"{x - box / 2:g}", "y": "38", "width": f"{box:g}", "height": "26", "rx": "4"},
            )
            self._words(self.root, x, 56, label, "", SIZE + 1, "middle", bold=True)
        self.root.append(steps)
        self.root.extend(self.rings)
        ET.indent(self.root, " ")
        return ET.tostring(self.root, encoding="unicode") + "\n"

    def _message(self, group: ET.Element, step: Message) -> None:
        here, there = self.x[step.source], self.x[step.target]
        way = 1 if there > here else -1
        room, middle = abs(there - here) - 24, (here + there) / 2
        label = step.label + (f" x {step.times}" if step.times > 1 else "")
        for line in wrap(visible(label), SIZE, room):
            self.y += 16
            self._words(group, middle, self.y, _cut(line, SIZE, room), "", SIZE, "middle")
        self.y += 8
        stop = there - way * (0.3 * abs(there - here) if step.lost else 2)
        ends = {"x1": f"{here:g}", "x2": f"{stop:g}", "y1": f"{self.y:g}", "y2": f"{self.y:g}"}
        ET.SubElement(group, "line", {"class": "lost" if step.lost else "sent", "stroke-width": "1.6", **ends})
        if step.lost:
            cross = f"M{stop - 5:g},{self.y - 5:g}l10,10m0,-10l-10,10"
            ET.SubElement(group, "path", {"class": "x", "d": cross})
        else:
            ET.SubElement(group, "path", {"class": "tip", "d": f"M{stop:g},{self.y:g}l{-9 * way:g},-4.5v9z"})
        self._rules(group, step.rules, middle, room)
        if step.note:
            for line in wrap(visible(step.note), SIZE - 1, room):
                self.y += 14
                self._words(group, middle, self.y, _cut(line, SIZE - 1, room), "soft", SIZE - 1, "middle")
        self.y += 8

    def _again(self, group: ET.Element, step: Again) -> float:
        """A line across, with its words; how far down it is."""
        self.y += 20
        ends = {"x1": "30", "x2": f"{self.wide - 16:g}", "y1": f"{self.y:g}", "y2": f"{self.y:g}"}
        ET.SubElement(group, "line", {"class": "again", **ends})
        width, middle = text_width(step.text, SIZE, True), (30 + self.wide - 16) / 2
        behind = {
            "x": f"{middle - width / 2 - 6:g}",
            "y": f"{self.y - 9:g}",
            "width": f"{width + 12:g}",
            "height": "18",
        }
        ET.SubElement(group, "rect", {"class": "paper", **behind})
        self._words(group, middle, self.y + 4, step.text, "", SIZE, "middle", bold=True)
        self.y += 8
        return self.y - 8

    def _ring(self, top: float) -> None:
        """The way back, beside the steps: from here up to where the lasso began."""
        end = self.y + 10
        back = ET.Element("g", {"aria-hidden": "true"})
        ET.SubElement(
            back, "path", {"class": "again", "d": f"M30,{end:g}h-10a6,6 0 0 1 -6,-6V{top + 6:g}a6,6 0 0 1 6,-6h4"}
        )
        ET.SubElement(back, "path", {"class": "spin", "d": f"M32,{top:g}l-9,-4.5v9z"})
        ET.SubElement(
            back,
            "line",
            {"class": "again", "x1": "30", "x2": f"{self.wide - 16:g}", "y1": f"{end:g}", "y2": f"{end:g}"},
        )
        self.rings.append(back)
        self.y = end

    def _box(self, group: ET.Element, step: Step) -> None:
        lanes = lanes_of(step)
        x, room = (self.x[lanes[0]], LANE - 34) if lanes else ((80 + self.wide) / 2, self.wide - 120)
        if isinstance(step, StateChange):
            words = f"{step.machine}: {step.before} to {step.after}"
        elif isinstance(step, Message):
            words = (
                step.label + (f" x {step.times}" if step.times > 1 else "") + (f"; {step.note}" if step.note else "")
            )
        else:
            words = step.text
        lines = [_cut(line, SIZE, room) for line in wrap(visible(words), SIZE, room)]
        cited = len(self._cited(rules_of(step), room))
        high = 16 * len(lines) + 14 * cited + 10
        kind = "state" if isinstance(step, StateChange) else "note"
        self.y += 6
        box = {
            "x": f"{x - room / 2 - 8:g}",
            "y": f"{self.y:g}",
            "width": f"{room + 16:g}",
            "height": f"{high:g}",
            "rx": "5",
        }
        ET.SubElement(group, "rect", {"class": kind, **box})
        for line in lines:
            self.y += 16
            self._words(group, x, self.y, line, "", SIZE, "middle")
        self._rules(group, rules_of(step), x, room)
        self.y += 14

    def _cited(self, rules: tuple[str, ...], room: float) -> list[list[str]]:
        rows: list[list[str]] = []
        for rule in rules:
            if rows and text_width("  ".join([*rows[-1], rule]), SIZE - 2, True) <= room:
                rows[-1].append(rule)
            else:
                rows.append([rule])
        return rows

    def _rules(self, group: ET.Element, rules: tuple[str, ...], middle: float, room: float) -> None:
        for row in self._cited(rules, room):
            self.y += 14
            x = middle - text_width("  ".join(row), SIZE - 2, True) / 2
            for rule in row:
                link = ET.SubElement(group, "a", {"href": f"{self.page}#{rule.lower()}"})
                self._words(link, x, self.y, visible(rule), "rule", SIZE - 2, bold=True)
                x += text_width(rule + "  ", SIZE - 2, True)

    def _words(
        self, at: ET.Element, x: float, y: float, text: str, kind: str, size: float = SIZE - 1, anchor: str = "start",
        bold: bool = False,
    ) -> None:  # fmt: skip
        shown = {"x": f"{x:.6g}", "y": f"{y:.6g}", "font-size": f"{size:g}"}
        shown |= {"class": kind} if kind else {}
        shown |= {"text-anchor": anchor} if anchor != "start" else {}
        shown |= {"font-weight": "bold"} if bold else {}
        if text.isascii() and text:
            shown |= {"textLength": f"{text_width(text, size, bold):.6g}", "lengthAdjust": "spacingAndGlyphs"}
        ET.SubElement(at, "text", shown).text = text


def _cut(text: str, size: float, room: float, bold: bool = False) -> str:
    if text_width(text, size, bold) <= room:
        return text
    while text and text_width(text + "...", size, bold) > room:
        text = text[:-1]
    return text + "..."
