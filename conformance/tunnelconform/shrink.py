"""Makes a failing conversation shorter: leaves steps out, plays it again, and keeps what still fails in the same way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tunnelconform.conversation import Conversation
from tunnelconform.oracle import Said
from tunnelconform.played import Played

AT_ONCE = 6
"""So many shorter conversations are tried at once."""

PROMISE = "promise"
"""What is seen where a promise was broken."""

Replay = Callable[[Conversation], Coroutine[Any, Any, Played]]


class Signature(NamedTuple):
    """In which way a conversation failed: who, what was seen (or that nothing was), and by which rules what was due was due; or
    which promise was broken."""

    side: str
    seen: str
    rules: tuple[str, ...]


@dataclass(frozen=True)
class Shrunk:
    """A failing conversation from which no single step can be left out; it failed again so many times of so many."""

    played: Played
    failed: int
    tried: int


def signature(played: Played) -> Signature | None:
    """In which way it failed; None if it did not."""
    if played.broken is not None:
        return Signature(played.side.name, PROMISE, (played.broken.property,))
    problem = played.problem
    if problem is None:
        return None
    due: Sequence[Said] = problem.due if problem.refusal is None else (problem.refusal.near or problem.refusal.allowed)
    rules = due[0].rules[:1] if due else ()
    seen = "silence" if problem.what is None else type(problem.what).__name__
    return Signature(played.at_fault.name, seen, rules)


async def shrink(played: Played, replay: Replay, confirm: int = 3) -> Shrunk:
    """The shortest that is found by leaving steps out, several at first, then one at a time; then it is played again."""
    way, best = signature(played), played
    steps = best.conversation[: played.steps]  # what follows the failure has no part in it
    if len(steps) < len(best.conversation):
        best = await _still(steps, way, replay) or best
    size = max(1, len(best.conversation) // 2)
    while size:
        shorter = await _shorter(best, size, way, replay)
        if shorter is None:
            size //= 2
        else:
            best, size = shorter, min(size, max(1, len(shorter.conversation) // 2))
    again = [await replay(best.conversation) for _ in range(confirm)]
    return Shrunk(best, sum(signature(one) == way for one in again), confirm)


async def _shorter(best: Played, size: int, way: Signature | None, replay: Replay) -> Played | None:
    """The conversation without some run of steps of that size, if one still fails."""
    whole = best.conversation
    tries = [(*whole[:place], *whole[place + size :]) for place in range(0, len(whole) - size + 1, size)]
    for first in range(0, len(tries), AT_ONCE):
        for found in await asyncio.gather(*(_still(one, way, replay) for one in tries[first : first + AT_ONCE])):
            if found is not None:
                return found
    return None


async def _still(conversation: Conversation, way: Signature | None, replay: Replay) -> Played | None:
    """The conversation played, if it fails in that way."""
    if not conversation:
        return None
    played = await replay(conversation)
    return played if signature(played) == way else None
