"""The gateway on sockets: clients and runners on one port, by path or sub-protocol.

- a client: ``/ws/ACTOR/rest-of-path``, or the sub-protocols ``rivet``, ``rivet_target.actor``, ``rivet_actor.ACTOR``;
- a runner: ``/runners/connect`` or the sub-protocol ``rivet_target.runner``, with the query
  ``protocol_version=2&namespace=NS&runner_key=KEY``, and ``rivet_token.TOKEN`` if the gateway wants one;
- ``GET /health`` and ``GET /metrics``.
"""

from __future__ import annotations

import asyncio
import http
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from tunnelref.connection import HeardServer
from tunnelref.gateway.core import Gateway
from tunnelref.gateway.links import token_matches
from tunnelref.outbox import Outbox
from tunnelref.wire import UnsupportedVersion, codec, version_from_url
from tunnelspec.frames import canonical_map

LINK_BACKLOG_BYTES = 1 << 20
"""Written to a runner, and not taken by its socket: beyond it its clients are read no further until a quarter is left."""
MAX_REASON_BYTES = 123  # RFC 6455, section 5.5
HOP_BY_HOP = frozenset({"connection", "upgrade", "host", "content-length", "transfer-encoding"})


class BadRequest(ValueError):
    """A request that names neither an actor nor a runner."""


def short_reason(reason: str) -> str:
    """The reason, cut to what a close frame can carry, between characters."""
    return reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore")


def offered(headers: Headers) -> tuple[str, ...]:
    """The sub-protocols that a client offers."""
    return tuple(
        p.strip() for value in headers.get_all("Sec-WebSocket-Protocol") for p in value.split(",") if p.strip()
    )


def option(protocols: Sequence[str], name: str) -> str | None:
    """What follows ``name.`` in the first sub-protocol that begins so."""
    return next((p[len(name) + 1 :] for p in protocols if p.startswith(name + ".")), None)


def is_runner(path: str, protocols: Sequence[str]) -> bool:
    """Whether a request comes from a runner."""
    return path == "/runners/connect" or option(protocols, "rivet_target") == "runner"


def actor_of(path: str, protocols: Sequence[str]) -> tuple[str, str]:
    """The actor that a client names, and the path that the actor is to see. Raises ``BadRequest``."""
    actor = option(protocols, "rivet_actor")
    if actor:
        return unquote(actor), path
    if path.startswith("/ws/") and len(path) > len("/ws/"):
        actor, _, rest = path[len("/ws/") :].partition("/")
        return unquote(actor), "/" + rest
    raise BadRequest("name an actor: /ws/ACTOR, or the sub-protocol rivet_actor.ACTOR")


def headers_of(headers: Headers) -> tuple[tuple[str, str], ...]:
    """The headers that an actor is to see: lower case, the last of each name, none that concern this hop."""
    return canonical_map({name.lower(): value for name, value in headers.raw_items() if name.lower() not in HOP_BY_HOP})


class Peer(Outbox):
    """One WebSocket of the server's."""

    __slots__ = ("ready",)
    connection: HeardServer

    def __init__(self, connection: HeardServer) -> None:
        super().__init__(connection)
        self.ready: asyncio.Future[None] | None = None

    def shut(self, code: int, reason: str) -> None:
        """Begin the closing handshake."""
        self.wake()
        _keep(self.connection.close(code, short_reason(reason)))

    def wake(self) -> None:
        """Let whoever waits in ``wait_ready`` go on."""
        if self.ready is not None and not self.ready.done():
            self.ready.set_result(None)

    async def wait_ready(self) -> None:
        """Wait until messages are to be read, or the socket is closed."""
        closed = asyncio.ensure_future(self.connection.wait_closed())
        self.ready = asyncio.get_running_loop().create_future()
        await asyncio.wait((closed, self.ready), return_when=asyncio.FIRST_COMPLETED)
        closed.cancel()
        self.ready = None


class Client(Peer):
    """A client's WebSocket, as ``core.ClientSocket``."""

    __slots__ = ("reading",)

    def __init__(self, connection: HeardServer) -> None:
        super().__init__(connection)
        self.reading = False

    def read(self) -> None:
        self.reading = True
        self.wake()

    def pause(self) -> None:
        self.connection.transport.pause_reading()

    def resume(self) -> None:
        self.connection.transport.resume_reading()

    send = Outbox.write

    def close(self, code: int, reason: str) -> None:
        self.shut(code, reason)


class RunnerPeer(Peer):
    """A runner's WebSocket, as ``links.LinkSocket``."""

    __slots__ = ()

    send = Outbox.write

    def close(self, code: int, reason: str) -> None:
        self.shut(code, reason)


class GatewayServer:
    """A ``Gateway`` on a port."""

    def __init__(self, gateway: Gateway, token: str | None = None) -> None:
        self.gateway = gateway
        self.token = token
        self.server: Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port, which was picked free if ``port`` is 0. Raises ``OSError``."""
        self.server = await serve(
            self._serve,
            host,
            port,
            process_request=self._plain,
            select_subprotocol=self._select,  # type: ignore[arg-type]  # the library's NewType for str
            compression=None,  # a third more CPU a message
            max_size=64 << 20,
            max_queue=64,
            create_connection=HeardServer,
            ping_interval=20,
            ping_timeout=20,
        )
        return int(next(iter(self.server.sockets)).getsockname()[1])

    async def stop(self) -> None:
        """Close every socket with 1001 and stop listening."""
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()

    def _plain(self, connection: ServerConnection, request: Request) -> Response | None:
        path = urlsplit(request.path).path
        if path == "/health":
            return connection.respond(http.HTTPStatus.OK, "ok\n")
        if path == "/metrics":
            return connection.respond(http.HTTPStatus.OK, self.gateway.metrics_text())
        return None

    def _select(self, connection: ServerConnection, protocols: Sequence[str]) -> str | None:
        return "rivet" if "rivet" in protocols else None

    async def _serve(self, connection: ServerConnection) -> None:
        assert isinstance(connection, HeardServer)
        request = connection.request
        assert request is not None
        parts = urlsplit(request.path)
        protocols = offered(request.headers)
        try:
            if is_runner(parts.path, protocols):
                await self._serve_runner(connection, request.path, protocols)
            else:
                actor, path = actor_of(parts.path, protocols)
                path = f"{path}?{parts.query}" if parts.query else path
                namespace = parse_qs(parts.query).get("namespace", ["default"])[0]
                await self._serve_client(connection, namespace, actor, path)
        except (BadRequest, UnsupportedVersion) as error:
            self.gateway.log("refused", path=parts.path, error=str(error))
            await connection.close(1008, short_reason(str(error)))

    async def _serve_runner(self, connection: HeardServer, url: str, protocols: Sequence[str]) -> None:
        if not token_matches(self.token, option(protocols, "rivet_token")):
            raise BadRequest("the runner's token is missing or wrong")
        query = parse_qs(urlsplit(url).query)
        keys = query.get("runner_key", [])
        if len(keys) != 1:
            raise BadRequest("the query must have one runner_key")
        namespace = query.get("namespace", ["default"])[0]
        link = self.gateway.join(RunnerPeer(connection), codec(version_from_url(url)), namespace, keys[0])
        connection.transport.set_write_buffer_limits(high=LINK_BACKLOG_BYTES)
        connection.held_up = link.held_up
        try:
            await connection.listen(lambda data, binary: link.receive(data if binary else data.decode()))
        except ConnectionClosed:
            pass
        finally:
            link.down()

    async def _serve_client(self, connection: HeardServer, namespace: str, actor: str, path: str) -> None:
        assert connection.request is not None
        client = Client(connection)
        entry = self.gateway.connect(client, namespace, actor, path, headers_of(connection.request.headers))
        try:
            if not client.reading:
                await client.wait_ready()
            if client.reading:
                await connection.listen(entry.message)
        except ConnectionClosed:
            pass
        finally:
            received = connection.protocol.close_rcvd
            code = None if received is None or received.code == 1005 else int(received.code)
            entry.closed(code, None if received is None or code is None else received.reason)


_kept: set[asyncio.Future[Any]] = set()


def _keep(work: Any) -> None:
    """Run a coroutine in the background; the loop itself would forget it."""
    task = asyncio.ensure_future(work)
    _kept.add(task)
    task.add_done_callback(_kept.discard)
