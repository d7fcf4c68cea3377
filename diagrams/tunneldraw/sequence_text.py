"""Sequence diagrams as text: whole, or line by line as steps come."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from itertools import groupby

from tunneldraw.sequence import Again, Lane, Message, Sequence, StateChange, Step, fold

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
