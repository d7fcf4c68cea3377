"""Connections whose end is heard with the frame that closes them.

The library tells its reader once the connection is gone. For that both sides take some more turns of their loops, and on a busy
machine a close would be seen so late that it seems not to have been sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.connection import Connection
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response

from tunnelref.connection import JoinedServer


class Hearing(Connection):
    """A connection for ``messages``."""

    def process_event(self, event: Frame | Request | Response) -> None:
        super().process_event(event)
        if isinstance(event, Frame) and event.opcode is Opcode.CLOSE:
            self.recv_messages.close()


class HearingClient(Hearing, ClientConnection):
    """The same, dialled."""


class HearingServer(Hearing, JoinedServer):
    """The same, accepted."""


async def messages(connection: Connection) -> AsyncIterator[str | bytes]:
    """Each message as it comes, until the other side closes the connection or it is gone. Text that is not UTF-8 ends it."""
    with suppress(EOFError):
        try:
            while True:
                yield await connection.recv_messages.get()
        except UnicodeDecodeError as error:
            connection.protocol.fail(CloseCode.INVALID_DATA, error.reason)
            connection.send_data()
