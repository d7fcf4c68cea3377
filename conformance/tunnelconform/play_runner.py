"""Plays a conversation against a runner: the suite is the gateway and, behind it, the client; the runner hosts the test actor."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Mapping
from typing import Any

from tunnelconform import conversation as talk
from tunnelconform import promises_runner
from tunnelconform.around_runner import ACTOR, HIBERNATING, PLAIN, STOPS, STORE, Actor, AroundRunner, Begins
from tunnelconform.conversation import Conversation, Step
from tunnelconform.hub import Hub
from tunnelconform.oracle import Hypothesis, Oracle, Surroundings, Tag, Told
from tunnelconform.peers import fresh_id
from tunnelconform.play import GRACE_MS, Play
from tunnelconform.played import Heard, Impossible
from tunnelconform.promises import Account, Gone
from tunnelconform.side import Side
from tunnelspec.endpoint import LINK_RUNNER, RUNNER, Endpoint
from tunnelspec.events import ActorSends, ActorStops, BadFrame, Collect, Committed, HangUp, LinkLost
from tunnelspec.frames import (
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerTunnelMessage,
    TunnelAck,
)
from tunnelspec.limits import Limits

SUPPOSED = 6
SOON_MS = 300
"""So long one waits for what need not come before one goes on: the report that the actor has stopped, a message to be acked."""

MOST_OUTSTANDING = 100
"""Of many messages, so many are on their way at most."""

TOGETHER = 20
"""So many of them are sent in one go."""

STRANGER, LINK = -1, -2
"""The sides, beside the socket's own: of the socket that nobody opened, and of the runner's link."""

FOREIGN: Mapping[str, Any] = {
    "ToClientWebSocketOpen": ToClientWebSocketOpen("nobody", "/conform", ()),
    "ToClientWebSocketMessage": ToClientWebSocketMessage(1, b"m", False),
    "ToClientWebSocketClose": ToClientWebSocketClose(1000, "done"),
    "TunnelAck": TunnelAck(),
}
"""What the gateway says of a socket that it has not opened."""

_numbers = itertools.count(1)


class Stranger:
    """Hears what the runner says of the socket that nobody opened."""

    actor_id = ""

    def __init__(self, play: RunnerPlay) -> None:
        self._play = play

    def hears(self, link: int, message: ToServerTunnelMessage) -> None:
        self._play.hears_of_stranger(link, message)

    def wants_sleep(self) -> None: ...

    def has_stopped(self, generation: int) -> None: ...

    def loses(self, link: int, hung_up: HangUp | None) -> None: ...


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
        self.oracle = Oracle(tables, self.around, limits, goal, SUPPOSED)
        side = Side("runner", self.oracle, self.oracle.start(memory=Actor(self.hibernates)), grace_ms)
        super().__init__(conversation, limits, side, lenient, grace_ms)
        link = Oracle(LINK_RUNNER, Surroundings(), limits)
        welcomed = link.start(LINK_RUNNER.start({"link": "ready"}))
        self.link_sides[LINK] = Side("link", link, welcomed, grace_ms)
        self.request, self.other_request = os.urandom(16), os.urandom(16)
        self.actor_id = f"conform{next(_numbers)}-{os.getpid()}"
        self.generation = 0
        self.stopped = 0  # the generation that was reported to have stopped
        self.alive = False
        self.arrived: list[tuple[str, bytes]] = []
        self.index = 0  # of the newest of many messages
        self.settled = 0  # of many messages, those that were acked as arrived

    def account(self, now_ms: int, grace_ms: int) -> Account:
        return promises_runner.runner(self.facts, now_ms, grace_ms, self.hibernates, self.limits.max_hibernation_ms)

    async def prepare(self) -> None:
        await self.until(self.hub.up.is_set, "the runner has no link")
        self.hub.guests[self.request] = self

    async def end(self) -> None:
        self.hub.guests.pop(self.request, None)
        self.hub.guests.pop(self.other_request, None)
        if self.alive:
            await self.hub.stop_actor(self.actor_id, self.generation)

    def due(self, side: Side, h: Hypothesis, until_ms: int) -> list[tuple[Any, int]]:
        collection = [] if side is self.link_sides.get(LINK) else [(Collect(until_ms), until_ms)]
        return [*super().due(side, h, until_ms), *collection]

    async def next(self, patience_s: float) -> None:
        self.hub.flush()
        await super().next(patience_s)

    async def do_wait(self, step: talk.Wait) -> None:
        self.hub.flush()
        await super().do_wait(step)

    # -- the gateway's steps -----------------------------------------------------------------------------------------

    async def do_start(self, step: talk.Start) -> None:
        self.generation += 1
        if self.alive:  # then one begins instead of it
            self.tell(STOPS, ActorStops(self.now()))
        self.alive = True
        self.tell(self.hub.link, Begins())
        self.fact(promises_runner.ACTOR, True, promises_runner.Begins())
        self.note("gateway", "runner", "CommandStartActor")
        name = HIBERNATING if self.hibernates else PLAIN
        await self.hub.start_actor(self.actor_id, self.generation, name)

    async def do_stop(self, step: talk.Stop) -> None:
        if not self.alive:
            raise Impossible("the actor does not run")
        self.alive = False
        self.tell(STOPS, ActorStops(self.now()))
        self.fact(promises_runner.ACTOR, True, promises_runner.Stops())
        self.note("gateway", "runner", "CommandStopActor")
        await self.hub.stop_actor(self.actor_id, self.generation)
        end = self.now() + SOON_MS
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

        end = self.now() + SOON_MS
        await self.until(
            lambda: len(those()) > step.back or (self.side.at_rest() and self.now() > end), f"no {step.of} came"
        )
        if len(those()) <= step.back:
            raise Impossible(f"no {step.of} came")
        await self._send(TunnelAck(), step, those()[-1 - step.back])

    async def do_garble(self, step: talk.Garble) -> None:
        self.note("gateway", "runner", talk.words(step))
        self.link_sides[LINK].told(Told(0, BadFrame("", self.now()), 0, self.now()))
        await self.hub.garble(bytes.fromhex(step.hex), step.text)

    async def do_cut(self, step: talk.Cut) -> None:
        how = "the link breaks" if step.code is None else f"the gateway closes the link: {step.code}"
        self.note("gateway", "runner", f"{how}; another will be found" if step.anew else how)
        await self.hub.cut(step.code, step.anew)
        await self._linked("the runner did not dial again")

    async def _linked(self, otherwise: str) -> None:
        """Wait for the runner's link. Raises ``Impossible``, with that reason."""
        try:
            async with asyncio.timeout(self.grace_ms / 1000):
                await self.hub.up.wait()
        except TimeoutError:
            raise Impossible(otherwise) from None

    async def do_foreign(self, step: talk.Foreign) -> None:
        if step.frame not in FOREIGN:
            raise ValueError(f"foreign: {step.frame!r} is none of {', '.join(FOREIGN)}")
        if STRANGER not in self.link_sides:
            self.hub.guests[self.other_request] = Stranger(self)
            nobody = self.oracle.start(memory=Actor(alive=False))
            self.link_sides[STRANGER] = Side("another socket", self.oracle, nobody, self.grace_ms)
        await self._linked("the runner has no link")
        message = fresh_id()
        self.sent[message] = self.begun
        self.link_sides[STRANGER].hears(self.hub.link, FOREIGN[step.frame], message, self.now())
        self.note("gateway", "runner", talk.words(step))
        await self.hub.send_tunnel(self.other_request, message, FOREIGN[step.frame], hold=step.at_once)

    async def do_deafen(self, step: talk.Deafen) -> None:
        self.note("gateway", "gateway", talk.words(step))
        self.hub.deafen(step.ms / 1000)

    async def _send(self, kind: Any, step: Step, message: bytes = b"") -> None:
        await self._linked("the runner has no link")
        message = message or fresh_id()
        self.sent[message] = self.begun
        self.fact(self.hub.link, True, kind, message)
        self.side.hears(self.hub.link, kind, message, self.now())
        self.note("gateway", "runner", talk.words(step))
        await self.hub.send_tunnel(self.request, message, kind, hold=step.at_once)

    # -- much at once ------------------------------------------------------------------------------------------------

    async def do_flood(self, step: talk.Flood) -> None:
        """What the actor commits is told as one commit, at the end: until then any that explains an ack may have happened."""
        await self._begin(step)
        for sent in range(2, step.count + 1):
            await self._pass_on(str(sent), sent)
        await self._all_settle(step.count)
        if self.hibernates:
            self.tell(STORE, Committed(self.index, self.now()))

    async def do_pour(self, step: talk.Pour) -> None:
        if self.hibernates:
            raise Impossible("of an actor that can hibernate, message acks may come between its messages at any time")
        await self._begin(step)
        for sent in range(2, step.count + 1):
            await self._pass_on(f"send {sent}", sent)
        await self._all_settle(step.count)

    async def _begin(self, step: Step) -> None:
        """The first message of many, which the actor answers: then it is known to listen. Raises ``Impossible``."""
        await self.rest()
        inboxes = [h.state[RUNNER.place("ack")] for h in self.side.oracle.at_rest(self.side.hypotheses)]
        if not inboxes or any(inbox.state not in ("live", "plain") for inbox in inboxes):
            raise Impossible("the socket is not open")
        self.note("client", "runner", talk.words(step))
        self.index = inboxes[0].context.received
        heard = len(self.arrived)
        await self._send(self._message("send 1"), step)
        await self.until(lambda: len(self.arrived) > heard, "the actor does not answer")
        await self.rest()
        self.side.hypotheses = (
            tuple(self.oracle.at_rest(self.side.hypotheses)) or self.side.hypotheses
        )  # the same for all that follows
        self.settled, self.around.flooded = 1, True
        for _, message in self.arrived[heard:]:
            self._ack(message)

    def _message(self, text: str) -> ToClientWebSocketMessage:
        """The next message of many."""
        self.index = (self.index + 1) % self.limits.index_modulus if self.hibernates else 0
        return ToClientWebSocketMessage(self.index, text.encode(), False)

    async def _pass_on(self, text: str, sent: int) -> None:
        """One message of many, once not too many are on their way. When it is worked on makes no difference, nor when the actor
        does what it says."""
        message, kind = fresh_id(), self._message(text)
        self.side.hears(self.hub.link, kind, message, self.now(), at_once=True)
        if text.startswith("send ") and not self.over():
            said = Told(ACTOR, ActorSends(text.removeprefix("send ").encode(), False, self.now()), 0, self.now())
            self.side.hypotheses = self.oracle.tell_at_once(self.side.hypotheses, said)
        self.hub.post_tunnel(self.request, message, kind)
        if sent % TOGETHER == 0:
            self.hub.flush()
        if self.settled < sent - MOST_OUTSTANDING:
            await self.until(lambda: self.settled >= sent - MOST_OUTSTANDING // 2, "not all of the many messages came")

    def _ack(self, message: bytes) -> None:
        """Among many messages, all that comes is acked, so that nothing times out."""
        self.side.hears(self.hub.link, TunnelAck(), message, self.now(), at_once=True)
        self.hub.post_tunnel(self.request, message, TunnelAck())

    async def _all_settle(self, count: int) -> None:
        await self.until(lambda: self.settled >= count, "not all of the many messages came")
        self.around.flooded = False

    # -- what comes --------------------------------------------------------------------------------------------------

    def hears(self, link: int, message: ToServerTunnelMessage) -> None:
        """A tunnel message of the runner's."""
        kind = message.messageKind
        if not isinstance(kind, TunnelAck):
            self.arrived.append((type(kind).__name__, message.messageId))
        self._hear(self.side, message)
        self.fact(link, False, kind, message.messageId)
        self.see(link, kind, message.messageId, "gateway")
        if not self.around.flooded:
            return
        if isinstance(kind, TunnelAck):
            self.settled += 1
        else:
            self._ack(message.messageId)

    def hears_of_stranger(self, link: int, message: ToServerTunnelMessage) -> None:
        """A tunnel message of the runner's, for a socket that nobody opened."""
        self.feel()
        self._hear(self.link_sides[STRANGER], message)
        possible = self.link_sides[STRANGER].says(link, message.messageKind, self.now(), message.messageId)
        self.note("runner", "gateway", message.messageKind, possible)
        self.news.set()

    def _hear(self, side: Side, message: ToServerTunnelMessage) -> None:
        """Keep what came, for whoever wants to see it again: not what comes after a failure, and not all of a flood."""
        if not self.over() and not self.around.flooded:
            kind = message.messageKind
            self.heard.append(Heard(side.name, Tag(message.messageId) if isinstance(kind, TunnelAck) else kind))

    def has_stopped(self, generation: int) -> None:
        """The runner reports that the actor has stopped."""
        self.stopped = max(self.stopped, generation)
        self.news.set()

    def wants_sleep(self) -> None:
        """The actor asks to be stopped; a conversation decides whether it is."""
        self.note("runner", "gateway", "the actor wants to sleep")

    def loses(self, link: int, hung_up: HangUp | None) -> None:
        """The link is gone; if that was the runner's doing, its link's own table must say so."""
        self.around.gone.add(link)
        self.fact(link, False, Gone())
        if hung_up is not None:
            self.note("runner", "gateway", hung_up)
            self.link_sides[LINK].says(0, hung_up, self.now())
        for side in (self.side, *(self.link_sides[place] for place in (STRANGER,) if place in self.link_sides)):
            side.loses(link, [LinkLost(link, self.now())], self.now())
        self.news.set()
