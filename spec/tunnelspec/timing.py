"""What every line that sets a timer must keep: a state's ``until`` and its timer say the same.

Decided like totality, over the bounded contexts and events of each machine: in the closed world timers are events, and how long
they run is not seen there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

from tunnelspec.events import SetTimer
from tunnelspec.limits import Limits
from tunnelspec.machine import Machine, Step, Verdict, enabled, fire
from tunnelspec.totality import SMALL

TIMES = replace(SMALL, **{f.name: 10 + place for place, f in enumerate(fields(Limits)) if f.name.endswith("_ms")})
"""The limits of the proof of totality, with no two times alike."""

Holds = Callable[[Machine, Step, SetTimer, Limits], bool]


@dataclass(frozen=True)
class LineProperty:
    """A property of each timer that a line sets. ``could``: whether it is about this one."""

    id: str
    says: str
    holds: Holds
    could: Holds


@dataclass(frozen=True)
class Judged:
    """What was found: in how many situations it could have failed, and the first line that breaks it."""

    property: LineProperty
    situations: int
    wrong: tuple[str, ...]


def until(machine: Machine, step: Step) -> str:
    """What ends the wait in the state to which a step leads."""
    return {state.name: state.until for state in machine.states}[step.state]


def waits_as_long(machine: Machine, step: Step, timer: SetTimer, limits: Limits) -> bool:
    return timer.delay_ms in (
        {getattr(limits, until(machine, step))}
        if hasattr(limits, until(machine, step))
        else {getattr(limits, state.until) for state in machine.states if hasattr(limits, state.until)}
    )


def is_no_pause(machine: Machine, step: Step, timer: SetTimer, limits: Limits) -> bool:
    return until(machine, step) != "backoff_ms"


def pauses_twice_as_long(machine: Machine, step: Step, timer: SetTimer, limits: Limits) -> bool:
    return bool(timer.delay_ms == limits.backoff_ms << (step.context.failures - 1))


def is_pause(machine: Machine, step: Step, timer: SetTimer, limits: Limits) -> bool:
    return until(machine, step) == "backoff_ms"


LINE_PROPERTIES = (
    LineProperty("T-WAIT", "A timer runs for as long as the state waits in which it is set.", waits_as_long, is_no_pause),
    LineProperty("T-PAUSE", "The first pause is as long as the limit says, and each further one twice the one before.",
                 pauses_twice_as_long, is_pause),
)  # fmt: skip
"""Both are asked of every timer that a line sets."""


def timers(machine: Machine, limits: Limits = TIMES) -> Iterator[tuple[Step, SetTimer]]:
    """All timers that a machine sets, each with the step that sets it."""
    contexts, events = tuple(machine.contexts(limits)), tuple(machine.events(limits))
    setting = {t.id for t in machine.transitions if t.verdict is Verdict.TAKEN and t.then is not None}
    for state in machine.states:
        for event in events:
            for context in contexts:
                for line in enabled(machine, state.name, context, event, limits):
                    if line.id in setting:
                        step: Any = fire(line, state.name, context, event, limits)
                        yield from ((step, output) for output in step.outputs if isinstance(output, SetTimer))


def judge(machine: Machine, limits: Limits = TIMES) -> tuple[Judged, ...]:
    """Decide the properties of a machine's timers."""
    found = tuple(timers(machine, limits))
    judged = []
    for prop in LINE_PROPERTIES:
        about = [pair for pair in found if prop.could(machine, *pair, limits)]
        wrong = (step.transition.id for step, timer in about if not prop.holds(machine, step, timer, limits))
        judged.append(Judged(prop, len(about), tuple(dict.fromkeys(wrong))))
    return tuple(judged)
