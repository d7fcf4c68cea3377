"""Writing to a WebSocket without waiting: frames leave in order, and what one turn of the event loop wrote in one go.

A system call costs as much as relaying a message; a client's burst is handled in one turn, and leaves in one call.
"""

from __future__ import annotations

import struct

from websockets.asyncio.connection import Connection
from websockets.protocol import OPEN, SERVER

MAX_BACKLOG_BYTES = 64 << 20
"""Written, and not taken by the peer: beyond it the peer is cut off, so that its backlog harms nobody else."""

FLUSH_BYTES = 1 << 16
"""So much leaves at once, even within a turn: joining more takes fresh memory, whose pages cost more than the call saves."""


def head(size: int, binary: bool) -> bytes:
    """What stands before a message's bytes in a frame that is whole and not masked (RFC 6455, section 5.2).

    Not left to the library, which copies a message twice more on its way: most of what it costs to relay a large one.
    """
    if size < len(SMALL_HEADS[binary]):
        return SMALL_HEADS[binary][size]
    return _head(size, binary)


def _head(size: int, binary: bool) -> bytes:
    first = 0x82 if binary else 0x81
    if size < 126:
        return bytes((first, size))
    return struct.pack("!BBH", first, 126, size) if size < 1 << 16 else struct.pack("!BBQ", first, 127, size)


SMALL_HEADS = tuple(tuple(_head(size, binary) for size in range(512)) for binary in (False, True))


class Outbox:
    """What is written to one connection."""

    __slots__ = ("connection", "size", "waiting")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.waiting = False
        self.size = 0

    def write(self, data: bytes, binary: bool = True) -> None:
        """Send one message; on a socket that is closing, nothing happens: its reader will say so."""
        protocol = self.connection.protocol
        if protocol.state is not OPEN:
            return
        if protocol.side is SERVER and not protocol.extensions and not protocol.debug:
            protocol.writes.append(head(len(data), binary))
            if data:  # to the library, nothing to write is the end of the stream
                protocol.writes.append(data)
        elif binary:
            protocol.send_binary(data)
        else:
            protocol.send_text(data)
        self.size += len(data)
        if self.size > FLUSH_BYTES:
            self._send()
        elif not self.waiting:
            self.waiting = True
            self.connection.loop.call_soon(self._flush)

    def _flush(self) -> None:
        self.waiting = False
        self._send()

    def _send(self) -> None:
        self.size = 0
        self.connection.send_data()
        transport = self.connection.transport
        if transport.get_write_buffer_size() > MAX_BACKLOG_BYTES:
            transport.abort()
