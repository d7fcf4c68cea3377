"""The suite against the reference, again and again with different seeds, until something does not pass.

    python tools/repeat.py --runs 100 [--first SEED] [--volume-every 10] [--record FILE [--resume]]

Each run starts the reference gateway and the reference runner anew, each in a process of its own, and plays all cases against
both, in an order and with random walks that the seed decides; the cases of volume, which no seed changes, only every so many
runs. The first case that fails is shown with its conversation, and ends it. What was interrupted can be gone on with, as long as
the code is the same. Exit codes: 0 all passed; 1 one did not; 2 wrong use; 4 a subject died.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import tunnelconform
import tunnelref
import tunnelspec
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
        self._runs, self._began = runs, time.monotonic()

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


class ResumeError(Exception):
    """What is to be gone on with is not the beginning of this."""


@dataclass
class Series:
    """So many runs, of one code, that have passed in a row; as it is recorded."""

    code: str
    first_seed: int
    volume_every: int
    runs: int = 0
    passed: int = 0
    seconds: int = 0
    longest_run_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    inconclusive: Counter[str] = field(default_factory=Counter)
    load: tuple[float, ...] = ()

    def add(self, both: Mapping[str, Told], seconds: float) -> None:
        """Another run is over."""
        for role, told in both.items():
            self.counts.update({f"{role} {verdict}": count for verdict, count in told.verdicts.items()})
            self.inconclusive.update(told.undecided)
        self.runs += 1
        self.passed += not any(told.code for told in both.values())
        self.seconds += round(seconds)
        self.longest_run_s = max(self.longest_run_s, round(seconds, 1))
        self.load = tuple(round(load, 1) for load in os.getloadavg())

    def resumed(self, path: Path) -> Series:
        """The one that is recorded there. Raises ``ResumeError``, ``OSError``, ``ValueError``, ``TypeError``."""
        read = json.loads(path.read_text(encoding="utf-8"))
        counts, undecided = Counter(read.pop("counts")), Counter(read.pop("inconclusive"))
        other = Series(**read, counts=counts, inconclusive=undecided)
        for name in ("code", "first_seed", "volume_every"):
            if getattr(other, name) != getattr(self, name):
                raise ResumeError(f"{name} was {getattr(other, name)}, and is {getattr(self, name)}")
        if other.passed != other.runs:
            raise ResumeError("its last run did not pass")
        return other

    def text(self) -> str:
        """The file."""
        return json.dumps({**vars(self), "inconclusive": dict(self.inconclusive.most_common())}, indent=1) + "\n"


def code_hash() -> str:
    """A hash of all code that a run rests on: the tables, the reference and the suite."""
    digest = hashlib.sha256()
    for package in (tunnelspec, tunnelref, tunnelconform):
        folder = Path(package.__path__[0])
        for path in sorted(file for kind in ("*.py", "*.json") for file in folder.rglob(kind)):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def again(args: argparse.Namespace, series: Series) -> int:
    """Run after run; the exit code."""
    progress, ended = Progress(args.runs - series.runs), 0
    with workers(len(ROLES)) as processes:  # whatever ends them, they end the runners that they started
        for done, run in enumerate(range(series.runs, args.runs), 1):
            seed, started = args.first + run, time.monotonic()
            with_volume = bool(args.volume_every) and run % args.volume_every == 0
            sides = [processes.submit(played, role, seed, with_volume, args.side_by_side) for role in ROLES]
            both = {role: side.result() for role, side in zip(ROLES, sides, strict=True)}
            series.add(both, time.monotonic() - started)
            progress.see(done, series.counts)
            if args.record:
                draft = args.record.with_suffix(".draft")
                draft.write_text(series.text(), encoding="utf-8")
                draft.replace(args.record)
            ended = max(told.code for told in both.values())
            if ended:
                break
    summary = ", ".join(f"{count} {what}" for what, count in sorted(series.counts.items()))
    print(f"{series.passed} of {args.runs} runs passed, seeds from {args.first}: {summary}; "
          f"{series.seconds} s, {series.seconds / max(1, series.runs):.1f} s a run")  # fmt: skip
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
    parser.add_argument("--resume", action="store_true", help="go on where the record ends, if it is of the same code")
    args = parser.parse_args()
    if args.runs <= 0:
        parser.error("--runs must be positive")
    if args.resume and not args.record:
        parser.error("--resume goes on with a --record")
    series = Series(code_hash(), args.first, args.volume_every)
    try:
        if args.resume:
            series = series.resumed(args.record)
    except (ResumeError, OSError, ValueError, TypeError, KeyError) as error:
        parser.error(f"{args.record} cannot be gone on with: {error}")
    return again(args, series)


if __name__ == "__main__":
    raise SystemExit(main())
