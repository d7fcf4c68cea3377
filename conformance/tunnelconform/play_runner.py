"""Plays a conversation against a runner: the suite is the gateway and, behind it, the client; the runner hosts the test actor."""

from __future__ import annotations

import itertools
import os
from typing import Any

from tunnelconform import conversation as talk
from tunnelconform.around_runner import HIBERNATING, PLAIN, STOPS, Actor, AroundRunner, Begins
from tunnelconform.conversation import Conversation, Step
from tunnelconform.hub import Hub
from tunnelconform.oracle import Hypothesis, Oracle
from tunnelconform.peers import fresh_id
from tunnelconform.play import GRACE_MS, Play
from tunnelconform.played import Impossible
from tunnelconform.side import Side
from tunnelspec.endpoint import RUNNER, Endpoint
from tunnelspec.events import ActorStops, Collect, LinkLost
from tunnelspec.frames import (
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerTunnelMessage,
    TunnelAck,
)
from tunnelspec.limits import Limits

SUPPOSED = 6
STOP_MS = 300
"""So long one waits for the report that the actor has stopped, before one goes on."""

_numbers = itertools.count(1)


class RunnerPlay(Play):
    """One conversation with a runner, over the one link that it keeps to the hub."""

    subject_lane = "runner"

    def __init__(
        self, hub: Hub, limits: Limits, conversation: Conversation, goal: frozenset[str] = frozenset(),
        lenient: bool = False, tables: Endpoint = RUNNER, grace_ms: int = GRACE_MS,
    ) -> None:  # fmt: skip
        self.hub = hub
        self.collects_every_ms = limits.runner_gc_interval_ms
        self.hibernates = not any(isinstance(step, talk.Start) and step.plain for step in conversation)
        self.around = AroundRunner(limits)
        oracle = Oracle(tables, self.around, limits, goal, SUPPOSED)
        side = Side("runner", oracle, oracle.start(memory=Actor(self.hibernates)), grace_ms)
        super().__init__(conversation, limits, side, lenient, grace_ms)
        self.request = os.urandom(16)
        self.actor_id = f"conform{next(_numbers)}-{os.getpid()}"
        self.generation = 0
        self.stopped = 0  # the generation that was reported to have stopped
        self.alive = False
        self.arrived: list[tuple[str, bytes]] = []

    async def prepare(self) -> None:
        await self.until(self.hub.up.is_set, "the runner has no link")
        self.hub.guests[self.request] = self

    async def end(self) -> None:
        self.hub.guests.pop(self.request, None)
        if self.alive:
            await self.hub.stop_actor(self.actor_id, self.generation)

    def due(self, side: Side, h: Hypothesis, until_ms: int) -> list[tuple[Any, int]]:
        return [*super().due(side, h, until_ms), (Collect(until_ms), until_ms)]

    # -- the gateway's steps -----------------------------------------------------------------------------------------

    async def do_start(self, step: talk.Start) -> None:
        self.generation += 1
        self.alive = True
        self.tell(self.hub.link, Begins())
        self.note("gateway", "runner", "CommandStartActor")
        name = HIBERNATING if self.hibernates else PLAIN
        await self.hub.start_actor(self.actor_id, self.generation, name)

    async def do_stop(self, step: talk.Stop) -> None:
        if not self.alive:
            raise Impossible("the actor does not run")
        self.alive = False
        self.tell(STOPS, ActorStops(self.now()))
        self.note("gateway", "runner", "CommandStopActor")
        await self.hub.stop_actor(self.actor_id, self.generation)
        end = self.now() + STOP_MS
        while not step.at_once and self.stopped < self.generation and self.now() < end and not self.over():
            await self.next(0.05)

    async def do_open(self, step: talk.Open) -> None:
        await self._send(ToClientWebSocketOpen(self.actor_id, "/conform", ()), step)

    async def do_bring(self, step: talk.Bring) -> None:
        await self._send(ToClientWebSocketMessage(step.index, step.text.encode(), step.binary), step)

    async def do_shut(self, step: talk.Shut) -> None:
        await self._send(ToClientWebSocketClose(step.code, step.reason), step)

    async def do_ack_arrival(self, step: talk.AckArrival) -> None:
        if step.stray:
            await self._send(TunnelAck(), step, fresh_id())
            return

        def those() -> list[bytes]:
            return [id_ for kind, id_ in self.arrived if kind == step.of]

        await self.until(lambda: len(those()) > step.back, f"no {step.of} came")
        await self._send(TunnelAck(), step, those()[-1 - step.back])

    async def do_garble(self, step: talk.Garble) -> None:
        self.note("gateway", "runner", talk.words(step))
        await self.hub.garble(bytes.fromhex(step.hex), step.text)

    async def do_cut(self, step: talk.Cut) -> None:
        self.note("gateway", "runner", "the link breaks")
        self.hub.cut()
        await self.until(self.hub.up.is_set, "the runner did not dial again")

    async def _send(self, kind: Any, step: Step, message: bytes = b"") -> None:
        await self.until(self.hub.up.is_set, "the runner has no link")
        message = message or fresh_id()
        self.side.hears(self.hub.link, kind, message, self.now())
        self.note("gateway", "runner", talk.words(step))
        await self.hub.send_tunnel(self.request, message, kind, hold=step.at_once)

    # -- what comes --------------------------------------------------------------------------------------------------

    def hears(self, link: int, message: ToServerTunnelMessage) -> None:
        """A tunnel message of the runner's."""
        kind = message.messageKind
        if not isinstance(kind, TunnelAck):
            self.arrived.append((type(kind).__name__, message.messageId))
        self.see(link, kind, message.messageId, "gateway")

    def has_stopped(self, generation: int) -> None:
        """The runner reports that the actor has stopped."""
        self.stopped = max(self.stopped, generation)
        self.news.set()

    def wants_sleep(self) -> None:
        """The actor asks to be stopped; a conversation decides whether it is."""
        self.note("runner", "gateway", "the actor wants to sleep")

    def loses(self, link: int) -> None:
        """The link is gone."""
        self.around.gone.add(link)
        self.side.loses(link, [LinkLost(link, self.now())], self.now())
        self.news.set()
