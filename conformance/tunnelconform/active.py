"""``tunnelspec conform gateway``: the suite against a gateway."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import sys
import time
from dataclasses import replace
from typing import Any

from tunnelconform.cases import Case, gateway_cases, runner_cases, selected
from tunnelconform.conversation import to_json
from tunnelconform.play_gateway import GatewayPlay
from tunnelconform.play_runner import RunnerPlay
from tunnelconform.played import Played, Verdict
from tunnelconform.stress import stress
from tunnelconform.subject import GatewaySubject, Nature, SubjectError
from tunnelconform.subject_reference import SHORT, ReferenceGateway
from tunnelconform.subject_runner import SHORT_RUNNER, CommandRunner, reference_runner
from tunnelconform.suite import Result, run
from tunnelconform.terminal import Progress, report
from tunnelspec.limits import DEFAULT, Limits

PATIENCE_MS = 60_000
"""No single wait is longer."""

CODES = ((Verdict.ERROR, 4), (Verdict.FAIL, 1))


def add_gateway(kinds: Any) -> None:
    """The sub-command."""
    gateway = kinds.add_parser(
        "gateway",
        help="test a gateway",
        description="Plays client and runners against a gateway, in conversations that are derived from the tables, and judges "
        "each thing it says and each silence by them.",
        epilog="example: tunnelspec conform gateway --subject reference --only 'ACK-G-*'\n\n"
        "exit codes: 0 no case failed; 1 one did; 2 wrong use, or no case was selected; 4 the subject is not to be had, or died",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    gateway.add_argument("--subject", default="reference", metavar="NAME", help="reference (default)")
    common(gateway)
    gateway.set_defaults(run=run_gateway)


def add_runner(kinds: Any) -> None:
    """The sub-command."""
    runner = kinds.add_parser(
        "runner",
        help="test a runner",
        description="Plays gateway and client against a runner that hosts the test actor (see conformance/README.md), in "
        "conversations that are derived from the tables.",
        epilog="example: tunnelspec conform runner --command 'node my-runner.mjs'\n\n"
        "The runner finds the URL that it is to dial in TUNNELSPEC_GATEWAY, or where {url} stands in the command.\n\n"
        "exit codes: 0 no case failed; 1 one did; 2 wrong use, or no case was selected; 4 the subject is not to be had, or died",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    whom = runner.add_mutually_exclusive_group()
    whom.add_argument("--subject", default="reference", metavar="NAME", help="reference (default)")
    whom.add_argument("--command", metavar="COMMAND", help="start this program; it is the runner")
    whom.add_argument("--listen", metavar="HOST:PORT", help="wait there for a runner that somebody else starts")
    common(runner)
    runner.set_defaults(run=run_runner)


def common(parser: Any) -> None:
    """What both roles have in common."""
    parser.add_argument(
        "--default-limits", action="store_true", help="the reference with its own limits, not shortened ones"
    )
    parser.add_argument(
        "--limit", action="append", default=[], metavar="NAME=N", help="a limit that the subject was started with"
    )
    parser.add_argument(
        "--only", action="append", default=[], metavar="PATTERN", help="cases whose id matches, e.g. 'CONN-*'"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the random walks (default %(default)s)")
    parser.add_argument(
        "--walks", type=int, default=100, metavar="N", help="how many random walks (default %(default)s)"
    )
    parser.add_argument("--list", action="store_true", help="print the cases, and the transitions that none can reach")
    parser.add_argument("--json", action="store_true", help="print the results as one JSON object")
    parser.add_argument("--verbose", action="store_true", help="print a line for each case, also for those that pass")


def run_runner(args: argparse.Namespace) -> int:
    """See ``--help`` for the exit codes."""
    try:
        subject = runner_subject(args)
        return asyncio.run(_runner(args, subject))
    except ValueError as error:
        print(f"tunnelspec conform runner: {error}", file=sys.stderr)
        return 2
    except (SubjectError, OSError) as error:
        print(f"tunnelspec conform runner: {error}", file=sys.stderr)
        return 4


def runner_subject(args: argparse.Namespace) -> CommandRunner:
    """The runner that the arguments name. Raises ``ValueError``."""
    limits = limits_of(args.limit)
    if args.command:
        return CommandRunner(shlex.split(args.command), limits)
    if args.listen:
        return CommandRunner([], limits, args.listen)
    if args.subject != "reference":
        raise ValueError(f"there is no subject {args.subject!r}")
    return reference_runner({} if args.default_limits else SHORT_RUNNER)


def limits_of(settings: list[str]) -> Limits:
    """The limits that ``--limit NAME=N`` says. Raises ``ValueError``."""
    chosen: dict[str, int] = {}
    known = {name for name, *_ in DEFAULT.describe()}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if name not in known or not equals or not value.isdigit():
            raise ValueError(f"--limit {setting!r}: expected NAME=N, NAME one of {', '.join(sorted(known))}")
        chosen[name] = int(value)
    return replace(DEFAULT, **chosen)


async def _runner(args: argparse.Namespace, subject: CommandRunner) -> int:
    every, unreached = runner_cases(subject.limits, PATIENCE_MS)
    cases = selected(every, args.only)
    if args.list:
        return _list(args, cases, unreached)
    if not cases:
        print(f"tunnelspec conform runner: no case matches {' '.join(args.only)}", file=sys.stderr)
        return 2
    try:
        hub = await subject.start()

        async def play(case: Case, goal: frozenset[str]) -> Played:
            return await RunnerPlay(hub, subject.limits, case.conversation, goal, case.lenient).run()

        began = time.monotonic()
        results = await run(cases, Nature(subject.limits), play, subject.alive, Progress(len(cases)).see)
        seconds = time.monotonic() - began
    finally:
        await subject.stop()
    return _reported(args, f"runner {subject.name}", results, seconds)


def _reported(args: argparse.Namespace, title: str, results: tuple[Result, ...], seconds: float) -> int:
    """Print them; the exit code."""
    if args.json:
        print(json.dumps(as_json(title, results, seconds)))
    else:
        report(results, title, seconds, args.verbose, sys.stdout)
    verdicts = {result.verdict for result in results}
    return next((code for verdict, code in CODES if verdict in verdicts), 0)


def run_gateway(args: argparse.Namespace) -> int:
    """See ``--help`` for the exit codes."""
    if args.subject != "reference":
        print(f"tunnelspec conform gateway: there is no subject {args.subject!r}", file=sys.stderr)
        return 2
    subject = ReferenceGateway({} if args.default_limits else SHORT)
    try:
        return asyncio.run(_gateway(args, subject))
    except SubjectError as error:
        print(f"tunnelspec conform gateway: {error}", file=sys.stderr)
        return 4


async def _gateway(args: argparse.Namespace, subject: GatewaySubject) -> int:
    try:
        nature = await subject.start()
        every, unreached = gateway_cases(nature.limits, PATIENCE_MS)
        cases = selected((*every, *stress(nature.limits, args.seed, args.walks)), args.only)
        if args.list:
            return _list(args, cases, unreached)
        if not cases:
            print(f"tunnelspec conform gateway: no case matches {' '.join(args.only)}", file=sys.stderr)
            return 2

        async def play(case: Case, goal: frozenset[str]) -> Played:
            return await GatewayPlay(subject, nature, case.conversation, goal, case.lenient).run()

        began = time.monotonic()
        results = await run(cases, nature, play, subject.alive, Progress(len(cases)).see)
        seconds = time.monotonic() - began
    finally:
        await subject.stop()
    return _reported(args, f"gateway {subject.name}", results, seconds)


def _list(args: argparse.Namespace, cases: tuple[Case, ...], unreached: dict[str, str]) -> int:
    if args.json:
        listed = [{"id": c.id, "says": c.says, "conversation": to_json(c.conversation)} for c in cases]
        print(json.dumps({"cases": listed, "out_of_reach": unreached}))
        return 0
    for case in cases:
        print(f"{case.id:<34} {case.says}")
    print(f"\n{len(cases)} cases, {len({c.conversation for c in cases})} conversations")
    print("\nout of a peer's reach:")
    for id_, why in unreached.items():
        print(f"{id_:<12} {why}")
    return 0


def as_json(subject: str, results: tuple[Result, ...], seconds: float) -> dict[str, Any]:
    """The results as data."""
    return {
        "subject": subject,
        "seconds": round(seconds, 3),
        "results": [
            {"id": r.case.id, "verdict": r.verdict.value, "why": r.why, "seconds": round(r.seconds, 3)} for r in results
        ],
    }
