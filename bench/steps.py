"""Table steps a second: compiled, by the interpreter ``machine.step``, and by ``transitions``, for every line of every table.

    python bench/steps.py [--json] [--rounds N] [--machine ACK-G] [--below]

For each state and transition one (context, event) that takes it is drawn, with a fixed seed, from those that the proof of totality
tries. The evaluators take turns, each for as long as the others; of each the fastest round counts, in CPU time. A compiled step
includes finding its function by state and event, as the reference's driver does.

*floor* is a step that does nothing but what each must: it decides the row's own guard, and makes what is new in the result. A line
whose floor is too slow for the goal cannot reach it; one that could and does not is *left*, measured again for longer before it is
called so, and named with ``--below``. The last lines are steps of a whole gateway: four machines and the signals between them.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import random
import statistics
import time
import timeit
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from tunnelref.engine import step_by_transitions
from tunnelspec.ack import Queue
from tunnelspec.compiled import machine_rows, program
from tunnelspec.compiled.forms import field_names, open_form
from tunnelspec.compiled.inline import Inliner
from tunnelspec.compiled.terms import LITERALS, Atom, Block, Known, Names
from tunnelspec.compiled.tidy import tidied
from tunnelspec.connection import Connection
from tunnelspec.endpoint import GATEWAY, TABLES, Local, State
from tunnelspec.events import ClientMessage, Collect
from tunnelspec.fifo import Fifo
from tunnelspec.frames import ToServerWebSocketMessageAck
from tunnelspec.hibernation import Sleep
from tunnelspec.limits import DEFAULT
from tunnelspec.machine import Guard, Machine, Received, Transition, enabled, key, step
from tunnelspec.totality import SMALL
from tunnelspec.tunnel import Tunnel

GOAL = 20
WARM = 50  # calls of each evaluator before it is timed
SLICE = 0.0004  # seconds that each has in a round, however quick it is
AGAIN = 5  # times the rounds, for a line that is below the goal and need not be
OPEN: State = (
    Local("open", Connection(link=1)), Local("up", Tunnel(1)), Local("live", Queue(1, acked=5)), Local("awake", Sleep(0))
)  # fmt: skip
ENDPOINT_CASES = {
    "a client's message": ClientMessage(b"x" * 100, True, 139),
    "an old ack": Received(ToServerWebSocketMessageAck(5), 1),
    "a collection": Collect(0),
}
FIND = "type(event) if type(event) is not Received else type(event.frame)"  # as the reference's driver finds a function


class Work(NamedTuple):
    """A statement to be timed, and what its names mean."""

    statement: str
    names: dict[str, Any]

    def timer(self) -> timeit.Timer:
        """Times it in CPU time, with garbage collection as it is in life; its names are locals."""
        setup = "; ".join(["gc.enable()", *(f"{name} = names[{name!r}]" for name in self.names)])
        return timeit.Timer(self.statement, setup, time.process_time, {"gc": gc, "names": self.names})


class Line(NamedTuple):
    """One transition taken from one state: seconds a step."""

    machine: str
    state: str
    transition: str
    compiled: float
    interpreted: float
    transitions: float
    floor: float

    @property
    def ratio(self) -> float:
        return self.transitions / self.compiled

    @property
    def could(self) -> float:
        """The ratio of the floor: no evaluator goes beyond it."""
        return self.transitions / self.floor

    @property
    def verdict(self) -> str:
        """Whether it reaches the goal, cannot, or is left."""
        return "reach" if self.ratio >= GOAL else "cannot" if self.could < GOAL else "left"


def fastest(works: Sequence[Work], rounds: int) -> list[float]:
    """Seconds of CPU a statement takes, the best round of each, in turns."""
    timers = [work.timer() for work in works]
    for timer in timers:
        timer.timeit(WARM)  # what is written, found or specialised once
    best = [timer.timeit(WARM) / WARM for timer in timers]
    calls = [max(1, round(SLICE / seconds)) for seconds in best]
    for _ in range(rounds):
        for place, timer in enumerate(timers):
            best[place] = min(best[place], timer.timeit(calls[place]) / calls[place])
    return best


class Least:
    """The least that any evaluator in Python must do for a step: decide the row's own guard, and make what is new in the result.

    What two steps of the same context and event both give is found, and not made. What is made is made in the fastest way that we
    know; a field of a new context that stays what it was is read from the old one, and a field of an output from the field of the
    event, or of its frame, that has its name and value. Other guards, and how values are worked out, count for nothing.
    """

    def __init__(self, guard: Guard | None, context: Any, event: Any, step: Callable[[Any, Any], Any]) -> None:
        self.context, self.event = context, event
        self.results = step(context, event), step(context, event)
        self.names, self.objects = Names(), {"Fifo": Fifo, "new": object.__new__, "tuple_new": tuple.__new__}
        block, inliner = Block([]), Inliner(self.names)
        inliner.roots, inliner.exact = {"c0", "e"}, {"c0": type(context), "e.frame": key(event)}
        if guard is None:
            self.make(block)
        else:
            given = (Atom("c0"), Atom("e"), Known(SMALL))
            inliner.decide_call(guard, given, block, self.make, lambda other: other.line("return None"))
        lines = tidied(block.lines, {"c0": getattr(context, "_fields", ())})
        scope = {**self.names.objects, **self.objects}
        exec("\n".join(["def least(c0, e):", *lines]), scope)
        self.function: Callable[[Any, Any], Any] = scope["least"]
        assert self.function(context, event) == self.results[0], event

    def make(self, block: Block) -> None:
        """Write what makes the result."""
        block.line(f"return {self.value(*self.results, block)}")

    def value(self, one: Any, other: Any, block: Block) -> str:
        """Write what makes a value, which the two steps gave."""
        cls = type(one)
        if cls in LITERALS:
            return repr(one)
        if one is other or not (cls is Fifo or isinstance(one, tuple | list) or dataclasses.is_dataclass(cls)):
            return self.found(one)
        if cls in (tuple, list):
            parts = [self.value(*pair, block) for pair in zip(one, other, strict=True)]
            return f"[{', '.join(parts)}]" if cls is list else f"({''.join(f'{part}, ' for part in parts)})"
        names = Fifo.__slots__ if cls is Fifo else field_names(cls) or tuple(f.name for f in dataclasses.fields(cls))
        fields = {name: self.field(cls, name, getattr(one, name), getattr(other, name), block) for name in names}
        if isinstance(one, tuple):
            return f"tuple_new({self.found(cls)}, ({', '.join(fields.values())},))"
        made = self.names.fresh("made")
        block.line(f"{made} = new(Fifo)" if cls is Fifo else f"{made} = {self.found(open_form(cls))}()")
        for name, text in fields.items():
            block.line(f"{made}.{name} = {text}")
        if cls is not Fifo:
            block.line(f"{made}.__class__ = {self.found(cls)}")
        return made

    def field(self, cls: type[Any], name: str, one: Any, other: Any, block: Block) -> str:
        """Write what gives a field of something new."""
        sources = (
            {"c0": self.context}
            if cls is type(self.context)
            else {"e": self.event, "e.frame": getattr(self.event, "frame", None)}
        )
        for text, source in sources.items():
            if getattr(source, name, sources) is one is other:
                read = self.names.fresh(name)
                block.line(f"{read} = {text}.{name}")
                return read
        return self.value(one, other, block)

    def found(self, value: Any) -> str:
        """The name under which something is at hand."""
        name = f"found_{len(self.objects)}"
        self.objects[name] = value
        return name


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
    """The same step by each evaluator, and what none can do without."""
    rows = machine_rows(machine, SMALL)
    kind = key(event)
    least = {state: {kind: Least(row.when, context, event, rows[state][kind]).function}}
    names = {
        "rows": rows,
        "floors": least,
        "step": step,
        "step_by_transitions": step_by_transitions,
        "Received": Received,
        **{"machine": machine, "state": state, "context": context, "event": event, "limits": SMALL},
    }
    return [
        Work(f"rows[state][{FIND}](context, event)", names),
        Work("step(machine, state, context, event, limits)", names),
        Work("step_by_transitions(machine, state, context, event, limits)", names),
        Work(f"floors[state][{FIND}](context, event)", names),
    ]


def measure(machine: Machine, rounds: int) -> Iterator[Line]:
    """Every line of one table."""
    for state, row, context, event in cases(machine):
        works = ways(machine, state, row, context, event)
        line = Line(machine.id, state, row.id, *fastest(works, rounds))
        if line.verdict == "left":
            again = fastest(works, rounds * AGAIN)
            line = Line(machine.id, state, row.id, *map(min, line[3:], again))
        yield line


def endpoint(event: Any, rounds: int) -> dict[str, float]:
    """Seconds that a gateway's step takes, three ways, and what its result takes to make, no guard decided."""
    functions = program(GATEWAY, DEFAULT).at(OPEN)
    names = {
        "functions": functions,
        "floors": {key(event): Least(None, OPEN, event, functions[key(event)]).function},
        "step": GATEWAY.step,
        "step_by_transitions": step_by_transitions,
        "Received": Received,
        **{"state": OPEN, "event": event, "limits": DEFAULT},
    }
    works = [
        Work(f"functions[{FIND}](state, event)", names),
        Work("step(state, event, limits)", names),
        Work("step(state, event, limits, step_by_transitions)", names),
        Work(f"floors[{FIND}](state, event)", names),
    ]
    return dict(zip(("compiled", "interpreted", "transitions", "floor"), fastest(works, rounds), strict=True))


def machines() -> list[Machine]:
    """Every machine of the specification, once."""
    endpoints = (getattr(TABLES, name) for name in TABLES.__match_args__)
    return list({machine.id: machine for one in endpoints for machine in one.machines}.values())


def summary(name: str, lines: Sequence[Line]) -> dict[str, Any]:
    """Ratios over many lines: of the median line, of the sum, and how many reach the goal."""
    mean_us = {
        column: round(statistics.fmean(getattr(line, column) for line in lines) * 1e6, 3)
        for column in ("compiled", "interpreted", "transitions", "floor")
    }
    return {
        "name": name,
        "lines": len(lines),
        "mean_us": mean_us,
        "median_ratio": round(statistics.median(line.ratio for line in lines), 1),
        "sum_ratio": round(mean_us["transitions"] / mean_us["compiled"], 1),
        **{verdict: sum(line.verdict == verdict for line in lines) for verdict in ("reach", "cannot", "left")},
    }


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the results as one JSON object")
    parser.add_argument("--rounds", type=int, default=7, help="rounds for each line (default %(default)s)")
    parser.add_argument("--below", action="store_true", help="name each line below the goal")
    parser.add_argument("--machine", metavar="ID", action="append", help="this machine alone")
    args = parser.parse_args(argv)
    chosen = [machine for machine in machines() if not args.machine or machine.id in args.machine]
    if not chosen:
        parser.error(f"no such machine; there are {', '.join(machine.id for machine in machines())}")
    every: list[Line] = []
    tables = []
    if not args.json:
        print(f"{'':16}{'us a step':^43}{'transitions to compiled':>25}{f'lines, goal {GOAL} x':>23}")
        print(
            f"{'machine':9}{'lines':>7}{'compiled':>10}{'floor':>8}{'interpreted':>13}{'transitions':>13}{'median':>12}{'sum':>11}"
            f"{'reach':>9}{'cannot':>8}{'left':>6}"
        )

    def show(row: dict[str, Any]) -> None:
        us = row["mean_us"]
        print(
            f"{row['name']:9}{row['lines']:>7}{us['compiled']:>10.3f}{us['floor']:>8.3f}{us['interpreted']:>13.2f}"
            f"{us['transitions']:>13.2f}{row['median_ratio']:>10} x{row['sum_ratio']:>9} x"
            f"{row['reach']:>9}{row['cannot']:>8}{row['left']:>6}",
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
        steps = [line._asdict() | {"ratio": round(line.ratio, 1), "verdict": line.verdict} for line in every]
        print(json.dumps({"machines": tables, "all": total, "lines": steps, "endpoint": wholes}))
        return
    show(total)
    if args.below:
        print(f"\n{'below the goal':32}{'x':>7}{'floor x':>9}")
        for line in sorted((line for line in every if line.ratio < GOAL), key=lambda line: (line.verdict, line.ratio)):
            print(f"  {line.transition:<12}{line.state:<12}{line.verdict:<6}{line.ratio:>7.1f}{line.could:>9.1f}")
    print("\na gateway, whole")
    for name, took in wholes.items():
        print(
            f"  {name:<20}{1 / took['compiled']:>12,.0f} compiled/s {1 / took['interpreted']:>10,.0f} interpreted/s "
            f"{1 / took['transitions']:>9,.0f} transitions/s{took['transitions'] / took['compiled']:>7.1f} x"
            f"{took['transitions'] / took['floor']:>12.1f} x at most"
        )
    print(
        f"goal: at least {GOAL} x transitions; all lines together {total['sum_ratio']} x, "
        f"the median line {total['median_ratio']} x; of {total['lines']} lines {total['reach']} reach it, "
        f"{total['cannot']} cannot, {total['left']} left"
    )


if __name__ == "__main__":
    main()
