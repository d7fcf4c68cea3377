"""How cases are played beside each other: what is inconclusive beside many is played again beside few."""

from __future__ import annotations

import asyncio
from collections import Counter
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from tunnelconform.cases import Case
from tunnelconform.conversation import Say
from tunnelconform.oracle import Oracle, Surroundings
from tunnelconform.played import Played, Verdict
from tunnelconform.side import Side
from tunnelconform.subject import Nature
from tunnelconform.suite import FEW, Result, run
from tunnelspec.endpoint import GATEWAY

CASES = st.lists(st.booleans(), min_size=1, max_size=40)


@settings(max_examples=20, deadline=None)
@given(CASES, st.integers(1, 3 * FEW))
def test_what_is_inconclusive_beside_many_is_played_again_beside_few(hasty: list[bool], at_once: int) -> None:
    """A hasty case is late for its own steps where more than ``FEW`` are held at once. Each is told of once, and played twice at
    most."""
    cases = tuple(Case(f"CONN-G-01/{n}", (Say(text=f"{n}"),), frozenset(), "") for n in range(len(hasty)))
    held, plays, told = [0], Counter[str](), Counter[str]()
    oracle = Oracle(GATEWAY, Surroundings())

    async def play(case: Case, goal: frozenset[str]) -> Played:
        plays[case.id] += 1
        held[0] += 1
        for _ in hasty:  # those that begin with it have begun
            await asyncio.sleep(0)
        late = hasty[int(case.id.rpartition("/")[2])] and held[0] > FEW
        held[0] -= 1
        side = Side("gateway", oracle, oracle.start(), 100)
        return Played(case.conversation, side, (), (), "too late" if late else "", 0, 0)

    async def alive() -> bool:
        return True

    def done(result: Result) -> None:
        told[result.case.id] += 1

    with patch("tunnelconform.suite.APART_S", 0):
        results = asyncio.run(run(cases, Nature(), play, alive, done, at_once))
    assert [result.case for result in results] == list(cases)
    assert {result.verdict for result in results} == {Verdict.PASS}
    assert set(told.values()) == {1}
    assert max(plays.values()) <= (2 if at_once > FEW else 1)
