"""SPIN as an engine of ``check``: for what outgrows Python, and to be held against the explorer.

What SPIN finds comes back as what the explorer would have said: each trail is replayed by the second interpreter, made as short
as it gets by leaving actions out, and shown as a sequence diagram with transition ids.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from tunnelcheck.interrupt import scratch
from tunnelcheck.quest import Patch, Summary
from tunnelcheck.replay import Unfaithful, breaks, replay
from tunnelcheck.report import Counterexample, Outcome, cost
from tunnelcheck.scenarios import Scenario
from tunnelexport.promela.model import Model, export
from tunnelexport.promela.spin import INTERRUPTED, Mode, Progress, Ran, build, onwards, run, search
from tunnelspec.machine import TableError
from tunnelspec.properties import PROPERTIES, Property, Scope
from tunnelspec.system import System

SEARCHES = {
    "breadth": "all states, and shortest traces",
    "depth": "all states, in less memory, on several cores if told",
    "bitstate": "most states, in as little memory as told",
    "swarm": "several bitstate searches, each with another order, on all cores",
}
"""How SPIN can search, and what for."""

SWARM = 4
"""Searches of a swarm, for each core."""

Meter = Callable[[Scenario], Progress]


def mode_of(search_: str, cores: int, memory_gib: float | None) -> Mode:
    """How SPIN is to search."""
    mib = int(memory_gib * 1024) if memory_gib is not None else 0
    mode = Mode(breadth=search_ == "breadth", bitstate=search_ in ("bitstate", "swarm"), memory_mib=mib)
    if mode.bitstate:  # half of the memory for the bits: 2^(n-3) bytes
        return replace(mode, table_bits=max(20, ((mib or 1024) << 19).bit_length() + 2), memory_mib=0)
    if search_ == "depth" and cores > 1:  # it is reserved beforehand
        return replace(mode, cores=cores, memory_mib=mib or 2048)
    return mode


def explore(system: System, search_: str, cores: int, memory_gib: float | None, progress: Progress = onwards,
            properties: Sequence[Property] = PROPERTIES) -> Ran:  # fmt: skip
    """One world, searched by SPIN. Raises ``Missing``, ``Failed``, and ``Refused`` for what cannot be translated."""
    model, mode = export(system, properties), mode_of(search_, cores, memory_gib)
    with scratch() as folder:
        if search_ != "swarm":
            ran = run(model, mode, folder, progress)
            if ran.violated and not ran.trails and ran.stopped != INTERRUPTED:  # several cores write none
                ran.trails = run(model, Mode(enough=len(ran.violated)), folder, progress).trails
            return ran
        mode = replace(mode, seed=1)
        compiling = build(model, mode, folder)
        members = []
        for seed in range(1, SWARM * cores + 1):
            member = folder / str(seed)
            member.mkdir()
            (member / "pan").symlink_to(folder / "pan")
            members.append((replace(mode, seed=seed), member))
        return together(swarm(model, members, cores, progress), compiling)


def swarm(model: Model, members: Sequence[tuple[Mode, Path]], cores: int, progress: Progress) -> list[Ran]:
    """The searches of a swarm, side by side. An interrupt ends those that run, and those that have not begun do not begin."""
    stop = threading.Event()

    def one(member: tuple[Mode, Path]) -> Ran:
        if stop.is_set():
            return Ran(stopped=INTERRUPTED)
        return search(model, *member, lambda states, transitions: progress(states, transitions) and not stop.is_set())

    with ThreadPoolExecutor(cores) as pool:
        searches = [pool.submit(one, member) for member in members]
        try:
            wait(searches)
        except KeyboardInterrupt:
            stop.set()
    ran = [search.result() for search in searches]
    return [replace(each, complete=False, stopped=INTERRUPTED) for each in ran] if stop.is_set() else ran


def circles(system: System, progress: Progress = onwards, optimise: int = 1) -> Ran:
    """A search for a run without end. Raises as ``explore`` does."""
    with scratch() as folder:
        return run(export(system, ()), Mode(breadth=False, circles=True, optimise=optimise), folder, progress)


def together(found: Sequence[Ran], compiling: float) -> Ran:
    """What the searches of a swarm found between them. Its states are those of the search that saw most."""
    most = max(found, key=lambda ran: ran.states)
    witnesses = {id_: max(ran.witnesses.get(id_, 0) for ran in found) for ran in found for id_ in ran.witnesses}
    return replace(
        most,
        seconds=sum(ran.seconds for ran in found),
        compiling=compiling,
        violated=frozenset().union(*(ran.violated for ran in found)),
        trails=tuple(trail for ran in found for trail in ran.trails),
        witnesses=witnesses,
        took=frozenset().union(*(ran.took for ran in found)),
    )


def check_with_spin(
    scenarios: Sequence[Scenario],
    build_: Patch,
    properties: Sequence[Property],
    search_: str,
    cores: int,
    memory_gib: float | None,
    meter: Meter = lambda scenario: onwards,
) -> Outcome:
    """Decide properties in all worlds by SPIN. Raises as ``explore`` does."""
    outcome, began = Outcome(), time.monotonic()
    for scenario in scenarios:
        system = build_(scenario)
        judged = tuple(p for p in properties if scenario.honest or not p.honest)
        try:
            ran = explore(system, search_, cores, memory_gib, meter(scenario), properties)
            _take(outcome, scenario, system, judged, ran, shorten=search_ != "breadth")
            if (
                ran.stopped != INTERRUPTED
                and search_ in ("breadth", "depth")
                and any(p.scope is Scope.RUN for p in judged)
            ):
                ran = circles(system, meter(scenario))
                _take_circles(outcome, scenario, system, judged, ran)
        except KeyboardInterrupt:  # before there was anything to tell
            outcome.judged |= {p.id: p for p in judged}
            ran = Ran(stopped=INTERRUPTED)
        if ran.stopped == INTERRUPTED:
            outcome.complete = False
            break
    for id_ in outcome.judged:
        if not outcome.complete:
            outcome.undecided.add(id_)
    outcome.seconds = time.monotonic() - began
    return outcome


def _take(
    outcome: Outcome, scenario: Scenario, system: System, judged: Sequence[Property], ran: Ran, shorten: bool
) -> None:
    outcome.judged |= {p.id: p for p in judged}
    outcome.witnesses.update(ran.witnesses)
    outcome.took |= ran.took
    if not ran.complete:
        outcome.undecided |= {p.id for p in judged}
    outcome.complete = outcome.complete and ran.complete
    for prop in judged:
        if prop.id in ran.violated and (ran.trails or ran.stopped != INTERRUPTED):
            found = counterexample(prop, scenario, system, ran, shorten)
            known = outcome.counterexamples.get(prop.id)
            if known is None or cost(found) < cost(known):
                outcome.counterexamples[prop.id] = found
    size = ran.memory_mib * (1 << 20) / max(1, ran.states)
    violated = tuple(p.id for p in judged if p.id in ran.violated)
    outcome.summaries.append(
        Summary(
            scenario, ran.states, ran.transitions, ran.depth, ran.seconds, size, violated, ran.stopped, ran.undecided
        )
    )


def _take_circles(outcome: Outcome, scenario: Scenario, system: System, judged: Sequence[Property], ran: Ran) -> None:
    for prop in judged:
        if prop.scope is Scope.RUN:
            outcome.witnesses[prop.id] += ran.transitions
            if ran.circle:
                outcome.counterexamples[prop.id] = counterexample(prop, scenario, system, ran, shorten=True)
                outcome.summaries[-1].violated += (prop.id,)
            elif not ran.complete:
                outcome.undecided.add(prop.id)
                outcome.complete = False


def counterexample(prop: Property, scenario: Scenario, system: System, ran: Ran, shorten: bool) -> Counterexample:
    """A trail that breaks the property, confirmed. Raises ``RuntimeError`` if the second interpreter confirms none."""
    for actions in sorted(ran.trails, key=len):
        if broken(system, prop, actions):
            actions = shortened(system, prop, actions) if shorten else actions
            moments = replay(system, actions)
            values = breaks(system, moments, prop)
            assert values is not None
            ends = [place for place, moment in enumerate(moments) if moment.before == moments[-1].after]
            loop = len(moments) - ends[-1] if prop.scope is Scope.RUN else 0
            return Counterexample(prop, scenario, system, actions, moments, values, loop)
    raise RuntimeError(f"{prop.id}: the second interpreter confirms none of SPIN's {len(ran.trails)} trails")


def broken(system: System, prop: Property, actions: Sequence[str]) -> bool:
    """Whether these actions can be taken, and break the property at their end."""
    try:
        return breaks(system, replay(system, actions), prop) is not None
    except (Unfaithful, TableError):
        return False


def shortened(system: System, prop: Property, actions: tuple[str, ...]) -> tuple[str, ...]:
    """The trail without what it can do without: ever smaller pieces are left out, as long as the property still breaks."""
    size = len(actions) // 2
    while size > 0:
        start = 0
        while start < len(actions):
            shorter = actions[:start] + actions[start + size :]
            if broken(system, prop, shorter):
                actions = shorter
            else:
                start += size
        size //= 2
    return actions
