"""Which faults in the reference's code the conformance suite notices.

    python -m tools.mutants [--role gateway|runner] [--sample N] [--seed N]   # try those that are not known yet
    python -m tools.mutants --check --tries 8                                 # the record, and some of its mutants again

Exit codes: 0 enough are killed; 1 they are not; 2 wrong use; 3 interrupted, with what there is; 4 the code as it is did not
survive; 5 a record is stale, or a mutant came out otherwise.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from fnmatch import fnmatchcase

from tools.mutants.page import PAGE, to_page
from tools.mutants.places import FILES, Mutant, mutants
from tools.mutants.record import (
    ENOUGH,
    FRESH,
    KILLED,
    OUTSIDE,
    SURVIVED,
    UNKNOWN,
    Known,
    Record,
    RecordError,
    read,
)
from tools.mutants.trial import Outcome, again, batches, suite, tried
from tunnelcheck.interrupt import workers

NEIGHBOURS = 16
"""So many cases that noticed neighbours are held first."""


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.mutants",
        description="Puts one small fault after another into the reference's code, and holds the conformance suite against it. "
        "Tries what is not known yet of each role, and writes the records and their page.",
        epilog="examples: python -m tools.mutants; python -m tools.mutants --role gateway --only '*links.py*'; "
        "python -m tools.mutants --check --tries 8",
    )
    parser.add_argument("--role", choices=tuple(FILES), help="only this role (default: both)")
    parser.add_argument("--sample", type=int, metavar="N", help="at most N of each role, by the seed (default: all)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which N (default %(default)s)")
    parser.add_argument("--only", nargs="+", metavar="PATTERN", help="only these, and those that are known, too")
    parser.add_argument("--survivors", action="store_true", help="those that survived, once more")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="so many side by side (default %(default)s)")
    parser.add_argument("--check", action="store_true", help="write nothing: are the records fresh, and their page?")
    parser.add_argument("--tries", type=int, default=0, metavar="N", help="with --check: try N of each role again")
    parser.add_argument("--list", action="store_true", help="list the mutants with their fates, and stop")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    args = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has us ignore it
        signal.signal(number, signal.default_int_handler)
    if args.tries and not args.check:
        parser.error("--tries goes with --check")
    roles = (args.role,) if args.role else tuple(FILES)
    try:
        records = [read(role) for role in roles]
    except (RecordError, OSError) as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 5
    if args.list:
        for record in records:
            for id_, (state, why) in record.fates().items():
                print(f"{record.role}: {id_}: {state}{f': {why}' if why else ''}")
        return 0
    if args.check:
        return check(records, args.tries)
    code = 0
    for record in records:
        code = try_some(record, args)
        PAGE.write_text(to_page([read(role) for role in FILES]), encoding="utf-8")
        if code:
            break
    tell(records, args.json)
    return code or (0 if all(record.share >= ENOUGH for record in records) else 1)


def chosen(record: Record, args: argparse.Namespace) -> list[Mutant]:
    """The mutants to try: by default those in scope of which nothing is known."""
    fates = record.fates()
    some = [
        mutant
        for mutant in mutants(record.role)
        if fates[mutant.id][0] != OUTSIDE
        and (
            any(fnmatchcase(mutant.id, pattern) for pattern in args.only)
            if args.only
            else fates[mutant.id][0] == (SURVIVED if args.survivors else UNKNOWN)
        )
    ]
    random.Random(args.seed).shuffle(some)
    return some[: args.sample]


def try_some(record: Record, args: argparse.Namespace) -> int:
    """Try mutants of one role; what is found is in the record as soon as it is known."""
    some = chosen(record, args)
    if not some:
        return 0
    cases = suite(record.role)
    by = tried(None, record.role, cases).by
    if by:
        print(f"mutants: the {record.role}'s code as it is does not survive: {by}", file=sys.stderr)
        return 4
    record.seed, record.cases = args.seed, sum(map(len, batches(cases, (), record.role)))
    began, done = time.monotonic(), 0
    try:
        for mutant, outcome in all_tried(record, some, args.jobs):
            done += 1
            record.known[mutant.id] = Known(mutant.code, outcome)
            record.write()
            progress(record.role, done, len(some), time.monotonic() - began)
            if not args.json:
                print(f"{outcome.seconds:5.1f} s  {outcome.by or 'SURVIVED':<44} {mutant.id}", flush=True)
    except KeyboardInterrupt:
        print(f"\ninterrupted: {done} of {len(some)} were tried, and are kept", file=sys.stderr)
        return 3
    return 0


def all_tried(record: Record, some: Sequence[Mutant], jobs: int) -> Iterator[tuple[Mutant, Outcome]]:
    """What comes of each, in any order. Those that noticed neighbours are held first against the next."""
    waiting = list(reversed(some))
    with workers(jobs) as pool:
        running: dict[Future[Outcome], Mutant] = {}
        while waiting or running:
            while waiting and len(running) < jobs:
                mutant = waiting.pop()
                running[pool.submit(_tried, mutant, likely(record, mutant))] = mutant
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                yield running.pop(future), future.result()


def _tried(mutant: Mutant, likely_: Sequence[str]) -> Outcome:
    return tried(mutant, mutant.role, suite(mutant.role), likely_)


def likely(record: Record, mutant: Mutant) -> tuple[str, ...]:
    """The cases that noticed this mutant before, then its neighbours in the function, in the file, and elsewhere."""
    known = {id_: known.outcome.by for id_, known in record.known.items() if known.outcome.by}
    near = [by for id_, by in known.items() if id_.startswith(f"{mutant.file} {mutant.where}:")]
    file = Counter(by for id_, by in known.items() if id_.startswith(f"{mutant.file} "))
    anywhere = Counter(known.values())
    ways = (
        known.get(mutant.id, ""),
        *near,
        *(by for by, _ in file.most_common(6)),
        *(by for by, _ in anywhere.most_common(8)),
    )
    return tuple(dict.fromkeys(ways))[:NEIGHBOURS]


def progress(role: str, done: int, of: int, seconds: float) -> None:
    """A line on a terminal: how many, how fast, how long it takes."""
    if sys.stderr.isatty():
        left = seconds / done * (of - done)
        sys.stderr.write(f"\r\x1b[K{role}: {done} of {of}, {seconds / done:.1f} s each, {left / 60:.0f} min left\r")
        sys.stderr.flush()


def check(records: Sequence[Record], tries: int) -> int:
    """Whether the records are fresh and strong, and, as far as some mutants show, true."""
    for record in records:
        if contradictions := record.contradictions():
            print(f"{record.path}: said to be equivalent, and noticed: {contradictions[0]}", file=sys.stderr)
            return 5
        if record.fresh < FRESH:
            print(
                f"{record.path} is stale: only {record.fresh:.0%} were tried with the code as it is; run 'make mutants'",
                file=sys.stderr,
            )
            return 5
        killed = [m for m in mutants(record.role) if record.fate(m)[0] == KILLED]
        for mutant in random.sample(killed, min(tries, len(killed))):
            by = record.known[mutant.id].outcome.by
            if not again(mutant, by):
                print(f"{mutant.id}: recorded as killed by {by}; not now", file=sys.stderr)
                return 5
    tell(records, False)
    return 0 if all(record.share >= ENOUGH for record in records) else 1


def tell(records: Sequence[Record], as_json: bool) -> None:
    """The result, for a program or a reader."""
    if as_json:
        print(json.dumps({r.role: {**r.counts(), "share": round(r.share, 4), "mutants": r.fates()} for r in records}))
        return
    for record in records:
        counts = ", ".join(f"{count} {state}" for state, count in record.counts().most_common())
        print(
            f"{record.role}: {sum(record.counts().values())} mutants: {counts}; {record.share:.1%} of those that differ are killed"
        )


if __name__ == "__main__":
    raise SystemExit(main())
