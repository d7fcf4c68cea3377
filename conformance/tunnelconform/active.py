"""``tunnelspec conform gateway`` and ``tunnelspec conform runner``: the suite against a living subject."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunnelconform import baseline
from tunnelconform.arguments import gateway_subject, runner_subject
from tunnelconform.cases import Case, gateway_cases, runner_cases, selected
from tunnelconform.conversation import Conversation, to_json
from tunnelconform.play_gateway import GatewayPlay
from tunnelconform.play_runner import RunnerPlay
from tunnelconform.played import Played, Verdict
from tunnelconform.profiles import PROFILES, Profile
from tunnelconform.shrink import Shrunk, shrink, signature
from tunnelconform.standalone import can_write, file_name, script
from tunnelconform.stress import stress, walks
from tunnelconform.subject import GatewaySubject, Nature, SubjectError
from tunnelconform.subject_runner import CommandRunner
from tunnelconform.suite import Play, Result, run
from tunnelconform.terminal import Finding, Progress, report

PATIENCE_MS = 60_000
"""No single wait is longer."""

BATCH = 50
"""So many walks are added at a time while there is time left."""

MOST_SHRUNK = 12
"""So many different failures are shrunk."""


@dataclass
class Session:
    """A subject that is running, and how a case is played against it."""

    title: str
    nature: Nature
    profile: Profile
    play: Callable[[Conversation, frozenset[str], bool], Awaitable[Played]]
    alive: Callable[[], Awaitable[bool]]

    async def case(self, case: Case, goal: frozenset[str]) -> Played:
        return await self.play(case.conversation, goal, case.lenient)

    async def results(self, cases: tuple[Case, ...]) -> tuple[Result, ...]:
        """What the cases show."""
        play: Play = self.case
        return await run(cases, self.nature, play, self.alive, Progress(len(cases)).see, self.nature.side_by_side)


def run_gateway(args: argparse.Namespace) -> int:
    """See ``--help`` for the exit codes."""
    return _guarded("gateway", args, _gateway)


def run_runner(args: argparse.Namespace) -> int:
    """See ``--help`` for the exit codes."""
    return _guarded("runner", args, _runner)


def _guarded(role: str, args: argparse.Namespace, work: Callable[[argparse.Namespace], Awaitable[int]]) -> int:
    def say(error: Exception) -> None:
        print(f"tunnelspec conform {role}: {error}", file=sys.stderr)

    async def main() -> int:
        return await work(args)

    try:
        return asyncio.run(main())
    except ValueError as error:
        say(error)
        return 2
    except (SubjectError, OSError) as error:
        say(error if str(error) else SubjectError(f"the subject took too long ({error!r})"))
        return 4


async def _gateway(args: argparse.Namespace) -> int:
    subject: GatewaySubject = gateway_subject(args)
    profile = PROFILES[args.profile]
    try:
        nature = await subject.start()
        every, unreached = gateway_cases(nature.limits, PATIENCE_MS)
        every = (*every, *stress(nature.limits, args.seed, args.walks))

        async def play(conversation: Conversation, goal: frozenset[str], lenient: bool) -> Played:
            return await GatewayPlay(subject, nature, conversation, goal, lenient, profile, nature.grace_ms).run()

        session = Session(f"gateway {subject.name}", nature, profile, play, subject.alive)
        more = lambda seed, count: tuple(walks(nature.limits, seed, count))  # noqa: E731

        async def write(id_: str, played: Played) -> str:
            place = await subject.place()
            return script(id_, played, place, await subject.door(place), nature.limits)

        alone = None if nature.runner_first else write  # a script cannot make an actor
        return await _session(args, session, every, unreached, more, alone)
    finally:
        await subject.stop()


async def _runner(args: argparse.Namespace) -> int:
    subject: CommandRunner = runner_subject(args)
    profile = PROFILES[args.profile]
    tables = profile.tables()[1]
    every, unreached = runner_cases(subject.limits, PATIENCE_MS)
    if args.list:
        return _list(args, selected(every, args.only), unreached)
    try:
        hub = await subject.start()

        async def play(conversation: Conversation, goal: frozenset[str], lenient: bool) -> Played:
            return await RunnerPlay(hub, subject.limits, conversation, goal, lenient, tables).run()

        session = Session(f"runner {subject.name}", Nature(subject.limits), profile, play, subject.alive)
        return await _session(args, session, every, unreached, lambda seed, count: (), None)
    finally:
        await subject.stop()


async def _session(
    args: argparse.Namespace, session: Session, every: tuple[Case, ...], unreached: Mapping[str, str],
    more: Callable[[int, int], tuple[Case, ...]], write: Callable[[str, Played], Awaitable[str]] | None,
) -> int:  # fmt: skip
    """Run what is selected, and report; the exit code."""
    cases = selected(every, args.only)
    if args.list:
        return _list(args, cases, unreached)
    if not cases:
        raise ValueError(f"no case matches {' '.join(args.only)}")
    expected = baseline.read(args.baseline) if args.baseline else {}
    began = time.monotonic()
    results: tuple[Result, ...] = ()
    for _ in range(args.repeat):
        results += await session.results(cases)
    seed = args.seed + 1
    while args.budget and time.monotonic() - began < args.budget:
        results += await session.results(more(seed, BATCH) or cases)
        seed += 1
    results = tuple(_graded(r, session, expected, args.strict) for r in results)
    findings = await _findings(results, session, write, MOST_SHRUNK if args.shrink else 0)
    if args.scripts:
        _write(args.scripts, findings)
    seconds = time.monotonic() - began
    out_of_date = baseline.stale(expected, results, (case.id for case in every))
    if args.json:
        print(json.dumps(as_json(session.title, results, findings, out_of_date, seconds)))
    else:
        report(results, findings, session.title, seconds, args.verbose, sys.stdout)
        for difference in session.profile.differs:
            print(f"profile {session.profile.name}: {difference}")
        for id_, why in out_of_date.items():
            print(f"{args.baseline}: {id_} is stale: {why}")
    return code(results, bool(out_of_date))


def code(results: tuple[Result, ...], out_of_date: bool) -> int:
    """4 for a dead subject, 1 for a failure, 5 for a stale baseline, 3 for what is undecided if that counts; else 0."""
    verdicts = {r.verdict for r in results if not r.excused}
    if Verdict.ERROR in verdicts:
        return 4
    if Verdict.FAIL in verdicts:
        return 1
    if out_of_date:
        return 5
    return 3 if any(r.verdict is Verdict.INCONCLUSIVE and r.counts for r in results) else 0


def _graded(result: Result, session: Session, expected: Mapping[str, str], strict: bool) -> Result:
    """The result, excused if a profile or the baseline excuses it."""
    if result.verdict is Verdict.FAIL and result.played is not None:
        way = signature(result.played)
        excuse = expected.get(result.case.id) or session.profile.excuse(way.rules if way else ())
        return result.with_excuse(excuse)
    return result.with_counts(strict) if result.verdict is Verdict.INCONCLUSIVE else result


async def _findings(
    results: tuple[Result, ...], session: Session, write: Callable[[str, Played], Awaitable[str]] | None, most: int
) -> tuple[Finding, ...]:
    """Of failures that are alike, one; so many at most are shrunk."""
    alike: dict[Any, list[Result]] = {}
    for result in results:
        if result.verdict is Verdict.FAIL and result.played is not None and not result.excused:
            alike.setdefault(signature(result.played), []).append(result)
    findings = []
    for place, group in enumerate(alike.values()):
        first = min(group, key=lambda r: len(r.case.conversation))
        assert first.played is not None
        shrunk = Shrunk(first.played, 0, 0)
        if place < most and not first.case.heavy:
            lenient = first.case.lenient
            shrunk = await shrink(first.played, lambda c, lenient=lenient: session.play(c, frozenset(), lenient))  # type: ignore[misc]
        text = ""
        if write is not None and can_write(shrunk.played.conversation):
            text = await write(first.case.id, shrunk.played)
        findings.append(Finding(first.case, shrunk, tuple(r.case.id for r in group), text))
    return tuple(findings)


def _write(folder: Path, findings: tuple[Finding, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for finding in findings:
        if finding.script:
            (folder / file_name(finding.case.id)).write_text(finding.script, encoding="utf-8")


def _list(args: argparse.Namespace, cases: tuple[Case, ...], unreached: Mapping[str, str]) -> int:
    if args.json:
        listed = [{"id": c.id, "says": c.says, "conversation": to_json(c.conversation)} for c in cases]
        print(json.dumps({"cases": listed, "out_of_reach": dict(unreached)}))
        return 0
    for case in cases:
        print(f"{case.id:<34} {case.says}")
    print(f"\n{len(cases)} cases, {len({c.conversation for c in cases})} conversations")
    print("\nout of a peer's reach:")
    for id_, why in unreached.items():
        print(f"{id_:<12} {why}")
    return 0


def as_json(
    subject: str, results: tuple[Result, ...], findings: tuple[Finding, ...], out_of_date: Mapping[str, str],
    seconds: float,
) -> dict[str, Any]:  # fmt: skip
    """The results as data."""
    return {
        "subject": subject,
        "seconds": round(seconds, 3),
        "results": [
            {
                "id": r.case.id,
                "verdict": r.verdict.value,
                "aspect": r.aspect,
                "why": r.why,
                "excused": r.excused,
                "seconds": round(r.seconds, 3),
            }
            for r in results
        ],
        "findings": [finding.as_json() for finding in findings],
        "stale": dict(out_of_date),
    }
