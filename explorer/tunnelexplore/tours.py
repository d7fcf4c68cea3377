"""Guided tours: files that say what to do in a world, what to ask before it, and what to tell after it.

Their form is in ``explorer/README.md``, section *Tours*. A file that does not fit is refused with its name, the step and the rule.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunnelcheck.replay import Unfaithful, replay
from tunnelcheck.scenarios import PROPERTIES_OF
from tunnelexplore.atlas import Place
from tunnelspec.endpoint import MACHINES
from tunnelspec.properties import PROPERTIES

FORMAT, VERSION = "tunnelspec-tour", 1
NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
CITED = re.compile(r"\b(?:[A-Z]{3,5}-[GR]-\d\d|[PL]-[A-Z][A-Z-]*[A-Z])\b")
"""What looks like the id of a transition or of a property."""

RULES = {t.id for machine in MACHINES for t in machine.transitions}
IDS = RULES | {p.id for properties in PROPERTIES_OF.values() for p in properties}
LOOKS = {m.id for m in MACHINES} | {p.id for p in PROPERTIES}

KEYS = {"format", "version", "order", "title", "says", "world", "deviation", "steps", "exercise"}
STEP_KEYS = {"action", "begin", "text", "question", "choices", "right", "look"}


class TourError(ValueError):
    """A file that is not a tour, or a tour that is not possible: the message names the file, the step and the rule."""


@dataclass(frozen=True)
class Step:
    """One step of a tour, with where it is: ``way`` leads from the start of ``place``'s world to after the step."""

    place: Place
    way: tuple[str, ...]
    action: str  # "" if it only speaks
    text: str
    question: str
    choices: tuple[str, ...]
    right: int  # -1 if there is none
    look: tuple[str, ...]


@dataclass(frozen=True)
class Tour:
    """A tour, checked against the tables."""

    name: str
    order: float
    title: str
    says: str
    steps: tuple[Step, ...]
    exercise: Mapping[str, str]

    @property
    def legs(self) -> tuple[tuple[Place, tuple[str, ...]], ...]:
        """Its worlds, each with all that is done there."""
        last: list[tuple[Place, tuple[str, ...]]] = []
        for step in self.steps:
            if last and last[-1][0] == step.place and step.way[: len(last[-1][1])] == last[-1][1]:
                last.pop()
            last.append((step.place, step.way))
        return tuple(last)

    def to_json(self) -> dict[str, Any]:
        """For the page."""
        return {
            "name": self.name,
            "title": self.title,
            "says": self.says,
            "exercise": dict(self.exercise),
            "steps": [
                {"key": s.place.key, "way": s.way, "action": s.action, "text": s.text, "question": s.question,
                 "choices": s.choices, "right": s.right, "look": s.look}
                for s in self.steps
            ],
        }  # fmt: skip


def read_all(folder: Path) -> tuple[Tour, ...]:
    """All tours of a folder, in their order; JSON files of other formats are passed over. Raises ``TourError``."""
    tours = []
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        if _load(path).get("format") == FORMAT:
            tours.append(read(path))
    return tuple(sorted(tours, key=lambda tour: (tour.order, tour.name)))


def read(path: Path) -> Tour:
    """A tour, with every step tried on the tables. Raises ``TourError``, and ``OSError``."""
    raw = _load(path)

    def need(holds: bool, says: str) -> None:
        if not holds:
            raise TourError(f"{path}: {says}")

    need(raw.get("format") == FORMAT, f'not a tour: its "format" is not {FORMAT!r}')
    need(raw.get("version") == VERSION, f"version {raw.get('version')!r}; this program reads version {VERSION}")
    need(NAME.fullmatch(path.stem) is not None, "a tour's file is named in a-z, 0-9 and -")
    need(not (extra := set(raw) - KEYS), f"unknown keys: {', '.join(sorted(extra))}")
    for key in ("title", "says", "world"):
        need(isinstance(raw.get(key), str) and raw[key] != "", f"{key!r} must be a text")
    need(isinstance(raw.get("order", 0), int | float), "'order' must be a number")
    need(isinstance(raw.get("steps"), list) and raw["steps"] != [], "'steps' must be a list of steps")
    exercise = raw.get("exercise", {})
    need(
        _is_words(exercise) and set(exercise) <= {"text", "command", "solution"},
        "'exercise' has text, command, solution",
    )
    steps = tuple(_steps(path, _place(path, "the tour", raw), raw["steps"]))
    for words in (raw["title"], raw["says"], *exercise.values()):
        _cited(path, "the tour", words)
    return Tour(path.stem, raw.get("order", 0), raw["title"], raw["says"], steps, exercise)


def _load(path: Path) -> Mapping[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TourError(f"{path}: not JSON: {error}") from error
    return raw if isinstance(raw, Mapping) else {}


def _steps(path: Path, place: Place, raw: Iterable[Any]) -> Iterable[Step]:
    way: tuple[str, ...] = ()
    for number, step in enumerate(raw):
        where = f"step {number}"
        if not isinstance(step, Mapping) or set(step) - STEP_KEYS:
            raise TourError(f"{path}: {where}: a step has {', '.join(sorted(STEP_KEYS))}: not like {step!r}")
        if "begin" in step:
            if "action" in step:
                raise TourError(f"{path}: {where}: 'begin' and 'action' exclude each other")
            place, way = _place(path, where, step["begin"]), ()
        action = step.get("action", "")
        way = (*way, action) if action else way
        texts = [step.get("text"), step.get("question", ""), *step.get("choices", ())]
        if not all(isinstance(text, str) for text in (action, *texts)) or not texts[0]:
            raise TourError(f"{path}: {where}: 'text' must be a text, 'question' and 'choices' may be")
        choices, right = tuple(step.get("choices", ())), step.get("right", -1)
        if choices and (not step.get("question") or right not in range(len(choices))):
            raise TourError(f"{path}: {where}: 'choices' need a 'question', and 'right' is the number of one of them")
        look = tuple(step.get("look", ()))
        if unknown := [name for name in look if name not in LOOKS]:
            raise TourError(f"{path}: {where}: 'look' names no machine or property {unknown[0]!r}")
        for text in texts:
            _cited(path, where, text)
        try:
            replay(place.system(), way)
        except Unfaithful as error:
            raise TourError(f"{path}: {where}: in {place.key}: {error}") from error
        yield Step(place, way, action, texts[0], step.get("question", ""), choices, right, look)


def _place(path: Path, where: str, raw: Any) -> Place:
    if not isinstance(raw, Mapping):
        raise TourError(f"{path}: {where}: a world and a deviation were expected, not {raw!r}")
    place = Place(str(raw.get("world", "")), str(raw.get("deviation", "")))
    try:
        _ = place.scenario, place.departures
    except KeyError as error:
        raise TourError(f"{path}: {where}: there is no world or deviation {error.args[0]!r}") from error
    return place


def _cited(path: Path, where: str, text: str) -> None:
    """What looks like an id must be one."""
    for id_ in CITED.findall(text):
        if id_ not in IDS:
            raise TourError(f"{path}: {where}: there is no transition or property {id_}")


def _is_words(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(word, str) for word in value.values())
