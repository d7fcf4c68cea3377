"""What one writes an actor against.

    class Counter(Actor):
        def on_message(self, socket, data):
            self.state["count"] = self.state.get("count", 0) + 1
            socket.send(str(self.state["count"]))

``state`` is JSON and durable. The change that a message makes to it, and the message's index, are committed together; what the
handler sends or closes takes effect after that commit. So a message that is delivered again after a crash changes the state
once, and the client never sees the effect of something that did not happen. Handlers run one at a time, in order, and may be
plain methods or coroutines; one that raises stops the actor, and its message will be delivered again to the next life.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from tunnelspec.frames import Headers


class SocketHost(Protocol):
    """What a socket needs of its runner."""

    def actor_sends(self, data: bytes, binary: bool) -> None: ...

    def actor_closes(self, code: int, reason: str) -> None: ...


class Socket:
    """A client's WebSocket, as an actor sees it."""

    __slots__ = ("_host", "headers", "id", "path")

    def __init__(self, host: SocketHost, id_: str, path: str, headers: Headers) -> None:
        self._host = host
        self.id = id_
        self.path = path
        self.headers = headers

    def send(self, data: str | bytes) -> None:
        """Send the client a message: text for ``str``, binary for ``bytes``. At most once: nothing is kept or repeated."""
        binary = not isinstance(data, str)
        self._host.actor_sends(data.encode() if isinstance(data, str) else bytes(data), binary)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the socket, with a code and reason that the client sees."""
        self._host.actor_closes(code, reason)


@dataclass(frozen=True, slots=True)
class Request:
    """A plain HTTP request to an actor."""

    method: str
    path: str
    headers: Headers
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """What an actor answers to it. A body that is not all there yet is sent piece by piece, as it comes, beside what else the
    actor does; nobody asks for the next piece once the client has left."""

    status: int = 200
    headers: Headers = ()
    body: bytes | AsyncIterator[bytes] = b""


@dataclass
class ActorHost:
    """What an actor needs of its runner."""

    sleeping: bool = False
    sockets: dict[bytes, Socket] = field(default_factory=dict)


class Actor:
    """Override the handlers you need; set ``hibernates = False`` for sockets that end with the actor's life."""

    hibernates: ClassVar[bool] = True

    def __init__(self, id_: str, key: str | None, state: Any, host: ActorHost) -> None:
        self.id = id_
        self.key = key
        self.state: Any = {} if state is None else state
        self._host = host

    @property
    def sockets(self) -> tuple[Socket, ...]:
        """The sockets that are open now."""
        return tuple(self._host.sockets.values())

    def sleep(self) -> None:
        """Ask to be stopped once this handler is done; the next message wakes the actor, perhaps elsewhere."""
        self._host.sleeping = True

    def on_start(self) -> Awaitable[None] | None:
        """A life begins."""

    def on_open(self, socket: Socket) -> Awaitable[None] | None:
        """A client connected. Not called for a socket that outlived a sleep."""

    def on_resume(self, socket: Socket) -> Awaitable[None] | None:
        """A socket that outlived a sleep or a move is back."""

    def on_message(self, socket: Socket, data: str | bytes) -> Awaitable[None] | None:
        """The client sent a message: ``str`` for text, ``bytes`` for binary."""

    def on_close(self, socket: Socket, code: int | None, reason: str | None) -> Awaitable[None] | None:
        """The client closed, or the socket was lost (code None)."""

    def on_request(self, request: Request) -> Awaitable[Response] | Response:
        """A plain HTTP request."""
        return Response(404, (), b"this actor does not answer requests")
