"""The gateway that a runner under test dials: it welcomes the runner, starts and stops actors, and passes tunnel messages on."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import Any, Protocol

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from tunnelconform.hearing import HearingServer, messages
from tunnelconform.landing import pick
from tunnelref.wire import WireError, codec
from tunnelspec.events import HangUp
from tunnelspec.frames import (
    ActorConfig,
    ActorIntentSleep,
    ActorStateStopped,
    CommandStartActor,
    CommandStopActor,
    CommandWrapper,
    EventActorIntent,
    EventActorStateUpdate,
    ProtocolMetadata,
    ToClientAckEvents,
    ToClientCommands,
    ToClientInit,
    ToClientTunnelMessage,
    ToServerEvents,
    ToServerInit,
    ToServerTunnelMessage,
)
from tunnelspec.limits import Limits

VERSION = 2

LOG = logging.getLogger(__name__)
LOG.addHandler(logging.NullHandler())  # a link that is cut in its handshake is no news


class Guest(Protocol):
    """A conversation that uses the hub."""

    actor_id: str

    def hears(self, link: int, message: ToServerTunnelMessage) -> None:
        """A tunnel message came for its request."""

    def wants_sleep(self) -> None:
        """Its actor wants to sleep."""

    def has_stopped(self, generation: int) -> None:
        """That life of its actor is over."""

    def loses(self, link: int, hung_up: HangUp | None) -> None:
        """The link is gone; ``hung_up``: by the runner's doing."""


class Hub:
    """One runner's gateway. Conversations are its guests, each with a request id of its own."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.guests: dict[bytes, Guest] = {}
        self.link = 0  # the number of the link that is up, or was last
        self.up = asyncio.Event()
        self.last_ping = 0.0
        self.trouble: list[str] = []  # what the runner sent that is no frame
        self._codec = codec(VERSION)
        self._connection: ServerConnection | None = None
        self._server: Server | None = None
        self._commands = 0
        self._events_seen = -1

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen; the URL that the runner is to dial. Raises ``OSError``."""
        self._server = await serve(
            self._serve, host, port, select_subprotocol=pick, compression=None, max_size=None, ping_interval=None,
            create_connection=HearingServer, logger=LOG,
        )  # fmt: skip
        return f"ws://{host}:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, connection: ServerConnection) -> None:
        before, self._connection = self._connection, connection
        if before is not None:
            await before.close(1001, "replaced by another link of the same runner")
        link = 0
        try:
            async for data in messages(connection):
                if self._connection is not connection:
                    break  # what was on its way when the link was cut counts as lost
                try:
                    frame = self._codec.decode_to_server(data)  # type: ignore[arg-type]  # text is an error like any other
                except WireError as error:
                    self.trouble.append(str(error))
                    continue
                if isinstance(frame, ToServerInit):
                    link = self.link = self.link + 1
                    await self._send(
                        ToClientInit("conform", self._events_seen, ProtocolMetadata(self.limits.lost_threshold_ms))
                    )
                    self.up.set()
                self.last_ping = time.monotonic()
                await self._hear(link, frame)
        except ConnectionClosed:
            pass
        finally:
            if self._connection is connection:
                received = connection.protocol.close_rcvd
                self._gone(link, HangUp(int(received.code), received.reason) if received else HangUp(1006, ""))

    async def _hear(self, link: int, frame: Any) -> None:
        if isinstance(frame, ToServerTunnelMessage):
            guest = self.guests.get(frame.requestId)
            if guest is not None:
                guest.hears(link, frame)
        elif isinstance(frame, ToServerEvents) and frame.events:
            self._events_seen = frame.events[-1].index
            await self._send(ToClientAckEvents(self._events_seen))
            for wrapper in frame.events:
                event = wrapper.inner
                if isinstance(event, EventActorStateUpdate) and isinstance(event.state, ActorStateStopped):
                    for guest in [g for g in self.guests.values() if g.actor_id == event.actorId]:
                        guest.has_stopped(event.generation)
                if isinstance(event, EventActorIntent) and isinstance(event.intent, ActorIntentSleep):
                    for guest in [g for g in self.guests.values() if g.actor_id == event.actorId]:
                        guest.wants_sleep()

    def _gone(self, link: int, hung_up: HangUp | None = None) -> None:
        self._connection = None
        self.up.clear()
        for guest in list(self.guests.values()):
            guest.loses(link, hung_up)

    async def _send(self, frame: Any, hold: bool = False) -> None:
        if self._connection is None:
            return
        if hold and self._connection.protocol.state is State.OPEN:
            self._connection.protocol.send_binary(self._codec.encode_to_client(frame))
            return
        with suppress(ConnectionClosed):
            await self._connection.send(self._codec.encode_to_client(frame))

    async def start_actor(self, actor_id: str, generation: int, name: str) -> None:
        config = ActorConfig(name, None, int(time.time() * 1000), None)
        await self._command(CommandStartActor(actor_id, generation, config))

    async def stop_actor(self, actor_id: str, generation: int) -> None:
        await self._command(CommandStopActor(actor_id, generation))

    async def _command(self, command: CommandStartActor | CommandStopActor) -> None:
        self._commands += 1
        await self._send(ToClientCommands((CommandWrapper(self._commands - 1, command),)))

    async def send_tunnel(self, request: bytes, message: bytes, kind: Any, hold: bool = False) -> None:
        """``hold``: it goes out with what is sent next, in one write, so that nothing comes between the two."""
        await self._send(ToClientTunnelMessage(request, message, kind, None), hold)

    async def garble(self, data: bytes, text: bool) -> None:
        if self._connection is not None:
            with suppress(ConnectionClosed):
                await self._connection.send(data.decode("latin-1") if text else data)

    def post_tunnel(self, request: bytes, message: bytes, kind: Any) -> None:
        """Hold a tunnel message until something is sent, or all that is held."""
        if self._connection is not None and self._connection.protocol.state is State.OPEN:
            frame = ToClientTunnelMessage(request, message, kind, None)
            self._connection.protocol.send_binary(self._codec.encode_to_client(frame))

    def flush(self) -> None:
        """Send what is held."""
        if self._connection is not None:
            self._connection.send_data()

    def deafen(self, seconds: float) -> None:
        """Read nothing for so long."""
        if self._connection is not None:
            transport = self._connection.transport
            transport.pause_reading()
            asyncio.get_running_loop().call_later(seconds, transport.resume_reading)

    async def cut(self, code: int | None = None, anew: bool = False) -> None:
        """The link breaks; with a code, it is closed. ``anew``: whoever is dialled next knows nothing of the runner."""
        if self._connection is None:
            return
        connection = self._connection
        self._gone(self.link)
        if anew:
            self._commands, self._events_seen = 0, -1
        if code is None:
            connection.transport.abort()
        else:
            await connection.close(code)
