"""Writing to a WebSocket without waiting: frames leave in order, and all that one turn of the event loop wrote in one go.

A system call costs as much as relaying a message; a client's burst is handled in one turn, and leaves in one call.
"""

from __future__ import annotations

import asyncio

from websockets.asyncio.connection import Connection
from websockets.exceptions import WebSocketException

MAX_BACKLOG_BYTES = 64 << 20
"""Written, and not taken by the peer: beyond it the peer is cut off, so that its backlog harms nobody else."""


class Outbox:
    """What is written to one connection."""

    __slots__ = ("connection", "waiting")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.waiting = False

    def write(self, data: bytes, binary: bool) -> None:
        """Send one message; on a socket that is closing, nothing happens: its reader will say so."""
        protocol = self.connection.protocol
        try:
            if binary:
                protocol.send_binary(data)
            else:
                protocol.send_text(data)
        except WebSocketException:
            return
        if not self.waiting:
            self.waiting = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self.waiting = False
        transport = self.connection.transport
        chunks = self.connection.protocol.data_to_send()
        if data := b"".join(chunks):  # else the library has sent it, before something of its own
            transport.write(data)
        if chunks and chunks[-1] == b"" and transport.can_write_eof():  # the library's mark for the end of the stream
            transport.write_eof()
        if transport.get_write_buffer_size() > MAX_BACKLOG_BYTES:
            transport.abort()
