"""The peers of a gateway under test, on real sockets: a client and runners, who do what they are told and report what they hear."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cache
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State
from websockets.typing import Subprotocol

from tunnelconform.hearing import HearingClient, messages, unharmed
from tunnelconform.subject import Door, Place
from tunnelref.wire import WireError, codec
from tunnelspec.frames import (
    ActorIntentSleep,
    ActorName,
    ActorStateRunning,
    ActorStateStopped,
    CommandStartActor,
    CommandStopActor,
    EventActorIntent,
    EventActorStateUpdate,
    EventWrapper,
    StopCode,
    ToClientCommands,
    ToClientTunnelMessage,
    ToClientWebSocketMessage,
    ToServerAckCommands,
    ToServerEvents,
    ToServerInit,
    ToServerPing,
    ToServerTunnelMessage,
)

VERSION = 2


async def dial(
    url: str, protocols: tuple[str, ...], patience_s: float, headers: tuple[tuple[str, str], ...] = ()
) -> ClientConnection:
    """A WebSocket as this suite wants it: nothing compressed, nothing limited, nothing sent by itself."""
    return await connect(
        url,
        subprotocols=[Subprotocol(p) for p in protocols] or None,
        additional_headers=headers,
        compression=None,
        max_size=None,
        ping_interval=None,
        open_timeout=patience_s,
        close_timeout=1,
        proxy=None,
        create_connection=HearingClient,
    )


class Client:
    """A client. ``heard`` is told what the gateway said: a message, or a close that the gateway began."""

    def __init__(
        self, connection: ClientConnection, heard: Callable[[bytes, bool], None], closed: Callable[[int, str], None]
    ) -> None:
        self.connection = connection
        self.left = False
        self._heard, self._closed = heard, closed
        self._hearing = asyncio.Event()
        self._hearing.set()
        self._task = asyncio.ensure_future(self._read())

    @classmethod
    async def connect(
        cls, door: Door, heard: Callable[[bytes, bool], None], closed: Callable[[int, str], None], patience_s: float
    ) -> Client:
        return cls(await dial(door.client_url, door.client_protocols, patience_s, door.headers), heard, closed)

    async def _read(self) -> None:
        async for message in messages(self.connection):
            await self._hearing.wait()
            if not self.left:
                binary = not isinstance(message, str)
                self._heard(message.encode() if isinstance(message, str) else message, binary)
        if not self.left:
            self.left = True
            received = self.connection.protocol.close_rcvd
            self._closed(1006 if received is None else int(received.code), "" if received is None else received.reason)

    async def say(self, data: bytes, binary: bool, parts: int = 1) -> None:
        """``parts``: as so many fragments, at most."""
        message = data if binary else data.decode()
        size = -(-len(message) // parts) if message else 1
        with suppress(ConnectionClosed):
            await self.connection.send(
                message if parts == 1 else [message[at : at + size] for at in range(0, len(message), size)]
            )

    async def spoil(self, patience_s: float) -> int:
        """Send text that is not UTF-8; the code with which the connection is then failed, 0 if it is not."""
        self.left = True
        self.connection.protocol.send_text(b"\xc3\x28")
        self.connection.send_data()
        try:
            async with asyncio.timeout(patience_s):
                await self.connection.wait_closed()
        except TimeoutError:
            return 0
        received = self.connection.protocol.close_rcvd
        return 1006 if received is None else int(received.code)

    async def leave(self, code: int | None, reason: str) -> None:
        """Begin the closing handshake; it is not waited for."""
        self.left = True
        asyncio.ensure_future(self._close(code, reason))  # noqa: RUF006  # ``end`` waits for the socket

    async def _close(self, code: int | None, reason: str) -> None:
        if code is None:
            self.connection.protocol.send_close()
            self.connection.send_data()
            await self.connection.wait_closed()
        else:
            await self.connection.close(code, reason)

    def vanish(self) -> None:
        self.left = True
        self.connection.transport.abort()

    def deafen(self, seconds: float) -> None:
        """Read nothing for so long."""
        self._hearing.clear()
        self.connection.transport.pause_reading()
        asyncio.get_running_loop().call_later(seconds, self._hear)

    def _hear(self) -> None:
        with suppress(RuntimeError):
            self.connection.transport.resume_reading()
        self._hearing.set()

    async def end(self) -> None:
        self.left = True
        self._task.cancel()
        with suppress(ConnectionClosed, OSError):
            await self.connection.close()
        unharmed((self._task,))


class Runner:
    """A runner's link. It acks commands, starts and stops actors as told, and pings; all else it leaves to the conversation."""

    def __init__(
        self, connection: ClientConnection, link: int, name: str, stops: Callable[[Runner], Awaitable[None]]
    ) -> None:
        self.connection, self.link, self.name = connection, link, name
        self._stops = stops
        self.up = True
        self.actors: dict[str, int] = {}  # id -> generation
        self.stops = 0  # actors that the gateway stopped
        self.pinging = True
        self.on_ping: Callable[[], None] = lambda: None
        self.on_stop: Callable[[], None] = lambda: None
        self.on_report: Callable[[ToServerEvents], None] = lambda frame: None
        self._codec = codec(VERSION)
        self._events = 0
        self._tasks: list[asyncio.Future[Any]] = []

    @classmethod
    async def dial(
        cls, place: Place, key: str, link: int, name: str, hears: Callable[[Runner, Any], None],
        lost: Callable[[Runner], None], stops: Callable[[Runner], Awaitable[None]], patience_s: float,
    ) -> Runner:  # fmt: skip
        """Connect. Raises ``OSError``, ``TimeoutError``, ``websockets``' exceptions."""
        query = urlencode({"protocol_version": VERSION, "namespace": place.namespace, "runner_key": key})
        runner = cls(await dial(f"{place.runner_url}?{query}", place.runner_protocols, patience_s), link, name, stops)
        runner._tasks.append(asyncio.ensure_future(runner._read(hears, lost)))
        return runner

    def pings(self, every_s: float) -> None:
        """Ping from now."""
        self._tasks.append(asyncio.ensure_future(self._ping(every_s)))

    async def _read(self, hears: Callable[[Runner, Any], None], lost: Callable[[Runner], None]) -> None:
        try:
            async for data in messages(self.connection):
                try:
                    frame = self._codec.decode_to_client(data)  # type: ignore[arg-type]  # text is an error like any other
                except WireError as error:
                    hears(self, error)
                    continue
                hears(self, frame)
                if isinstance(frame, ToClientCommands):
                    await self._obey(frame)
        except ConnectionClosed:
            pass
        finally:
            if self.up:
                self.up = False
                lost(self)

    async def _obey(self, commands: ToClientCommands) -> None:
        if not commands.commands:
            return
        await self.send(ToServerAckCommands(commands.commands[-1].index))
        for wrapper in commands.commands:
            command = wrapper.inner
            if isinstance(command, CommandStartActor):
                self.actors[command.actorId] = command.generation
                await self.report(EventActorStateUpdate(command.actorId, command.generation, ActorStateRunning()))
            elif isinstance(command, CommandStopActor):
                await self._stops(self)
                await self.stopped(command.actorId)

    async def report(self, *events: Any) -> None:
        """Send events of actors."""
        wrapped = tuple(EventWrapper(self._events + place, event) for place, event in enumerate(events))
        self._events += len(events)
        frame = ToServerEvents(wrapped)
        self.on_report(frame)
        await self.send(frame)

    async def intends_to_sleep(self) -> None:
        for actor, generation in self.actors.items():
            await self.report(EventActorIntent(actor, generation, ActorIntentSleep()))

    async def stopped(self, actor: str) -> None:
        generation = self.actors.pop(actor, None)
        self.stops += 1
        self.on_stop()
        if generation is not None:
            await self.report(EventActorStateUpdate(actor, generation, ActorStateStopped(StopCode.OK, None)))

    async def _ping(self, every_s: float) -> None:
        while self.up:
            await asyncio.sleep(every_s)
            if self.pinging and self.up:
                self.on_ping()
                await self.send(ToServerPing(int(time.time() * 1000)))

    async def send(self, frame: Any) -> None:
        with suppress(ConnectionClosed):
            await self.connection.send(self._codec.encode_to_server(frame))

    async def send_tunnel(self, request: bytes, message: bytes, kind: Any) -> None:
        await self.send(ToServerTunnelMessage(request, message, kind))

    def post_tunnel(self, request: bytes, message: bytes, kind: Any) -> None:
        """The same at once; what the socket does not take yet waits."""
        frame = self._codec.encode_to_server(ToServerTunnelMessage(request, message, kind))
        protocol = self.connection.protocol
        if self.up and protocol.state is State.OPEN:
            protocol.send_binary(frame)
            self.connection.send_data()

    async def garble(self, data: bytes, text: bool) -> None:
        with suppress(ConnectionClosed):
            await self.connection.send(data.decode("latin-1") if text else data)

    def deafen(self) -> None:
        """Read nothing from now."""
        self.connection.transport.pause_reading()

    def hear(self) -> None:
        """Read again."""
        with suppress(RuntimeError):
            self.connection.transport.resume_reading()

    def closed_with(self) -> tuple[int, str]:
        """Code and reason of the gateway's close frame; 1006 if there was none."""
        received = self.connection.protocol.close_rcvd
        return (1006, "") if received is None else (int(received.code), received.reason)

    def cut(self) -> None:
        """The link breaks."""
        self.up = False
        self.connection.transport.abort()

    async def part(self, code: int = 1000) -> None:
        """Close the link properly."""
        self.up = False
        with suppress(ConnectionClosed, OSError):
            await self.connection.close(code)

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.part()
        unharmed(self._tasks)


def introduction(place: Place, unfit: str = "") -> ToServerInit:
    """How a runner of that place introduces itself; ``unfit``: one that cannot take its actor, for want of that."""
    names = tuple((actor, ActorName("{}")) for actor in sorted(place.actor_names)) or None
    names = (("another", ActorName("{}")),) if unfit == "names" else names
    return ToServerInit(place.runner_name, 1, 0 if unfit == "slots" else place.slots, None, names, None)


def fresh_id() -> bytes:
    """A message id that nobody has used."""
    return os.urandom(16)


def wire_size(data: bytes, binary: bool) -> int:
    """What a client's message takes on the wire as a frame, in bytes."""
    return _wire_size(len(data), binary)


@cache
def _wire_size(length: int, binary: bool) -> int:
    frame = ToClientTunnelMessage(bytes(16), bytes(16), ToClientWebSocketMessage(0, bytes(length), binary))
    return len(codec(VERSION).encode_to_client(frame))  # which does not depend on the index, or on what is said
