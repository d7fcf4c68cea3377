"""Conversations by chance: a client, an actor with durable state, and two runners of which one has it, as a die decides."""

from __future__ import annotations

import random

from tunnelexport.vectors.scripts import FRAME_BYTES, opened
from tunnelexport.vectors.talk import Talk
from tunnelspec.events import (
    AckDue,
    ActorAccepts,
    ActorListens,
    ActorSends,
    ActorStarted,
    ActorStops,
    BackoffOver,
    ClientClosed,
    ClientMessage,
    Committed,
    Concluded,
    RouteFound,
)

LONG = 40
"""So many things happen."""


def conversation(seed: int) -> Talk:
    """The conversation of that number; the same, each time."""
    die = random.Random(seed)
    talk = opened(Talk())
    talk.link(2)
    world = _World(talk, die)
    for _ in range(LONG):
        world.act()
    return talk


class _World:
    """What the tables leave to the world: who does what when, and what the actor's durable state has."""

    def __init__(self, talk: Talk, die: random.Random) -> None:
        self.talk, self.die = talk, die
        self.host = 1  # the link of the runner that has the actor
        self.durable = -1
        self.seen = 0  # how much of the host's run was looked at for what the actor was given
        self.given: list[int] = []
        self.left = False

    def state(self, machine: str) -> str:
        side = self.talk.gateway
        return side.state[side.endpoint.place(machine)].state

    def host_state(self, machine: str) -> str:
        side = self.talk.runners[self.host]
        return side.state[side.endpoint.place(machine)].state

    def act(self) -> None:
        """One thing happens: what is due, or what the die says."""
        self.talk.now += self.die.choice((1, 7, 30))
        self._look()
        now, connection = self.talk.now, self.state("connection")
        if connection == "routing":
            self._move_host()
            self.talk.to_gateway(RouteFound(self.host, now))
        elif connection == "backoff":
            self.talk.now += 400
            self.talk.to_gateway(BackoffOver(self.talk.now))
        elif self.host_state("connection") == "CONNECTING":
            self.talk.to_runner(self.host, ActorAccepts(True, self.durable, self.durable >= 0, now), ActorListens())
        elif self.host_state("connection") == "CLOSING":
            self.talk.to_runner(self.host, Concluded(now))
        else:
            self.die.choices(
                (self._says, self._commits, self._answers, self._sleeps, self._starts, self._leaves),
                (24, 24, 9, 6, 3, 1),
            )[0]()

    def _says(self) -> None:
        if not self.left:
            data = b"m%d" % self.talk.now
            self.talk.to_gateway(
                ClientMessage(data, self.die.random() < 0.3, len(data) + FRAME_BYTES, 0, self.talk.now)
            )

    def _commits(self) -> None:
        if self.given:
            self.durable = self.given.pop(0)
            self.talk.to_runner(self.host, Committed(self.durable, self.talk.now))
            if not self.given or self.die.random() < 0.5:
                self.talk.now += 50
                self.talk.to_runner(self.host, AckDue(self.talk.now))

    def _answers(self) -> None:
        if self.host_state("connection") == "OPEN":
            self.talk.to_runner(self.host, ActorSends(b"answer", False, self.talk.now))

    def _sleeps(self) -> None:
        self.talk.to_runner(self.host, ActorStops(self.talk.now))
        self.given.clear()
        self._skip()

    def _starts(self) -> None:
        self.talk.to_gateway(ActorStarted(self.talk.now))

    def _leaves(self) -> None:
        if not self.left and self.state("connection") in ("open", "asleep"):
            self.left = True
            self.talk.to_gateway(ClientClosed(1000, "", self.talk.now))

    def _move_host(self) -> None:
        if self.host_state("connection") == "CLOSED" and self.die.random() < 0.5:
            self.host = 3 - self.host
            self._skip()

    def _look(self) -> None:
        """What the actor was given since."""
        run = self.talk.runners[self.host].run
        for line in run[self.seen :]:
            events = (o["event"] for o in line["outputs"] if o["type"] == "Emit")
            self.given += [event["index"] for event in events if event["type"] == "SocketMessage"]
        self.seen = len(run)

    def _skip(self) -> None:
        self.seen = len(self.talk.runners[self.host].run)
