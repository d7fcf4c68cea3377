"""On what a verdict of ``check`` rests, and on what it does not.

Each part is a function of the outcome that gives a few lines; ``PARTS`` names them in order. Another engine that agrees has
its place in ``engines``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from textwrap import wrap
from typing import Any

from tunnelcheck.agreement import engines_that_agree
from tunnelcheck.mutation import record as records
from tunnelcheck.mutation.fate import EQUIVALENT, KILLED, SURVIVED
from tunnelcheck.mutation.record import Record, RecordError
from tunnelcheck.report import Outcome
from tunnelspec.endpoint import MACHINES

Part = Callable[[Outcome, bool], Iterator[str]]


def covered(outcome: Outcome, promised: bool) -> Iterator[str]:
    """What was looked at."""
    total = sum(len(machine.transitions) for machine in MACHINES)
    if outcome.complete:
        yield f"{outcome.states:,} states and {outcome.transitions:,} transitions, all of them, of the worlds above"
    else:
        yield f"{outcome.states:,} states were covered; what they do not show is undecided"
    taken = f"{len(outcome.took)} of {total} lines of the tables were taken"
    if promised and outcome.complete:
        yield f"{taken}; the others are shown to be impossible here:"
        yield from wrap(", ".join(outcome.untaken()), 110, initial_indent="  ", subsequent_indent="  ")
    else:
        yield f"{taken}; see --size medium for the others (--json names them)"


def engines(outcome: Outcome, promised: bool) -> Iterator[str]:
    """Who else says so."""
    for engine in engines_that_agree():
        yield from wrap(f"agrees: {engine}", 118, subsequent_indent="  ")
    yield "every counterexample was replayed by a second interpreter that shares no code with the explorer"


def mutants(outcome: Outcome, promised: bool) -> Iterator[str]:
    """Whether the properties would notice a fault."""
    found = recorded()
    if found is None:
        yield "whether a fault in the tables would be noticed is not recorded: run 'tunnelspec mutate'"
        return
    counts = found.counts()
    yield (
        f"{len(found.fates):,} faults were put into the tables, one at a time: {counts[KILLED]:,} were noticed, "
        f"{counts[EQUIVALENT]:,} make no difference, {counts[SURVIVED]:,} were not noticed ({found.share():.1%})"
    )
    others = [f"{name} {n:,}" for name, n in found.killers().most_common() if name not in outcome.judged]
    yield f"by whom: the column 'mutants' above; {', '.join(others)}"
    if found.stale:
        yield "but that was found with other tables: run 'tunnelspec mutate'"


def scope(outcome: Outcome, promised: bool) -> Iterator[str]:
    """Why small worlds say something about large ones."""
    yield "bounds: 1 client, at most 2 runners, 3 messages, modulus 8; at modulus 2^16 the same worlds have the same states, to the"
    yield "unit, for an index is judged by its distance alone (tests/checker/test_scope.py; tunnelspec serial: all pairs)"
    yield "time: short timers may fire at any time; a tick (15 s) passes only when nothing but a stall is on its way"


PARTS: tuple[Part, ...] = (covered, engines, mutants, scope)


def lines(outcome: Outcome, promised: bool) -> str:
    """The whole section."""
    rows = [row for part in PARTS for row in part(outcome, promised)]
    return "\n".join(f"{'trust: ' if place == 0 else '       '}{row}" for place, row in enumerate(rows))


def recorded() -> Record | None:
    """The committed record of mutants, if there is one."""
    try:
        return records.read()
    except (RecordError, OSError):
        return None


def killed_by() -> Counter[str]:
    """How many mutants each property kills, as recorded."""
    found = recorded()
    return found.killers() if found is not None else Counter()


def as_json() -> dict[str, Any] | None:
    """What is recorded of mutants, as data."""
    found = recorded()
    if found is None:
        return None
    counts = found.counts()
    return {
        "mutants": len(found.fates), "killed": counts[KILLED], "equivalent": counts[EQUIVALENT], "survived": counts[SURVIVED],
        "killers": dict(found.killers().most_common()), "stale": found.stale,
    }  # fmt: skip
