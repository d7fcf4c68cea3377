"""``tunnelspec conform gateway`` and ``tunnelspec conform runner``: the suite against a living subject."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tunnelconform import baseline, html_report, junit
from tunnelconform.arguments import again, runner_subject
from tunnelconform.cases import Case, selected
from tunnelconform.conversation import Conversation, to_json
from tunnelconform.interrupt import Interrupt, heard
from tunnelconform.play import LAG
from tunnelconform.played import Played, Verdict
from tunnelconform.report import Report, entry_of, failure_of
from tunnelconform.report import to_json as report_to_json
from tunnelconform.session import Session, blind, changed, opened, runner_every
from tunnelconform.shrink import AT_ONCE, Shrunk, shrink, signature
from tunnelconform.standalone import can_write, file_name
from tunnelconform.subject import SubjectError
from tunnelconform.suite import Result
from tunnelconform.terminal import Finding, Progress, ShrinkProgress, report
from tunnelconform.walks import Walk, simpler
from tunneldraw.svg import Undrawable

BATCH = 50
"""So many walks are added at a time while there is time left."""

MOST_SHRUNK = 12
"""So many different failures are shrunk."""


def run_gateway(args: argparse.Namespace) -> int:
    """See ``--help`` for the exit codes."""
    return _guarded("gateway", args)


def run_runner(args: argparse.Namespace) -> int:
    """See ``--help`` for the exit codes."""
    return _guarded("runner", args)


def _guarded(role: str, args: argparse.Namespace) -> int:
    def say(error: Exception) -> None:
        print(f"tunnelspec conform {role}: {error}", file=sys.stderr)

    try:
        return asyncio.run(_session(role, args))
    except asyncio.CancelledError:
        print(f"tunnelspec conform {role}: interrupted; nothing is reported", file=sys.stderr)
        return 3
    except ValueError as error:
        say(error)
        return 2
    except (SubjectError, OSError, Undrawable) as error:
        say(error if str(error) else SubjectError(f"the subject took too long ({error!r})"))
        return 4


async def _session(role: str, args: argparse.Namespace) -> int:
    """Run what is selected, and report; the exit code."""
    for path in (args.html, args.junit):
        if path is not None and not path.parent.is_dir():  # said now, not when the suite has run
            raise ValueError(f"{path}: there is no folder {path.parent}")
    if args.list and role == "runner":  # its limits are told, so that it need not run
        every, unreached = runner_every(runner_subject(args).limits, args)
        return _list(args, selected(every, args.only), unreached)
    expected = baseline.read(args.baseline) if args.baseline else {}
    with heard() as interrupt:
        return await _judged(role, args, expected, interrupt)


async def _judged(role: str, args: argparse.Namespace, expected: Mapping[str, str], interrupt: Interrupt) -> int:
    """The same, once it is known what is expected. An interrupt ends the playing, or the shrinking, and no more."""
    async with opened(role, args) as session:
        cases = selected(session.every, args.only)
        if args.list:
            return _list(args, cases, session.unreached)
        if not cases:
            raise ValueError(f"no case matches {' '.join(args.only)}")
        began = time.monotonic()
        heard_of: list[Result] = []
        whole = await interrupt.may_end(_play(args, session, cases, began, heard_of))
        results = tuple(session.graded(r, expected, args.strict) for r in heard_of)
        missing = 0 if whole else max(0, len(cases) * args.repeat - len(results))
        findings = await _findings(results, session, MOST_SHRUNK if args.shrink else 0, interrupt)
        seconds = time.monotonic() - began
    if args.scripts:
        _write(args.scripts, findings)
    out_of_date = baseline.stale(expected, results, (case.id for case in session.every))
    told = reported(role, args, session, results, findings, out_of_date, seconds, missing)
    if args.html:
        args.html.write_text(html_report.to_html(told), encoding="utf-8")
    if args.junit:
        args.junit.write_text(junit.to_xml(told), encoding="utf-8")
    if args.json:
        print(json.dumps(report_to_json(told)))
    else:
        report(results, findings, session.title, seconds, args.verbose, sys.stdout, missing)
        for difference in session.profile.differs:
            print(f"profile {session.profile.name}: {difference}")
        if unseen := blind(role, session.nature.limits, session.nature.grace_ms):
            print(f"limits: {unseen}")
        for id_, why in out_of_date.items():
            print(f"{args.baseline}: {id_} is stale: {why}")
    return code(results, bool(out_of_date), bool(missing))


async def _play(
    args: argparse.Namespace, session: Session, cases: tuple[Case, ...], began: float, results: list[Result]
) -> None:
    """Adds what the cases show, as often as is asked for, and what random walks do while there is time; ended early, what was
    shown by then."""

    async def held(some: tuple[Case, ...]) -> None:
        progress, came = Progress(len(some)), dict[str, Result]()

        def see(result: Result) -> None:
            came[result.case.id] = result
            progress.see(result)

        try:
            await session.results(some, see)
        finally:
            progress.end()
            results.extend(came[case.id] for case in some if case.id in came)

    for _ in range(args.repeat):
        await held(cases)
    seed = args.seed + 1
    while args.budget and time.monotonic() - began < args.budget:
        await held(session.more(seed, BATCH) or cases)
        seed += 1


def reported(
    role: str, args: argparse.Namespace, session: Session, results: tuple[Result, ...], findings: tuple[Finding, ...],
    out_of_date: Mapping[str, str], seconds: float, missing: int = 0,
) -> Report:  # fmt: skip
    """The run as data."""
    drawn = {case.id for case in selected((r.case for r in results), args.draw)} if args.draw else set()
    return Report(
        session.title,
        seconds,
        tuple(entry_of(r, r.case.id in drawn or r.verdict is not Verdict.PASS) for r in results),
        tuple(map(failure_of, findings)),
        out_of_date,
        args.seed,
        changed(session.nature.limits),
        session.profile.name,
        session.profile.differs,
        session.unreached,
        again(role, args),
        missing,
    )


def code(results: tuple[Result, ...], out_of_date: bool, interrupted: bool = False) -> int:
    """4 for a dead subject, 1 for a failure, 5 for a stale baseline, 3 for what is undecided if that counts, or was not played
    for an interrupt; else 0."""
    verdicts = {r.verdict for r in results if not r.excused}
    if Verdict.ERROR in verdicts:
        return 4
    if Verdict.FAIL in verdicts:
        return 1
    if out_of_date:
        return 5
    return 3 if interrupted or any(r.verdict is Verdict.INCONCLUSIVE and r.counts for r in results) else 0


async def _findings(
    results: tuple[Result, ...], session: Session, most: int, interrupt: Interrupt
) -> tuple[Finding, ...]:
    """Of failures that are alike, one, the shortest first: it is where to begin. So many at most are shrunk, unless that is
    interrupted."""
    alike: dict[Any, list[Result]] = {}
    for result in results:
        if result.verdict is Verdict.FAIL and result.played is not None and not result.excused:
            alike.setdefault(signature(result.played), []).append(result)
    first = [min(group, key=lambda r: len(r.case.conversation)) for group in alike.values()]
    shrunk = [Shrunk(result.played, 0, 0) for result in first if result.played is not None]
    await interrupt.may_end(_shrink(first, session, most, shrunk))
    findings = []
    for one, short, group in zip(first, shrunk, alike.values(), strict=True):
        text = ""
        shows = short.played.problem is not None and can_write(session.role, short.played.conversation)
        if session.write is not None and shows:
            text = await session.write(one.case.id, short.played)
        findings.append(Finding(one.case, short, tuple(r.case.id for r in group), text))
    return tuple(sorted(findings, key=lambda finding: len(finding.shrunk.played.conversation)))


async def _shrink(failed: Sequence[Result], session: Session, most: int, shrunk: list[Shrunk]) -> None:
    """Put what is shorter in its place, side by side as far as the subject takes it; ended early, the rest stays as it is."""
    light = [place for place, result in enumerate(failed) if _can_be_shrunk(result.case, session)][:most]
    progress, room = ShrinkProgress(len(light)), asyncio.Semaphore(max(1, session.nature.side_by_side // AT_ONCE))

    async def one(place: int) -> None:
        async with room:
            # if it died, or is tired: what was found is told all the same
            with progress.shrinking(failed[place].case.id) as played, suppress(SubjectError, OSError):
                shrunk[place] = await shortest(failed[place], session, True, played)

    LAG.start()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(progress.show())
            for place in light:
                tasks.create_task(one(place))
    finally:
        LAG.stop()
        progress.end()


async def shortest(
    failed: Result, session: Session, wanted: bool = True, done: Callable[[], None] = lambda: None
) -> Shrunk:
    """A failure's conversation, shrunk if that is wanted and it can be held beside others; a walk by Hypothesis first. ``done``
    hears of each play."""
    assert failed.played is not None
    case, played = failed.case, failed.played
    if not wanted or not _can_be_shrunk(case, session):
        return Shrunk(played, 0, 0)

    async def replay(steps: Conversation) -> Played:
        try:
            return await session.play(steps, frozenset(), case.lenient)
        finally:
            done()

    if isinstance(case, Walk):
        played = await simpler(case, played, replay)
    return await shrink(played, replay)


def _can_be_shrunk(case: Case, session: Session) -> bool:
    """Whether it can be held beside others."""
    return not case.heavy and (not case.alone or session.nature.spares > 0)


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
