"""The client's end of a real WebSocket to the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.uri import parse_uri

from tunnelreplay.wire import End


class Client:
    """What the client did, and what reached it."""

    def __init__(self, news: Callable[[], None]) -> None:
        self.news = news
        self.end: End | None = None
        self.said = 0
        self.heard: list[bytes] = []
        self.told: Close | None = None
        self.left = False

    async def connect(self, gateway: str, actor: str) -> None:
        """Dial, and ask for an upgrade."""
        parts = urlsplit(gateway)
        uri = parse_uri(f"ws://{parts.netloc}/ws/{actor}/")
        end = End(ClientProtocol(uri), self._hear, self.news)
        await asyncio.get_running_loop().create_connection(lambda: end, uri.host, uri.port)
        self.end = end

    def say(self, data: bytes) -> None:
        """Send a message, as text."""
        assert self.end is not None
        self.end.send(data, False)

    def leave(self, code: int) -> None:
        """Close."""
        assert self.end is not None
        self.left = self.told is None
        self.end.close(code, "")

    def break_(self) -> None:
        """Be gone."""
        if self.end is not None:
            self.end.abort()

    async def barrier(self) -> None:
        """Return when all that the gateway has written is here."""
        if self.end is not None:
            await self.end.barrier()

    def _hear(self, frame: Frame) -> None:
        if frame.opcode is not Opcode.CLOSE:
            self.heard.append(bytes(frame.data))
        elif not self.left:
            self.told = Close.parse(frame.data)
