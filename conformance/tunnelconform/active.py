"""``tunnelspec conform gateway`` and ``tunnelspec conform runner``: the suite against a living subject."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from tunnelconform import baseline, html_report, junit
from tunnelconform.arguments import again, runner_subject
from tunnelconform.cases import Case, selected
from tunnelconform.conversation import to_json
from tunnelconform.played import Played, Verdict
from tunnelconform.report import Report, entry_of, failure_of
from tunnelconform.report import to_json as report_to_json
from tunnelconform.session import Session, blind, cases_of, changed, opened
from tunnelconform.shrink import Shrunk, shrink, signature
from tunnelconform.standalone import can_write, file_name
from tunnelconform.subject import SubjectError
from tunnelconform.suite import Result
from tunnelconform.terminal import Finding, Progress, report
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
        every, unreached = cases_of("runner", runner_subject(args).limits)
        return _list(args, selected(every, args.only), unreached)
    expected = baseline.read(args.baseline) if args.baseline else {}
    async with opened(role, args) as session:
        cases = selected(session.every, args.only)
        if args.list:
            return _list(args, cases, session.unreached)
        if not cases:
            raise ValueError(f"no case matches {' '.join(args.only)}")
        began = time.monotonic()
        results = await _results(args, session, cases, began)
        results = tuple(session.graded(r, expected, args.strict) for r in results)
        findings = await _findings(results, session, MOST_SHRUNK if args.shrink else 0)
        seconds = time.monotonic() - began
    if args.scripts:
        _write(args.scripts, findings)
    out_of_date = baseline.stale(expected, results, (case.id for case in session.every))
    told = reported(role, args, session, results, findings, out_of_date, seconds)
    if args.html:
        args.html.write_text(html_report.to_html(told), encoding="utf-8")
    if args.junit:
        args.junit.write_text(junit.to_xml(told), encoding="utf-8")
    if args.json:
        print(json.dumps(report_to_json(told)))
    else:
        report(results, findings, session.title, seconds, args.verbose, sys.stdout)
        for difference in session.profile.differs:
            print(f"profile {session.profile.name}: {difference}")
        if unseen := blind(role, session.nature.limits, session.nature.grace_ms):
            print(f"limits: {unseen}")
        for id_, why in out_of_date.items():
            print(f"{args.baseline}: {id_} is stale: {why}")
    return code(results, bool(out_of_date))


async def _results(
    args: argparse.Namespace, session: Session, cases: tuple[Case, ...], began: float
) -> tuple[Result, ...]:
    """What the cases show, as often as is asked for, and what random walks do while there is time."""

    async def held(some: tuple[Case, ...]) -> tuple[Result, ...]:
        return await session.results(some, Progress(len(some)).see)

    results: tuple[Result, ...] = ()
    for _ in range(args.repeat):
        results += await held(cases)
    seed = args.seed + 1
    while args.budget and time.monotonic() - began < args.budget:
        results += await held(session.more(seed, BATCH) or cases)
        seed += 1
    return results


def reported(
    role: str, args: argparse.Namespace, session: Session, results: tuple[Result, ...], findings: tuple[Finding, ...],
    out_of_date: Mapping[str, str], seconds: float,
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
    )


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


async def _findings(results: tuple[Result, ...], session: Session, most: int) -> tuple[Finding, ...]:
    """Of failures that are alike, one, the shortest first: it is where to begin. So many at most are shrunk."""
    alike: dict[Any, list[Result]] = {}
    for result in results:
        if result.verdict is Verdict.FAIL and result.played is not None and not result.excused:
            alike.setdefault(signature(result.played), []).append(result)
    findings = []
    for place, group in enumerate(alike.values()):
        first = min(group, key=lambda r: len(r.case.conversation))
        shrunk = await shortest(first, session, place < most)
        text = ""
        if session.write is not None and can_write(shrunk.played.conversation):
            text = await session.write(first.case.id, shrunk.played)
        findings.append(Finding(first.case, shrunk, tuple(r.case.id for r in group), text))
    return tuple(sorted(findings, key=lambda finding: len(finding.shrunk.played.conversation)))


async def shortest(failed: Result, session: Session, wanted: bool = True) -> Shrunk:
    """A failure's conversation, shrunk if that is wanted and the case does not take the whole machine."""
    assert failed.played is not None
    if failed.case.heavy or not wanted:
        return Shrunk(failed.played, 0, 0)
    play: Callable[..., Awaitable[Played]] = session.play
    return await shrink(failed.played, lambda steps: play(steps, frozenset(), failed.case.lenient))


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
