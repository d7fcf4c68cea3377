"""``tunnelspec check``."""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tunnelcheck import trust
from tunnelcheck.explain import RULES, draw, why
from tunnelcheck.explore import Exploration
from tunnelcheck.files import Trace
from tunnelcheck.report import Counterexample, Outcome, check, first
from tunnelcheck.scenarios import BESIDE, DEFAULT_SIZE, PROPERTIES_OF, SIZES, Scenario
from tunnelcheck.spin import SEARCHES, check_with_spin
from tunneldraw.sequence import Sequence as Drawing
from tunneldraw.sequence_svg import to_svg
from tunneldraw.sequence_text import to_text
from tunnelexport.promela.shapes import Refused
from tunnelexport.promela.spin import Failed, Missing
from tunnelspec.deviations import DEVIATIONS, MERGED, Deviation, apply, blame, without
from tunnelspec.properties import PROPERTIES
from tunnelspec.system import System

ALL = tuple(p for properties in PROPERTIES_OF.values() for p in properties)
"""All properties, of all kinds of world."""

COMPLETE = ("medium", "large")
"""Sizes that promise to reach every line of the tables and to give every property a chance to fail."""

HUNGRY = ("large",)
"""Sizes of whose worlds one takes as much memory as there should be."""

CORES = os.cpu_count() or 1

DEVIANT_STATES = 150_000
"""Where to stop a world whose tables were departed from, unless told: some go on for ever, and harm shows early."""

YOUNG = 500_000
"""Objects after which the collector looks for garbage. Of what an exploration makes nearly all stays, and looking at it again and
again (by default after 700) takes a fifth of a short run."""

BEAT = 0.5
"""Seconds between two lines of progress."""


def add_parsers(subparsers: Any) -> None:
    """The command."""
    checks = subparsers.add_parser(
        "check",
        help="explore the closed world, and decide every property",
        description="Explores all that can happen in bounded worlds of a client, a gateway, links, runners and an actor, "
        "from the tables, and decides every property. Shows the shortest trace of each violation.",
        epilog="examples: tunnelspec check --size small; tunnelspec check --as-merged; tunnelspec check --without ACK-R-06; "
        "tunnelspec check --engine spin --search swarm --scenario sleep-break",
    )
    checks.add_argument("--size", choices=SIZES, default=DEFAULT_SIZE, help="which worlds (default %(default)s)")
    checks.add_argument("--scenario", nargs="+", metavar="NAME", help="only these worlds of that size")
    checks.add_argument("--property", nargs="+", metavar="ID", choices=[p.id for p in ALL], help="only these")
    checks.add_argument(
        "--deviation", nargs="+", metavar="NAME", default=[], help="depart from the tables; --list names them"
    )
    checks.add_argument("--as-merged", action="store_true", help="depart from the tables wherever the merged code does")
    checks.add_argument("--without", metavar="TRANSITION", help="delete one line of the tables: its event does nothing")
    checks.add_argument(
        "--engine", choices=("explorer", "spin"), default="explorer", help="what explores (default %(default)s)"
    )
    checks.add_argument("--search", choices=SEARCHES, help="of SPIN: how it searches (default: breadth)")
    checks.add_argument("--cores", type=int, metavar="N",
                        help="worlds side by side (default: all cores, and one for --size large and with --memory); "
                        "of SPIN: for depth and swarm (default: all)")  # fmt: skip
    checks.add_argument("--states", type=int, metavar="N", help="stop a world at N states (with deviations: 150000)")
    checks.add_argument("--memory", type=float, metavar="GIB", help="stop at this much memory in use")
    checks.add_argument("--traces", type=Path, metavar="DIR", help="write each counterexample there, as JSON and SVG")
    checks.add_argument("--list", action="store_true", help="list worlds, properties and deviations, and stop")
    checks.add_argument("--json", action="store_true", help="print the result as one JSON object")
    checks.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 holds, 1 violated, 2 wrong use, 3 undecided, 4 SPIN is missing or failed."""
    if args.list:
        print(listing())
        return 0
    gc.set_threshold(YOUNG)
    try:
        beside = BESIDE if args.engine == "explorer" else ()
        scenarios = chosen((*SIZES[args.size], *beside), args.scenario)
        deviations = departures(args)
        if args.search is not None and args.engine != "spin":
            raise ValueError("--search is for --engine spin")
        if args.cores is not None and args.cores < 1:
            raise ValueError(f"--cores {args.cores}: at least 1")
    except ValueError as error:
        print(f"tunnelspec check: {error}", file=sys.stderr)
        return 2
    spin = PROPERTIES if args.property is None else PROPERTIES_OF["socket"]  # it cannot read a model of all of them
    known = ALL if args.engine == "explorer" else spin
    properties = [p for p in known if args.property is None or p.id in args.property]

    def build(scenario: Scenario) -> System:
        return apply(scenario.system(), deviations)

    states = args.states if args.states is not None else DEVIANT_STATES if deviations else None
    show = Meter(states, args.memory, sys.stderr.isatty() and not args.json)
    if args.engine == "spin":
        try:
            outcome = check_with_spin(
                scenarios, build, properties, args.search or "breadth", args.cores or CORES, args.memory, show.counts
            )
        except (Missing, Failed) as error:
            print(f"tunnelspec check: {error}", file=sys.stderr)
            return 4
        except Refused as error:
            print(f"tunnelspec check: not translated: {error}", file=sys.stderr)
            return 3
    else:
        alone = args.size in HUNGRY or args.memory is not None
        outcome = check(scenarios, build, properties, show.report, args.cores or (1 if alone else CORES))
    show.clear()
    promised = args.size in COMPLETE and not (args.scenario or args.property or deviations)
    faults = defects(outcome) if promised else {}
    if args.traces is not None:
        save(args.traces, outcome, deviations)
    if args.json:
        print(json.dumps(as_json(outcome, faults)))
    else:
        write(outcome, faults, deviations, promised)
    return code(outcome, faults)


def chosen(scenarios: Sequence[Scenario], names: Sequence[str] | None) -> tuple[Scenario, ...]:
    """The scenarios of these names. Raises ``ValueError`` for a name that is none."""
    known = {s.name: s for s in scenarios}
    for name in names or ():
        if name not in known:
            raise ValueError(f"--scenario {name}: not one of {', '.join(known)}")
    return tuple(s for s in scenarios if names is None or s.name in names)


def departures(args: argparse.Namespace) -> tuple[Deviation, ...]:
    """What the arguments depart from the tables by. Raises ``ValueError`` for an unknown name."""
    found = list(MERGED) if args.as_merged else []
    for name in args.deviation:
        if name not in DEVIATIONS:
            raise ValueError(f"--deviation {name}: not one of {', '.join(DEVIATIONS)}")
        if DEVIATIONS[name] not in found:
            found.append(DEVIATIONS[name])
    if args.without is not None:
        if args.without not in RULES:
            raise ValueError(f"--without {args.without}: there is no such transition")
        found.append(without(args.without))
    return tuple(found)


class Meter:
    """Progress while it lasts, and the limits that end it."""

    def __init__(self, states: int | None, memory_gib: float | None, visible: bool) -> None:
        self._states, self._memory, self._visible = states, memory_gib, visible
        self._next = time.monotonic() + BEAT

    def report(self, scenario: Scenario) -> Callable[[Exploration], bool]:
        """What to call after each level."""

        def after_level(exploration: Exploration) -> bool:
            progress = exploration.progress()
            tail = f", depth {progress.depth}, {progress.frontier:,} to expand"
            self._show(scenario, progress.states, progress.transitions, tail, progress.seconds)
            return not self._reached(progress.states) and not (
                self._memory is not None and memory_gib() >= self._memory
            )

        return after_level

    def counts(self, scenario: Scenario) -> Callable[[int, int], bool]:
        """What to call with the states and transitions so far: SPIN minds the memory itself."""
        began = time.monotonic()

        def after_count(states: int, transitions: int) -> bool:
            self._show(scenario, states, transitions, "", time.monotonic() - began)
            return not self._reached(states)

        return after_count

    def _reached(self, states: int) -> bool:
        return self._states is not None and states >= self._states

    def _show(self, scenario: Scenario, states: int, transitions: int, tail: str, seconds: float) -> None:
        if self._visible and time.monotonic() > self._next:
            self._next = time.monotonic() + BEAT
            rate = states / max(seconds, 0.001)
            line = (
                f"{scenario.name}: {states:,} states, {transitions:,} transitions{tail}, {rate:,.0f} states/s, "
                f"{memory_gib():.2f} GiB"
            )
            print(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave the line to what follows."""
        if self._visible:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def memory_gib() -> float:
    """The most memory this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


# -- what comes out --------------------------------------------------------------------------------------------------


def defects(outcome: Outcome) -> dict[str, tuple[str, ...]]:
    """What would make a pass worth nothing."""
    found = {"dead": outcome.dead(), "impossible": outcome.impossible(), "idle": outcome.idle}
    return {name: ids for name, ids in found.items() if ids} if outcome.complete else {}


def verdict(outcome: Outcome, faults: dict[str, tuple[str, ...]]) -> str:
    """holds, violated or incomplete."""
    broken = any(s.broken for s in outcome.summaries)
    if outcome.counterexamples or faults or broken:
        return "violated"
    return "incomplete" if undecided(outcome) or not outcome.complete else "holds"


def undecided(outcome: Outcome) -> tuple[str, ...]:
    """Properties that are not decided: worlds were left unfinished, or nothing in them could have broken the property."""
    return tuple(id_ for id_ in outcome.judged if outcome.verdict_of(id_) == "undecided")


def code(outcome: Outcome, faults: dict[str, tuple[str, ...]]) -> int:
    """The exit code of a verdict."""
    return {"holds": 0, "violated": 1, "incomplete": 3}[verdict(outcome, faults)]


def as_json(outcome: Outcome, faults: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """The result as one object."""
    shortest = first(outcome)
    return {
        "verdict": verdict(outcome, faults),
        "states": outcome.states,
        "transitions": outcome.transitions,
        "seconds": round(outcome.seconds, 3),
        "properties": {id_: outcome.verdict_of(id_) for id_ in outcome.judged},
        "witnesses": {id_: outcome.witnesses[id_] for id_ in outcome.judged},
        "trace": [] if shortest is None else steps(shortest),
        "violated": None if shortest is None else shortest.property.id,
        "scenarios": [
            {"name": s.scenario.name, "states": s.states, "transitions": s.transitions, "depth": s.depth,
             "seconds": round(s.seconds, 3), "violated": s.violated, "stopped": s.stopped}
            for s in outcome.summaries
        ],
        "untaken": outcome.untaken(),
        "trust": trust.as_json(),
        **faults,
    }  # fmt: skip


def steps(counterexample: Counterexample) -> list[dict[str, Any]]:
    """A trace as data: action, party, what it is, transitions."""
    return [
        {"action": m.action.id, "party": m.action.party, "says": m.action.says, "transitions": m.took}
        for m in counterexample.moments
    ]


def write(
    outcome: Outcome, faults: dict[str, tuple[str, ...]], deviations: Sequence[Deviation], promised: bool
) -> None:
    """The result for a reader."""
    colour = sys.stdout.isatty()
    for deviation in deviations:
        print(f"departs: {deviation.id}: {deviation.says}")
    width = max((len(s.scenario.name) for s in outcome.summaries), default=5)
    print(f"\n{'world':<{width}}  {'states':>11}  {'transitions':>12}  depth  seconds   states/s  B/state  found")
    for s in outcome.summaries:
        found = ", ".join(s.violated) or s.stopped or "-"
        print(
            f"{s.scenario.name:<{width}}  {s.states:>11,}  {s.transitions:>12,}  {s.depth:>5}  {s.seconds:>7.1f}  "
            f"{s.states / max(s.seconds, 0.001):>9,.0f}  {s.bytes_per_state:>7.0f}  {found}"
        )
    print(f"{'all':<{width}}  {outcome.states:>11,}  {outcome.transitions:>12,}  {'':>5}  {outcome.seconds:>7.1f}\n")
    killed = trust.killed_by()
    print(f"{'property':<15}  {'of a':<5}  {'verdict':<9}  {'situations':>10}  {'mutants':>7}  it says")
    for id_, prop in outcome.judged.items():
        word = paint(outcome.verdict_of(id_), colour)
        print(
            f"{id_:<15}  {prop.scope.value:<5}  {word}  {outcome.witnesses[id_]:>10,}  {killed[id_]:>7,}  {prop.says}"
        )
    for counterexample in sorted(outcome.counterexamples.values(), key=lambda c: len(c.actions)):
        print(f"\n{story(counterexample, deviations, colour)}")
    told = {
        "dead": "never taken, though nothing says that they cannot be: {}",
        "impossible": "taken, though the tables say that they cannot be: {}",
        "idle": "could not have failed, and so prove nothing: {}",
    }
    for name, ids in faults.items():
        print(f"\n{told[name].format(', '.join(ids))}")
    if outcome.complete and undecided(outcome) and not faults:
        print(f"\nundecided, for nothing in these worlds could have broken them: {', '.join(undecided(outcome))}")
    print(f"\n{trust.lines(outcome, promised)}")
    print(f"verdict: {verdict(outcome, faults)}")


def story(counterexample: Counterexample, deviations: Sequence[Deviation], colour: bool) -> str:
    """A counterexample: the property, its trace, why it is false, and which line is to blame."""
    prop = counterexample.property
    lines = [f"{prop.id} is violated in {len(counterexample.actions)} steps: {prop.says}", ""]
    lines.append(to_text(picture(counterexample), colour, max(110, shutil.get_terminal_size().columns)))
    lines += ["", "why:", *(f"  {reason}" for reason in why(prop, counterexample.values))]
    lines += ["", "rules it took:"]
    taken = dict.fromkeys(id_ for moment in counterexample.moments for id_ in moment.took)
    lines += [f"  {id_:<10}  {RULES[id_].says if id_ in RULES else 'a line that a deviation added'}" for id_ in taken]
    blamed = [line for deviation in deviations for line in blame(deviation, taken)]
    if blamed:
        lines += ["", "to blame:", *(f"  {line}" for line in blamed)]
    return "\n".join(lines)


def picture(counterexample: Counterexample) -> Drawing:
    """The counterexample, drawn."""
    prop = counterexample.property
    reasons = "; ".join(reason.strip() for reason in why(prop, counterexample.values)[:3])
    title, ending = f"{prop.id}: {prop.says}", f"{prop.id} fails: {reasons}"
    return draw(counterexample.system, counterexample.moments, title, ending, counterexample.loop)


def paint(word: str, colour: bool) -> str:
    """A verdict, padded."""
    tone = {"holds": "32", "violated": "31", "undecided": "33"}[word]
    return f"\x1b[{tone}m{word:<9}\x1b[0m" if colour else f"{word:<9}"


def save(folder: Path, outcome: Outcome, deviations: Sequence[Deviation]) -> None:
    """Each counterexample as a trace file and a picture."""
    folder.mkdir(parents=True, exist_ok=True)
    for id_, found in outcome.counterexamples.items():
        trace = Trace(found.system.bounds, tuple(d.id for d in deviations), id_, found.actions, found.system.kind)
        (folder / f"{id_}.json").write_text(trace.to_json() + "\n", encoding="utf-8")
        (folder / f"{id_}.svg").write_text(to_svg(picture(found)), encoding="utf-8")


def listing() -> str:
    """Worlds, properties and deviations."""
    worlds = {s.name: s for size in (*SIZES.values(), BESIDE) for s in size}
    lines = ["worlds:"]
    for name, scenario in worlds.items():
        sizes = ", ".join(size for size, members in SIZES.items() if scenario in (*members, *BESIDE))
        lines.append(f"  {name:<13}  {scenario.says} ({sizes})")
    lines += ["", "properties:", *(f"  {p.id:<15}  {p.says}" for p in ALL)]
    lines += ["", "deviations (* as merged):"]
    lines += [f" {'*' if d in MERGED else ' '}{d.id:<22}  {d.says}" for d in DEVIATIONS.values()]
    return "\n".join(lines)
