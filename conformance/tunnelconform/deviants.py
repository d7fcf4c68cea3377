"""The suite against known wrongs: which case notices each departure from the tables, or why nobody could.

Each deviation runs in the reference, on real sockets; a case that names a transition which the deviation patches must fail. Where
none can, machines decide why: the tables allow all that the departure does (``inclusion``), or no conversation with the test
actor brings it about.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tunnelconform.cases import TRANSITIONS, Case
from tunnelconform.conversation import Tell, Wait, from_json
from tunnelconform.conversation import to_json as to_talk
from tunnelconform.fleet import Fleet
from tunnelconform.inclusion import inclusion
from tunnelconform.oracle import Tag
from tunnelconform.play import SHORT, Play
from tunnelconform.played import Played
from tunnelconform.plays import gateway_play, runner_played
from tunnelconform.side import Problem
from tunnelconform.subject_within import GatewayWithin, RunnerWithin
from tunnelconform.telling import Twins, alike, by_effort, patched, telling, twins
from tunnelspec.deviations import ALL, MERGED, Deviation
from tunnelspec.endpoint import GATEWAY, RUNNER
from tunnelspec.limits import Limits

ROLES = {"gateway": GATEWAY, "runner": RUNNER}
TAIL_S = 0.5
"""So long one waits after the last step for what should not come."""

TRIES = 6
"""So many cases are tried that should notice a departure."""

RECORD = Path(__file__).with_name("deviants.json")
PAGE = Path(__file__).parents[1] / "deviations.md"


@dataclass(frozen=True)
class Wrong:
    """A departure of one side: a deviation, or several at once."""

    name: str
    says: str
    role: str
    deviations: tuple[Deviation, ...]

    @property
    def id(self) -> str:
        return f"{self.name}, {self.role}"

    @cached_property
    def about(self) -> frozenset[str]:
        """The transitions that it patches."""
        return patched(ROLES[self.role], self.deviations)


@dataclass(frozen=True)
class Noticed:
    """The case that noticed a departure: its id, what the departed side did, how long it took, and the conversation as JSON, so
    that it can be held again without deriving it."""

    case: str
    seen: str
    seconds: float
    conversation: Any = ()


@dataclass(frozen=True)
class Unseen:
    """Why no case can notice a departure."""

    because: str


Fate = Noticed | Unseen


def wrongs() -> tuple[Wrong, ...]:
    """Each deviation on each side that it patches, and all that the merged code has at once."""
    sets = [(d.id, d.says, (d,)) for d in ALL] + [("as-merged", "All that the merged code does.", MERGED)]
    every = (Wrong(name, says, role, some) for name, says, some in sets for role in ROLES)
    return tuple(wrong for wrong in every if wrong.about)


def unseen(wrong: Wrong, limits: Limits) -> Unseen | None:
    """Why nobody can notice it: if the tables allow all that it does, or it comes to nothing with the test actor."""
    held = inclusion(wrong.deviations, wrong.role)
    if held.included:
        extent = "all" if held.complete else "the first"
        return Unseen(f"the tables allow all that it does: {extent} {held.pairs:,} situations of its machines")
    if wrong.role == "runner":
        counts, same = zip(*map(alike, twins(wrong.role, wrong.deviations, limits)), strict=True)
        if all(same):
            return Unseen(f"with the test actor it does the same: the first {sum(counts):,} situations")
    return None


def recorded(fate: Fate) -> tuple[Case, ...]:
    """The case that is known to notice a departure; none, if none can."""
    if isinstance(fate, Unseen):
        return ()
    transition = fate.case.partition("/")[0]
    return (Case(fate.case, from_json(fate.conversation), frozenset({transition}), TRANSITIONS[transition].says),)


def candidates(wrong: Wrong, cases: Sequence[Case], limits: Limits) -> tuple[Case, ...]:
    """The cases that name a transition which it patches, and in which the peers should see something else, what is quick
    first."""
    pairs = twins(wrong.role, wrong.deviations, limits)
    named = [case for case in cases if case.id.partition("/")[0] in wrong.about]
    tell = (
        case
        for case in sorted(named, key=lambda case: by_effort(case.conversation))
        if any(pair.first_difference(case.conversation) for pair in pairs)
    )
    return tuple(itertools.islice(tell, TRIES))


def derived(wrong: Wrong, cases: Sequence[Case], limits: Limits) -> Case | None:
    """A case for a departure that no other one notices."""
    known = [case.conversation for case in cases if case.id.partition("/")[0] in wrong.about]
    pairs: tuple[Twins, ...] = twins(wrong.role, wrong.deviations, limits)
    hasty = twins(wrong.role, wrong.deviations, limits, SHORT)  # a short wait may be over sooner
    tell = (
        found
        for pair in pairs
        for found in telling(pair, wrong.about, known)
        if any(other.first_difference(found[1]) for other in hasty)
    )
    found = next(tell, None)
    if found is None:
        return None
    transition, conversation = found
    if wrong.role == "gateway" and isinstance(conversation[-1], Wait):
        # what is said last must have been worked on before the wait: a link is ordered, and this is answered
        sure = (*conversation[:-1], Tell(), conversation[-1])
        conversation = sure if any(pair.first_difference(sure) for pair in hasty) else conversation
    return Case(
        f"{transition}/unlike-{wrong.name}", conversation, frozenset({transition}), TRANSITIONS[transition].says
    )


def unlike(role: str, cases: Sequence[Case], limits: Limits) -> tuple[Case, ...]:
    """The cases that known departures add to those that were derived from the tables; none for what is known to be unseen."""
    hopeless = {id_ for id_, fate in read().items() if isinstance(fate, Unseen)}
    more = []
    for wrong in wrongs():
        if wrong.role == role and wrong.id not in hopeless and not candidates(wrong, cases, limits):
            case = derived(wrong, cases, limits)
            if case is not None:
                more.append(case)
    return tuple(more)


async def against_gateway(wrong: Wrong, some: Sequence[Case]) -> Noticed | None:
    """The first of some cases that fails against the reference gateway with that departure, on real sockets."""
    subject = GatewayWithin(wrong.deviations)
    nature = await subject.start()
    try:

        async def play(case: Case) -> Played:
            return await _patient(gateway_play(subject, nature, case.conversation, case.goal)).run()

        return await _first(some, play)
    finally:
        await subject.stop()


async def against_runner(wrong: Wrong, some: Sequence[Case]) -> Noticed | None:
    """The same of the reference runner."""
    subject = RunnerWithin(wrong.deviations)
    hub, fleet = await subject.start(), Fleet(subject.another, 1)
    try:

        async def play(case: Case) -> Played:
            return await runner_played(hub, fleet, subject.limits, case.conversation, case.goal, tail_s=TAIL_S)

        return await _first(some, play)
    finally:
        await fleet.stop()
        await subject.stop()


def _patient(play: Play) -> Play:
    """What a departure does too much of may be the last thing that is seen: here one waits for it."""
    play.tail_s = TAIL_S
    return play


async def _first(some: Sequence[Case], play: Callable[[Case], Awaitable[Played]]) -> Noticed | None:
    for case in some:
        began = time.monotonic()
        played = await play(case)
        if played.side.problem is not None:  # the socket's own, not that of a link which the suite kept waiting
            return Noticed(
                case.id, seen(played.side.problem), round(time.monotonic() - began, 2), to_talk(case.conversation)
            )
    return None


def seen(problem: Problem) -> str:
    """What was not allowed, in a few words."""
    if problem.what is not None:
        return "TunnelAck" if isinstance(problem.what, Tag) else type(problem.what).__name__
    due = problem.due[0].what if problem.due else None
    return f"no {'TunnelAck' if isinstance(due, Tag) else type(due).__name__}"


async def noticed(wrong: Wrong, some: Sequence[Case]) -> Noticed | None:
    """The first of some cases that notices a departure."""
    return await (against_gateway if wrong.role == "gateway" else against_runner)(wrong, some) if some else None


# -- the record ------------------------------------------------------------------------------------------------------


def read(path: Path = RECORD) -> dict[str, Fate]:
    """The fates that are recorded; none, if there is no record."""
    if not path.exists():
        return {}
    told = json.loads(path.read_text(encoding="utf-8"))
    return {id_: Unseen(**fate) if "because" in fate else Noticed(**fate) for id_, fate in told.items()}


def to_json(fates: Mapping[str, Fate]) -> str:
    """The record."""
    lines = [f" {json.dumps(id_)}: {json.dumps(asdict(fate))}" for id_, fate in fates.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def to_page(fates: Mapping[str, Fate]) -> str:
    """The record for a reader."""
    lines = [
        "# Known wrongs, and the case that notices each", "",
        "Generated by `tunnelspec conform deviations`. Each deviation of the specification (`tunnelspec check --list`) ran in the",
        "reference, on real sockets. The case names a transition that the deviation patches; seconds as measured then.", "",
        "| deviation | side | case that fails | seen | s |", "| --- | --- | --- | --- | ---: |",
    ]  # fmt: skip
    for wrong in wrongs():
        fate = fates.get(wrong.id)
        if isinstance(fate, Noticed):
            lines.append(f"| {wrong.name} | {wrong.role} | `{fate.case}` | {fate.seen} | {fate.seconds:.1f} |")
    lines += [
        "",
        "What no case can notice, and why, as decided by machine:",
        "",
        "| deviation | side | |",
        "| --- | --- | --- |",
    ]
    for wrong in wrongs():
        fate = fates.get(wrong.id)
        if isinstance(fate, Unseen):
            lines.append(f"| {wrong.name}: {wrong.says} | {wrong.role} | {fate.because} |")
    return "\n".join(lines) + "\n"
