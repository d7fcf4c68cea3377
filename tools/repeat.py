"""The suite against the reference, again and again with different seeds, until something does not pass.

    python tools/repeat.py --runs 100 [--first SEED] [--volume-every 10] [--record FILE]

Each run starts the reference gateway and the reference runner anew, each in a process of its own, and plays all cases against
both, in an order and with random walks that the seed decides; the cases of volume, which no seed changes, only every so many
runs. The first case that fails is shown with its conversation, and ends it. Exit codes: 0 all passed; 1 one did not; 2 wrong
use; 4 a subject died.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from tunnelcheck.interrupt import workers
from tunnelconform.active import code, run_gateway, run_runner, shortest
from tunnelconform.arguments import add_gateway, add_runner
from tunnelconform.played import Verdict
from tunnelconform.session import opened
from tunnelconform.stress import volume
from tunnelconform.terminal import Finding, report

ROLES = ("gateway", "runner")
VOLUME = {case.id for role in ROLES for case in volume(role)}


@dataclass(frozen=True, slots=True)
class Told:
    """What one role's play has to tell: its exit code, how often each verdict was given, and the cases left undecided."""

    code: int
    verdicts: Counter[str]
    undecided: tuple[str, ...]


class Progress:
    """A line on standard error, on a terminal only."""

    def __init__(self, runs: int) -> None:
        self._runs, self._began, self._cases = runs, time.monotonic(), 0

    def see(self, run: int, counts: Counter[str]) -> None:
        """Another run is over."""
        passed = time.monotonic() - self._began
        left = passed / run * (self._runs - run)
        if sys.stderr.isatty():
            told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
            sys.stderr.write(
                f"\rrun {run} of {self._runs}: {told}; {passed / run:.1f} s a run, {left:.0f} s left \x1b[K"
            )
            sys.stderr.flush()


async def one(role: str, seed: int, with_volume: bool, side_by_side: int) -> Told:
    """All cases, once; the first that does not pass is reported."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # who is ended ends what it started
    parser = argparse.ArgumentParser()
    kinds = parser.add_subparsers()
    add_gateway(kinds, run_gateway)
    add_runner(kinds, run_runner)
    args = parser.parse_args([role, "--seed", str(seed)])
    async with opened(role, args) as session:
        session = replace(session, nature=replace(session.nature, side_by_side=side_by_side))
        cases = [case for case in session.every if with_volume or case.id not in VOLUME]
        random.Random(seed).shuffle(cases)
        began = time.monotonic()
        results = await session.results(tuple(cases), lambda result: None)
        failed = [r for r in results if r.verdict is Verdict.FAIL]
        findings = [Finding(r.case, await shortest(r, session), (r.case.id,)) for r in failed[:3]]
        if code(results, False):
            report(results, findings, f"{role}, seed {seed}", time.monotonic() - began, False, sys.stdout)
            sys.stdout.flush()
    undecided = tuple(result.case.id for result in results if result.verdict is Verdict.INCONCLUSIVE)
    return Told(code(results, False), Counter(result.verdict.value for result in results), undecided)


def played(role: str, seed: int, with_volume: bool, side_by_side: int) -> Told:
    """The same, in a process of its own."""
    return asyncio.run(one(role, seed, with_volume, side_by_side))


def again(args: argparse.Namespace) -> int:
    """Run after run; the exit code."""
    counts, undecided = Counter[str](), Counter[str]()
    progress, seconds, began = Progress(args.runs), list[float](), time.monotonic()
    ended = 0
    with workers(len(ROLES)) as processes:  # whatever ends them, they end the runners that they started
        for run in range(1, args.runs + 1):
            seed, started = args.first + run - 1, time.monotonic()
            with_volume = bool(args.volume_every) and (run - 1) % args.volume_every == 0
            sides = [processes.submit(played, role, seed, with_volume, args.side_by_side) for role in ROLES]
            both = {role: side.result() for role, side in zip(ROLES, sides, strict=True)}
            seconds.append(time.monotonic() - started)
            for role, told in both.items():
                counts.update({f"{role} {verdict}": count for verdict, count in told.verdicts.items()})
                undecided.update(told.undecided)
            progress.see(run, counts)
            ended = max(told.code for told in both.values())
            if args.record:
                written = {"runs": run, "first_seed": args.first, "counts": dict(counts), "passed": run - bool(ended),
                           "seconds": round(time.monotonic() - began), "longest_run_s": round(max(seconds), 1),
                           "inconclusive": dict(undecided.most_common()),
                           "load": [round(load, 1) for load in os.getloadavg()]}  # fmt: skip
                args.record.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
            if ended:
                break
    summary = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    print(f"{len(seconds) - bool(ended)} of {args.runs} runs passed, seeds from {args.first}: {summary}; "
          f"{sum(seconds):.0f} s, {sum(seconds) / len(seconds):.1f} s a run")  # fmt: skip
    return ended


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="example: python tools/repeat.py --runs 100 --record runs.json"
    )
    parser.add_argument("--runs", type=int, default=100, metavar="N", help="how many (default %(default)s)")
    parser.add_argument("--first", type=int, default=1, metavar="SEED", help="the first seed (default %(default)s)")
    parser.add_argument("--volume-every", type=int, default=10, metavar="N",
                        help="cases of volume in every N-th run only; 0: in none (default %(default)s)")  # fmt: skip
    parser.add_argument("--side-by-side", type=int, default=48, metavar="N",
                        help="so many conversations at once (default %(default)s)")  # fmt: skip
    parser.add_argument("--record", type=Path, metavar="FILE", help="write counts and times as JSON after each run")
    args = parser.parse_args()
    return again(args) if args.runs > 0 else parser.error("--runs must be positive")


if __name__ == "__main__":
    raise SystemExit(main())
