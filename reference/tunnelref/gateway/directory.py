"""Where actors live: which runner has which actor, and which one gets an actor that nobody has.

Not part of the protocol between gateway and runner, which only says *find the runner that has the actor, or wake it*. An actor
id is ``NAME`` or ``NAME.KEY``; a runner takes the names that its ToServerInit announced, or any if it announced none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tunnelspec.frames import ActorConfig, CommandStartActor, CommandStopActor

if TYPE_CHECKING:
    from tunnelref.gateway.links import Link

Answer = Callable[["Link | None"], None]


@dataclass(slots=True)
class Actor:
    """An actor, and the link of the runner that has it."""

    id: str
    namespace: str
    generation: int = 0
    link: Link | None = None
    was_on: int = 0  # the number of the link that had it last
    stopping: bool = False
    waiting: list[Answer] = field(default_factory=list)  # routes asked for while it stops

    @property
    def name(self) -> str:
        return self.id.partition(".")[0]

    @property
    def key(self) -> str | None:
        return self.id.partition(".")[2] or None


class Directory:
    """All actors of a gateway. ``started`` is called with an actor's id when it begins to run."""

    def __init__(self, links: Callable[[], Iterable[Link]], started: Callable[[Actor], None]) -> None:
        self._links = links
        self._started = started
        self.actors: dict[tuple[str, str], Actor] = {}

    def resolve(self, namespace: str, actor_id: str, answer: Answer) -> None:
        """Answer with the link that has the actor, now or once it has stopped; None if no runner can take it."""
        actor = self.actors.setdefault((namespace, actor_id), Actor(actor_id, namespace))
        if actor.stopping:
            actor.waiting.append(answer)
            return
        if actor.link is None:
            self._start(actor)
        answer(actor.link)

    def intends_to_sleep(self, link: Link, actor_id: str, generation: int) -> None:
        """The actor asked to be stopped; its runner is told to, and routes to it wait until it has."""
        actor = self._of(link, actor_id, generation)
        if actor is not None and not actor.stopping:
            actor.stopping = True
            link.command(CommandStopActor(actor.id, actor.generation))

    def stopped(self, link: Link, actor_id: str, generation: int) -> None:
        """The actor has stopped; whoever waited for it wakes it again."""
        actor = self._of(link, actor_id, generation)
        if actor is not None:
            self._release(actor)

    def lost(self, link: Link) -> None:
        """The runner is gone, and its actors with it."""
        for actor in list(self.actors.values()):
            if actor.link is link:
                self._release(actor)

    def _of(self, link: Link, actor_id: str, generation: int) -> Actor | None:
        actor = self.actors.get((link.namespace, actor_id))
        return actor if actor is not None and actor.link is link and actor.generation == generation else None

    def _release(self, actor: Actor) -> None:
        if actor.link is not None:
            actor.link.actors.discard(actor.id)
        actor.link, actor.stopping = None, False
        waiting, actor.waiting = actor.waiting, []
        for answer in waiting:
            self.resolve(actor.namespace, actor.id, answer)

    def _start(self, actor: Actor) -> None:
        able = [link for link in self._links() if link.takes(actor)]
        if not able:
            return
        # of equally loaded runners rather another than before: what made the actor stop there may still be there
        link = min(able, key=lambda able: (len(able.actors), able.number == actor.was_on, able.number))
        actor.generation += 1
        actor.link, actor.was_on = link, link.number
        link.actors.add(actor.id)
        now = link.clock.unix_ms()
        link.command(CommandStartActor(actor.id, actor.generation, ActorConfig(actor.name, actor.key, now, None)))
        self._started(actor)
