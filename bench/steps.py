"""Table steps a second: compiled, by the interpreter ``machine.step``, and by ``transitions``, for every line of every table.

    python bench/steps.py [--json] [--rounds N] [--machine ACK-G]

For each state and transition one (context, event) that takes it is drawn, with a fixed seed, from those that the proof of totality
tries. The evaluators take turns; of each the fastest round counts, in CPU time. A compiled step includes finding its function
by state and event. *effect* is a call of the transition's own effect alone: what no evaluator that calls it can do without.
The last lines are steps of a whole gateway: four machines and the signals between them.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from tunnelref.engine import step_by_transitions
from tunnelspec.ack import Queue
from tunnelspec.compiled import machine_rows, program
from tunnelspec.connection import Connection
from tunnelspec.endpoint import GATEWAY, TABLES, Local, State
from tunnelspec.events import ClientMessage, Collect
from tunnelspec.frames import ToServerWebSocketMessageAck
from tunnelspec.hibernation import Sleep
from tunnelspec.limits import DEFAULT
from tunnelspec.machine import Machine, Received, Transition, Verdict, enabled, key, step
from tunnelspec.totality import SMALL
from tunnelspec.tunnel import Tunnel

GOAL = 20
CALLS = 100  # of each evaluator in one round
OPEN: State = (
    Local("open", Connection(link=1)), Local("up", Tunnel(1)), Local("live", Queue(1, acked=5)), Local("awake", Sleep(0))
)  # fmt: skip
ENDPOINT_CASES = {
    "a client's message": ClientMessage(b"x" * 100, True, 139),
    "an old ack": Received(ToServerWebSocketMessageAck(5), 1),
    "a collection": Collect(0),
}
Work = Callable[[], object]


class Line(NamedTuple):
    """One transition taken from one state: seconds a step."""

    machine: str
    state: str
    transition: str
    compiled: float
    interpreted: float
    transitions: float
    effect: float

    @property
    def ratio(self) -> float:
        return self.transitions / self.compiled


def fastest(works: Sequence[Work], rounds: int) -> list[float]:
    """Seconds of CPU a call takes, the best round of each, in turns."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for place, work in enumerate(works):
            began = time.process_time_ns()
            for _ in range(CALLS):
                work()
            best[place] = min(best[place], (time.process_time_ns() - began) / CALLS / 1e9)
    return best


def cases(machine: Machine) -> Iterator[tuple[str, Transition, Any, Any]]:
    """For each state and each transition that can be taken there: a context and an event which take it."""
    dice = random.Random(machine.id)
    for state in machine.states:
        found: dict[Transition, list[tuple[Any, Any]]] = {}
        for event in machine.events(SMALL):
            for context in machine.contexts(SMALL):
                (row,) = enabled(machine, state.name, context, event, SMALL)
                found.setdefault(row, []).append((context, event))
        for row, pairs in found.items():
            yield state.name, row, *dice.choice(pairs)


def ways(machine: Machine, state: str, row: Transition, context: Any, event: Any) -> list[Work]:
    """The same step by each evaluator, and the effect alone."""
    rows, effect = machine_rows(machine, SMALL), row.then if row.verdict is Verdict.TAKEN else None
    return [
        lambda: rows[state][key(event)](context, event),
        lambda: step(machine, state, context, event, SMALL),
        lambda: step_by_transitions(machine, state, context, event, SMALL),
        lambda: effect and effect(context, event, SMALL),
    ]


def measure(machine: Machine, rounds: int) -> Iterator[Line]:
    """Every line of one table."""
    for state, row, context, event in cases(machine):
        works = ways(machine, state, row, context, event)
        for work in works:  # what is written, or found, once
            work()
        yield Line(machine.id, state, row.id, *fastest(works, rounds))


def endpoint(event: Any, rounds: int) -> tuple[float, float, float]:
    """A gateway's step, three ways."""
    functions, kind = program(GATEWAY, DEFAULT).at(OPEN), key(event)
    works: list[Work] = [
        lambda: functions[kind](OPEN, event),
        lambda: GATEWAY.step(OPEN, event, DEFAULT),
        lambda: GATEWAY.step(OPEN, event, DEFAULT, step_by_transitions),
    ]
    compiled, interpreted, slow = fastest(works, rounds)
    return compiled, interpreted, slow


def machines() -> list[Machine]:
    """Every machine of the specification, once."""
    endpoints = (getattr(TABLES, name) for name in TABLES.__match_args__)
    return list({machine.id: machine for one in endpoints for machine in one.machines}.values())


def summary(name: str, lines: Sequence[Line]) -> dict[str, Any]:
    """Ratios over many lines: of the median line, of the sum, and how many reach the goal."""
    mean_us = {
        column: round(statistics.fmean(getattr(line, column) for line in lines) * 1e6, 2)
        for column in ("compiled", "interpreted", "transitions", "effect")
    }
    return {
        "name": name,
        "lines": len(lines),
        "mean_us": mean_us,
        "median_ratio": round(statistics.median(line.ratio for line in lines), 1),
        "sum_ratio": round(mean_us["transitions"] / mean_us["compiled"], 1),
        "reach_goal": sum(line.ratio >= GOAL for line in lines),
    }


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the results as one JSON object")
    parser.add_argument("--rounds", type=int, default=7, help="rounds for each line (default %(default)s)")
    parser.add_argument("--machine", metavar="ID", action="append", help="this machine alone")
    args = parser.parse_args(argv)
    chosen = [machine for machine in machines() if not args.machine or machine.id in args.machine]
    if not chosen:
        parser.error(f"no such machine; there are {', '.join(machine.id for machine in machines())}")
    every, tables = [], []
    if not args.json:
        print(f"{'':10}{'':7}{'us a step':^46}   {'transitions to compiled':^28}")
        print(
            f"{'machine':10}{'lines':>7}{'compiled':>10}{'interpreted':>12}{'transitions':>12}{'effect':>9}"
            f"{'median':>11}{'sum':>9}{f'reach {GOAL}':>13}"
        )

    def show(row: dict[str, Any]) -> None:
        us = row["mean_us"]
        print(
            f"{row['name']:10}{row['lines']:>7}{us['compiled']:>10}{us['interpreted']:>12}{us['transitions']:>12}{us['effect']:>9}"
            f"{row['median_ratio']:>9} x{row['sum_ratio']:>7} x{row['reach_goal']:>13}",
            flush=True,
        )

    for machine in chosen:
        lines = list(measure(machine, args.rounds))
        every += lines
        tables.append(summary(machine.id, lines))
        if not args.json:
            show(tables[-1])
    total = summary("all", every)
    wholes = {name: endpoint(event, args.rounds * 3) for name, event in ENDPOINT_CASES.items()}
    if args.json:
        steps = [line._asdict() | {"ratio": round(line.ratio, 1)} for line in every]
        print(json.dumps({"machines": tables, "all": total, "lines": steps, "endpoint": wholes}))
        return
    show(total)
    print("\na gateway, whole")
    for name, (compiled, interpreted, slow) in wholes.items():
        print(
            f"  {name:<20}{1 / compiled:>12,.0f} compiled/s {1 / interpreted:>10,.0f} interpreted/s "
            f"{1 / slow:>9,.0f} transitions/s{slow / compiled:>7.1f} x"
        )
    print(f"goal: at least {GOAL} x transitions; the median line of the tables {total['median_ratio']} x")


if __name__ == "__main__":
    main()
