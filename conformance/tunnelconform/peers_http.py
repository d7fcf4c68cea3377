"""An HTTP client on a socket of its own (h11): it sends a request as it is told, and reports the response as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import h11

from tunnelconform.around_request import Broken, End, Head, Shown, Text, mark
from tunnelconform.hearing import unharmed

READ_BYTES = 1 << 16


class Requester:
    """One request, and its response. ``sees`` is told what comes."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sees: Callable[[Shown], None]
    ) -> None:
        self._reader, self._writer, self._sees = reader, writer, sees
        self._http = h11.Connection(h11.CLIENT)
        self._line = b""
        self.left = False
        self._task: asyncio.Future[None] | None = None

    @classmethod
    async def connect(cls, url: str, sees: Callable[[Shown], None], patience_s: float) -> Requester:
        """Raises ``OSError``, ``TimeoutError``."""
        parts = urlsplit(url)
        async with asyncio.timeout(patience_s):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
        return cls(reader, writer, sees)

    def begin(self, url: str, method: str, headers: list[tuple[str, str]], body: bool) -> None:
        """Send the request's head."""
        parts = urlsplit(url)
        framing = [("transfer-encoding", "chunked")] if body else []
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        self._send(h11.Request(method=method, target=target, headers=[("host", parts.netloc), *headers, *framing]))
        if not body:
            self._send(h11.EndOfMessage())
        self._task = asyncio.ensure_future(self._read())

    def upload(self, data: bytes) -> None:
        """Send more of the body; nothing: it ends."""
        self._send(h11.Data(data=data) if data else h11.EndOfMessage())

    def _send(self, event: Any) -> None:
        data = self._http.send(event)
        if data and not self.left and not self._writer.is_closing():
            self._writer.write(data)

    async def _read(self) -> None:
        try:
            while True:
                event = self._http.next_event()
                if event is h11.NEED_DATA:
                    self._http.receive_data(await self._reader.read(READ_BYTES))
                elif self._take(event):
                    break
        except (h11.RemoteProtocolError, ConnectionError):
            self._say(Broken())
        self.left = True
        self._writer.close()

    def _take(self, event: Any) -> bool:
        """One event of the response; whether it was the last."""
        if isinstance(event, h11.Response):
            headers = tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers)
            self._say(Head(event.status_code, mark(headers)))
        elif isinstance(event, h11.Data):
            *lines, self._line = (self._line + event.data).split(b"\n")
            for line in lines:
                self._say(Text(line + b"\n"))
        elif isinstance(event, h11.EndOfMessage):
            if self._line:
                self._say(Text(self._line))
            self._say(End())
            return True
        elif isinstance(event, h11.ConnectionClosed):
            self._say(Broken())
            return True
        return False

    def _say(self, what: Shown) -> None:
        if not self.left:
            self._sees(what)

    def vanish(self) -> None:
        """The connection is cut."""
        self.left = True
        self._writer.transport.abort()

    async def end(self) -> None:
        self.left = True
        if self._task is not None:
            self._task.cancel()
        with suppress(OSError):
            self._writer.close()
        if self._task is not None:
            unharmed((self._task,))
