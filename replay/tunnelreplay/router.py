"""The directory of a replay: which runner has the actor is what the trace says."""

from __future__ import annotations

from tunnelref.gateway.directory import Actor, Answer, Directory
from tunnelref.gateway.links import Link


class Router(Directory):
    """Keeps each question until the trace answers it."""

    waiting: Answer | None = None

    def resolve(self, namespace: str, actor_id: str, answer: Answer) -> None:
        self.waiting = answer

    def answer(self, link: Link | None) -> None:
        """The route is found, or not."""
        answer, self.waiting = self.waiting, None
        assert answer is not None
        answer(link)

    def started(self, actor_id: str) -> None:
        """The actor starts for a cause of its own."""
        self._started(Actor(actor_id, "default"))

    def intends_to_sleep(self, link: Link, actor_id: str, generation: int) -> None:
        """When an actor sleeps is the trace's affair."""

    def stopped(self, link: Link, actor_id: str, generation: int) -> None:
        """So is when it is started again."""

    def lost(self, link: Link) -> None:
        """And where."""
