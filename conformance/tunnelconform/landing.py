"""Where one runner dials that a conversation has to itself: its links are admitted, refused, broken and closed as the guest says.

Without a guest, every link is admitted and welcomed, so that the next conversation finds the runner there.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any, Protocol

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from tunnelconform.frames_said import SENT
from tunnelconform.hearing import HearingServer, messages
from tunnelref.wire import WireError, codec
from tunnelspec.frames import ToServerInit

VERSION = 2
QUIET = logging.getLogger("tunnelconform.landing")
QUIET.setLevel(logging.CRITICAL + 1)  # a runner may give its dial up while it waits


class Guest(Protocol):
    """A conversation about the runner's links."""

    async def dialled(self, connection: ServerConnection, request: Request) -> Response | None:
        """The runner dials: nothing admits it."""

    async def serve(self, connection: ServerConnection) -> None:
        """It was admitted."""


class Landing:
    """One runner's gateway."""

    def __init__(self) -> None:
        self.guest: Guest | None = None
        self.up = asyncio.Event()  # while there is no guest: a link is up and welcomed
        self.commands = 0  # so many were sent
        self.connection: ServerConnection | None = None
        self.codec = codec(VERSION)
        self._server: Server | None = None

    async def start(self) -> str:
        """Listen; the URL that the runner is to dial. Raises ``OSError``."""
        self._server = await serve(
            self._serve, "127.0.0.1", 0, process_request=self._asked, select_subprotocol=pick, compression=None, max_size=None,
            ping_interval=None, open_timeout=None, logger=QUIET, create_connection=HearingServer,
        )  # fmt: skip
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def stop(self) -> None:
        self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def cut(self) -> None:
        """The link breaks, if there is one."""
        connection, self.connection = self.connection, None
        self.up.clear()
        if connection is not None:
            connection.transport.abort()

    async def _asked(self, connection: ServerConnection, request: Request) -> Response | None:
        return None if self.guest is None else await self.guest.dialled(connection, request)

    async def _serve(self, connection: ServerConnection) -> None:
        self.connection = connection
        try:
            await (self._welcome(connection) if self.guest is None else self.guest.serve(connection))
        finally:
            if self.connection is connection:
                self.connection = None
                self.up.clear()

    async def _welcome(self, connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            async for data in messages(connection):
                if isinstance(self.decoded(data), ToServerInit):
                    await connection.send(self.codec.encode_to_client(SENT["ToClientInit"]))
                    self.up.set()

    def decoded(self, data: Any) -> Any:
        """What the runner sent; the error, if it is no frame."""
        try:
            return self.codec.decode_to_server(data)
        except WireError as error:
            return error


def pick(connection: ServerConnection, offered: Any) -> Subprotocol | None:
    """The sub-protocol that a gateway of this protocol agrees to."""
    return Subprotocol("rivet") if "rivet" in offered else None
