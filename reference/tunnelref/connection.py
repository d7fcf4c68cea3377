"""The library's connections, with two things done otherwise where every message pays for them.

- All that waits to be sent is handed to the socket at once, where the library makes a system call for each frame.
- A server's connection hands each message to a function as it comes, where the library wakes a task through a queue; and it
  tells when it is held up, since whoever writes to it does not wait.
"""

from __future__ import annotations

from collections.abc import Callable

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.connection import Connection
from websockets.asyncio.server import ServerConnection
from websockets.frames import OP_BINARY, CloseCode, Frame, Opcode
from websockets.http11 import Request, Response

Hear = Callable[[bytes, bool], None]  # a message: its data, and whether it is binary


class Joined(Connection):
    """A connection that makes one system call of all that waits."""

    def send_data(self) -> None:
        chunks = self.protocol.writes
        if len(chunks) > 1 and chunks[-1]:  # an empty one is the library's mark for the end of the stream
            self.protocol.writes = [b"".join(chunks)]
        super().send_data()


class JoinedClient(Joined, ClientConnection):
    """The same, dialled."""


class JoinedServer(Joined, ServerConnection):
    """The same, accepted."""


class HeardServer(JoinedServer):
    """The same; its messages are read by ``listen``."""

    held_up: Callable[[bool], None] | None = (
        None  # is told when more waits to be sent than should, and when that is over
    )
    _hear: Hear | None = None
    _fragments: list[bytes]  # of the message that is being read
    _binary: bool

    async def listen(self, hear: Hear) -> None:
        """Give ``hear`` what waits to be read and then each message as it comes, until the connection is closed.

        Text is given as its bytes, which are UTF-8. Raises ``ConnectionClosed`` if it is closed before all that waits is read.
        """
        while len(self.recv_messages.frames):
            message = await self.recv()
            hear(message.encode() if isinstance(message, str) else message, not isinstance(message, str))
        self._hear = hear
        await self.wait_closed()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.held_up is not None:
            self.held_up(True)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.held_up is not None:
            self.held_up(False)

    def process_event(self, event: Frame | Request | Response) -> None:
        hear = self._hear
        if hear is None or not isinstance(event, Frame):
            super().process_event(event)
        elif event.opcode is OP_BINARY and event.fin:
            try:
                hear(event.data if type(event.data) is bytes else bytes(event.data), True)
            except Exception as error:
                self._failed(error)
        elif event.opcode is Opcode.TEXT or event.opcode is Opcode.BINARY or event.opcode is Opcode.CONT:
            self._fragment(hear, event)
        else:
            super().process_event(event)

    def _fragment(self, hear: Hear, frame: Frame) -> None:
        """A part of a message, or a whole text; the library has seen to it that parts come in order."""
        if frame.opcode is Opcode.CONT:
            self._fragments.append(bytes(frame.data))
        else:
            self._binary, self._fragments = frame.opcode is Opcode.BINARY, [bytes(frame.data)]
        if frame.fin:
            data, self._fragments = b"".join(self._fragments), []
            self._message(hear, data, self._binary)

    def _message(self, hear: Hear, data: bytes, binary: bool) -> None:
        if not binary:
            try:
                data.decode()
            except UnicodeDecodeError as error:
                self._fail(CloseCode.INVALID_DATA, f"{error.reason} at position {error.start}")
                return
        try:
            hear(data, binary)
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self.logger.error("a message could not be handled", exc_info=error)
        self._fail(CloseCode.INTERNAL_ERROR, "")

    def _fail(self, code: CloseCode, reason: str) -> None:
        """As the library does where a message is bad, or its handler fails."""
        self._hear = _forget
        self.protocol.fail(code, reason)
        self.send_data()


def _forget(data: bytes, binary: bool) -> None:
    """Hears what comes after a failure."""
