"""The suite's report on a terminal: a line a case, what failed in full, and a summary."""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from tunnelconform.cases import Case
from tunnelconform.explain import label, near, reasons
from tunnelconform.played import Line, Played, Verdict
from tunnelconform.suite import Result
from tunneldraw.sequence import Lane, Message, Note, Step, to_text
from tunneldraw.sequence import Sequence as Drawing

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


class Progress:
    """Counts on standard error, on a terminal only."""

    def __init__(self, total: int, err: TextIO = sys.stderr) -> None:
        self._total, self._err = total, err
        self._counts: Counter[Verdict] = Counter()
        self._began = time.monotonic()

    def see(self, result: Result) -> None:
        """One more case is done."""
        self._counts[result.verdict] += 1
        done = sum(self._counts.values())
        if not self._err.isatty():
            return
        passed = time.monotonic() - self._began
        left = passed / done * (self._total - done)
        bad = self._counts[Verdict.FAIL]
        self._err.write(f"\r{done}/{self._total} cases, {bad} failed, {done / passed:.0f}/s, {left:.0f} s left \x1b[K")
        if done == self._total:
            self._err.write("\r\x1b[K")
        self._err.flush()


def line(result: Result, out: TextIO, width: int) -> str:
    """One case."""
    verdict = coloured(f"{result.verdict.value:<13}", COLOURS[result.verdict], out)
    rest = result.why or result.case.says
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


def shown(case: Case, played: Played, colour: bool, width: int) -> Iterator[str]:
    """What failed, in full."""
    problem = played.problem
    if problem is None:
        return
    log = played.log
    subject = "runner" if played.side.name == "runner" else "gateway"
    what = "silence" if problem.what is None else "this is not allowed"
    marked = (*log, Line(problem.time_ms, subject, subject, what))
    yield to_text(drawing(case.id, marked, runners_of(log)), colour, width)
    yield from reasons(problem.what, problem.refusal, problem.due)
    if problem.last is not None:
        oracle = played.at_fault.oracle
        yield from near(problem.last, problem.then, oracle.endpoint, oracle.limits)
    yield ""


def report(results: Sequence[Result], title: str, seconds: float, verbose: bool, out: TextIO) -> None:
    """The lines, what failed, and the summary."""
    width = max(100, shutil.get_terminal_size().columns)
    for result in results:
        if verbose or result.verdict is not Verdict.PASS:
            print(line(result, out, width), file=out)
    drawn: set[int] = set()
    for result in results:
        if result.verdict is Verdict.FAIL and result.played is not None and id(result.played) not in drawn:
            drawn.add(id(result.played))
            print(file=out)
            for text in shown(result.case, result.played, out.isatty(), width):
                print(text, file=out)
    print(summary(results, title, seconds), file=out)


def summary(results: Sequence[Result], title: str, seconds: float) -> str:
    """One line."""
    counts = Counter(result.verdict for result in results)
    parts = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
    return f"{title}: {len(results)} cases, {parts}, in {seconds:.1f} s"
