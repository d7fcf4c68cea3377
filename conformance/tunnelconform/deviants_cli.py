"""``tunnelspec conform deviations``."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Mapping
from dataclasses import replace

from tunnelconform.cases import Case
from tunnelconform.deviants import (
    PAGE,
    RECORD,
    Fate,
    Noticed,
    Unseen,
    Wrong,
    candidates,
    noticed,
    read,
    recorded,
    to_json,
    to_page,
    unseen,
    wrongs,
)
from tunnelconform.play import LAG
from tunnelconform.session import cases_of
from tunnelconform.subject_reference import SHORT
from tunnelconform.subject_runner import SHORT_RUNNER
from tunnelspec.limits import DEFAULT, Limits

SIDE_BY_SIDE = 12
"""So many departures are tried at once."""

AGAIN = 3
"""So often at most is a case held that is known to notice: on a busy machine it may go another way, which is allowed."""

LIMITS: Mapping[str, Limits] = {"gateway": replace(DEFAULT, **SHORT), "runner": replace(DEFAULT, **SHORT_RUNNER)}


def add_deviations(kinds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """``conform deviations``."""
    parser = kinds.add_parser(
        "deviations",
        help="hold the suite against known wrongs",
        description="Runs each deviation from the tables in the reference, on real sockets, and finds the case that notices "
        "it; where there is none, decides by machine whether there can be one. Writes what it finds.",
        epilog="examples: tunnelspec conform deviations; tunnelspec conform deviations --only size-not-released\n\n"
        "exit codes: 0 all that can be noticed is; 1 something is not; 2 wrong use; 5 with --check, what is written is stale",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="write nothing: the recorded cases must still notice")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only these; writes nothing")
    parser.add_argument("--json", action="store_true", help="print what is found as one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """See ``--help`` for the exit codes."""
    every = [wrong for wrong in wrongs() if not args.only or wrong.name in args.only]
    if not every:
        print(f"tunnelspec conform deviations: no deviation is called {' or '.join(args.only)}", file=sys.stderr)
        return 2
    known, began = read(), time.monotonic()
    found = asyncio.run(all_fates(every, known if args.check or args.only else {}))
    missed = [wrong for wrong in every if wrong.id not in found]
    whole = not args.only and not args.check
    if whole and not missed:
        RECORD.write_text(to_json(found), encoding="utf-8")
        PAGE.write_text(to_page(found), encoding="utf-8")
    if args.json:
        print(to_json(found), end="")
    else:
        for wrong in every:
            print(line(wrong, found.get(wrong.id)))
        print(f"{len(every)} departures, {sum(isinstance(f, Noticed) for f in found.values())} noticed, "
              f"{sum(isinstance(f, Unseen) for f in found.values())} cannot be, in {time.monotonic() - began:.1f} s")  # fmt: skip
    if missed:
        return 1
    return 5 if args.check and stale(known, found) else 0


def stale(known: Mapping[str, Fate], found: Mapping[str, Fate]) -> bool:
    """Whether the record, or its page, says something else than what was found, but for times."""

    def what(fates: Mapping[str, Fate]) -> Mapping[str, str]:
        return {id_: fate.case if isinstance(fate, Noticed) else fate.because for id_, fate in fates.items()}

    return what(known) != what(found) or PAGE.read_text(encoding="utf-8") != to_page(known)


async def all_fates(every: list[Wrong], known: Mapping[str, Fate]) -> dict[str, Fate]:
    """The fates of these departures; those that are missed have none. What is computed and what is timed do not meet."""
    some: dict[str, tuple[Case, ...]] = {w.id: recorded(known[w.id]) * AGAIN for w in every if w.id in known}
    if len(some) < len(every):
        cases = {role: cases_of(role, limits)[0] for role, limits in LIMITS.items()}
        some |= {w.id: candidates(w, cases[w.role], LIMITS[w.role]) for w in every if w.id not in known}
    room = asyncio.Semaphore(SIDE_BY_SIDE)

    async def one(wrong: Wrong) -> Fate | None:
        async with room:
            return await noticed(wrong, some[wrong.id])

    LAG.start(within=True)
    found = await asyncio.gather(*map(one, every))
    LAG.stop()
    fates = {w.id: fate or unseen(w, LIMITS[w.role]) for w, fate in zip(every, found, strict=True)}
    return {id_: fate for id_, fate in fates.items() if fate is not None}


def line(wrong: Wrong, fate: Fate | None) -> str:
    """One departure."""
    head = f"{wrong.name:<22} {wrong.role:<8} "
    if isinstance(fate, Noticed):
        return f"{head}{fate.case:<38} {fate.seen:<28} {fate.seconds:.2f} s"
    return f"{head}{'cannot be noticed: ' + fate.because if fate else 'NOT NOTICED'}"
