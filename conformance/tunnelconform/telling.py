"""What tells a departure from the tables: a conversation in which the peers see something else.

Two models are led through the same conversation, one by the tables, one by tables that depart from them; what their peers see is
compared step by step. So a known departure has a case that shows it, and the suite can be held to that (``deviants``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from tunnelconform.around_gateway import short
from tunnelconform.conditions import texts
from tunnelconform.conversation import Conversation, Step, Wait
from tunnelconform.derive import Felt
from tunnelconform.model_gateway import NEARLY, Bounds, GatewayModel, Spent
from tunnelconform.model_runner import Bounds as RunnerBounds
from tunnelconform.model_runner import RunnerModel
from tunnelconform.model_runner import Spent as RunnerSpent
from tunnelconform.oracle import reasoned
from tunnelconform.played import Impossible
from tunnelspec.deviations import Deviation, depart
from tunnelspec.endpoint import TABLES, Endpoint
from tunnelspec.events import CloseClient, Deliver, Send, SendAck
from tunnelspec.frames import ToClientWebSocketOpen
from tunnelspec.limits import Limits
from tunnelspec.machine import Transition

PLENTY = 9
"""Of everything that peers can do, more than a search tries."""

GATEWAY_BOUNDS = tuple(
    Bounds(Spent(*(PLENTY,) * len(Spent._fields)), large=True, plain=plain, depth=40) for plain in (True, False)
)
RUNNER_BOUNDS = tuple(
    RunnerBounds(RunnerSpent(*(PLENTY,) * len(RunnerSpent._fields)), hibernates, hasty=True, depth=40)
    for hibernates in (True, False)
)

FURTHER = 2
"""A search goes so many steps beyond what is known."""

VARIED = 8
"""So many of the known conversations are varied."""

MOST = 6_000
"""So many situations are looked at beyond what is known."""


class Model(Protocol):
    """A model of a subject and its peers, for a search."""

    def start(self) -> Any: ...

    def steps(self, model: Any) -> Iterable[Step]: ...

    def do(self, model: Any, step: Step) -> tuple[Any, tuple[Felt, ...]]: ...


@dataclass(frozen=True)
class Twins:
    """A model by the tables, and one by tables that depart from them."""

    role: str
    right: Model
    wrong: Model

    def first_difference(self, conversation: Conversation) -> int:
        """After how many steps the peers see something else; 0 if they never do, or the conversation cannot be held."""
        here, there = self.right.start(), self.wrong.start()
        for count, step in enumerate(conversation, 1):
            try:
                here, there, differ, _ = self.go(here, there, step)
            except Impossible:
                return 0
            if differ:
                return count
        return 0

    def go(self, here: Any, there: Any, step: Step) -> tuple[Any, Any, bool, frozenset[str]]:
        """What a step makes of both, whether the peers see something else, and the transitions that were taken. Raises
        ``Impossible``."""
        right, taken = self.right.do(here, step)
        wrong, also = self.wrong.do(there, step)
        differ = self._seen(here, right, taken) != self._seen(there, wrong, also)
        return right, wrong, differ, frozenset(felt.transition.id for felt in (*taken, *also))

    def _seen(self, before: Any, after: Any, taken: Iterable[Felt]) -> Any:
        links = {after.link} if self.role == "runner" else set(dict(after.links).values())
        client = self.role == "gateway" and before.client == "here"
        frames: dict[int, list[Any]] = {}
        acks: list[Any] = []
        for felt in taken:
            for output in felt.outputs:
                if isinstance(output, Send) and output.link in links:
                    frame = output.frame
                    frames.setdefault(output.link, []).append(
                        ToClientWebSocketOpen if isinstance(frame, ToClientWebSocketOpen) else reasoned(frame) or frame
                    )
                elif isinstance(output, SendAck) and output.link in links and output.message_id:
                    acks.append((output.link, output.message_id))
                elif client and isinstance(output, Deliver):
                    frames.setdefault(0, []).append(output)
                elif client and isinstance(output, CloseClient):
                    frames.setdefault(0, []).append((output.code, short(output.reason)))
        return frames, sorted(acks)


def twins(role: str, deviations: Sequence[Deviation], limits: Limits, nearly: float = NEARLY) -> tuple[Twins, ...]:
    """Models with as much as is to be done, in a few worlds. ``nearly``: the part of a limit that a short wait takes."""
    tables, lives_by = depart(TABLES, limits, deviations)
    if role == "gateway":
        return tuple(
            Twins(
                role, GatewayModel(limits, b, nearly=nearly), GatewayModel(limits, b, tables.gateway, lives_by, nearly)
            )
            for b in GATEWAY_BOUNDS
        )
    return tuple(
        Twins(role, RunnerModel(limits, b, nearly=nearly), RunnerModel(limits, b, tables.runner, lives_by, nearly))
        for b in RUNNER_BOUNDS
    )


def patched(endpoint: Endpoint, deviations: Iterable[Deviation]) -> frozenset[str]:
    """The transitions of an endpoint that the deviations are about: those that they patch, and those whose guards read a limit
    that they change."""
    lines = {line.id for deviation in deviations for line in deviation.lines}
    changed = [f"lim.{name}" for deviation in deviations for name in deviation.limits]
    return frozenset(
        t.id for machine in endpoint.machines for t in machine.transitions if t.id in lines or _reads(t, changed)
    )


def _reads(transition: Transition, names: Iterable[str]) -> bool:
    return transition.when is not None and any(name in said for name in names for said in texts(transition.when))


def telling(pair: Twins, about: frozenset[str], known: Iterable[Conversation]) -> Iterator[tuple[str, Conversation]]:
    """Conversations that tell, each with the transition that it is about: known ones, up to the step that tells; then such in which
    one step is another, or one more; then what goes some steps beyond the places where such a transition is taken."""
    search = _Search(pair, about)
    whole = sorted(known, key=by_effort)
    for conversation in whole:
        yield from search.follow(conversation)
    for conversation in whole[:VARIED]:
        for varied in _varied(pair.right, conversation):
            yield from search.follow(varied)
    yield from search.further()


def alike(pair: Twins) -> tuple[int, bool]:
    """In how many situations, the nearest first, the peers see the same of both; and whether they never see anything else."""
    start = (pair.right.start(), pair.wrong.start())
    seen, agenda = {start}, deque([start])
    while agenda and len(seen) < MOST:
        here, there = agenda.popleft()
        for step in _menu(pair.right, here):
            try:
                right, wrong, differ, _ = pair.go(here, there, step)
            except Impossible:
                continue
            if differ:
                return len(seen), False
            if (right, wrong) not in seen:
                seen.add((right, wrong))
                agenda.append((right, wrong))
    return len(seen), True


class _Search:
    """Where two models have been led through one of the transitions, and still look alike."""

    def __init__(self, pair: Twins, about: frozenset[str]) -> None:
        self._pair, self._about = pair, about
        self._agenda: deque[tuple[Any, Any, str, Conversation, int]] = deque()
        self._seen: set[Any] = set()

    def follow(self, conversation: Conversation) -> Iterator[tuple[str, Conversation]]:
        """Lead both through a conversation, as far as it can be held; what tells."""
        here, there, last = self._pair.right.start(), self._pair.wrong.start(), ""
        for count in range(1, len(conversation) + 1):
            done = self._go(here, there, last, conversation[:count], 1)
            if done is None:
                return
            here, there, differ, last = done
            if differ:
                if last:
                    yield last, conversation[:count]
                return

    def further(self) -> Iterator[tuple[str, Conversation]]:
        """What tells within some steps more."""
        while self._agenda:
            here, there, last, path, count = self._agenda.popleft()
            for step in _menu(self._pair.right, here):
                done = self._go(here, there, last, (*path, step), count + 1)
                if done is not None and done[2] and done[3]:
                    yield done[3], (*path, step)

    def _go(
        self, here: Any, there: Any, last: str, path: Conversation, count: int
    ) -> tuple[Any, Any, bool, str] | None:
        """The last step of the path; None if it cannot be done."""
        try:
            right, wrong, differ, taken = self._pair.go(here, there, path[-1])
        except Impossible:
            return None
        mine = min(taken & self._about, default=last)
        if not differ and mine and count <= FURTHER and len(self._seen) < MOST and (right, wrong) not in self._seen:
            self._seen.add((right, wrong))
            self._agenda.append((right, wrong, mine, path, count))
        return right, wrong, differ, mine


def _menu(model: Model, here: Any) -> Iterator[Step]:
    """What can be done there; what can be waited for can also be waited for not quite as long."""
    for step in model.steps(here):
        yield step
        if isinstance(step, Wait):
            yield replace(step, short=True)


def _varied(model: Model, conversation: Conversation) -> Iterator[Conversation]:
    """The conversation with one step otherwise, or one more."""
    here = model.start()
    for place, step in enumerate(conversation):
        rest = conversation[place:]
        for other in _menu(model, here):
            if other != step:
                yield (*conversation[:place], other, *(rest[1:] if other.do == step.do else rest))
        here, _ = model.do(here, step)


def by_effort(conversation: Conversation) -> tuple[int, int]:
    """For sorting: what waits comes last, then what is long."""
    return sum(isinstance(step, Wait) for step in conversation), len(conversation)
