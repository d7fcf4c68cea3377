"""A lesson as a tour of the page that ``tunnelspec explore`` makes: step by step, with what is said, asked and revealed.

What is said comes from the lesson's page; what an action did, from the trace.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tunnelcheck.explain import RULES, draw
from tunnelcheck.replay import Moment
from tunneldraw.sequence import StateChange, says
from tunnellessons import exercise
from tunnellessons.blocks import solved
from tunnellessons.lesson import MARKER, Lesson, Mark
from tunnelspec.endpoint import GATEWAY, RUNNER
from tunnelspec.machine import Verdict
from tunnelspec.properties import PROPERTIES

FORMAT, VERSION = "tunnelspec-tour", 1
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
REVEAL = re.compile(r"<details><summary>Reveal</summary>\n(?P<answer>.*?)\n</details>", re.DOTALL)
HEAD = re.compile(r"^\|.*\n\| --- .*\n", re.MULTILINE)
LIMIT = re.compile(r"^\| (.*?) \| (.*?) \| (.*?) \| (.*?) \| (.*) \|$", re.MULTILINE)
MACHINE = re.compile(r"^\| (.*?) \| (.*?) \| (.*) \|$", re.MULTILINE)
PREDICT = "**Predict.** "
CHOICE = re.compile(r"^- \*\*(?P<letter>[a-z])\.\*\* (?P<words>.*)$", re.MULTILINE)
RIGHT = re.compile(r"\s*\*\*(?P<letter>[a-z])\.\*\* ")
AFTER = "## Exercise"
SHOWN = tuple(machine.id for endpoint in (GATEWAY, RUNNER) for machine in endpoint.machines)


def tour(lesson: Lesson) -> str:
    """The tour, as JSON."""
    body, _, _ = lesson.text.partition(f"\n{AFTER}")
    return (
        json.dumps(
            {
                "format": FORMAT,
                "version": VERSION,
                "order": int(lesson.slug[:2]),
                "title": lesson.title,
                "says": _first(lesson),
                "world": lesson.world.scenario.name,
                "deviation": lesson.world.deviation,
                "steps": list(_steps(lesson, len(body))),
                "exercise": _exercise(lesson),
            },
            indent=1,
            ensure_ascii=False,
        )
        + "\n"
    )


def _first(lesson: Lesson) -> str:
    """The paragraph below the heading: what one knows afterwards."""
    return _plain(lesson.text.split("\n\n")[1])


def _steps(lesson: Lesson, end: int) -> Iterator[dict[str, Any]]:
    place = lesson.one("world").stop
    prose = MARKER.sub(lambda m: " " * len(m[0]), lesson.text)  # what is generated has details of its own
    for match in REVEAL.finditer(prose, place, end):
        *_, before = lesson.text[place : match.start()].rpartition(PREDICT)
        asked = match.start() - len(before) - len(PREDICT)
        yield from _told(lesson, place, asked)
        inside, outside = match.span("answer")
        offered, right, answer = _predict(lesson, asked, before, lesson.text[inside:outside])
        yield {
            "question": _plain(CHOICE.sub("", before)),
            "choices": offered,
            "right": right,
            **_speak(_plain(answer, True)),
        }
        for mark in _marks(lesson, inside, outside):
            yield from _acted(lesson, mark)
        place = match.end()
    yield from _told(lesson, place, end)


def _predict(lesson: Lesson, place: int, asked: str, answer: str) -> tuple[list[str], int, str]:
    """What a question offers, which of it is right, and the answer without its letter. Raises ``LessonError``."""
    offered, right = list(CHOICE.finditer(asked)), RIGHT.match(answer)
    letters = "".join(choice["letter"] for choice in offered)
    if len(letters) < 2 or not "abcdefgh".startswith(letters):
        raise lesson.problem(lesson.line(place), "a question offers choices, '- **a.** …' and so on")
    if right is None or right["letter"] not in letters:
        raise lesson.problem(
            lesson.line(place), "an answer begins with the letter of the choice that is right, '**b.** …'"
        )
    return [_plain(choice["words"]) for choice in offered], letters.index(right["letter"]), answer[right.end() :]


def _marks(lesson: Lesson, start: int, stop: int) -> Iterator[Mark]:
    return (mark for mark in lesson.marks if mark.kind == "steps" and start <= mark.start < stop)


def _told(lesson: Lesson, start: int, stop: int) -> Iterator[dict[str, Any]]:
    """Prose, and the steps between."""
    for mark in _marks(lesson, start, stop):
        if text := _plain(lesson.text[start : mark.start], True):
            yield _speak(text)
        yield from _acted(lesson, mark)
        start = mark.stop
    if text := _plain(lesson.text[start:stop], True):
        yield _speak(text)


def _speak(text: str) -> dict[str, Any]:
    cited = dict.fromkeys(re.findall(r"\b(?:[A-Z]+-[GR](?=-\d)|[PL]-[A-Z-]+[A-Z])\b", text))
    known = {*SHOWN, *(p.id for p in PROPERTIES)}
    look = [id_ for id_ in cited if id_ in known]
    return {"text": text, **({"look": look} if look else {})}


def _acted(lesson: Lesson, mark: Mark) -> Iterator[dict[str, Any]]:
    for moment in lesson.part(mark)[1]:
        yield {"action": moment.action.id, "text": "\n\n".join(_happened(lesson, moment)), "look": _moved(moment)}


def _happened(lesson: Lesson, moment: Moment) -> Iterator[str]:
    """An action in words, and the rules by which it went so."""
    drawing = draw(lesson.system, (moment,), "")
    labels = {lane.id: lane.label for lane in drawing.lanes}
    told = (says(step, labels) for step in drawing.steps if not isinstance(step, StateChange))
    yield ". ".join(re.sub(r" \([A-Z]+-[GR]-\d+[^)]*\)", "", sentence).rstrip(".") for sentence in told) + "."
    for id_ in dict.fromkeys(moment.took):
        if id_ in RULES and (RULES[id_].verdict is Verdict.TAKEN or len(moment.took) == 1):
            yield f"{id_}: {RULES[id_].says}"


def _moved(moment: Moment) -> list[str]:
    return list(dict.fromkeys(id_.rpartition("-")[0] for id_ in moment.took))


def _exercise(lesson: Lesson) -> dict[str, str]:
    """The lesson's first exercise."""
    mark = next(m for m in lesson.marks if m.kind == "solution")
    found, words = solved(lesson, mark)
    start = lesson.text.index(AFTER) + len(AFTER)
    text = lesson.text[start : lesson.text.index("<details>", start)]
    prop = found.counterexample.property
    return {
        "text": _plain(text, True),
        "command": exercise.command(words),
        "solution": f"{prop.id} is violated in {found.steps} steps: {prop.says}",
    }


def _plain(text: str, keep: bool = False) -> str:
    """Markdown as the tour's text: no links, no pictures. ``keep``: what is quoted between markers, but no steps."""

    def between(match: re.Match[str]) -> str:
        if not keep or match["kind"] not in ("rules", "properties", "limits", "machines"):
            return ""
        return MACHINE.sub(r"\1, \2: \3\n", LIMIT.sub(r"\1: \2 \3, here \4: \5\n", HEAD.sub("", match["body"])))

    text = LINK.sub(r"\1", MARKER.sub(between, text))
    text = re.sub(r"^> \*\*(\S+)\*\* ", r"\1: ", text, flags=re.MULTILINE)
    text = re.sub(r"\*+([^*\n]+)\*+", r"\1", re.sub(r"^> ?", "", text, flags=re.MULTILINE))
    paragraphs = (" ".join(part.split()) for part in _paragraphs(text))
    return "\n\n".join(part for part in paragraphs if part)


def _paragraphs(text: str) -> Iterable[str]:
    return re.split(r"\n\s*\n", re.sub(r"^#+ .*$", "", text, flags=re.MULTILINE))
