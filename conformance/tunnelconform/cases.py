"""Cases: a conversation, and the transitions that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from tunnelconform import conversation as talk
from tunnelconform.conversation import Conversation
from tunnelconform.derive import Found, Pair, Single, explore
from tunnelconform.model_gateway import Bounds, GatewayModel, Spent
from tunnelspec.endpoint import GATEWAY, MACHINES
from tunnelspec.events import Collect
from tunnelspec.limits import Limits
from tunnelspec.machine import Transition, Verdict

TRANSITIONS: dict[str, Transition] = {t.id: t for machine in MACHINES for t in machine.transitions}

MOST_MODELS = 6_000
"""So many situations of one world are looked at."""

GATEWAY_WORLDS: tuple[Bounds, ...] = (
    Bounds(Spent(says=2, tells=1, answers=1, acks=2, closes=1, joins=1, strays=1)),
    Bounds(Spent(says=2, answers=2, closes=1, sleeps=1, joins=2, breaks=1, visits=1)),
    Bounds(Spent(says=1, tells=1, answers=2, acks=1, closes=1, joins=2), runners=("a", "b")),
    Bounds(Spent(says=1, answers=2, closes=4, joins=2, waits=4), plain=False),
    Bounds(Spent(says=2, answers=2, acks=1, closes=1, joins=1), large=True, plain=False),
    Bounds(Spent(says=1, answers=2, closes=1, joins=1, waits=3)),
)
"""Small worlds, which together reach what one large one would, and sooner."""


@dataclass(frozen=True)
class Case:
    """A conversation, and the transitions that the subject takes in it. Its id is the transition's, and a word."""

    id: str
    conversation: Conversation
    goal: frozenset[str]
    says: str

    def wait_ms(self, limits: Limits) -> int:
        """How long it waits, all in all."""
        return sum(int(getattr(limits, s.limit)) for s in self.conversation if isinstance(s, talk.Wait))


def gateway_found(limits: Limits, patience_ms: int) -> Found:
    """What the search finds for a gateway."""
    found = Found({})
    for bounds in GATEWAY_WORLDS:
        model = GatewayModel(limits, replace(bounds, patience_ms=patience_ms))
        found.add(explore(model, MOST_MODELS))
    return found


def derived(found: Found, model: GatewayModel) -> Iterator[Case]:
    """The cases of what a search found, in the order of their ids."""
    named: list[Case] = []
    for target, conversation in found.conversations.items():
        whole = (*conversation, *model.epilogue(model.after(conversation)))
        transition = TRANSITIONS[target.transition]
        if isinstance(target, Single):
            id_, goal = f"{target.transition}/{target.source}", {target.transition}
        else:
            id_, goal = f"{target.transition}/after-{target.before}", {target.transition, target.before}
        named.append(Case(id_, whole, frozenset(goal), transition.says))
    yield from sorted(named, key=lambda case: case.id)


def observable(goal: Iterable[str]) -> frozenset[str]:
    """Those of the transitions that an oracle can tell: a collection that changes nothing is nobody's to see."""
    return frozenset(
        id_ for id_ in goal if not (TRANSITIONS[id_].on is Collect and TRANSITIONS[id_].verdict is Verdict.IGNORED)
    )


def selected(cases: Iterable[Case], patterns: Iterable[str]) -> tuple[Case, ...]:
    """The cases whose id matches one of the patterns (``ACK-G-*``; one that has no wildcard also matches as a beginning)."""
    wanted = tuple(patterns)
    return tuple(
        case
        for case in cases
        if not wanted
        or any(fnmatchcase(case.id, p) or (not set(p) & set("*?[") and _begins(case.id, p)) for p in wanted)
    )


def _begins(id_: str, beginning: str) -> bool:
    rest = id_.removeprefix(beginning)
    return rest != id_ and (not rest or rest[0] in "/-")


def out_of_reach(found: Found) -> dict[str, str]:
    """The transitions that no peer can provoke, and why."""
    reached = {target.transition for target in found.conversations if isinstance(target, Single)}
    return {
        t.id: f"The table excludes it: {t.says}" if t.excluded else "No conversation within the bounds takes it."
        for machine in GATEWAY.machines
        for t in machine.transitions
        if t.id not in reached
    }


__all__ = ["Case", "Pair", "derived", "gateway_found", "observable", "out_of_reach", "selected"]
