"""Runs cases side by side, with a look at the subject before and after each, and says what came of each."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from tunnelconform.cases import Case, observable
from tunnelconform.conversation import Conversation
from tunnelconform.play import LAG
from tunnelconform.played import Played, Verdict
from tunnelconform.subject import Nature, SubjectError

Play = Callable[[Case, frozenset[str]], Awaitable[Played]]

APART_S = 0.02
"""So far apart the first conversations begin. All at once, each would wait for the first steps of all others, and what is to come
before a timer would come after it."""

FEW = 6
"""With so few others beside it, a step that must not come late comes in time: what was inconclusive is played again so."""


@dataclass(frozen=True)
class Result:
    """What a case showed, and why."""

    case: Case
    verdict: Verdict
    why: str = ""
    played: Played | None = None
    seconds: float = 0.0
    excused: str = ""  # why a failure does not count
    counts: bool = False  # that an inconclusive one does

    @property
    def aspect(self) -> str:
        """What a failure is about: a promise, what the subject does with data, or how it closes."""
        if self.played is not None and self.played.broken is not None:
            return "promise"
        if self.played is None or self.played.problem is None:
            return ""
        problem = self.played.problem
        due = problem.due if problem.refusal is None else problem.refusal.allowed
        about = [said.what for said in due[:1]] or [problem.what]
        return (
            "close"
            if any("Close" in type(what).__name__ or "HangUp" in type(what).__name__ for what in about)
            else "data"
        )

    def with_excuse(self, why: str) -> Result:
        return replace(self, excused=why)

    def with_counts(self, counts: bool) -> Result:
        return replace(self, counts=counts)


class Pulse:
    """Feels whether the subject lives; who asks while an answer is awaited gets the next one."""

    def __init__(self, alive: Callable[[], Awaitable[bool]]) -> None:
        self._alive = alive
        self._lock = asyncio.Lock()
        self._asked = self._answered = 0
        self._last = True

    async def beats(self) -> bool:
        """Whether the subject was alive some time after this was asked."""
        self._asked += 1
        mine = self._asked
        async with self._lock:
            if self._answered < mine:
                covers = self._asked
                self._last = await self._alive()
                self._answered = covers
            return self._last


def judged(case: Case, played: Played, seconds: float) -> Result:
    """The verdict on one case of a conversation."""
    if played.failed:
        return Result(case, Verdict.FAIL, "", played, seconds)
    if played.side.undecided:
        return Result(case, Verdict.INCONCLUSIVE, played.side.over, played, seconds)
    if played.impossible:
        return Result(case, Verdict.INCONCLUSIVE, played.impossible, played, seconds)
    if not played.may_have_taken(observable(case.goal)):
        return Result(case, Verdict.INCONCLUSIVE, "it went another way, which is allowed", played, seconds)
    return Result(case, Verdict.PASS, "", played, seconds)


async def _played(case: Case, goal: frozenset[str], play: Play, many: int) -> Played:
    """The case; of one that is held many times at once, the worst."""
    all_played = await asyncio.gather(*(play(case, goal) for _ in range(min(case.times, many))))
    return next((played for played in all_played if played.failed), all_played[0])


async def run(
    cases: Sequence[Case], nature: Nature, play: Play, alive: Callable[[], Awaitable[bool]],
    done: Callable[[Result], None], at_once: int,
) -> tuple[Result, ...]:  # fmt: skip
    """The results, in the order of the cases. Cases that share a conversation share one playing of it; what it leaves inconclusive
    beside many others is played again beside few."""
    gc.freeze()  # what there is now stays: to look through it again and again would hold up all conversations
    try:
        return await _run(cases, nature, play, alive, done, at_once)
    finally:
        gc.unfreeze()


async def _run(
    cases: Sequence[Case], nature: Nature, play: Play, alive: Callable[[], Awaitable[bool]],
    done: Callable[[Result], None], at_once: int,
) -> tuple[Result, ...]:  # fmt: skip
    groups: dict[tuple[Conversation, int], list[Case]] = {}
    for case in cases:
        groups.setdefault((case.conversation, case.times), []).append(case)
    order = sorted(groups.items(), key=lambda item: -item[1][0].wait_ms(nature.limits))
    spare, pulse = asyncio.Semaphore(max(1, nature.spares)), Pulse(alive)
    results: dict[str, Result] = {}
    undecided: list[list[Case]] = []
    dead = False

    def unsupported(case: Case) -> bool:
        """Whether the adapter has declared it so."""
        why = next((why for pattern, why in nature.unsupported.items() if fnmatchcase(case.id, pattern)), "")
        if why:
            results[case.id] = Result(case, Verdict.UNSUPPORTED, why)
            done(results[case.id])
        return bool(why)

    async def one(group: list[Case], room: asyncio.Semaphore, delay_s: float = 0, again: bool = False) -> None:
        nonlocal dead
        async with spare if group[0].alone else room:
            await asyncio.sleep(delay_s)
            began = time.monotonic()
            group = [case for case in group if not unsupported(case)]
            played, trouble = None, "the subject is dead" if dead else ""
            if group and not trouble:
                try:
                    if await pulse.beats():
                        goal = frozenset().union(*(case.goal for case in group))
                        played = await _played(group[0], goal, play, nature.many)
                    if not await pulse.beats():
                        dead, trouble = True, "the subject died"
                except SubjectError as error:
                    trouble = str(error)
            postponed = []
            for case in group:
                seconds = time.monotonic() - began
                if trouble or played is None:
                    result = Result(case, Verdict.ERROR, trouble or "the subject is dead", played, seconds)
                else:
                    result = judged(case, played, seconds)
                if again and result.verdict is Verdict.INCONCLUSIVE:
                    postponed.append(case)
                    continue
                results[case.id] = result
                done(result)
            if postponed:
                undecided.append(postponed)

    def beside(case: Case) -> bool:
        """Whether others may run beside it."""
        return not case.heavy and (nature.spares > 0 or not case.alone)

    LAG.start()
    try:
        many, few = asyncio.Semaphore(at_once), asyncio.Semaphore(FEW)
        async with asyncio.TaskGroup() as tasks:
            for place, group in enumerate(group for _, group in order if beside(group[0])):
                tasks.create_task(one(group, many, place * APART_S if place < at_once else 0, at_once > FEW))
        async with asyncio.TaskGroup() as tasks:
            for group in undecided:
                tasks.create_task(one(group, few))
        for _, group in order:
            if not beside(group[0]):
                await one(group, few)
    finally:
        LAG.stop()
    return tuple(results[case.id] for case in cases)
