"""Faults in the reference's own code, not in its tables: which of them does the suite notice?

    python tools/mutants.py --sample 40 --seed 1 [--role gateway] [--record FILE]

Each mutant is a copy of the reference with one statement left out, one condition turned round, one comparison moved by one, or one
constant changed. It runs as a subject of its own; a case that fails, or a subject that does not come up or dies, kills it. What
survives is listed with its place, to be judged by a reader. First the code as it is must survive, and a case kills only if it
fails a second time: neither a busy machine nor the suite is to count as a kill. Exit codes: 0 done; 2 wrong use; 4 the code as it
is did not survive.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import tunnelref
from tunnelconform.cases import Case
from tunnelconform.deviants_cli import LIMITS
from tunnelconform.fleet import Fleet
from tunnelconform.played import Played, Verdict
from tunnelconform.plays import gateway_play, runner_played
from tunnelconform.session import cases_of
from tunnelconform.subject import Nature, SubjectError
from tunnelconform.subject_reference import ReferenceGateway
from tunnelconform.subject_runner import reference_runner
from tunnelconform.suite import run

HOME = Path(next(iter(tunnelref.__path__)))
FILES = {
    "gateway": ("driver.py", "outbox.py", "messageid.py", "gateway/core.py", "gateway/links.py", "gateway/directory.py",
                "gateway/server.py"),
    "runner": ("runner/core.py", "runner/hosted.py", "runner/actor.py", "runner/store.py", "runner/client.py"),
}  # fmt: skip
NOT_JUDGED = ("log", "trace", "trace_frame", "_trace_states")
"""Calls whose effect nobody is to see over the wire."""

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A fault: where, what, and the source of the file that has it."""

    role: str
    file: str
    line: int
    what: str
    source: str

    @property
    def id(self) -> str:
        return f"{self.file}:{self.line} {self.what}"


@dataclass(frozen=True)
class Outcome:
    """What became of a mutant: the case that killed it, or "" if it survived."""

    id: str
    by: str
    seconds: float


def mutants(role: str) -> Iterator[Mutant]:
    """All of a role's, in the order of files and lines."""
    for file in FILES[role]:
        text = (HOME / file).read_text(encoding="utf-8")
        for number in range(len(list(_places(ast.parse(text))))):
            tree = ast.parse(text)
            node, what = list(_places(tree))[number]
            line, told = node.lineno, f"{what} {ast.unparse(node).splitlines()[0]}"
            _break(tree, node, what)
            yield Mutant(role, file, line, told, ast.unparse(ast.fix_missing_locations(tree)))


def _places(tree: ast.AST) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    """What can be broken, and how."""
    for node in ast.walk(tree):
        if (
            (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant) and not _told_only(node))
            or isinstance(node, ast.AugAssign)
            or (isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name))
        ):
            yield node, "drop"
        if isinstance(node, ast.If | ast.IfExp):
            yield node.test, "negate"
        if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARISONS:
            yield node, "compare"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            yield node, "swap"


def _told_only(node: ast.Expr) -> bool:
    call = node.value
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in NOT_JUDGED


def _break(tree: ast.AST, node: ast.stmt | ast.expr, what: str) -> None:
    if what == "compare":
        assert isinstance(node, ast.Compare)
        node.ops[0] = COMPARISONS[type(node.ops[0])]()
        return
    if what == "swap":
        assert isinstance(node, ast.BinOp)
        node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        return
    new: ast.AST = ast.Pass() if what == "drop" else ast.UnaryOp(ast.Not(), node)  # type: ignore[arg-type]
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is node:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(item is node for item in value):
                value[[item is node for item in value].index(True)] = new


async def killer(role: str, cases: list[Case]) -> str:
    """The case that notices, or why the subject is none; "" if nothing does."""
    try:
        return await (_gateway(cases) if role == "gateway" else _runner(cases))
    except (SubjectError, OSError, TimeoutError) as error:
        return f"no subject: {str(error).splitlines()[0][:80] if str(error) else 'it did not come up'}"


async def _gateway(cases: list[Case]) -> str:
    subject = ReferenceGateway()
    try:
        nature = await subject.start()

        async def play(case: Case, goal: frozenset[str]) -> Played:
            return await gateway_play(subject, nature, case.conversation, goal, case.lenient).run()

        return _first(await run(cases, nature, play, subject.alive, lambda result: None, nature.side_by_side))
    finally:
        await subject.stop()


async def _runner(cases: list[Case]) -> str:
    subject = reference_runner()
    fleet = Fleet(subject.another)
    try:
        hub = await subject.start()

        async def play(case: Case, goal: frozenset[str]) -> Played:
            return await runner_played(hub, fleet, subject.limits, case.conversation, goal, case.lenient)

        return _first(await run(cases, Nature(subject.limits), play, subject.alive, lambda result: None, 24))
    finally:
        await fleet.stop()
        await subject.stop()


def _first(results: object) -> str:
    bad = [r for r in results if r.verdict in (Verdict.FAIL, Verdict.ERROR)]  # type: ignore[attr-defined]
    return bad[0].case.id if bad else ""


def tried(mutant: Mutant, cases: list[Case]) -> Outcome:
    """Run the mutant as a subject; the case that seems to notice it once more."""
    began, by = time.monotonic(), once(mutant, cases)
    again = [case for case in cases if case.id == by]
    if again and not once(mutant, again):
        by = once(mutant, [case for case in cases if case.id != by])
    return Outcome(mutant.id, by, round(time.monotonic() - began, 1))


def unbroken(role: str) -> Mutant:
    """The code as it is."""
    file = FILES[role][0]
    return Mutant(role, file, 0, "as it is", (HOME / file).read_text(encoding="utf-8"))


def once(mutant: Mutant, cases: list[Case]) -> str:
    """What notices the mutant in one run; "" if nothing does."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "tunnelref"
        shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / mutant.file).write_text(mutant.source, encoding="utf-8")
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = folder if before is None else f"{folder}{os.pathsep}{before}"
        try:
            return asyncio.run(killer(mutant.role, cases))
        finally:
            os.environ.pop("PYTHONPATH")
            if before is not None:
                os.environ["PYTHONPATH"] = before


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0], epilog="example: python tools/mutants.py --sample 40 --record mutants.json"
    )
    parser.add_argument("--role", choices=tuple(FILES), default="gateway", help="default %(default)s")
    parser.add_argument("--sample", type=int, default=40, metavar="N", help="so many of them (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which (default %(default)s)")
    parser.add_argument("--every", type=int, default=3, metavar="N", help="each N-th case (default %(default)s)")
    parser.add_argument("--budget", type=float, default=3_600, metavar="SECONDS", help="begin no mutant after that")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write what became of each as JSON")
    args = parser.parse_args()
    everything = list(mutants(args.role))
    chosen = random.Random(args.seed).sample(everything, min(args.sample, len(everything)))
    cases = [c for c in cases_of(args.role, LIMITS[args.role])[0] if not c.heavy][:: args.every]
    noticed = once(unbroken(args.role), cases)
    if noticed:
        print(f"mutants: the code as it is does not survive: {noticed}", file=sys.stderr)
        return 4
    began, outcomes = time.monotonic(), list[Outcome]()
    for count, mutant in enumerate(chosen, 1):
        if time.monotonic() - began > args.budget:
            break
        outcomes.append(tried(mutant, cases))
        if sys.stderr.isatty():
            left = (time.monotonic() - began) / count * (len(chosen) - count)
            sys.stderr.write(f"\r{count}/{len(chosen)} mutants, {left:.0f} s left \x1b[K")
        print(f"{'killed by ' + outcomes[-1].by if outcomes[-1].by else 'SURVIVED':<60} {mutant.id}", flush=True)
    killed = sum(bool(o.by) for o in outcomes)
    print(f"{args.role}: {killed} of {len(outcomes)} killed (of {len(everything)} there are), {len(cases)} cases each, "
          f"in {time.monotonic() - began:.0f} s")  # fmt: skip
    if args.record:
        told = {"role": args.role, "seed": args.seed, "of": len(everything), "cases": len(cases), "killed": killed,
                "outcomes": [asdict(o) for o in outcomes]}  # fmt: skip
        args.record.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
