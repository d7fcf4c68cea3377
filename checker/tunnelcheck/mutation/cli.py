"""``tunnelspec mutate``."""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from tunnelcheck.interrupt import workers
from tunnelcheck.meaning import Sources
from tunnelcheck.mutation import record as records
from tunnelcheck.mutation.fate import EQUIVALENT, KILLED, SURVIVED, Court, Fate, Ground, Notes
from tunnelcheck.mutation.mutants import OPERATORS, Mutant, mutants
from tunnelcheck.mutation.record import Record, RecordError
from tunnelcheck.scenarios import BESIDE, MEDIUM
from tunnelspec.endpoint import MACHINES

ENOUGH = 0.95
"""The share of mutants that must be killed, of those that are not equivalent."""

BEAT = 0.5
"""Seconds between two lines of progress."""


def add_parsers(subparsers: Any) -> None:
    """The command."""
    mutate = subparsers.add_parser(
        "mutate",
        help="put faults into the tables, and see who notices",
        description="Puts one small fault after another into the tables, and finds out who notices: the check of a table's form, "
        "the proof of totality, or a property in some world. What nobody can notice is equivalent, with the reason; what nobody "
        "does notice has survived. Without arguments, tries all mutants and writes the record.",
        epilog="examples: tunnelspec mutate; tunnelspec mutate --only 'ACK-G-08 *'; tunnelspec mutate --check --sample 20",
    )
    mutate.add_argument(
        "--only", nargs="+", metavar="PATTERN", help="only these mutants, e.g. 'CONN-G-1? retarget *'; writes nothing"
    )
    mutate.add_argument("--operator", nargs="+", choices=OPERATORS, help="only these kinds of fault; writes nothing")
    mutate.add_argument("--list", action="store_true", help="list the mutants, with what is recorded of them, and stop")
    mutate.add_argument(
        "--check", action="store_true", help="try nothing, write nothing: fail if the record is stale or too weak"
    )
    mutate.add_argument(
        "--sample",
        type=int,
        default=0,
        metavar="N",
        help="with --check: try N of them, which must come out as recorded",
    )
    mutate.add_argument("--seed", type=int, metavar="N", help="which N; by default others each time")
    mutate.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default %(default)s)")
    mutate.add_argument(
        "--record", type=Path, default=records.PATH, metavar="FILE", help="the record (default: the committed one)"
    )
    mutate.add_argument("--json", action="store_true", help="print the result as one JSON object")
    mutate.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 enough are killed; 1 they are not; 2 wrong use; 3 interrupted; 5 the record is stale, or a sample came out otherwise."""
    if args.sample and not args.check:
        print("tunnelspec mutate: --sample goes with --check", file=sys.stderr)
        return 2
    everything = all_mutants()
    chosen = select(everything, args.only, args.operator)
    if not chosen:
        print(
            f"tunnelspec mutate: --only {' '.join(args.only or ())}: no mutant is called so; see --list",
            file=sys.stderr,
        )
        return 2
    if args.check or args.list:
        try:
            known = records.read(args.record)
        except (RecordError, OSError) as error:
            print(f"tunnelspec mutate: {error}; run 'tunnelspec mutate'", file=sys.stderr)
            return 5
        return listing(chosen, known) if args.list else check(args, everything, chosen, known)
    return try_all(args, chosen, len(chosen) == len(everything))


@cache
def all_mutants() -> tuple[Mutant, ...]:
    """The mutants of all machines."""
    return tuple(mutant for machine in MACHINES for mutant in mutants(machine))


def try_all(args: argparse.Namespace, chosen: Sequence[Mutant], whole: bool) -> int:
    """Try the mutants; write the record, if they are all there are. An interrupted run goes on where it was."""
    began, key = time.monotonic(), Sources.of(records.sources())
    part = args.record.with_suffix(".part.json")
    before = begun(part, key) if whole else Record(key, {}, 0)
    fates = dict(before.fates)

    def found() -> Record:
        seconds = before.seconds + (time.monotonic() - began) * args.jobs
        return Record(key, {m.id: fates[m.id] for m in chosen if m.id in fates}, seconds)

    try:
        rest = [mutant for mutant in chosen if mutant.id not in fates]
        fates.update(tried(rest, args.jobs, sys.stderr.isatty() and not args.json) if rest else ())
    except KeyboardInterrupt:
        tell(found(), args.json, f"interrupted; of {len(chosen):,}")
        if whole:
            part.write_text(found().to_json(), encoding="utf-8")
            print(f"kept in {part}: run it again to go on", file=sys.stderr)
        return 3
    if whole:
        args.record.write_text(found().to_json(), encoding="utf-8")
        part.unlink(missing_ok=True)
    tell(found(), args.json, "new")
    return 0 if found().share() >= ENOUGH else 1


def begun(part: Path, key: Sources) -> Record:
    """What an interrupted run with the same key has found."""
    try:
        known = records.read(part)
    except (RecordError, OSError):
        return Record(key, {}, 0)
    return known if known.key.meaning == key.meaning else Record(key, {}, 0)


def select(
    all_: Sequence[Mutant], patterns: Sequence[str] | None, operators: Sequence[str] | None
) -> tuple[Mutant, ...]:
    """The mutants whose ids match one of the patterns, or begin with one."""
    return tuple(
        m
        for m in all_
        if (operators is None or m.operator in operators)
        and (patterns is None or any(fnmatchcase(m.id, p) or m.id.startswith(p) for p in patterns))
    )


# -- trying ----------------------------------------------------------------------------------------------------------

_COURT: list[Court] = []  # what a forked process finds
_TRIED: list[Mutant] = []


def court(chosen: Iterable[Mutant]) -> Court:
    """The worlds in which the mutants' machines are, explored once."""
    machines = {mutant.machine for mutant in chosen}
    notes: Notes = defaultdict(dict)
    grounds = [
        Ground.of(scenario, notes)
        for scenario in (*MEDIUM, *BESIDE)
        if any(machines & set(endpoint.machines) for endpoint in scenario.system().endpoints().values())
    ]
    return Court(sorted(grounds, key=lambda ground: ground.states), notes)


def tried(chosen: Sequence[Mutant], jobs: int, visible: bool) -> Iterator[tuple[str, Fate]]:
    """The fate of each, in any order. The mutants are spread over the processes, for neighbours cost alike."""
    if visible:
        print("exploring the worlds of the tables themselves", end="", file=sys.stderr, flush=True)
    _COURT[:], _TRIED[:] = [court(chosen)], chosen
    began = beat = time.monotonic()
    if jobs <= 1:
        results: Iterable[tuple[int, Fate]] = map(_judge, range(len(chosen)))
        yield from _told(results, chosen, began, beat, visible)
        return
    with workers(jobs) as pool:
        yield from _told(pool.map(_judge, range(len(chosen)), chunksize=1), chosen, began, beat, visible)


def _judge(place: int) -> tuple[int, Fate]:
    return place, _COURT[0].judge(_TRIED[place])


def _told(
    results: Iterable[tuple[int, Fate]], chosen: Sequence[Mutant], began: float, beat: float, visible: bool
) -> Iterator[tuple[str, Fate]]:
    survived = 0
    for done, (place, fate) in enumerate(results, 1):
        survived += fate.state == SURVIVED
        if visible and time.monotonic() > beat + BEAT:
            beat = time.monotonic()
            rate = done / (beat - began)
            line = (
                f"{done:,} of {len(chosen):,} mutants, {survived} survived, {rate:.1f}/s, "
                f"{(len(chosen) - done) / rate:,.0f} s left: {chosen[place].id}"
            )
            print(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr, flush=True)
        yield chosen[place].id, fate
    if visible:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)


# -- checking --------------------------------------------------------------------------------------------------------


def check(args: argparse.Namespace, all_: Sequence[Mutant], chosen: Sequence[Mutant], known: Record) -> int:
    """Whether the record is current, complete, and, as far as a sample shows, true."""
    if known.stale or list(known.fates) != [m.id for m in all_]:
        print(f"{args.record} is stale: run 'tunnelspec mutate'", file=sys.stderr)
        return 5
    if args.sample:
        seed = args.seed if args.seed is not None else random.randrange(1 << 32)
        some = random.Random(seed).sample(chosen, min(args.sample, len(chosen)))
        for id_, fate in tried(some, args.jobs, sys.stderr.isatty() and not args.json):
            was = known.fates[id_]
            if (fate.state, fate.by, fate.world) != (was.state, was.by, was.world):
                print(f"{id_}: recorded {told(was)}; now {told(fate)} (--seed {seed})", file=sys.stderr)
                return 5
    tell(known, args.json, f"recorded; {args.sample} of them tried again" if args.sample else "recorded")
    return 0 if known.share() >= ENOUGH else 1


def told(fate: Fate) -> str:
    """A fate in a few words."""
    return " ".join(
        word
        for word in (fate.state, f"by {fate.by}" if fate.by else "", f"in {fate.world}" if fate.world else "")
        if word
    )


# -- telling ---------------------------------------------------------------------------------------------------------


def tell(found: Record, as_json: bool, how: str) -> None:
    """The result, for a program or a reader."""
    counts = found.counts()
    if as_json:
        missed = {id_: f.because for id_, f in found.fates.items() if f.state == SURVIVED}
        reasons = {id_: f.because for id_, f in found.fates.items() if f.state == EQUIVALENT}
        print(json.dumps({
            "verdict": "holds" if found.share() >= ENOUGH else "violated", "mutants": len(found.fates), "killed": counts[KILLED],
            "share": round(found.share(), 4), "killers": dict(found.killers().most_common()), "equivalent": reasons,
            "survived": missed, "seconds": round(found.seconds),
        }))  # fmt: skip
        return
    print(f"{'killed by':<16}  {'mutants':>7}")
    for name, count in found.killers().most_common():
        print(f"{name:<16}  {count:>7,}")
    by_reason: dict[str, list[str]] = defaultdict(list)
    for id_, fate in found.fates.items():
        if fate.state == EQUIVALENT:
            by_reason[_reason(fate)].append(id_)
    for reason, ids in by_reason.items():
        print(f"\nequivalent, for {reason}: {len(ids)}")
        print("\n".join(f"  {id_}" for id_ in ids))
    survivors = [(id_, fate) for id_, fate in found.fates.items() if fate.state == SURVIVED]
    if survivors:
        print("\nsurvived:")
        print("\n".join(f"  {id_}\n    {fate.world}: {fate.because}" for id_, fate in survivors))
    print(f"\n{len(found.fates):,} mutants ({how}): {summary(found)}")


def _reason(fate: Fate) -> str:
    return (
        "it says the same as the table in every state of every world"
        if "says the same" in fate.because
        else fate.because
    )


def summary(found: Record) -> str:
    """Killed, equivalent, survived, in a line."""
    counts = found.counts()
    return (
        f"{counts[KILLED]:,} killed, {counts[EQUIVALENT]:,} equivalent, {counts[SURVIVED]:,} survived; "
        f"{found.share():.1%} of those that differ are killed"
    )


def listing(chosen: Sequence[Mutant], known: Record) -> int:
    """The mutants with their fates."""
    for mutant in chosen:
        fate = known.fates.get(mutant.id)
        print(f"{mutant.id}: {told(fate) if fate is not None else 'not recorded'}")
    return 0
