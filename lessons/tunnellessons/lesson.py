"""A lesson: a page that asks before it answers, and the trace that it walks through.

The page is Markdown, written by hand but for what stands between markers::

    <!-- generated: world wrap -->                  the world (and a deviation's name), and how to replay the lesson
    <!-- generated: steps say route-a down-a -->    the next actions of the trace, drawn
    <!-- generated: rules ACK-G-06 -->              rules, with their sentences
    <!-- generated: properties P-WRAP -->           properties, likewise
    <!-- generated: limits ack_timeout_ms -->       limits, with value and reason
    <!-- generated: machines gateway -->            the machines of one side, and what each does
    <!-- generated: exercise --scenario wrap --without ACK-G-08 -->   a run of the checker for the learner to make
    <!-- generated: solution L-TOLD 9 -->           what that run finds: the property, and the steps of its shortest trace

each up to ``<!-- end -->``. The actions of all ``steps`` together are the trace. A paragraph that begins with ``**Predict.**`` is a
question, with a list of lettered choices; the ``<details>`` that follow, whose summary is *Reveal*, are its answer, and begin with
the letter of the right one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from tunnelcheck.files import Trace
from tunnelcheck.replay import Moment, replay
from tunnelcheck.scenarios import MEDIUM, Scenario
from tunnelspec.deviations import DEVIATIONS, apply, named
from tunnelspec.system import System

MARKER = re.compile(
    r"<!-- generated: (?P<kind>[a-z]+)(?P<given>[^>]*?)\s*-->\n(?P<body>.*?)(?P<end><!-- end -->)", re.DOTALL
)
TITLE = re.compile(r"\A# (?P<number>\d+)\. (?P<title>.+)$", re.MULTILINE)
SCENARIOS = {scenario.name: scenario for scenario in MEDIUM}
"""The worlds that a lesson may walk through."""


class LessonError(ValueError):
    """A page that cannot be used: the message names the page, the line and what is wrong there."""


@dataclass(frozen=True)
class Mark:
    """One marker of a page."""

    kind: str
    given: tuple[str, ...]
    body: str
    line: int
    start: int
    stop: int


@dataclass(frozen=True)
class Lesson:
    """A page, read."""

    slug: str  # 03-numbering
    text: str

    @cached_property
    def marks(self) -> tuple[Mark, ...]:
        """The markers, in order."""
        return tuple(
            Mark(m["kind"], tuple(m["given"].split()), m["body"], self.line(m.start()), m.start(), m.end())
            for m in MARKER.finditer(self.text)
        )

    def line(self, position: int) -> int:
        """The line of a place in the page."""
        return self.text.count("\n", 0, position) + 1

    def problem(self, line: int, what: str) -> LessonError:
        """An error of this page."""
        return LessonError(f"spec/lessons/{self.slug}.md, line {line}: {what}")

    @cached_property
    def title(self) -> str:
        """The heading, without its number. Raises ``LessonError``."""
        match = TITLE.search(self.text)
        if match is None or not self.slug.startswith(f"{int(match['number']):02}-"):
            raise self.problem(1, f"a heading such as '# {self.slug[:2].lstrip('0')}. Title' is due")
        return match["title"]

    def one(self, kind: str) -> Mark:
        """The page's only marker of a kind. Raises ``LessonError``."""
        found = [mark for mark in self.marks if mark.kind == kind]
        if len(found) != 1:
            raise self.problem(1, f"one marker '{kind}' is due, and there are {len(found)}")
        return found[0]

    @cached_property
    def world(self) -> World:
        """The world that the page walks through. Raises ``LessonError``."""
        mark = self.one("world")
        try:
            return World.of(mark.given)
        except ValueError as error:
            raise self.problem(mark.line, str(error)) from error

    @cached_property
    def actions(self) -> tuple[str, ...]:
        """The trace."""
        return tuple(action for mark in self.marks if mark.kind == "steps" for action in mark.given)

    @cached_property
    def system(self) -> System:
        """The world, with its tables."""
        return apply(System(self.world.scenario.bounds), [named(name) for name in self.world.deviations])

    @cached_property
    def moments(self) -> tuple[Moment, ...]:
        """The trace, step by step. Raises ``tunnelcheck.replay.Unfaithful``."""
        return replay(self.system, self.actions)

    def part(self, mark: Mark) -> tuple[int, tuple[Moment, ...]]:
        """The moments of one ``steps``, and how many come before them."""
        before = sum(len(m.given) for m in self.marks if m.kind == "steps" and m.start < mark.start)
        return before, self.moments[before : before + len(mark.given)]

    @property
    def trace(self) -> Trace:
        """The trace as a file has it."""
        return Trace(self.world.scenario.bounds, self.world.deviations, "", self.actions)


@dataclass(frozen=True)
class World:
    """What a ``world`` marker says."""

    scenario: Scenario
    deviation: str  # "" for the specification

    @classmethod
    def of(cls, words: tuple[str, ...]) -> World:
        """From the name of a scenario, and perhaps of a deviation. Raises ``ValueError``."""
        name, deviation = (*words, "")[:2]
        if name not in SCENARIOS:
            raise ValueError(f"there is no world {name!r}; 'tunnelspec check --list' names them")
        if deviation and deviation not in DEVIATIONS:
            raise ValueError(f"there is no deviation {deviation!r}; 'tunnelspec check --list' names them")
        return cls(SCENARIOS[name], deviation)

    @property
    def deviations(self) -> tuple[str, ...]:
        return (self.deviation,) if self.deviation else ()
