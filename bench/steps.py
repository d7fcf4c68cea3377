"""Table steps a second: compiled, by the interpreter ``machine.step``, and by ``transitions``; one machine's, and an endpoint's.

    python bench/steps.py [--json] [--seconds N]

The same steps, in turns of a twentieth of a second, so that a slow moment of the machine meets all; ratios of medians of CPU time.
A compiled step includes finding its function by state and event. The effects are the tables' own: the more values a step
makes, the more of its time is their making, which no evaluator can save.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from tunnelref.engine import step_by_transitions
from tunnelspec.ack import ACK_G, Queue
from tunnelspec.compiled import machine_rows, program
from tunnelspec.connection import CONN_G, Connection
from tunnelspec.endpoint import GATEWAY, Local, State
from tunnelspec.events import Backlog, BackoffOver, ClientMessage, Collect, Progress
from tunnelspec.frames import ToServerWebSocketMessageAck, ToServerWebSocketOpen
from tunnelspec.hibernation import HIB_G, Sleep
from tunnelspec.limits import DEFAULT
from tunnelspec.machine import Machine, Received, key, step
from tunnelspec.tunnel import Tunnel

GOAL = 20
CASES: dict[str, tuple[Machine, str, Any, Any]] = {
    "HIB-G-06 wake": (HIB_G, "asleep", Sleep(0), Backlog(0)),
    "HIB-G-10 collect": (HIB_G, "asleep", Sleep(0), Collect(1)),
    "CONN-G-26 try again": (CONN_G, "backoff", Connection(link=1), BackoffOver(0)),
    "CONN-G-11 open": (CONN_G, "awaiting", Connection(link=1), Received(ToServerWebSocketOpen(True, -1), 1)),
    "CONN-G-13 progress": (CONN_G, "open", Connection(link=1), Progress()),
    "ACK-G-06 message": (ACK_G, "live", Queue(1), ClientMessage(b"x" * 100, True, 139)),
    "ACK-G-09 old ack": (ACK_G, "live", Queue(1, acked=5), Received(ToServerWebSocketMessageAck(5), 1)),
}
OPEN: State = (
    Local("open", Connection(link=1)), Local("up", Tunnel(1)), Local("live", Queue(1, acked=5)), Local("awake", Sleep(0))
)  # fmt: skip
ENDPOINT_CASES = {
    "a client's message": ClientMessage(b"x" * 100, True, 139),
    "an old ack": Received(ToServerWebSocketMessageAck(5), 1),
    "a collection": Collect(0),
}


def rate(work: Callable[[], object], seconds: float) -> float:
    """Calls a second of CPU time."""
    count, began = 0, time.process_time()
    while (spent := time.process_time() - began) < seconds:
        for _ in range(200):
            work()
        count += 200
    return count / spent


def alternate(works: Sequence[Callable[[], object]], seconds: float) -> list[float]:
    """Medians of the rates, taken in turns."""
    turns = max(5, round(seconds / 0.05 / len(works)))
    rates = [[rate(work, 0.05) for work in works] for _ in range(turns)]
    return [statistics.median(column) for column in zip(*rates, strict=True)]


def machine_case(machine: Machine, state: str, context: Any, event: Any) -> Sequence[Callable[[], object]]:
    """One machine's step, three ways."""
    rows, kind = machine_rows(machine, DEFAULT), key(event)
    return (
        lambda: rows[state][kind](context, event),
        lambda: step(machine, state, context, event, DEFAULT),
        lambda: step_by_transitions(machine, state, context, event, DEFAULT),
    )


def endpoint_case(event: Any) -> Sequence[Callable[[], object]]:
    """A gateway's step, three ways."""
    functions, kind = program(GATEWAY, DEFAULT).at(OPEN), key(event)
    return (
        lambda: functions[kind](OPEN, event),
        lambda: GATEWAY.step(OPEN, event, DEFAULT),
        lambda: GATEWAY.step(OPEN, event, DEFAULT, step_by_transitions),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each case (default %(default)s)")
    args = parser.parse_args()
    cases = {name: machine_case(*case) for name, case in CASES.items()}
    cases |= {f"gateway: {name}": endpoint_case(event) for name, event in ENDPOINT_CASES.items()}
    results = []
    if not args.json:
        print(
            f"{'step':<28}{'compiled/s':>12}{'interpreted/s':>15}{'transitions/s':>15}{'compiled':>12}{'interpreted':>13}"
        )
    for name, works in cases.items():
        compiled, interpreted, slow = alternate(works, args.seconds)
        row = {
            "step": name,
            "compiled": round(compiled),
            "interpreted": round(interpreted),
            "transitions": round(slow),
            "ratio": round(compiled / slow, 1),
            "interpreted_ratio": round(interpreted / slow, 1),
        }
        results.append(row)
        if not args.json:
            print(
                f"{name:<28}{compiled:>12,.0f}{interpreted:>15,.0f}{slow:>15,.0f}"
                f"{row['ratio']:>10} x{row['interpreted_ratio']:>11} x",
                flush=True,
            )
    if args.json:
        print(json.dumps({"steps": results}))
    else:
        median = statistics.median(compiled for compiled in (row["ratio"] for row in results))
        print(f"goal: at least {GOAL} x transitions; median {median} x")


if __name__ == "__main__":
    main()
