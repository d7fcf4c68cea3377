"""One end of a real WebSocket whose every byte is in hand: the sans-I/O half of ``websockets`` on an asyncio transport.

A library's connection reads and answers as it likes. A replay must know that all that the peer wrote has arrived (``barrier``), and
must be able to let a close frame lie unread, as one that is still on its way.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable

from websockets.client import ClientProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

PATIENCE_S = 5.0
"""How long anything may take that has to happen."""


class End(asyncio.Protocol):
    """One end of a WebSocket. ``hear`` gets each data frame, and the close frame; ``news`` is called after anything happened."""

    def __init__(
        self, protocol: ClientProtocol | ServerProtocol, hear: Callable[[Frame], None], news: Callable[[], None]
    ) -> None:
        self.protocol = protocol
        self.hear = hear
        self.news = news
        self.transport: asyncio.Transport | None = None
        self.request: Request | None = None  # what came, at a server's end
        self.gone = False
        self.mute = False  # what the protocol would say by itself is not said
        self._pings: dict[bytes, asyncio.Future[None]] = {}
        self._numbers = itertools.count()

    @property
    def open(self) -> bool:
        """Whether the handshake is done, and nobody closed."""
        return not self.gone and not self.mute and self.protocol.state is OPEN

    # -- what asyncio calls ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if isinstance(self.protocol, ClientProtocol):
            self.protocol.send_request(self.protocol.connect())
            self._flush()

    def data_received(self, data: bytes) -> None:
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Request):
                self.request = event
            elif isinstance(event, Frame) and event.opcode is Opcode.PONG:
                self._settle(bytes(event.data))
            elif isinstance(event, Frame) and event.opcode is not Opcode.PING:
                if event.opcode is Opcode.CLOSE:
                    self.mute = True
                    self._settle()  # nothing may follow it
                self.hear(event)
            assert not isinstance(event, Response) or event.status_code == 101, event
        self._flush()
        self.news()

    def eof_received(self) -> None:
        self.protocol.receive_eof()

    def connection_lost(self, error: Exception | None) -> None:
        self.gone = True
        self._settle()
        self.news()

    # -- what a replay does ------------------------------------------------------------------------------------------

    def accept(self) -> None:
        """Answer the upgrade that came."""
        assert isinstance(self.protocol, ServerProtocol)
        assert self.request is not None
        self.protocol.send_response(self.protocol.accept(self.request))
        self._flush()

    def send(self, data: bytes, binary: bool) -> None:
        """Send one message, though a close frame may have come that was not read yet."""
        self._write(Frame(Opcode.BINARY if binary else Opcode.TEXT, data))

    def close(self, code: int, reason: str) -> None:
        """Send a close frame, though one may have come that was not read yet."""
        self.mute = True
        self._write(Frame(Opcode.CLOSE, Close(code, reason).serialize()))

    def abort(self) -> None:
        """Break the connection, without a word."""
        self.gone = True
        if self.transport is not None:
            self.transport.abort()

    async def barrier(self) -> None:
        """Return when all that the peer had written has come. Raises ``TimeoutError``."""
        if not self.open:
            return
        word = str(next(self._numbers)).encode()
        self._pings[word] = asyncio.get_running_loop().create_future()
        self._write(Frame(Opcode.PING, word))
        await asyncio.wait_for(self._pings[word], PATIENCE_S)
        del self._pings[word]

    def _settle(self, word: bytes | None = None) -> None:
        """The answer to this ping has come; without a word, none will come any more."""
        for sent, answer in self._pings.items():
            if word in (None, sent) and not answer.done():
                answer.set_result(None)

    def _write(self, frame: Frame) -> None:
        if self.transport is not None and not self.gone:
            self.transport.write(frame.serialize(mask=isinstance(self.protocol, ClientProtocol)))

    def _flush(self) -> None:
        chunks = self.protocol.data_to_send()
        if self.transport is not None and not self.gone and not self.mute:
            self.transport.write(b"".join(chunks))
