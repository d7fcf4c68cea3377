"""``tunnelspec agree``: hold the explorer and SPIN against one another, and write down what came of it."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from tunnelcheck.agreement import RECORD, Comparison, Task, done, record, sources, stale, tasks
from tunnelcheck.interrupt import workers
from tunnelcheck.meaning import Sources
from tunnelexport.promela.shapes import Refused
from tunnelexport.promela.spin import Failed, Missing, tool
from tunnelspec.deviations import DEVIATIONS
from tunnelspec.worlds import MEDIUM


def add_parsers(subparsers: Any) -> None:
    """The command."""
    parser = subparsers.add_parser(
        "agree",
        help="hold the explorer against SPIN, on every world and deviation",
        description="Explores worlds with the explorer and with SPIN (the tables translated from their source), and compares "
        "states, transitions, depth, lines taken, idle properties and violations. Without --scenario and --deviation it does "
        "all of 'medium' and all deviations, which takes minutes, and writes the record that 'tunnelspec check' cites.",
        epilog="examples: tunnelspec agree --scenario wrap full --deviation drops-silently; tunnelspec agree --check\n\n"
        "exit codes: 0 they agree, or the record is current; 1 they differ; 2 wrong use; 3 not translated; "
        "4 SPIN is missing or failed; 5 the record is stale",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    worlds = [scenario.name for scenario in MEDIUM]
    parser.add_argument("--scenario", nargs="+", metavar="NAME", choices=worlds, help="only these worlds")
    parser.add_argument(
        "--deviation", nargs="+", metavar="NAME", choices=DEVIATIONS, help="with each of these, in turn"
    )
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="at once (default %(default)s)")
    parser.add_argument("--check", action="store_true", help="run nothing; say whether the record is of these sources")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """See ``agree --help``."""
    if args.check:
        return check()
    whole = args.scenario is None and args.deviation is None
    made_of = Sources.of(sources())
    try:
        version = spin_version()
        found = told(tasks() if whole else picked(args.scenario, args.deviation), args.processes)
    except (Missing, Failed) as error:
        print(f"tunnelspec agree: {error}", file=sys.stderr)
        return 4
    except Refused as error:
        print(f"tunnelspec agree: not translated: {error}", file=sys.stderr)
        return 3
    agrees = all(comparison.agrees for comparison in found)
    print(f"\n{len(found)} comparisons: {'the engines agree' if agrees else 'the engines differ'}")
    if whole:
        RECORD.write_text(record(found, version, made_of), encoding="utf-8")
    return 0 if agrees else 1


def check() -> int:
    """0 the record is current, 5 it is stale."""
    if stale():
        print("checker/tunnelcheck/agreement.json: stale: tunnelspec agree makes it anew", file=sys.stderr)
        return 5
    return 0


def picked(worlds: Sequence[str] | None, deviations: Sequence[str] | None) -> list[Task]:
    """Every named world, as it is or with each named deviation; without worlds those that tell most of it."""
    patches: list[tuple[str, ...]] = [(name,) for name in deviations] if deviations else [()]
    return [((world,) if world else (), patch) for patch in patches for world in worlds or ("",)]


def told(chosen: Sequence[Task], processes: int) -> list[Comparison]:
    """Compare, and print a line for each as it comes."""
    print(f"{'world':<12}  {'explorer':>9}  {'SPIN':>9}  {'transitions':>11}  depth  lines  agree  departs; violated")
    found: list[Comparison] = []
    began = time.monotonic()
    with workers(processes) as pool:
        for place, comparisons in enumerate(pool.map(done, chosen), 1):
            found += comparisons
            for comparison in comparisons:
                print(row(comparison), flush=True)
            if sys.stderr.isatty():
                left = (time.monotonic() - began) / place * (len(chosen) - place)
                print(f"\r\x1b[K{place} of {len(chosen)}, {left:.0f} s left\r", end="", file=sys.stderr, flush=True)
    return found


def row(c: Comparison) -> str:
    """One comparison for a reader."""
    if c.explorer.undecided:
        numbers = f"{'-':>9}  {'-':>9}  {'-':>11}  {'-':>5}  {'-':>5}"
    else:
        e, s = c.explorer, c.spin
        numbers = f"{e.states:>9,}  {s.states:>9,}  {s.transitions:>11,}  {s.depth:>5}  {s.lines:>5}"
    departs = ", ".join(c.deviations) if len(c.deviations) < 3 else f"{len(c.deviations)} deviations"
    words = "; ".join(filter(None, (departs, ", ".join(c.spin.violated))))
    return f"{c.world:<12}  {numbers}  {'yes' if c.agrees else 'NO':<5}  {words}"


def spin_version() -> str:
    """The version of SPIN. Raises ``Missing``."""
    words = subprocess.run([tool("spin"), "-V"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"[0-9]+(\.[0-9]+)+", words)
    return found[0] if found else words.strip()
