"""Connections whose end is heard with the frame that closes them.

The library tells its reader once the connection is gone. For that both sides take some more turns of their loops, and on a busy
machine a close would be seen so late that it seems not to have been sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request, Response

from tunnelconform.subject import SubjectError
from tunnelref.connection import JoinedServer


class Deafened(SubjectError):
    """A peer of the suite's has ended for a defect of the suite's own: what was not heard since then is nobody's fault."""


def unharmed(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Raises ``Deafened`` if one of these has failed otherwise than by its connection's end."""
    for task in tasks:
        error = task.exception() if task.done() and not task.cancelled() else None
        if error is not None and not isinstance(error, OSError | ConnectionClosed):
            raise Deafened(f"a defect of the suite: {error!r}") from error


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
