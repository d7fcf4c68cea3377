"""What the suite asks of a gateway's directory: K-ADMIT, LINK-G-06, and commands that hold together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunnelconform import conversation as talk
from tunnelconform.conversation import Step
from tunnelconform.duties import STOPS, Duties
from tunnelconform.placing import UNFIT, placing
from tunnelconform.play_gateway import GatewayPlay
from tunnelconform.played import Played
from tunnelconform.subject_within import GatewayWithin
from tunnelref.gateway.core import Gateway
from tunnelref.gateway.links import Link
from tunnelspec.frames import ActorConfig, CommandStartActor, CommandStopActor, CommandWrapper, ToClientWebSocketOpen

ACTOR = "actor"
lives = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 5), st.integers(1, 5)), max_size=12)
"""Lives of an actor: the link, and by how much generation and number go up."""


def start(number: int, generation: int) -> CommandWrapper:
    return CommandWrapper(number, CommandStartActor(ACTOR, generation, ActorConfig(ACTOR, None, 0, None)))


def stop(number: int, generation: int) -> CommandWrapper:
    return CommandWrapper(number, CommandStopActor(ACTOR, generation))


@given(lives)
def test_commands_that_hold_together_are_allowed(some: list[tuple[int, int, int]]) -> None:
    duties, generation, numbers = Duties(), 0, dict[int, int]()
    for link, older, further in some:
        generation += older
        number = numbers.get(link, -1) + further
        numbers[link] = number + 1
        assert duties.allow(link, start(number, generation))
        assert duties.runs(link, ACTOR)
        assert not duties.allow(4, start(numbers.get(4, 0), generation))  # that generation has begun
        assert duties.allow(link, stop(number + 1, generation))
        assert not duties.runs(link, ACTOR)
        assert not Duties().allow(link, stop(number + 1, generation))  # nothing runs there


@given(st.integers(0, 9), st.integers(0, 9))
def test_commands_are_numbered_upwards(first: int, second: int) -> None:
    duties = Duties()
    duties.allow(1, start(first, 1))
    assert duties.allow(1, start(second, 2)) == (second > first)


class Wrong(GatewayWithin):
    """A gateway with one fault."""

    def __init__(self, fault: Callable[[Gateway], None]) -> None:
        super().__init__()
        self._fault = fault

    async def start(self) -> Any:
        nature = await super().start()
        assert self._server is not None
        self._fault(self._server.gateway)
        return nature


def played(fault: Callable[[Gateway], None], *steps: Step) -> Played:
    """A conversation with a gateway that has that fault."""

    async def work() -> Played:
        subject = Wrong(fault)
        nature = await subject.start()
        try:
            return await GatewayPlay(subject, nature, steps).run()
        finally:
            await subject.stop()

    return asyncio.run(work())


AWAKE = (talk.Join(), talk.Connect(), talk.AckArrival(), talk.Answer(), talk.Sleep())


def finds_none(gateway: Gateway) -> None:
    gateway.directory.resolve = lambda namespace, actor, answer: answer(None)  # type: ignore[method-assign]


def never_stops(gateway: Gateway) -> None:
    gateway.directory.intends_to_sleep = lambda link, actor, generation: None  # type: ignore[method-assign]


def nothing(gateway: Gateway) -> None:
    """No fault."""


def test_a_gateway_that_overlooks_a_runner_that_it_has_welcomed_fails() -> None:
    """CONN-G-02, K-ADMIT: it answered each client that there is none, and all cases went another way."""
    assert played(finds_none, *AWAKE[:2]).problem is not None
    assert played(nothing, *AWAKE).problem is None


def test_a_gateway_that_does_not_stop_an_actor_that_asks_to_sleep_fails() -> None:
    """LINK-G-06."""
    problem = played(never_stops, *AWAKE).problem
    assert problem is not None
    assert problem.what is None
    assert [(type(said.what), said.rules) for said in problem.due] == [(CommandStopActor, STOPS)]


def test_a_gateway_that_opens_a_socket_where_the_actor_was_not_started_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Link, "command", lambda self, command: None)
    problem = played(nothing, *AWAKE[:2]).problem
    assert problem is not None
    assert isinstance(problem.what, ToClientWebSocketOpen)


@pytest.mark.parametrize("unfit", UNFIT)
def test_a_gateway_that_opens_a_socket_on_a_runner_that_cannot_take_it_fails(unfit: str) -> None:
    """K-ADMIT."""

    def takes_any(gateway: Gateway) -> None:
        gateway.directory._links = lambda: [_Any(link) for link in gateway.links.values() if link.admitted]

    cases = {case.id: case for case in placing()}
    case = cases[f"CONN-G-04/unfit-{unfit}-only"]
    assert played(takes_any, *case.conversation).problem is not None
    assert played(nothing, *case.conversation).problem is None


class _Any:
    """A link that takes every actor."""

    def __init__(self, link: Any) -> None:
        self._link = link

    def takes(self, actor: Any) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._link, name)
