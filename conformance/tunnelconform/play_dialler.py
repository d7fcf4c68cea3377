"""Plays a conversation about a runner's own socket: the suite is the gateway that the runner dials."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.protocol import State

from tunnelconform import conversation as talk
from tunnelconform.around_dialler import ABNORMAL, STOPS, AroundDialler, Dialled, Plug
from tunnelconform.around_link import SOCKET
from tunnelconform.around_runner import HIBERNATING
from tunnelconform.conversation import Conversation, Step
from tunnelconform.fleet import Ship
from tunnelconform.frames_said import SENT
from tunnelconform.hearing import messages
from tunnelconform.oracle import Oracle
from tunnelconform.play import GRACE_MS, Play
from tunnelconform.played import Impossible
from tunnelconform.side import Side
from tunnelref.wire import WireError
from tunnelspec.endpoint import LINK_RUNNER, Endpoint
from tunnelspec.events import BadFrame, HangUp, LinkDown, LinkUp, RunnerStops
from tunnelspec.frames import (
    ActorConfig,
    CommandStartActor,
    CommandWrapper,
    ToClientCommands,
    ToClientInit,
    ToServerAckCommands,
    ToServerEvents,
    ToServerInit,
    ToServerPing,
    ToServerStopping,
)
from tunnelspec.limits import Limits
from tunnelspec.machine import Received

JUDGED = ToServerInit | ToServerPing | ToServerStopping | ToServerAckCommands | WireError
"""What of the runner's frames is about its link; the others are about its actors."""


class DiallerPlay(Play):
    """One conversation with a runner that has been welcomed, and whose link then breaks."""

    subject_lane = "runner"

    def __init__(
        self, ship: Ship, limits: Limits, conversation: Conversation, goal: frozenset[str] = frozenset(),
        lenient: bool = False, tables: Endpoint = LINK_RUNNER, grace_ms: int = GRACE_MS,
    ) -> None:  # fmt: skip
        self.ship, self.landing = ship, ship.landing
        self.around = AroundDialler()
        oracle = Oracle(tables, self.around, limits, goal)
        ready = tables.start({"link": "ready"})
        side = Side("runner", oracle, oracle.start(ready, memory=Plug(up=True)), grace_ms)
        super().__init__(conversation, limits, side, lenient, grace_ms)
        self.waits: asyncio.Future[Response | None] | None = None  # the answer to a dial, while that waits
        self.dialling: ServerConnection | None = None
        self.connection: ServerConnection | None = None
        self.events_seen = -1

    async def prepare(self) -> None:
        self.note("gateway", "runner", "the link breaks")
        self.landing.guest = self
        self._down()
        self.landing.cut()

    async def end(self) -> None:
        """Leave the runner to whoever comes next."""
        self.landing.guest = None
        if self.waits is not None and not self.waits.done() and self.dialling is not None:
            self.waits.set_result(self.dialling.respond(503, "try again\n"))
        self.connection = None
        self.landing.cut()

    def _down(self) -> None:
        """The gateway's end of the link is gone: what the runner still says over it is not seen."""
        self.connection = None
        self.side.loses(SOCKET, [LinkDown(self.now())], self.now())

    # -- what comes --------------------------------------------------------------------------------------------------

    async def dialled(self, connection: ServerConnection, request: Request) -> Response | None:
        """The runner dials; a step says what becomes of it."""
        self.see(SOCKET, Dialled("; ".join(wrong(request))), b"", "gateway")
        self.dialling, self.waits = connection, asyncio.get_running_loop().create_future()
        self.news.set()
        return await self.waits

    async def serve(self, connection: ServerConnection) -> None:
        """It was admitted."""
        self.connection = connection
        self.news.set()
        async for data in messages(connection):
            if self.connection is connection:
                self._hears(self.landing.decoded(data))
        if self.connection is connection:
            self.connection = None
            received = connection.protocol.close_rcvd
            code, reason = (ABNORMAL, "") if received is None else (int(received.code), received.reason)
            self.see(SOCKET, HangUp(code, reason), b"", "gateway")
            self.side.closes(SOCKET)
            self.around.hung_up = True
            self.tell(SOCKET, LinkDown(self.now()))

    def _hears(self, frame: Any) -> None:
        if isinstance(frame, JUDGED):
            self.see(SOCKET, frame, b"", "gateway")
            return
        if isinstance(frame, ToServerEvents) and frame.events:
            self.events_seen = frame.events[-1].index
        self.note("runner", "gateway", type(frame).__name__)

    # -- the gateway's steps -----------------------------------------------------------------------------------------

    async def _dial(self) -> asyncio.Future[Response | None]:
        await self.until(lambda: self.waits is not None, "the runner did not dial")
        waits, self.waits = self.waits, None
        assert waits is not None
        return waits

    async def do_admit(self, step: talk.Admit) -> None:
        waits = await self._dial()
        self.note("gateway", "runner", "admits it")
        self.around.hung_up = False
        self.tell(SOCKET, LinkUp(self.now()))
        waits.set_result(None)
        await self.until(lambda: self.connection is not None, "the runner gave its dial up")

    async def do_refuse(self, step: talk.Refuse) -> None:
        waits = await self._dial()
        assert self.dialling is not None
        self.note("gateway", "runner", "503")
        self.tell(SOCKET, LinkDown(self.now()))
        waits.set_result(self.dialling.respond(503, "no runners today\n"))

    async def do_post(self, step: talk.Post) -> None:
        frame = SENT[step.frame]
        if isinstance(frame, ToClientInit):
            frame = replace(frame, lastEventIdx=self.events_seen)
        await self._send(
            self._commanded(frame.commands[0].inner) if isinstance(frame, ToClientCommands) else frame, step
        )

    async def do_start(self, step: talk.Start) -> None:
        command = CommandStartActor(f"link{self.landing.commands}", 1, ActorConfig(HIBERNATING, None, 0, None))
        await self._send(self._commanded(command), step)

    def _commanded(self, command: Any) -> ToClientCommands:
        self.landing.commands += 1
        return ToClientCommands((CommandWrapper(self.landing.commands - 1, command),))

    async def do_garble(self, step: talk.Garble) -> None:
        connection = self._up()
        self.note("gateway", "runner", talk.words(step))
        self.tell(SOCKET, BadFrame("", self.now()))
        data = bytes.fromhex(step.hex)
        with suppress(ConnectionClosed):
            await connection.send(data.decode("latin-1") if step.text else data)

    async def do_break(self, step: talk.Break) -> None:
        self._up()
        self.note("gateway", "runner", "the link breaks")
        self._down()
        self.landing.cut()

    async def do_part(self, step: talk.Part) -> None:
        connection = self._up()
        self.note("gateway", "runner", f"the link is closed: {step.code}")
        self._down()
        await connection.close(step.code)

    async def do_terminate(self, step: talk.Terminate) -> None:
        self.note("runner", "runner", "it is told to stop")
        self.tell(STOPS, RunnerStops(self.now()))
        assert self.ship.instance is not None
        self.ship.instance.terminate()

    def _up(self) -> ServerConnection:
        if self.connection is None:
            raise Impossible("there is no link")
        return self.connection

    async def _send(self, frame: Any, step: Step) -> None:
        connection = self._up()
        self.note("gateway", "runner", talk.words(step))
        self.tell(SOCKET, Received(frame, 1, now=self.now()))
        data = self.landing.codec.encode_to_client(frame)
        if step.at_once and connection.protocol.state is State.OPEN:
            connection.protocol.send_binary(data)  # it goes out with what is sent next, in one write
            return
        with suppress(ConnectionClosed):
            await connection.send(data)


def wrong(request: Request) -> Iterator[str]:
    """What of a runner's dial is not as it is to be (protocol: parties)."""
    query = parse_qs(urlsplit(request.path).query)
    if query.get("protocol_version") != ["2"]:
        yield "protocol_version is not 2"
    yield from (f"no {name}" for name in ("namespace", "runner_key") if not query.get(name))
    offered = {p.strip() for line in request.headers.get_all("Sec-WebSocket-Protocol") for p in line.split(",")}
    yield from (f"no sub-protocol {name}" for name in ("rivet", "rivet_target.runner") if name not in offered)
