"""Exported machines at work in the engines they were exported for."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tunnelexport.values import plain
from tunnelexport.xstate import limits_of
from tunnelspec.limits import Limits
from tunnelspec.machine import Machine, step

NODE = Path(__file__).parents[1] / "node"


class Case(NamedTuple):
    """One step to take."""

    state: str
    context: Any
    event: Any


class Engine:
    """A process of node that runs the charts in a folder."""

    def __init__(self, name: str, folder: Path) -> None:
        command = ["node", str(NODE / "statecharts.mjs"), str(folder), name]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def walk(self, machine: Machine, events: Iterable[Any], limits: Limits) -> list[Any]:
        """What the chart makes of these events, one after the other."""
        return self._ask(machine, limits, "events", [plain(event) for event in events])

    def steps(self, machine: Machine, cases: Iterable[Case], limits: Limits) -> list[Any]:
        """What the chart makes of each case by itself."""
        asked = [{"state": c.state, "c": plain(c.context), "event": plain(c.event)} for c in cases]
        return self._ask(machine, limits, "cases", asked)

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise

    def _ask(self, machine: Machine, limits: Limits, what: str, asked: list[Any]) -> list[Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = {"machine": machine.id.lower(), "limits": limits_of(limits), what: asked}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer: list[Any] = json.loads(self.process.stdout.readline())
        return answer


def expected(machine: Machine, case: Case, limits: Limits) -> tuple[list[Any], str, Any]:
    """What the tables make of a case, as an engine answers it; and the state and context after it."""
    done = step(machine, case.state, case.context, case.event, limits)
    answer = [done.transition.id, done.state, plain(done.context), plain(done.outputs)]
    return answer, done.state, done.context


def expected_walk(machine: Machine, events: Iterable[Any], limits: Limits) -> list[Any]:
    """What the tables make of these events, one after the other."""
    answers, state, context = [], machine.initial, machine.start
    for event in events:
        answer, state, context = expected(machine, Case(state, context, event), limits)
        answers.append(answer)
    return answers


def cases(machine: Machine, limits: Limits, each: int) -> Sequence[Case]:
    """Of all that the proof of totality tries, some cases of every transition."""
    contexts, events = tuple(machine.contexts(limits)), tuple(machine.events(limits))
    every = [Case(s.name, c, e) for s in machine.states for e in events for c in contexts]
    random.Random(machine.id).shuffle(every)
    chosen, seen = [], Counter[str]()
    for case in every:
        rule = step(machine, *case, limits).transition.id
        if seen[rule] < each:
            chosen.append(case)
            seen[rule] += 1
    assert seen.keys() == {t.id for t in machine.transitions}
    return chosen
