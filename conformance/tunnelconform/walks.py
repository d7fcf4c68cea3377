"""Random walks: conversations that Hypothesis draws, step by step, from what the peers of a subject can do; and makes simple again.

A walk is a strategy over a model: which step comes next is drawn from those that the model offers where the walk stands. So the
shrinker of Hypothesis, which sees the choices and not the conversation, can leave steps out, put simpler ones in their place, and
end sooner, and whatever it tries is a walk again.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from warnings import catch_warnings, simplefilter

from hypothesis import HealthCheck, Phase, Verbosity, assume, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisDeprecationWarning

from tunnelconform.cases import Case
from tunnelconform.conversation import Conversation, Step, Wait
from tunnelconform.derive import Felt
from tunnelconform.played import Played
from tunnelconform.shrink import Replay, signature

BLOCK = 50
"""So many walks are drawn in one go, so that how many are asked for makes no difference to those that come first."""

LEAST, MOST = 6, 22
"""No walk that is drawn has fewer steps, or more; beside those that show where it ended."""

PATIENCE_S = 30.0
"""So long a failing walk is made simpler at most."""

GOES_ON = st.integers(0, 23).map(bool)
RARELY = st.integers(0, 9).map(lambda number: number == 9)
AT_ONCE = st.integers(0, 3).map(lambda number: number == 3)
"""How likely a walk goes on, does what mostly ends it, and does the next step at once. All shrink to no."""


class Peers(Protocol):
    """A model of a subject and its peers that can be walked."""

    def start(self) -> Any: ...

    def steps(self, model: Any) -> Iterable[Step]: ...

    def do(self, model: Any, step: Step) -> tuple[Any, tuple[Felt, ...]]: ...

    def epilogue(self, model: Any) -> Iterable[Step]: ...


@dataclass(frozen=True)
class Ground:
    """Where one walks: in one of some models. ``rare``: the steps after which little more can happen, or that cost much."""

    models: tuple[Peers, ...]
    rare: Callable[[Step], bool]


@dataclass(frozen=True)
class Walk(Case):
    """A walk, with what it takes to draw it again."""

    ground: Ground = field(kw_only=True, compare=False)
    seed: int = 0
    block: int = 0
    steps: int = 0  # what follows them shows where it ended


class _Fails(Exception):
    """The conversation fails in the same way."""


@st.composite
def conversations(draw: st.DrawFn, ground: Ground) -> tuple[int, Conversation]:
    """A walk: how many steps it has, and these followed by what shows where it ended."""
    model = draw(st.sampled_from(ground.models))
    here, steps = model.start(), list[Step]()
    while len(steps) < MOST and draw(GOES_ON):
        choice = draw(_steps(ground, tuple(model.steps(here))))
        if choice is None:
            break
        steps.append(choice)
        here, _ = model.do(here, choice)
    return len(steps), (*steps, *model.epilogue(here))


@st.composite
def _steps(draw: st.DrawFn, ground: Ground, offered: tuple[Step, ...]) -> Step | None:
    """One of the steps; each kind is as likely as another, whatever it can be done with. None if there are none."""
    rarely, at_once = draw(RARELY), draw(AT_ONCE)
    rare = [step for step in offered if ground.rare(step)]
    usual = [step for step in offered if not ground.rare(step)]
    some = (rare or usual) if rarely else (usual or rare)
    if not some:
        return None
    kind = draw(st.sampled_from(list(dict.fromkeys(step.do for step in some))))
    step = draw(st.sampled_from([step for step in some if step.do == kind]))
    return replace(step, at_once=True) if at_once and not isinstance(step, Wait) else step


def _test(ground: Ground, origin: str, phases: Iterable[Phase], body: Callable[[int, Conversation], None]) -> None:
    """Have Hypothesis call ``body`` with the walks of a block. What it draws depends on nothing else, and nothing is kept."""

    @seed(origin)
    @settings(
        max_examples=BLOCK, phases=tuple(phases), database=None, deadline=None, report_multiple_bugs=False,
        verbosity=Verbosity.quiet, suppress_health_check=list(HealthCheck), print_blob=False, derandomize=False,
        backend="hypothesis",
    )  # fmt: skip
    @given(conversations(ground))
    def walked(drawn: tuple[int, Conversation]) -> None:
        body(*drawn)

    with catch_warnings():  # others draw random numbers meanwhile, in threads of their own
        simplefilter("ignore", HypothesisDeprecationWarning)
        walked()


def walks(ground: Ground, seed_: int, count: int, word: str = "") -> tuple[Walk, ...]:
    """Random walks, each another; the same for the same seed, and the same version of Hypothesis. ``word`` tells them from those on
    other ground."""
    found: list[Walk] = []
    for block in itertools.count():
        if len(found) >= count:
            break
        drawn: dict[Conversation, int] = {}

        def collect(steps: int, conversation: Conversation, drawn: dict[Conversation, int] = drawn) -> None:
            assume(steps >= LEAST)
            drawn.setdefault(conversation, steps)

        _test(ground, _origin(seed_, block), (Phase.generate,), collect)
        for number, (conversation, steps) in enumerate(drawn.items(), len(found)):
            id_, says = f"walk/{word}{seed_}-{number}", "A random conversation."
            walk = Walk(id_, conversation, frozenset(), says, True, ground=ground, seed=seed_, block=block, steps=steps)
            found.append(walk)
    return tuple(found[:count])


def simplest(walk: Walk, fails: Callable[[Conversation], bool]) -> Conversation:
    """The simplest walk that Hypothesis finds to fail, beginning with one that does. If that one fails before its end, nobody
    need see where a walk ended."""
    known: dict[Conversation, bool] = {}
    begun, last = False, walk.conversation
    early = fails(walk.conversation[: walk.steps])

    def hold(steps: int, conversation: Conversation) -> None:
        nonlocal begun, last
        if not begun:  # as it was drawn before: the others did not fail, or not in this way
            assume(steps >= LEAST)
            if conversation != walk.conversation:
                return
            begun = True
        held = conversation[:steps] if early else conversation
        if held not in known:
            known[held] = held == walk.conversation or fails(held)
        if known[held]:
            last = held
            raise _Fails

    with suppress(_Fails):
        _test(walk.ground, _origin(walk.seed, walk.block), (Phase.generate, Phase.shrink), hold)
    return last


async def simpler(walk: Walk, played: Played, replay: Replay) -> Played:
    """What is played of the simplest walk that fails in the same way."""
    loop, way, end = asyncio.get_running_loop(), signature(played), time.monotonic() + PATIENCE_S
    shown: dict[Conversation, Played] = {}
    right: set[Conversation] = set()

    def show(conversation: Conversation, found: Played) -> None:
        shown[conversation] = shown[conversation[: found.steps]] = found  # what follows the failure has no part in it

    def fails(conversation: Conversation) -> bool:
        beginnings = (conversation[:length] for length in range(1, len(conversation) + 1))
        found = next((shown[beginning] for beginning in beginnings if beginning in shown), None)
        if found is None and conversation not in right and conversation and time.monotonic() < end:
            found = asyncio.run_coroutine_threadsafe(replay(conversation), loop).result()
            if not found.failed:  # nor does it fail if it ends sooner, where the next step waited for an answer
                right.update(conversation[: place + 1] for place, step in enumerate(conversation) if not step.at_once)
        if found is None or signature(found) != way:
            return False
        show(conversation, found)
        return True

    show(walk.conversation, played)
    return shown[await asyncio.to_thread(simplest, walk, fails)]


def _origin(seed_: int, block: int) -> str:
    return f"{seed_}-{block}"
