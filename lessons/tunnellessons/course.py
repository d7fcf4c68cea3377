"""The course as a whole: every file of ``spec/lessons``, from its pages and the tables."""

from __future__ import annotations

import re
from pathlib import Path

from tunnelbook.page import IDS
from tunnellessons import wirepage
from tunnellessons.blocks import fill, pictures
from tunnellessons.lesson import MARKER, Lesson
from tunnellessons.links import BOOK
from tunnellessons.tour import tour
from tunnelspec.properties import PROPERTIES

CITED = re.compile(r"\b[A-Z]+-[GR]-\d+\b(?!\*)")  # but no pattern of ids
PROMISED = re.compile(r"(?<!-)\b[PL]-[A-Z]+(?:-[A-Z]+)*\b")
PROMISES = frozenset(p.id for p in PROPERTIES)
LET_ALONE = re.compile(r"(<!-- generated: .*?<!-- end -->|```.*?```|`[^`]*`|\[[^\]]*\]\([^)]*\))", re.DOTALL)


def lessons(folder: Path) -> tuple[Lesson, ...]:
    """All lessons, in order."""
    return tuple(Lesson(path.stem, path.read_text(encoding="utf-8")) for path in sorted(folder.glob("[0-9][0-9]-*.md")))


def files(folder: Path) -> dict[str, str]:
    """File name, below ``folder`` -> content. Raises ``LessonError``, and ``Unfaithful``."""
    made: dict[str, str] = {}
    for lesson in lessons(folder):
        fresh = written(lesson)
        made[f"{lesson.slug}.md"] = fresh.text
        made[f"{lesson.slug}.json"] = tour(fresh)
        made[f"traces/{lesson.slug}.json"] = fresh.trace.to_json() + "\n"
        made |= {f"pictures/{name}": svg for name, svg in pictures(fresh).items()}
    wire = folder / "wire.md"
    if wire.is_file():
        made["wire.md"] = written(Lesson("wire", wire.read_text(encoding="utf-8"))).text
        made |= wirepage.files()
    return made


def written(lesson: Lesson) -> Lesson:
    """The page with every block anew, and every rule that it cites linked. Raises ``LessonError``."""
    text, marks = linked(lesson), iter(lesson.marks)

    def block(match: re.Match[str]) -> str:
        head = match[0][: match.start("body") - match.start()]
        return f"{head}\n{fill(lesson, next(marks))}\n\n{match['end']}"

    return Lesson(lesson.slug, MARKER.sub(block, text))


def linked(lesson: Lesson) -> str:
    """The page with the prose's bare ids as links. Raises ``LessonError`` for one that does not exist."""
    prose = MARKER.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), lesson.text)
    for pattern, ids in ((CITED, IDS), (PROMISED, PROMISES)):
        for match in pattern.finditer(prose):
            if match[0] not in ids:
                raise lesson.problem(lesson.line(match.start()), f"{match[0]} does not exist")
    return "".join(part if index % 2 else _link(part) for index, part in enumerate(LET_ALONE.split(lesson.text)))


def _link(part: str) -> str:
    part = CITED.sub(lambda m: f"[{m[0]}]({BOOK}#{m[0].lower()})", part)
    return PROMISED.sub(lambda m: f"[{m[0]}]({BOOK}#{m[0].lower()})", part)
