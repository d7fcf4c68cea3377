"""``tunnelspec conform gateway``: the suite against a gateway."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from typing import Any

from tunnelconform.cases import Case, gateway_cases, selected
from tunnelconform.conversation import to_json
from tunnelconform.play_gateway import GatewayPlay
from tunnelconform.played import Played, Verdict
from tunnelconform.stress import stress
from tunnelconform.subject import GatewaySubject, SubjectError
from tunnelconform.subject_reference import SHORT, ReferenceGateway
from tunnelconform.suite import Result, run
from tunnelconform.terminal import Progress, report

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
    gateway.add_argument(
        "--default-limits", action="store_true", help="the reference with its own limits, not shortened ones"
    )
    gateway.add_argument(
        "--only", action="append", default=[], metavar="PATTERN", help="cases whose id matches, e.g. 'CONN-G-*'"
    )
    gateway.add_argument("--seed", type=int, default=0, metavar="N", help="of the random walks (default %(default)s)")
    gateway.add_argument(
        "--walks", type=int, default=100, metavar="N", help="how many random walks (default %(default)s)"
    )
    gateway.add_argument("--list", action="store_true", help="print the cases, and the transitions that none can reach")
    gateway.add_argument("--json", action="store_true", help="print the results as one JSON object")
    gateway.add_argument("--verbose", action="store_true", help="print a line for each case, also for those that pass")
    gateway.set_defaults(run=run_gateway)


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
            return await GatewayPlay(subject, nature, case.conversation, goal=goal, lenient=case.lenient).run()

        began = time.monotonic()
        results = await run(cases, nature, play, subject.alive, Progress(len(cases)).see)
        seconds = time.monotonic() - began
    finally:
        await subject.stop()
    if args.json:
        print(json.dumps(as_json(subject.name, results, seconds)))
    else:
        report(results, f"gateway {subject.name}", seconds, args.verbose, sys.stdout)
    verdicts = {result.verdict for result in results}
    return next((code for verdict, code in CODES if verdict in verdicts), 0)


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
