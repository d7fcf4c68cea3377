"""States a second and bytes a state: firing ``transitions`` models, our explorer, and SPIN on the export.

    python bench/explore.py [--json] [--scenario NAME] [--rounds N] [--seconds N]

All explore the same world and decide the same properties (the first only explores, and only for ``--seconds``), in turns. Seconds
are of the processor, not of the wall, so that what else the machine does counts little; SPIN's compilation is told apart. SPIN
takes the model as ``tunnelspec export promela`` writes it, compiled with ``-O2``. For ``large``, run
``tunnelspec check --size large``: it tells time, rate and bytes of each world.
"""

from __future__ import annotations

import argparse
import gc
import json
import resource
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tunnelcheck.decide import decide
from tunnelcheck.replay import act
from tunnelexport.promela.model import Model, export
from tunnelexport.promela.spin import Mode, build, search
from tunnelref.engine import step_by_transitions
from tunnelspec.endpoint import Endpoint, Result, State
from tunnelspec.limits import Limits
from tunnelspec.system import Bounds, System
from tunnelspec.worlds import LARGE, Scenario

MIXED = Scenario(
    "mixed",
    "Sleep, a zombie, a broken link and a client that leaves, with one message.",
    Bounds(says=1, leaves=1, sleeps=1, breaks=1, moves=1, runners=2),
)
WORLDS = {scenario.name: scenario for scenario in (MIXED, *LARGE)}


@dataclass
class Rate:
    """One engine's turn."""

    states: int
    seconds: float  # of the processor
    bytes_per_state: float
    apart: float = 0.0  # seconds of compilation

    @property
    def rate(self) -> float:
        return self.states / max(self.seconds, 0.001)


class ByTransitions(Endpoint):
    """An endpoint whose machines are fired as ``transitions`` models."""

    def step(self, state: State, event: object, limits: Limits, evaluate: object = None) -> Result:
        return super().step(state, event, limits, step_by_transitions)


def by_transitions(scenario: Scenario, seconds: float) -> Rate:
    """Breadth first over whole worlds, each action computed where it is tried; stopped after some seconds."""
    plain = System(scenario.bounds)
    sides = [ByTransitions(e.role, e.name, e.says, e.machines) for e in (plain.gateway, plain.runner)]
    system = System(scenario.bounds, *sides)
    start = tuple(system.start().values())
    names = system.components

    def run(until: Callable[[int], bool]) -> int:
        seen, level = {start}, [start]
        while level:
            following = []
            for state in level:
                if until(len(seen)):
                    return len(seen)
                world = dict(zip(names, state, strict=True))
                for action in system.actions:
                    moment = act(system, world, action)
                    after = tuple(moment.after.values()) if moment is not None else state
                    if after not in seen:
                        seen.add(after)
                        following.append(after)
            level = following
        return len(seen)

    began = time.process_time()
    states = run(lambda count: time.process_time() - began > seconds)
    spent = time.process_time() - began
    tracemalloc.start()
    counted = run(lambda count: count > min(states, 2000))
    size = tracemalloc.get_traced_memory()[1] / counted
    tracemalloc.stop()
    return Rate(states, spent, size)


def ours(scenario: Scenario) -> Rate:
    """The explorer, with all properties."""
    gc.collect()
    began = time.process_time()
    decision = decide(scenario)
    spent = time.process_time() - began
    return Rate(decision.exploration.states, spent, decision.exploration.bytes / decision.exploration.states)


def spin(model: Model, mode: Mode) -> Rate:
    """SPIN, with all properties but that every run ends."""
    with tempfile.TemporaryDirectory(prefix="tunnelspec-bench-") as name:
        compiling = build(model, mode, Path(name))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ran = search(model, mode, Path(name))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not ran.complete:
        raise SystemExit(f"SPIN did not finish: {ran.stopped}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Rate(ran.states, spent, ran.memory_mib * (1 << 20) / ran.states, compiling)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--scenario", choices=WORLDS, default=MIXED.name, help="the world (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=1, help="turns of each (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of transitions, a turn (default %(default)s)")
    parser.add_argument("--memory", type=int, default=8192, metavar="MIB", help="of SPIN (default %(default)s)")
    args = parser.parse_args()
    scenario = WORLDS[args.scenario]
    model = export(System(scenario.bounds))
    sizes = {
        "vector": 144 if scenario.bounds.runners > 1 else 112,
        "table_bits": 23,
        "memory_mib": args.memory,
        "optimise": 2,
    }
    engines: dict[str, Callable[[], Rate]] = {
        "transitions": lambda: by_transitions(scenario, args.seconds),
        "ours": lambda: ours(scenario),
        "SPIN, breadth first": lambda: spin(model, Mode(**sizes)),
        "SPIN, depth first": lambda: spin(model, Mode(breadth=False, **sizes)),
    }
    turns: dict[str, list[Rate]] = {name: [] for name in engines}
    for _ in range(args.rounds):
        for name, engine in engines.items():
            print(f"{name} ...", end="\r", file=sys.stderr, flush=True)
            turns[name].append(engine())
    rates = {name: statistics.median(turn.rate for turn in found) for name, found in turns.items()}
    rows = [
        {
            "engine": name,
            "states": found[0].states,
            "states_per_second": round(rates[name]),
            "relative_to_spin_breadth_first": round(rates[name] / rates["SPIN, breadth first"], 3),
            "bytes_per_state": round(found[0].bytes_per_state),
            "compile_seconds": round(found[0].apart, 1),
        }
        for name, found in turns.items()
    ]
    if args.json:
        print(json.dumps({"world": scenario.name, "engines": rows}))
        return
    print(f"world: {scenario.name}: {scenario.says}")
    print(f"{'engine':<32}{'states':>12}{'states/s':>12}{'of SPIN BFS':>13}{'B/state':>9}{'compile s':>11}")
    for row in rows:
        engine, states, rate, relative, size, compiling = row.values()
        print(f"{engine:<32}{states:>12,}{rate:>12,}{relative:>13}{size:>9,}{compiling:>11}")


if __name__ == "__main__":
    main()
