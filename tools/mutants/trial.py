"""One mutant against the suite, as a subject of its own, until a case notices it, and notices it again."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tools.mutants.places import HOME, SHARED, Mutant
from tools.mutants.scope import equivalent
from tunnelconform import conversation as talk
from tunnelconform.cases import Case, breaks
from tunnelconform.deviants_cli import LIMITS
from tunnelconform.fleet import Fleet
from tunnelconform.played import Played, Verdict
from tunnelconform.plays import gateway_play, runner_played
from tunnelconform.session import cases_of
from tunnelconform.stress import stress
from tunnelconform.subject import Nature, SubjectError
from tunnelconform.subject_reference import ReferenceGateway
from tunnelconform.subject_runner import reference_runner
from tunnelconform.suite import Result, run

OTHER = "runner"
"""Whose suite is held against what both roles run through, if the gateway's notices nothing."""

DIED = "any"
"""What notices a mutant that does not come up, or that dies: any case."""

SPARES = 3
"""So many runners beside the one that all conversations share, for those that break its link."""

WALKS = 60
THINNED = 2
"""Of the cases that are like others (derived from the tables, or a fault at another place), each so many-th is held."""

LONGEST_S = 240.0
"""A mutant that has no verdict by then has none."""


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: the case that noticed it, or "" if none does."""

    by: str
    seconds: float


@cache
def suite(role: str) -> tuple[Case, ...]:
    """The cases of a role, with random walks of one seed."""
    cases, _ = cases_of(role, LIMITS[role])
    return tuple(case for case in (*cases, *stress(role, LIMITS[role], 1, WALKS)) if not long(case))


def long(case: Case) -> bool:
    """Whether it is tens of thousands of messages, and not for the sake of their index, or hundreds of conversations."""
    much = any(isinstance(step, talk.Flood | talk.Pour) for step in case.conversation)
    return case.times > 1 or (much and not case.id.endswith("/wrap-around"))


def batches(cases: Sequence[Case], likely: Sequence[str], role: str) -> Iterator[tuple[Case, ...]]:
    """The cases in the order in which they are tried: those that noticed neighbours; some of each kind that do not wait;
    what takes the whole machine; and the others."""
    named = {case.id: case for case in cases}
    first = [named[id_] for id_ in likely if id_ in named and not named[id_].heavy]
    yield tuple(first)
    rest = tuple(case for case in cases if case not in first)
    light = tuple(case for case in rest if not case.heavy)
    quick = tuple(case for case in light if not case.wait_ms(LIMITS[role]))
    some = quick[:: max(1, len(quick) // 60)]
    yield some
    yield tuple(case for case in rest if case.heavy)
    others = tuple(case for case in light if case not in some)
    alike = tuple(case for case in others if case.goal or "-at-" in case.id)
    yield (*(case for case in others if case not in alike), *alike[::THINNED])


def tried(mutant: Mutant | None, role: str, cases: Sequence[Case], likely: Sequence[str] = ()) -> Outcome:
    """Run the mutant (None: the code as it is) as a subject, and find a case that notices it twice, each time with a new one. What
    is said to be equivalent is held against a part of the cases: its reason is what counts."""
    began = time.monotonic()
    brief = mutant is not None and bool(equivalent(mutant))
    with _installed(mutant):
        order = [batch for batch in batches(cases, likely, role) if batch]
        by = asyncio.run(_noticed(role, order[:-1] if brief else order))
        if not by and mutant is not None and mutant.file in SHARED:
            others = [batch for batch in batches(suite(OTHER), (), OTHER) if batch]
            by = asyncio.run(_noticed(OTHER, others[:1] if brief else others))
            by = by and f"{OTHER} {by}"
    return Outcome(by, round(time.monotonic() - began, 1))


def again(mutant: Mutant, by: str) -> bool:
    """Whether the case that noticed a mutant still does, at the latest the third time."""
    role, _, case = by.rpartition(" ")
    role = role or mutant.role
    cases = suite(role)
    some = tuple(c for c in cases if c.id == case) or next(batch for batch in batches(cases, (), role) if batch)
    with _installed(mutant):
        return any(asyncio.run(_once(role, some)) for _ in range(3))


@contextmanager
def _installed(mutant: Mutant | None) -> Iterator[None]:
    """What is started meanwhile runs the mutant's code."""
    if mutant is None:
        yield
        return
    before = os.environ.get("PYTHONPATH")
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder) / "tunnelref"
        shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / mutant.file).write_text(mutant.source(), encoding="utf-8")
        os.environ["PYTHONPATH"] = folder if before is None else f"{folder}{os.pathsep}{before}"
        try:
            yield
        finally:
            os.environ.pop("PYTHONPATH")
            if before is not None:
                os.environ["PYTHONPATH"] = before


async def _noticed(role: str, order: Sequence[tuple[Case, ...]]) -> str:
    """The case that notices twice; "" if none does."""
    doubted = set[str]()
    with suppress(TimeoutError):
        async with asyncio.timeout(LONGEST_S):
            for batch in order:
                while by := await _once(role, [case for case in batch if case.id not in doubted]):
                    alone = [case for case in batch if case.id == by]
                    if alone and await _once(role, alone) in (by, DIED):
                        return by
                    if await _once(role, batch, by) == by:  # what needs others beside it
                        return by
                    doubted.add(by)
                    if by == DIED:
                        return ""  # once, and not again: that says nothing
    return ""


async def _once(role: str, cases: Sequence[Case], only: str = "") -> str:
    """What notices first (``only``: this) when all these are held against a new subject; "" if nothing does."""
    try:
        return await (_gateway if role == "gateway" else _runner)(cases, only)
    except (SubjectError, OSError, TimeoutError):
        return DIED


async def _gateway(cases: Sequence[Case], only: str) -> str:
    subject = ReferenceGateway()
    try:
        nature = await subject.start()

        async def play(case: Case, goal: frozenset[str]) -> Played:
            return await gateway_play(subject, nature, case.conversation, goal, case.lenient).run()

        first = First(only)
        return await first.of(run(cases, nature, play, subject.alive, first.hears, nature.side_by_side))
    finally:
        await subject.stop()


async def _runner(cases: Sequence[Case], only: str) -> str:
    subject = reference_runner(spares=SPARES)
    fleet = Fleet(subject.another)
    try:
        await subject.start()

        async def play(case: Case, goal: frozenset[str]) -> Played:
            async with subject.hub(breaks(case.conversation)) as hub:
                return await runner_played(hub, fleet, subject.limits, case.conversation, goal, case.lenient)

        nature = Nature(subject.limits, spares=SPARES)
        first = First(only)
        return await first.of(run(cases, nature, play, subject.alive, first.hears, 24))
    finally:
        await fleet.stop()
        await subject.stop()


class First:
    """Hears the results of a run, and ends it with the first that notices."""

    def __init__(self, only: str) -> None:
        self._only = only
        self._by: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def hears(self, result: Result) -> None:
        by = {Verdict.FAIL: result.case.id, Verdict.ERROR: DIED}.get(result.verdict, "")
        if by and not self._by.done() and self._only in ("", by):
            self._by.set_result(by)

    async def of(self, running: Coroutine[Any, Any, object]) -> str:
        """What notices first in that run."""
        task = asyncio.ensure_future(running)
        try:
            await asyncio.wait((task, self._by), return_when=asyncio.FIRST_COMPLETED)
            if self._by.done():
                return self._by.result()
            await task
            return ""
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
