"""Table steps a second: by ``transitions``, by the direct evaluator, and a whole endpoint's step.

    python bench/steps.py [--json] [--seconds N]

The same steps, in turns of a tenth of a second, so that a slow moment of the machine meets both; ratios of medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from tunnelref.engine import step_by_transitions
from tunnelspec.ack import ACK_G, Queue
from tunnelspec.connection import CONN_G, Connection
from tunnelspec.endpoint import GATEWAY
from tunnelspec.events import Backlog, BackoffOver, ClientMessage, Collect, Progress
from tunnelspec.frames import ToServerWebSocketMessageAck, ToServerWebSocketOpen
from tunnelspec.hibernation import HIB_G, Sleep
from tunnelspec.limits import DEFAULT
from tunnelspec.machine import Machine, Received, step

CASES: dict[str, tuple[Machine, str, Any, Any]] = {
    "HIB-G-06 wake": (HIB_G, "asleep", Sleep(0), Backlog(0)),
    "HIB-G-10 collect": (HIB_G, "asleep", Sleep(0), Collect(1)),
    "CONN-G-26 try again": (CONN_G, "backoff", Connection(link=1), BackoffOver(0)),
    "CONN-G-11 open": (CONN_G, "awaiting", Connection(link=1), Received(ToServerWebSocketOpen(True, -1), 1)),
    "CONN-G-13 progress": (CONN_G, "open", Connection(link=1), Progress()),
    "ACK-G-06 message": (ACK_G, "live", Queue(1), ClientMessage(b"x" * 100, True, 139)),
    "ACK-G-09 old ack": (ACK_G, "live", Queue(1, acked=5), Received(ToServerWebSocketMessageAck(5), 1)),
}


def rate(work: Callable[[], object], seconds: float) -> float:
    """Calls a second."""
    count, began = 0, time.perf_counter()
    while (spent := time.perf_counter() - began) < seconds:
        for _ in range(200):
            work()
        count += 200
    return count / spent


def alternate(ours: Callable[[], object], theirs: Callable[[], object], seconds: float) -> tuple[float, float]:
    """Medians of both rates, taken in turns."""
    turns = max(3, round(seconds / 0.2))
    pairs = [(rate(ours, 0.1), rate(theirs, 0.1)) for _ in range(turns)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=2.0, help="for each case (default %(default)s)")
    args = parser.parse_args()
    results = []
    for name, (machine, state, context, event) in CASES.items():
        direct, slow = alternate(
            lambda m=machine, s=state, c=context, e=event: step(m, s, c, e, DEFAULT),  # type: ignore[misc]
            lambda m=machine, s=state, c=context, e=event: step_by_transitions(m, s, c, e, DEFAULT),  # type: ignore[misc]
            args.seconds,
        )
        results.append(
            {"step": name, "direct": round(direct), "transitions": round(slow), "ratio": round(direct / slow, 1)}
        )
    sockets = GATEWAY.start()
    whole = rate(lambda: GATEWAY.step(sockets, Collect(0), DEFAULT), 1.0)
    if args.json:
        print(json.dumps({"steps": results, "endpoint_steps": round(whole)}))
        return
    print(f"{'step':<22}{'direct/s':>12}{'transitions/s':>16}{'ratio':>8}")
    for row in results:
        print(f"{row['step']:<22}{row['direct']:>12,}{row['transitions']:>16,}{row['ratio']:>8}")
    print(f"a whole endpoint's step (three machines hear a Collect): {whole:,.0f}/s")


if __name__ == "__main__":
    main()
