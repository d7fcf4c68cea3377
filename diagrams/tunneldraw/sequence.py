"""Sequence diagrams of a trace: who said what to whom, and by which rules.

One data model, kept as JSON; ``sequence_text`` draws it as text, ``sequence_svg`` as SVG.
It knows nothing of the protocol: whoever has a trace says what its lanes and steps are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Sequence as SequenceOf
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from typing import Any, TypeAlias


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
