"""Plain HTTP requests to actors: ``/request/ACTOR/rest-of-path`` (h11 on asyncio streams)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import h11

from tunnelref.gateway.core import Gateway, HttpEntry
from tunnelspec.frames import Headers, ToClientRequestStart, canonical_map

PREFIX = "/request/"
READ_BYTES = 1 << 16
LINGER_S = 2.0
HOP_BY_HOP = frozenset({b"connection", b"host", b"content-length", b"transfer-encoding", b"upgrade", b"keep-alive"})


class Exchange:
    """One request and its response, as ``core.HttpClient``. One request a connection: it is closed after the response."""

    def __init__(self, server: HttpServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.gateway = server.gateway
        self.reader = reader
        self.writer = writer
        self.http = h11.Connection(h11.SERVER)
        self.may_read = asyncio.Event()
        self.finished = asyncio.Event()

    async def serve(self) -> None:
        """Read the request, pass it on, and wait for the response."""
        try:
            request = await self._next()
            if not isinstance(request, h11.Request):
                return
            actor, path = self._target(request)
            if actor is None:
                self.respond(404, (), b"name an actor: /request/ACTOR/path\n", False)
                return
            has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in request.headers)
            headers = canonical_map(
                {n.decode("latin-1"): v.decode("latin-1") for n, v in request.headers if n not in HOP_BY_HOP}
            )
            frame = ToClientRequestStart(actor, request.method.decode(), path, headers, None, has_body)
            namespace = parse_qs(urlsplit(path).query).get("namespace", ["default"])[0]
            entry = self.gateway.request(self, namespace, frame)
            try:
                await self._carry(entry, has_body)
            finally:
                if not self.finished.is_set():
                    entry.dropped()
        except h11.RemoteProtocolError as error:
            if self.http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                self.respond(error.error_status_hint, (), f"{error}\n".encode(), False)
        except ConnectionError:
            pass
        finally:
            try:
                await self._linger()
            finally:
                self.writer.close()

    async def _linger(self) -> None:
        """A client that is answered while it still sends would lose the answer to the reset that its next bytes cause (RFC 9112,
        9.6): what it sends is read away for a while."""
        if self.http.their_state is not h11.SEND_BODY or self.writer.is_closing():
            return
        with suppress(TimeoutError, ConnectionError):
            self.writer.write_eof()
            async with asyncio.timeout(LINGER_S):
                while await self.reader.read(READ_BYTES):
                    pass

    async def _carry(self, entry: HttpEntry, has_body: bool) -> None:
        done = asyncio.ensure_future(self.finished.wait())
        body = asyncio.ensure_future(self._body(entry, has_body))
        await asyncio.wait((done, body), return_when=asyncio.FIRST_COMPLETED)
        if not self.finished.is_set() and not (body.done() and body.result()):
            await done  # the body is sent: wait for the response
        for task in (done, body):
            task.cancel()
        await asyncio.wait((done, body))  # nobody else reads any longer

    async def _body(self, entry: HttpEntry, has_body: bool) -> bool:
        """Pass the body on; whether the client went away."""
        if has_body:
            if await self._leaves_early():
                return True
            while not isinstance(event := await self._next(), h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    entry.body(bytes(event.data), False)
                else:
                    return True
            entry.body(b"", True)
        return not await self.reader.read(1)  # a client that closes its side has gone

    async def _leaves_early(self) -> bool:
        """Wait until the body may be read; whether the client went away meanwhile. Only who reads sees that: some is read ahead."""
        turn, ahead = asyncio.ensure_future(self.may_read.wait()), 0
        try:
            while not turn.done() and ahead < READ_BYTES:
                read = asyncio.ensure_future(self.reader.read(READ_BYTES))
                try:
                    await asyncio.wait((turn, read), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    read.cancel()
                    await asyncio.wait((read,))
                if not read.cancelled():
                    data = read.result()
                    if not data:
                        return True
                    ahead += len(data)
                    self.http.receive_data(data)
            await turn
        finally:
            turn.cancel()
        return False

    async def _next(self) -> Any:
        while (event := self.http.next_event()) is h11.NEED_DATA:
            self.http.receive_data(await self.reader.read(READ_BYTES))
        return event

    def _target(self, request: h11.Request) -> tuple[str | None, str]:
        parts = urlsplit(request.target.decode("ascii"))
        if not parts.path.startswith(PREFIX) or parts.path == PREFIX:
            return None, ""
        actor, _, rest = parts.path[len(PREFIX) :].partition("/")
        return unquote(actor), "/" + rest + (f"?{parts.query}" if parts.query else "")

    # -- as core.HttpClient ------------------------------------------------------------------------------------------

    def read(self) -> None:
        self.may_read.set()

    def respond(self, status: int, headers: Headers, body: bytes, stream: bool) -> None:
        framing = [] if stream else [("content-length", str(len(body)))]
        kept = [(n, v) for n, v in headers if n.lower().encode() not in HOP_BY_HOP]
        self._write(h11.Response(status_code=status, headers=[*kept, *framing, ("connection", "close")]))
        if body:
            self._write(h11.Data(data=body))
        if not stream:
            self._write(h11.EndOfMessage())
            self.finished.set()

    def respond_body(self, data: bytes, finish: bool) -> None:
        if data:
            self._write(h11.Data(data=data))
        if finish:
            self._write(h11.EndOfMessage())
            self.finished.set()

    def abort(self) -> None:
        self.finished.set()
        self.writer.transport.abort()

    def _write(self, event: Any) -> None:
        data = self.http.send(event)
        if data:
            self.writer.write(data)


class HttpServer:
    """A ``Gateway``'s port for plain requests."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port. Raises ``OSError``."""
        self.server = await asyncio.start_server(self._serve, host, port)
        return int(self.server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Exchange(self, reader, writer).serve()
