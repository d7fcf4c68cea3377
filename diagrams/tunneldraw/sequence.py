"""Sequence diagrams of a trace: who said what to whom, and by which rules.

One data model, drawn as text (``to_text``, or line by line with ``LiveText``), as SVG (``to_svg``), and kept as JSON.
It knows nothing of the protocol: whoever has a trace says what its lanes and steps are.
"""

from __future__ import annotations

import json
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as SequenceOf
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any, TypeAlias

from tunneldraw.metrics import FAMILY, wrap
from tunneldraw.metrics import width as text_width


@dataclass(frozen=True, slots=True)
class Lane:
    """A party: a vertical line."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Message:
    """Something that goes from one lane to another, or stays in one. ``times`` of them in a row, alike."""

    source: str
    target: str
    label: str
    rules: tuple[str, ...] = ()
    lost: bool = False
    time_ms: int | None = None
    note: str = ""
    times: int = 1


@dataclass(frozen=True, slots=True)
class Note:
    """A remark at a lane; ``lane`` None: about the whole."""

    lane: str | None
    text: str
    rules: tuple[str, ...] = ()
    time_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Again(Note):
    """Where a lasso begins: what follows, up to the end or the last remark about the whole, leads back to here."""

    lane: str | None = None
    text: str = "from here on, again and again"


@dataclass(frozen=True, slots=True)
class StateChange:
    """A machine at a lane went from one state to another."""

    lane: str
    machine: str
    before: str
    after: str
    rule: str
    time_ms: int | None = None


Step: TypeAlias = Message | Note | StateChange
KINDS: Mapping[str, type[Any]] = {"message": Message, "note": Note, "again": Again, "state": StateChange}


@dataclass(frozen=True, slots=True)
class Sequence:
    """A trace, ready to be drawn. Raises ``ValueError`` for a step that names an unknown lane."""

    title: str
    lanes: tuple[Lane, ...]
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        known = {lane.id for lane in self.lanes}
        for step in self.steps:
            if unknown := [lane for lane in lanes_of(step) if lane not in known]:
                raise ValueError(f"{step}: unknown lane {unknown[0]!r}")


def lanes_of(step: Step) -> tuple[str, ...]:
    """The lanes that a step names."""
    if isinstance(step, Message):
        return (step.source, step.target)
    return (step.lane,) if step.lane is not None else ()


def rules_of(step: Step) -> tuple[str, ...]:
    """The rules that a step cites."""
    return (step.rule,) if isinstance(step, StateChange) else step.rules


def fold(steps: SequenceOf[Step], least: int = 3) -> tuple[Step, ...]:
    """Runs of ``least`` or more messages that differ in their time at most become one, with ``times``."""

    def likeness(step: Step) -> object:
        return replace(step, time_ms=None, times=1) if isinstance(step, Message) else object()

    folded: list[Step] = []
    for _, run in groupby(steps, likeness):
        alike = list(run)
        first = alike[0]
        if isinstance(first, Message) and len(alike) >= least:
            folded.append(replace(first, times=sum(m.times for m in alike if isinstance(m, Message))))
        else:
            folded.extend(alike)
    return tuple(folded)


def says(step: Step, labels: Mapping[str, str]) -> str:
    """A step as a sentence, for those who cannot see the drawing."""
    cited = f" ({', '.join(rules_of(step))})" if rules_of(step) else ""
    at = f"{step.time_ms} ms: " if step.time_ms is not None else ""
    if isinstance(step, Message):
        times = f", {step.times} times" if step.times > 1 else ""
        lost = ", lost on the way" if step.lost else ""
        note = f"; {step.note}" if step.note else ""
        return f"{at}{labels[step.source]} to {labels[step.target]}: {step.label}{times}{lost}{note}{cited}"
    if isinstance(step, StateChange):
        return f"{at}{labels[step.lane]}: {step.machine} goes from {step.before} to {step.after}{cited}"
    return f"{at}{labels[step.lane] + ': ' if step.lane is not None else ''}{step.text}{cited}"


# -- JSON ------------------------------------------------------------------------------------------------------------


def to_json(sequence: Sequence) -> str:
    """As JSON, with sorted keys."""
    names = {kind: name for name, kind in KINDS.items()}
    steps = [{"kind": names[type(step)], **asdict(step)} for step in sequence.steps]
    lanes = [asdict(lane) for lane in sequence.lanes]
    return json.dumps({"title": sequence.title, "lanes": lanes, "steps": steps}, sort_keys=True, ensure_ascii=False)


def from_json(text: str) -> Sequence:
    """What ``to_json`` wrote. Raises ``ValueError`` for anything else."""
    try:
        read = json.loads(text)
        return Sequence(read["title"], tuple(Lane(**lane) for lane in read["lanes"]), tuple(map(_step, read["steps"])))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a sequence: {error}") from error


def _step(read: Mapping[str, Any]) -> Step:
    given = {key: tuple(value) if key == "rules" else value for key, value in read.items() if key != "kind"}
    step: Step = KINDS[read["kind"]](**given)
    return step


# -- text ------------------------------------------------------------------------------------------------------------

BOLD, DIM, RED, GREEN, BLUE, YELLOW, PLAIN = (f"\x1b[{n}m" for n in ("1", "2", "31", "32", "36", "33", "0"))
TIME = 10
LEAST_LANE = 12


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def visible(text: str) -> str:
    """``text`` with its control characters written out: a trace's data must not steer the reader's terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def fit(text: str, room: int) -> str:
    """``text`` in at most ``room`` columns, cut if it must be."""
    text = visible(text)
    if columns(text) <= room:
        return text
    while text and columns(text) > room - 1:
        text = text[:-1]
    return text + "…" if room > 0 else ""


def broken(text: str, room: int) -> list[str]:
    """``text`` in lines of at most ``room`` columns, all of it: at spaces, and inside words that are longer than a line."""
    lines = [""]
    for word in visible(text).split():
        rest = word
        glue = " " if lines[-1] else ""
        if columns(lines[-1] + glue + rest) <= room:
            lines[-1] += glue + rest
            continue
        if lines[-1]:
            lines.append("")
        for character in rest:
            if columns(lines[-1] + character) > room:
                lines.append("")
            lines[-1] += character
    return lines


class LiveText:
    """Prints one step at a time: each line stands alone, its lanes under the header's."""

    def __init__(self, lanes: SequenceOf[Lane], *, colour: bool = False, width: int = 100) -> None:
        """``width`` is the terminal's; less than the lanes need is not kept."""
        self.lanes = tuple(lanes)
        self.colour = colour
        self.step = max(LEAST_LANE, (width - TIME) // max(1, len(self.lanes)))
        self.centres = {lane.id: TIME + self.step * place + self.step // 2 for place, lane in enumerate(self.lanes)}
        self.width = TIME + self.step * len(self.lanes)

    def header(self) -> str:
        """The lanes' names, above their lines."""
        cells = [_Cell(self.centres[lane.id], fit(lane.label, self.step - 2), BOLD, "middle") for lane in self.lanes]
        return self._write(cells, bars=False)

    def line(self, step: Step) -> str:
        """One step; more than one line if it has a note or rules."""
        return "\n".join(self.lines(step))

    def lines(self, step: Step) -> Iterator[str]:
        """The lines of one step, none wider than ``width``."""
        if isinstance(step, Message):
            yield from self._message(step)
        elif isinstance(step, StateChange):
            text = f"◆ {step.machine}: {step.before} → {step.after}" + (f"  {step.rule}" if step.rule else "")
            yield from self._beside(step.lane, text, YELLOW, step.time_ms)
        elif isinstance(step, Again):
            for line in broken(f"↻ {step.text}", self.width - TIME - 2):
                yield self._write([_Cell(TIME, _centred(line, self.width - TIME, "┄"), BOLD)], bars=False)
        else:
            text = f"· {step.text}" + (f"  {', '.join(step.rules)}" if step.rules else "")
            if step.lane is not None:
                yield from self._beside(step.lane, text, DIM, step.time_ms)
                return
            time = self._time(step.time_ms)
            for line in broken(text, self.width - TIME):
                yield self._write([*time, _Cell(TIME, line, BOLD)], bars=False)
                time = []

    def _time(self, time_ms: int | None) -> list[_Cell]:
        return [] if time_ms is None else [_Cell(0, fit(f"{time_ms} ms", TIME - 1), DIM)]

    def _message(self, step: Message) -> Iterator[str]:
        here, there = self.centres[step.source], self.centres[step.target]
        times = f"×{step.times}" if step.times > 1 else ""
        words = " ".join(part for part in (step.label, times) if part)
        if here == there:
            yield from self._beside(step.source, "  ".join(("↺ " + words, ", ".join(step.rules))), BLUE, step.time_ms)
        else:
            left, right = min(here, there), max(here, there)
            room = right - left - 1
            time, colour = self._time(step.time_ms), RED if step.lost else GREEN
            if columns(visible(words)) > room - 4:  # it does not fit on the shaft: it goes above
                for line in broken(step.label, room):
                    yield self._write([*time, _Cell(left + 1 + (room - columns(line)) // 2, line, colour)])
                    time = []
                words = times
            shaft = _centred(visible(words), room - 1, "┄" if step.lost else "─")
            end = "x" if step.lost else "▶" if there > here else "◀"
            yield self._write([*time, _Cell(left + 1, shaft + end if there > here else end + shaft, colour)])
            for line in broken(", ".join(step.rules), room) if step.rules else ():
                yield self._write([_Cell(left + 1 + (room - columns(line)) // 2, line, DIM)])
        if step.note:
            yield from self._beside(step.target, step.note, DIM, None)

    def _beside(self, lane: str, text: str, colour: str, time_ms: int | None) -> Iterator[str]:
        """A text to the right of a lane's line, or to its left where it fits better."""
        centre, time = self.centres[lane], self._time(time_ms)
        right, left = self.width - centre - 2, centre - TIME - 2
        to_right = columns(visible(text)) <= right or right >= left
        for line in broken(text, right if to_right else left):
            place = centre + 2 if to_right else centre - 1 - columns(line)
            yield self._write([*time, _Cell(place, line, colour)])
            time = []

    def _write(self, cells: SequenceOf[_Cell], bars: bool = True) -> str:
        grid: list[tuple[str, str]] = [(" ", "")] * self.width
        for centre in self.centres.values() if bars else ():
            grid[centre] = ("│", DIM)
        for cell in cells:
            place = cell.place - (columns(cell.text) // 2 if cell.anchor == "middle" else 0)
            for character in cell.text:
                wide = columns(character)
                if wide == 0 and place > 0:
                    grid[place - 1] = (grid[place - 1][0] + character, grid[place - 1][1])
                for offset in range(wide):
                    grid[place + offset] = (character if offset == 0 else "", cell.colour)
                place += wide
        while grid and grid[-1][0] == " ":
            grid.pop()
        if not self.colour:
            return "".join(character for character, _ in grid)
        runs = groupby(grid, key=lambda item: item[1])
        parts = [(colour, "".join(character for character, _ in run)) for colour, run in runs]
        return "".join(f"{colour}{text}{PLAIN}" if colour else text for colour, text in parts)


@dataclass(frozen=True, slots=True)
class _Cell:
    place: int
    text: str
    colour: str
    anchor: str = "start"


def _centred(text: str, room: int, fill: str) -> str:
    """``text`` between spaces in a shaft of ``room`` columns."""
    shown = f" {text} " if text else ""
    spare = room - columns(shown)
    return fill * (spare // 2) + shown + fill * (spare - spare // 2)


def to_text(sequence: Sequence, colour: bool = False, width: int = 100) -> str:
    """The whole, as text. Long runs of alike messages are folded."""
    live = LiveText(sequence.lanes, colour=colour, width=width)
    lines = [f"{BOLD}{sequence.title}{PLAIN}" if colour else sequence.title, "", live.header()]
    for step in fold(sequence.steps):
        lines.extend(live.lines(step))
    return "\n".join(lines) + "\n"


# -- SVG -------------------------------------------------------------------------------------------------------------

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
