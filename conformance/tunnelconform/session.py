"""A subject that is running, with the cases for it: what the command and the pytest plugin have in common."""

from __future__ import annotations

import argparse
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace

from tunnelconform.arguments import gateway_subject, runner_subject
from tunnelconform.cache import Derived, remembered
from tunnelconform.cases import Case, breaks, gateway_cases, may_begin, runner_cases
from tunnelconform.conversation import Conversation
from tunnelconform.deviants import unlike
from tunnelconform.fleet import Fleet
from tunnelconform.play import GRACE_MS
from tunnelconform.played import Played, Verdict
from tunnelconform.plays import gateway_play, runner_played
from tunnelconform.profiles import PROFILES, Profile
from tunnelconform.shrink import signature
from tunnelconform.standalone import runner_script, script
from tunnelconform.stress import more_walks, stress
from tunnelconform.subject import GatewaySubject, Nature
from tunnelconform.subject_runner import CommandRunner
from tunnelconform.suite import Result, run
from tunnelconform.terminal import Shown
from tunnelspec.limits import DEFAULT, Limits

PATIENCE_MS = 60_000
"""No single wait is longer."""


ENDINGS = {
    "gateway": ("open_timeout_ms", "ack_timeout_ms", "max_hibernation_ms", "init_timeout_ms", "lost_threshold_ms"),
    "runner": ("runner_ack_timeout_ms", "max_hibernation_ms"),
}
"""The limits whose end is an answer to anything: one that is no longer than a subject may take explains each of its silences."""

EARLIER_MS = 300
"""So much earlier than the first of them a silence is to be noticed."""

LEAST_MS = 1_000
"""No subject is expected to be quicker than this, whatever its limits."""


def grace(role: str, limits: Limits) -> int:
    """How long a subject with such limits may take for anything: so long that no silence is explained by a limit that has passed,
    if they allow it."""
    shortest: int = min(getattr(limits, name) for name in ENDINGS[role])
    return min(GRACE_MS, max(LEAST_MS, shortest - EARLIER_MS))


def blind(role: str, limits: Limits, grace_ms: int) -> str:
    """What a run with such limits cannot see, in words; "" if there is nothing."""
    short = [f"{name} {getattr(limits, name)}" for name in ENDINGS[role] if getattr(limits, name) <= grace_ms]
    if not short:
        return ""
    return (
        f"{', '.join(short)}: no longer than the {grace_ms} ms that a {role} may take for anything, so that what it leaves out "
        "before may go unseen; give it longer limits"
    )


@dataclass(frozen=True)
class Session:
    """A subject that is running, and how a case is played against it. ``write`` makes a standalone script, if one can."""

    role: str
    title: str
    nature: Nature
    profile: Profile
    play: Callable[[Conversation, frozenset[str], bool], Awaitable[Played]]
    alive: Callable[[], Awaitable[bool]]
    every: tuple[Case, ...]
    unreached: Mapping[str, str]
    write: Callable[[str, Played], Awaitable[str]] | None

    async def results(self, cases: tuple[Case, ...], done: Callable[[Result], None]) -> tuple[Result, ...]:
        """What the cases show; ``done`` hears of each as soon as it is known."""

        async def play(case: Case, goal: frozenset[str]) -> Played:
            return await self.play(case.conversation, goal, case.lenient)

        return await run(cases, self.nature, play, self.alive, done, self.nature.side_by_side)

    def more(self, seed: int, count: int) -> tuple[Case, ...]:
        """Random walks of that seed."""
        return more_walks(self.role, self.nature.limits, seed, count)

    def graded(self, result: Result, expected: Mapping[str, str], strict: bool) -> Result:
        """The result, excused if the baseline or the profile excuses it. A profile excuses no broken promise."""
        if result.verdict is Verdict.FAIL and result.played is not None:
            way = signature(result.played)
            rules = way.rules if way and result.played.broken is None else ()
            return result.with_excuse(expected.get(result.case.id) or self.profile.excuse(rules))
        return result.with_counts(strict) if result.verdict is Verdict.INCONCLUSIVE else result


def cases_of(role: str, limits: Limits) -> Derived:
    """The cases for a subject of that role with such limits; derived once."""

    def derive() -> Derived:
        shown = Shown()
        shown.write(f"the cases for a {role} with these limits are derived from the tables, once ...")
        cases, unreached = (gateway_cases if role == "gateway" else runner_cases)(limits, PATIENCE_MS)
        cases = (*cases, *unlike(role, cases, limits))
        shown.end()
        return cases, unreached

    return remembered(role, (limits, PATIENCE_MS), derive)


def declared(nature: Nature, args: argparse.Namespace) -> Nature:
    """With what the command says that the subject does not do."""
    return replace(nature, unsupported={**nature.unsupported, **dict.fromkeys(args.unsupported, "the command says so")})


def walks_of(args: argparse.Namespace) -> int:
    """How many walks are drawn: none, where the command selects only cases whose ids begin otherwise."""
    return int(args.walks) if may_begin("walk/", args.only) else 0


def opened(role: str, args: argparse.Namespace) -> AbstractAsyncContextManager[Session]:
    """The subject that the arguments name, started; it is stopped at the end. Raises ``ValueError``, ``SubjectError``,
    ``OSError``."""
    return gateway_session(args) if role == "gateway" else runner_session(args)


@asynccontextmanager
async def gateway_session(args: argparse.Namespace) -> AsyncIterator[Session]:
    """With a gateway."""
    subject: GatewaySubject = gateway_subject(args)
    profile = PROFILES[args.profile]
    try:
        nature = declared(await subject.start(), args)
        nature = replace(nature, grace_ms=nature.grace_ms or grace("gateway", nature.limits))
        every, unreached = cases_of("gateway", nature.limits)
        every = (*every, *stress("gateway", nature.limits, args.seed, walks_of(args)))

        async def play(conversation: Conversation, goal: frozenset[str], lenient: bool) -> Played:
            return await gateway_play(subject, nature, conversation, goal, lenient, profile, nature.grace_ms).run()

        async def write(id_: str, played: Played) -> str:
            place = await subject.place()
            return script(id_, played, place, await subject.door(place), nature.limits)

        alone = None if nature.runner_first else write  # a script cannot make an actor
        yield Session(
            "gateway", f"gateway {subject.name}", nature, profile, play, subject.alive, every, unreached, alone
        )
    finally:
        await subject.stop()


def runner_every(limits: Limits, args: argparse.Namespace) -> Derived:
    """All cases for a runner, for its limits are told."""
    cases, unreached = cases_of("runner", limits)
    return (*cases, *stress("runner", limits, args.seed, walks_of(args))), unreached


@asynccontextmanager
async def runner_session(args: argparse.Namespace) -> AsyncIterator[Session]:
    """With a runner."""
    subject: CommandRunner = runner_subject(args)
    profile = PROFILES[args.profile]
    tables = profile.tables()
    every, unreached = runner_every(subject.limits, args)
    fleet = Fleet(subject.another)
    try:
        await subject.start()

        async def play(conversation: Conversation, goal: frozenset[str], lenient: bool) -> Played:
            async with subject.hub(breaks(conversation)) as hub:
                return await runner_played(
                    hub, fleet, subject.limits, conversation, goal, lenient, tables, grace_ms=nature.grace_ms
                )

        async def write(id_: str, played: Played) -> str:
            return runner_script(id_, played, subject.command, subject.listen, subject.limits)

        nature = Nature(
            subject.limits, subject.unsupported, spares=subject.spares, grace_ms=grace("runner", subject.limits)
        )
        nature = declared(nature, args)
        yield Session("runner", f"runner {subject.name}", nature, profile, play, subject.alive, every, unreached, write)
    finally:
        await fleet.stop()
        await subject.stop()


def changed(limits: Limits) -> dict[str, int]:
    """The limits that are not the defaults."""
    usual = {name: value for name, value, *_ in DEFAULT.describe()}
    return {name: value for name, value, *_ in limits.describe() if value != usual[name]}
