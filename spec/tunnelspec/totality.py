"""The proof that nothing falls through: every (state, event, context) has exactly one enabled transition.

Checked by trying all of them, over contexts and events that each machine bounds itself and limits that are shrunk until the
bounds include both sides of every comparison (an index modulus of 8, a window of 3 messages, every timeout a few ms).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from tunnelspec.limits import Limits
from tunnelspec.machine import Machine, Verdict, enabled
from tunnelspec.serial import window

SMALL = Limits(
    **{f.name: 10 for f in fields(Limits)}
    | {
        "index_modulus": 8,
        "number_modulus": 8,
        "max_pending_messages": window(8),
        "max_pending_bytes": 3,
        "max_total_pending_bytes": 6,
        "max_retries": 3,
        "max_buffered_events": 2,
    }
)
"""Limits so small that every boundary is crossed within a few steps."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was tried for one machine, and what was found wrong (nothing, for a table that is right)."""

    machine: Machine
    pairs: int  # (state, event class)
    tried: int  # (state, event, context)
    taken: int
    ignored: int
    refused: int
    never: tuple[str, ...]  # transitions that no bounded context enables
    wrong: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.wrong and not self.never


def prove(machine: Machine, limits: Limits = SMALL) -> Proof:
    """Try every (state, event, context) of one machine."""
    tried, wrong, seen = 0, [], dict.fromkeys(Verdict, 0)
    fired: set[str] = set()
    contexts, events = tuple(machine.contexts(limits)), tuple(machine.events(limits))
    for state in machine.states:
        for event in events:
            for context in contexts:
                tried += 1
                rows = enabled(machine, state.name, context, event, limits)
                if len(rows) != 1:
                    ids = ", ".join(row.id for row in rows) or "nothing"
                    wrong.append(f"{machine.id}: {ids} applies in {state.name!r} to {event} with {context}")
                for row in rows:
                    fired.add(row.id)
                    seen[row.verdict] += 1
    never = tuple(t.id for t in machine.transitions if t.id not in fired)
    pairs = len(machine.states) * len(machine.alphabet)
    return Proof(
        machine, pairs, tried, seen[Verdict.TAKEN], seen[Verdict.IGNORED], seen[Verdict.REFUSED], never, tuple(wrong)
    )


def prove_all(machines: Iterable[Machine], limits: Limits = SMALL) -> tuple[Proof, ...]:
    """One proof a machine."""
    return tuple(prove(machine, limits) for machine in machines)


def report(proofs: Iterable[Proof]) -> str:
    """An aligned table, a line a machine, and what is wrong beneath."""
    proofs = tuple(proofs)
    head = ("machine", "states", "events", "pairs", "transitions", "tried", "taken", "ignored", "refused", "verdict")
    rows = [
        (
            p.machine.id,
            len(p.machine.states),
            len(p.machine.alphabet),
            p.pairs,
            len(p.machine.transitions),
            p.tried,
            p.taken,
            p.ignored,
            p.refused,
            "total, deterministic" if p.holds else "WRONG",
        )
        for p in proofs
    ]
    sums = ("all", *(sum(int(r[i]) for r in rows) for i in range(1, 9)), "")
    table = [tuple(map(str, row)) for row in (head, *rows, sums)]
    widths = [max(len(row[i]) for row in table) for i in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(w) if i in (0, 9) else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    ]
    faults = [f"never enabled: {id_}" for p in proofs for id_ in p.never] + [w for p in proofs for w in p.wrong]
    return "\n".join([line.rstrip() for line in lines] + faults)
