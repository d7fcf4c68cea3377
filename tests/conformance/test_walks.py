"""Random walks: Hypothesis draws them, the same for the same seed, and makes those that fail as short as can be."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import cache

import pytest

from tunnelconform import stress_gateway, stress_runner
from tunnelconform.conversation import Conversation, Start
from tunnelconform.model_gateway import GatewayModel
from tunnelconform.model_runner import RunnerModel
from tunnelconform.play_gateway import GatewayPlay
from tunnelconform.play_runner import RunnerPlay
from tunnelconform.played import Impossible, Played
from tunnelconform.shrink import Replay, shrink
from tunnelconform.stress import ground
from tunnelconform.subject_reference import ReferenceGateway
from tunnelconform.subject_runner import reference_runner
from tunnelconform.subject_within import GatewayWithin, RunnerWithin
from tunnelconform.telling import Model, Twins
from tunnelconform.walks import BLOCK, LEAST, MOST, Walk, simpler, simplest, walks
from tunnelspec.deviations import DEVIATIONS, depart
from tunnelspec.endpoint import TABLES

LIMITS = {"gateway": ReferenceGateway().limits, "runner": reference_runner().limits}
ROLES = pytest.mark.parametrize("role", ["gateway", "runner"])
PLANTED = [("runner", "acks-what-it-drops", 2, 0), ("runner", "stop-forgets-close", 4, 0),
           ("gateway", "first-index-0-gateway", 5, 0), ("gateway", "drops-silently", 5, 1)]  # fmt: skip
"""Departures that take several steps to show; the length of the shortest walk that shows them, and how much longer one is that
cannot be made shorter step by step."""


@cache
def some_walks(role: str) -> tuple[Walk, ...]:
    return walks(ground(role, LIMITS[role]), 0, 4 * BLOCK)


def pairs(role: str, deviation: str) -> tuple[Twins, ...]:
    """A subject that is right and one that departs, in each world in which one walks."""
    limits = LIMITS[role]
    tables, lives_by = depart(TABLES, limits, (DEVIATIONS[deviation],))

    def gateway() -> tuple[tuple[Model, Model], ...]:
        bounds = stress_gateway.WALKS
        return ((GatewayModel(limits, bounds), GatewayModel(limits, bounds, tables.gateway, lives_by)),)

    def runner() -> tuple[tuple[Model, Model], ...]:
        return tuple(
            (RunnerModel(limits, b), RunnerModel(limits, b, tables.runner, lives_by)) for b in stress_runner.WALKS
        )

    return tuple(Twins(role, right, wrong) for right, wrong in (gateway if role == "gateway" else runner)())


def shown(worlds: tuple[Twins, ...], conversation: Conversation) -> int:
    """After how many steps a departure shows; 0 if it does not."""
    plain = any(isinstance(step, Start) and step.plain for step in conversation)
    return worlds[-1 if plain else 0].first_difference(conversation)


def failing(role: str, deviation: str) -> Walk:
    """The first walk that shows it."""
    worlds = pairs(role, deviation)
    return next(walk for walk in some_walks(role) if shown(worlds, walk.conversation))


def length_of_the_shortest(pair: Twins) -> int:
    """As a breadth-first search finds it."""
    start = (pair.right.start(), pair.wrong.start())
    known, agenda = {start}, deque([(*start, 0)])
    while agenda:
        here, there, length = agenda.popleft()
        for step in pair.right.steps(here):
            try:
                right, wrong, differ, _ = pair.go(here, there, step)
            except Impossible:
                continue
            if differ:
                return length + 1
            if (right, wrong) not in known:
                known.add((right, wrong))
                agenda.append((right, wrong, length + 1))
    raise AssertionError("nothing shows it")


def without_what_can_go(conversation: Conversation, fails: Callable[[Conversation], bool]) -> Conversation:
    """No single step can be left out of it."""
    shorter = (conversation[:place] + conversation[place + 1 :] for place in range(len(conversation)))
    found = next((one for one in shorter if fails(one)), None)
    return conversation if found is None else without_what_can_go(found, fails)


@ROLES
def test_the_same_seed_walks_the_same_way(role: str) -> None:
    """Also if more or fewer are asked for; another seed, another way."""
    again = walks(ground(role, LIMITS[role]), 0, BLOCK // 2)
    assert again == some_walks(role)[: BLOCK // 2]
    other = walks(ground(role, LIMITS[role]), 1, BLOCK // 2)
    assert len({walk.conversation for walk in (*again, *other)}) > BLOCK * 0.9


@ROLES
def test_a_walk_is_one_that_the_peers_can_go(role: str) -> None:
    """As long as it should be, and possible step by step; together they do all that the peers know to do."""
    kinds = set[str]()
    for walk in some_walks(role):
        plain = any(isinstance(step, Start) and step.plain for step in walk.conversation)
        model = ground(role, LIMITS[role]).models[-1 if plain else 0]
        here = model.start()
        for step in walk.conversation:
            here, _ = model.do(here, step)
            kinds.add(step.do)
        assert LEAST <= len(walk.conversation) <= MOST + 7
    assert (
        kinds
        >= {
            "gateway": {"join", "connect", "say", "answer", "ack-messages", "close", "sleep", "break", "wait", "leave"},
            "runner": {"start", "stop", "open", "bring", "shut", "cut", "garble", "foreign", "ack-arrival"},
        }[role]
    )


@pytest.mark.parametrize(("role", "deviation", "shortest", "more"), PLANTED)
def test_a_planted_defect_is_made_as_short_as_can_be(role: str, deviation: str, shortest: int, more: int) -> None:
    """Without sockets, where nothing depends on time: Hypothesis comes near, and what can still be left out is."""
    worlds, walk, tried = pairs(role, deviation), failing(role, deviation), 0

    def fails(conversation: Conversation) -> bool:
        nonlocal tried
        tried += 1
        return bool(shown(worlds, conversation))

    found = simplest(walk, fails)
    found = found[: shown(worlds, found)]
    assert tried <= 250
    assert len(found) <= shortest + 2
    assert len(without_what_can_go(found, fails)) <= shortest + more
    assert min(map(length_of_the_shortest, worlds)) == shortest


@pytest.mark.parametrize(("role", "deviation", "shortest", "more"), PLANTED[::2])
def test_and_so_it_is_over_real_sockets(role: str, deviation: str, shortest: int, more: int) -> None:
    """ACK-G-03, ACK-R-07: those that show at once, and not by a silence."""
    walk = failing(role, deviation)

    async def made_short(replay: Replay) -> None:
        played = await replay(walk.conversation)
        assert played.problem is not None
        shrunk = await shrink(await simpler(walk, played, replay), replay)
        assert len(shrunk.played.conversation) <= shortest + more
        assert (shrunk.failed, shrunk.tried) == (3, 3)

    async def a_gateway() -> None:
        subject = GatewayWithin((DEVIATIONS[deviation],))
        nature = await subject.start()

        async def replay(conversation: Conversation) -> Played:
            return await GatewayPlay(subject, nature, conversation, lenient=True).run()

        await made_short(replay)
        await subject.stop()

    async def a_runner() -> None:
        subject = RunnerWithin((DEVIATIONS[deviation],))
        hub = await subject.start()

        async def replay(conversation: Conversation) -> Played:
            return await RunnerPlay(hub, subject.limits, conversation, lenient=True).run()

        await made_short(replay)
        await subject.stop()

    asyncio.run(a_gateway() if role == "gateway" else a_runner())
