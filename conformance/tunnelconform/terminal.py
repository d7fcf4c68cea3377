"""The suite's report on a terminal: a line a case, what failed in full, and a summary."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TextIO

from tunnelconform.cases import Case
from tunnelconform.conversation import to_json
from tunnelconform.explain import SHOWN, label, near, reasons
from tunnelconform.lag import LONG_MS
from tunnelconform.oracle import Said
from tunnelconform.played import Line, Played, Verdict
from tunnelconform.shrink import Shrunk
from tunnelconform.suite import Result
from tunneldraw.sequence import Lane, Message, Note, Step
from tunneldraw.sequence import Sequence as Drawing
from tunneldraw.sequence_text import to_text

COLOURS: Mapping[Verdict, str] = {
    Verdict.PASS: "32",
    Verdict.FAIL: "31;1",
    Verdict.INCONCLUSIVE: "33",
    Verdict.UNSUPPORTED: "2",
    Verdict.ERROR: "35;1",
}
LONGEST = 26
"""Of a conversation so many lines at most are drawn, the last."""


def coloured(text: str, colour: str, out: TextIO) -> str:
    """The text, in colour on a terminal."""
    return f"\x1b[{colour}m{text}\x1b[0m" if out.isatty() else text


LOGGED_S = 60.0
"""So often a log is told how far things are."""


class Shown:
    """One line on standard error that is written anew again and again; in a log, where that cannot be, a new one now and then."""

    def __init__(self, err: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._err = err or sys.stderr
        self._clock = clock
        self._began = self._logged = clock()

    @property
    def passed_s(self) -> float:
        """How long it has taken so far."""
        return self._clock() - self._began

    def write(self, text: str) -> None:
        """Put this in the line's place."""
        if self._err.isatty():
            width = shutil.get_terminal_size().columns
            self._err.write(f"\r{text[: width - 1]}\x1b[K")
            self._err.flush()
        elif text and self._clock() >= self._logged + LOGGED_S:
            self._logged = self._clock()
            self._err.write(f"{text}\n")
            self._err.flush()

    def end(self) -> None:
        """Leave nothing behind."""
        self.write("")


class Progress(Shown):
    """How many cases are done."""

    def __init__(self, total: int, err: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(err, clock)
        self._total = total
        self._counts: Counter[Verdict] = Counter()

    def see(self, result: Result) -> None:
        """One more case is done."""
        self._counts[result.verdict] += 1
        done, passed = sum(self._counts.values()), self.passed_s
        left = passed / done * (self._total - done)
        bad = self._counts[Verdict.FAIL]
        self.write(f"{done}/{self._total} cases, {bad} failed, {done / passed:.0f}/s, {left:.0f} s left")
        if done == self._total:
            self.end()


TICK_S = 1.0
"""So often a line shows how much time has passed."""


class ShrinkProgress(Shown):
    """Which failures are being shrunk, of how many, and how much was played for it."""

    def __init__(self, total: int, err: TextIO | None = None) -> None:
        super().__init__(err)
        self._total, self._done, self._plays = total, 0, 0
        self._now: list[str] = []
        self._over = asyncio.Event()

    @contextmanager
    def shrinking(self, case: str) -> Iterator[Callable[[], None]]:
        """One is; it says when something was played."""
        self._now.append(case)
        self._tell()
        try:
            yield self._played
        finally:
            self._now.remove(case)
            self._done += 1
            if self._done == self._total:
                self._over.set()
            self._tell()

    def _played(self) -> None:
        self._plays += 1
        self._tell()

    async def show(self) -> None:
        """Let time be seen to pass, until all are done."""
        while self._done < self._total:
            self._tell()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), TICK_S)

    def _tell(self) -> None:
        minutes, seconds = divmod(int(self.passed_s), 60)
        self.write(f"shrinking: {self._done}/{self._total} failures, {self._plays} plays, {minutes}:{seconds:02}; "
                   f"now {', '.join(self._now)}")  # fmt: skip


def line(result: Result, out: TextIO, width: int) -> str:
    """One case."""
    verdict = coloured(f"{result.verdict.value:<13}", COLOURS[result.verdict], out)
    rest = f"excused: {result.excused}" if result.excused else result.why or result.case.says
    if result.aspect:
        rest = f"({result.aspect}) {rest}"
    head = f"{result.case.id:<34} {result.seconds:>6.2f} s  "
    return verdict + head + rest[: max(20, width - len(head) - 14)]


def drawing(title: str, log: Sequence[Line], runners: Sequence[str]) -> Drawing:
    """A conversation as it went, with how many states were possible before each thing the subject said."""
    client = () if "runner" in runners else (Lane("client", "client"),)
    lanes = (*client, Lane("gateway", "gateway"), *(Lane(r, r if r == "runner" else f"runner {r}") for r in runners))
    steps: list[Step] = []
    for entry in log[-LONGEST:]:
        note = f"{entry.possible} states possible" if entry.possible > 1 else ""
        if entry.source == entry.target:
            steps.append(Note(entry.source, label(entry.what), time_ms=entry.time_ms))
        else:
            steps.append(Message(entry.source, entry.target, label(entry.what), time_ms=entry.time_ms, note=note))
    return Drawing(title, lanes, tuple(steps))


def runners_of(log: Sequence[Line]) -> list[str]:
    """The runners of a conversation."""
    parties = {party for entry in log for party in (entry.source, entry.target)}
    return sorted(parties - {"client", "gateway"}) or ["a"]


def drawing_of(title: str, played: Played) -> Drawing:
    """A conversation as it was played; if it failed, to the place where it did."""
    log, problem, broken = played.log, played.problem, played.broken
    subject = "runner" if played.side.name == "runner" else "gateway"
    if problem is not None:
        what = "silence" if problem.what is None else "this is not allowed"
        log = (*log, Line(problem.time_ms, subject, subject, what))
    if broken is not None:
        log = (*log, Line(played.time_ms, subject, subject, f"{broken.property}: {broken.says}"))
    return drawing(title, log, runners_of(log))


def told(played: Played) -> Iterator[str]:
    """What failed, in words; nothing if nothing did."""
    problem = played.problem
    if played.broken is not None:
        yield f"  {played.broken.property} is broken: {played.broken.says}"
    if problem is None:
        return
    oracle, lag_ms = played.at_fault.oracle, played.at_fault.lag_ms
    yield from reasons(problem.what, problem.refusal, problem.due, oracle.endpoint)
    if problem.last is not None:
        yield from near(problem.last, problem.then, oracle)
    if lag_ms >= LONG_MS:
        yield f"  the suite was held up meanwhile: {lag_ms} ms were not the subject's own, and are allowed for"


def shown(case: Case, played: Played, colour: bool, width: int) -> Iterator[str]:
    """What failed, in full."""
    if not played.failed:
        return
    yield to_text(drawing_of(case.id, played), colour, width)
    yield from told(played)
    yield ""


@dataclass(frozen=True)
class Finding:
    """A failure, shrunk, and the cases that fail in the same way."""

    case: Case
    shrunk: Shrunk
    cases: tuple[str, ...]
    script: str = ""

    def as_json(self) -> dict[str, Any]:
        """The finding as data."""
        played = self.shrunk.played
        problem, broken = played.problem, played.broken
        seen = None if problem is None or problem.what is None else label(problem.what)
        due: Sequence[Said] = ()
        if problem is not None:
            due = problem.due if problem.refusal is None else problem.refusal.allowed
        return {
            "case": self.case.id,
            "cases": list(self.cases),
            "conversation": to_json(played.conversation),
            "seen": seen,
            "promise": None if broken is None else {"property": broken.property, "says": broken.says},
            "due": [{"what": label(said.what), "rules": list(said.rules)} for said in due],
            "failed_again": self.shrunk.failed,
            "of": self.shrunk.tried,
        }


def report(
    results: Sequence[Result], findings: Sequence[Finding], title: str, seconds: float, verbose: bool, out: TextIO,
    missing: int = 0,
) -> None:  # fmt: skip
    """A line a case, each finding in full, and the summary."""
    width = max(100, shutil.get_terminal_size().columns)
    for result in results:
        if verbose or result.verdict is not Verdict.PASS:
            print(line(result, out, width), file=out)
    for finding in findings:
        print(file=out)
        for text in shown(finding.case, finding.shrunk.played, out.isatty(), width):
            print(text, file=out)
        if finding.shrunk.tried:
            steps = len(finding.shrunk.played.conversation)
            print(f"  shrunk to {steps} step{'s' * (steps > 1)}; "
                  f"it failed again {finding.shrunk.failed} times of {finding.shrunk.tried}", file=out)  # fmt: skip
        others = [id_ for id_ in finding.cases if id_ != finding.case.id]
        if others:
            more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
            print(f"  in the same way fail {', '.join(others[:SHOWN])}{more}", file=out)
    print(summary(results, title, seconds, missing), file=out)


def summary(results: Sequence[Result], title: str, seconds: float, missing: int = 0) -> str:
    """One line. ``missing``: so many cases were not played, for it was interrupted."""
    counts = Counter(result.verdict for result in results if not result.excused)
    parts = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
    excused = sum(bool(result.excused) for result in results)
    told = f"{title}: {len(results)} cases, {parts}{f', {excused} excused' if excused else ''}, in {seconds:.1f} s"
    return told + (f"; interrupted, {missing} cases were not played" if missing else "")
