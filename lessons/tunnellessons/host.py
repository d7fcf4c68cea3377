"""All of a runner but its heart, for the last exercise of the course: ``from tunnellessons.host import Socket, run``.

It dials, introduces itself, starts and stops actors, keeps the tunnel's account of what was not acked, and hosts the test actor
(``conformance/README.md``). What is said to an open, a message and a close is the learner's to write, in a subclass of ``Socket``.
What is durable is in memory: that outlives an actor's lives and broken links, not the process.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tunnelref.wire import WireError, decode_to_client, encode_to_server
from tunnelspec.frames import (
    ActorIntentSleep,
    ActorName,
    ActorStateRunning,
    ActorStateStopped,
    CommandStartActor,
    Event,
    EventActorIntent,
    EventActorStateUpdate,
    EventWrapper,
    StopCode,
    ToClient,
    ToClientCommands,
    ToClientTunnelMessage,
    ToClientTunnelMessageKind,
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServer,
    ToServerAckCommands,
    ToServerEvents,
    ToServerInit,
    ToServerPing,
    ToServerTunnelMessage,
    ToServerTunnelMessageKind,
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    TunnelAck,
)
from tunnelspec.limits import DEFAULT

QUERY = "/runners/connect?protocol_version=2&namespace=default&runner_key=learner"
SUBPROTOCOLS = ["rivet", "rivet_target.runner"]
INIT = ("learner", 1, 100_000)
NAMES = (("plain", ActorName("{}")), ("test", ActorName("{}")))


@dataclass
class Record:
    """What an actor's durable state knows of one socket."""

    last: int = -1  # the index of the last message that was processed
    closed: tuple[int, str] | None = None  # the code and the reason of its close


@dataclass
class Actor:
    """One life of an actor; its records outlive it."""

    id: str
    generation: int
    hibernates: bool
    records: dict[bytes, Record]
    count: list[int]  # one number, durable: the messages handled


class Socket:
    """A client's socket, as the runner sees it. Yours: ``opened``, ``arrived`` and ``closed``; the rest helps you.

    ``actor`` is None if no such actor runs here. ``record`` is what its durable state knows of this socket.
    """

    def __init__(self, host: Host, request: bytes, actor_id: str) -> None:
        self.host, self.request, self.actor_id = host, request, actor_id
        self.state = "CLOSED"
        self.link = 0  # the number of the link that its tunnel is on; 0: on none
        self.pending: dict[bytes, tuple[float, bool]] = {}  # message id -> when it was sent, and whether it is a close
        self.message_id = b""

    # -- yours -------------------------------------------------------------------------------------------------------

    def opened(self, frame: ToClientWebSocketOpen) -> None:
        """The gateway opens the socket, for the first time or again."""

    def arrived(self, frame: ToClientWebSocketMessage) -> None:
        """A message from the client."""

    def closed(self, frame: ToClientWebSocketClose) -> None:
        """The client has closed."""

    # -- what you may ask, and do ------------------------------------------------------------------------------------

    @property
    def actor(self) -> Actor | None:
        return self.host.actors.get(self.actor_id)

    @property
    def record(self) -> Record:
        """Made when it is first asked for. A socket that cannot hibernate leaves none."""
        assert self.actor is not None
        if not self.actor.hibernates:
            return Record()
        return self.actor.records.setdefault(self.request, Record())

    def ack(self) -> None:
        """TunnelAck of what arrived last: it has the same message id."""
        self._send(TunnelAck(), self.message_id)

    def say(self, kind: ToServerTunnelMessageKind) -> None:
        """A message of the tunnel, under an id of its own; pending until the gateway acks it."""
        if self.link == self.host.link:
            id_ = os.urandom(16)
            self.pending[id_] = (time.monotonic(), isinstance(kind, ToServerWebSocketClose))
            self._send(kind, id_)

    def close(self, code: int, reason: str) -> None:
        """The socket's end: the client is told. It is CLOSED for us at once, since nothing more is expected."""
        self.say(ToServerWebSocketClose(code, reason, False))
        self.gone()

    def replay(self) -> None:
        """Close with retry: the gateway keeps the client's socket, opens again, and sends again what was not acked."""
        if self.state == "OPEN":
            self.say(ToServerWebSocketClose(None, None, True))
            self.gone()

    def gone(self) -> None:
        """Nothing more is said or heard in this tunnel."""
        self.state, self.link = "CLOSED", 0
        self.pending.clear()

    def process(self, frame: ToClientWebSocketMessage) -> bool:
        """The actor handles the message, and its effect and the message's index become durable in one go: True. An actor that has
        closed the socket is given nothing: False."""
        actor, text = self.actor, frame.data.decode(errors="replace")
        if actor is None or self.state != "OPEN":
            return False
        actor.count[0] += 1
        self.record.last = frame.index
        word, _, rest = text.partition(" ")
        if text == "state" or word == "send":
            said = rest if word == "send" else str(actor.count[0])
            self.say(ToServerWebSocketMessage(said.encode(), frame.binary and word == "send"))
        elif text == "sleep":
            self.host.tell(EventActorIntent(actor.id, actor.generation, ActorIntentSleep()))
        elif word == "close":
            code, _, reason = rest.partition(" ")
            self.record.closed = (int(code), reason)
            self.say(ToServerWebSocketClose(int(code), reason, False))
            self.state = "CLOSING"  # until the gateway has acked it
        return True

    # -- what is done for you ----------------------------------------------------------------------------------------

    def _send(self, kind: ToServerTunnelMessageKind, id_: bytes) -> None:
        if self.link == self.host.link:
            self.host.send(ToServerTunnelMessage(self.request, id_, kind))

    def hears(self, kind: ToClientTunnelMessageKind, id_: bytes) -> None:
        """A message of the tunnel."""
        self.message_id = id_
        if isinstance(kind, ToClientWebSocketOpen):
            if self.state == "CLOSING":
                return  # the gateway tries again, and finds it closed
            self.pending.clear()
            self.link, self.state = self.host.link, "OPEN"
            self.opened(kind)
        elif isinstance(kind, TunnelAck):
            _, closes = self.pending.pop(id_, (0.0, False))
            if closes and self.state == "CLOSING":
                self.gone()
        elif isinstance(kind, ToClientWebSocketMessage) and self.link == self.host.link and self.state != "CLOSED":
            self.arrived(kind)
        elif isinstance(kind, ToClientWebSocketClose) and self.state != "CLOSED":
            self.closed(kind)

    def stops(self) -> None:
        """The actor stops, and perhaps goes on elsewhere."""
        self.replay()
        self.gone()

    def collect(self, now: float) -> None:
        """Gives the tunnel up if the gateway has not acked for too long."""
        if any(now - sent > DEFAULT.runner_ack_timeout_ms / 1_000 for sent, _ in self.pending.values()):
            self.stops()


@dataclass
class Host:
    """The runner's process."""

    kind: type[Socket]
    link: int = 0  # 0: none; each has a number of its own
    links: int = 0
    events: int = 0
    last_command: int | None = None
    actors: dict[str, Actor] = field(default_factory=dict)
    durable: dict[str, tuple[dict[bytes, Record], list[int]]] = field(default_factory=dict)
    sockets: dict[bytes, Socket] = field(default_factory=dict)
    outbox: asyncio.Queue[ToServer] = field(default_factory=asyncio.Queue)

    def send(self, frame: ToServer) -> None:
        """To the gateway, in order; nowhere without a link."""
        if self.link:
            self.outbox.put_nowait(frame)

    def tell(self, event: Event) -> None:
        """An event of an actor, numbered."""
        self.send(ToServerEvents((EventWrapper(self.events, event),)))
        self.events += 1

    def receive(self, frame: ToClient) -> None:
        """A frame from the gateway."""
        if isinstance(frame, ToClientCommands):
            for wrapper in frame.commands:
                self.last_command, command = wrapper.index, wrapper.inner
                if isinstance(command, CommandStartActor):
                    self._start(command.actorId, command.generation, command.config.name == "test")
                else:
                    self._stop(command.actorId, command.generation)
            self.send(ToServerAckCommands(self.last_command if self.last_command is not None else -1))
        elif isinstance(frame, ToClientTunnelMessage):
            kind = frame.messageKind
            if isinstance(kind, ToClientWebSocketOpen) and frame.requestId not in self.sockets:
                self.sockets[frame.requestId] = self.kind(self, frame.requestId, kind.actorId)
            if frame.requestId in self.sockets:
                self.sockets[frame.requestId].hears(kind, frame.messageId)

    def _start(self, id_: str, generation: int, hibernates: bool) -> None:
        if id_ in self.actors:
            self._stop(id_, self.actors[id_].generation)
        self.actors[id_] = Actor(id_, generation, hibernates, *self.durable.setdefault(id_, ({}, [0])))
        self.tell(EventActorStateUpdate(id_, generation, ActorStateRunning()))

    def _stop(self, id_: str, generation: int) -> None:
        if id_ not in self.actors or self.actors[id_].generation != generation:
            return
        del self.actors[id_]
        for socket in self.sockets.values():
            if socket.actor_id == id_:
                socket.stops()
        self.tell(EventActorStateUpdate(id_, generation, ActorStateStopped(StopCode.OK, None)))

    async def serve(self, gateway: str) -> None:
        """Dials, again and again."""
        while True:
            with suppress(OSError, ConnectionClosed, InvalidHandshake):
                async with connect(gateway + QUERY, subprotocols=SUBPROTOCOLS, max_size=None) as connection:  # type: ignore[arg-type]
                    await self._joined(connection)
            self.link = 0
            for socket in self.sockets.values():
                socket.gone()
            await asyncio.sleep(DEFAULT.reconnect_ms / 1_000)

    async def _joined(self, connection: ClientConnection) -> None:
        self.outbox = asyncio.Queue()
        self.links += 1
        self.link = self.links
        self.send(ToServerInit(*INIT, self.last_command, NAMES, None))
        others = [asyncio.create_task(work) for work in (self._write(connection), self._ping(), self._collect())]
        try:
            async for data in connection:
                with suppress(WireError):  # what is no frame is skipped
                    if isinstance(data, bytes):
                        self.receive(decode_to_client(data))
        finally:
            for task in others:
                task.cancel()

    async def _write(self, connection: ClientConnection) -> None:
        while True:
            await connection.send(encode_to_server(await self.outbox.get()))

    async def _ping(self) -> None:
        while True:
            self.send(ToServerPing(time.time_ns() // 1_000_000))
            await asyncio.sleep(DEFAULT.ping_interval_ms / 1_000)

    async def _collect(self) -> None:
        while True:
            await asyncio.sleep(DEFAULT.runner_gc_interval_ms / 1_000)
            for socket in self.sockets.values():
                socket.collect(time.monotonic())


def run(kind: type[Socket]) -> None:
    """Serve sockets of your kind, to the gateway whose URL is in ``TUNNELSPEC_GATEWAY``, or is the first argument."""
    gateway = os.environ.get("TUNNELSPEC_GATEWAY") or (sys.argv[1] if len(sys.argv) > 1 else "")
    if not gateway:
        raise SystemExit(
            "the gateway's URL is due: as an argument, such as ws://127.0.0.1:8080, or in TUNNELSPEC_GATEWAY"
        )
    with suppress(KeyboardInterrupt):
        asyncio.run(Host(kind).serve(gateway))
