"""A runner's link, in hand: two real sockets, and between them each tunnel message waits until it is let through.

What is not a tunnel message (introductions, commands, events, pings) passes at once: it is not what a trace is about.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from tunnelref.wire import codec
from tunnelreplay.wire import End
from tunnelspec.frames import ToClientTunnelMessage, ToServerTunnelMessage

UP, DOWN = "up", "down"
WIRE = codec(2)


@dataclass(frozen=True, slots=True)
class Held:
    """A tunnel message on its way: its bytes, and what they say."""

    data: bytes
    message: ToClientTunnelMessage | ToServerTunnelMessage


class HeldLink:
    """The link of one runner. It listens for the runner, and dials the gateway for it."""

    def __init__(self, gateway: str, news: Callable[[], None], note: Callable[[str, bytes], None]) -> None:
        self.gateway = gateway
        self.news = news
        self.note = note  # told of each tunnel message that enters, and which way it goes
        self.queues: dict[str, deque[Held]] = {UP: deque(), DOWN: deque()}
        self.up = True
        self.stalled = False
        self.port = 0
        self.runner_end: End | None = None
        self.gateway_end: End | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Listen for the runner, on a free port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._met, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Break both sides, and listen no more."""
        self.cut_runner()
        self.cut_gateway()
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    def inject(self, way: str, message: ToClientTunnelMessage | ToServerTunnelMessage) -> None:
        """A frame that neither end sent, behind all that is on its way."""
        self._enter(way, encoded(message))

    def let_through(self, way: str) -> None:
        """The oldest message arrives."""
        held = self.queues[way].popleft()
        end = self.gateway_end if way == UP else self.runner_end
        assert end is not None
        end.send(held.data, True)

    def break_(self) -> None:
        """What is on its way is lost, and so is what is sent from now on; the ends have yet to notice."""
        self.up = self.stalled = False
        for queue in self.queues.values():
            queue.clear()

    def cut_gateway(self) -> None:
        """The gateway's socket breaks."""
        if self.gateway_end is not None:
            self.gateway_end.abort()

    def cut_runner(self) -> None:
        """The runner's socket breaks."""
        if self.runner_end is not None:
            self.runner_end.abort()

    async def barrier(self) -> None:
        """Return when all that both ends have written is here."""
        await asyncio.gather(*(end.barrier() for end in (self.runner_end, self.gateway_end) if end is not None))

    def _met(self) -> End:
        """A runner dials: the gateway is dialled as the runner asks, and the runner is answered when it has answered."""
        protocol = ServerProtocol(subprotocols=[Subprotocol("rivet")])
        end = End(protocol, lambda frame: self._hear(UP, frame), lambda: None)
        dialled = False

        def news() -> None:
            nonlocal dialled
            if end.request is not None and not dialled:
                dialled = True
                task = asyncio.ensure_future(self._dial(end, end.request.path))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            self.news()

        end.news = news
        return end

    async def _dial(self, runner_end: End, path: str) -> None:
        parts = urlsplit(self.gateway)
        uri = parse_uri(f"ws://{parts.netloc}{path}")
        protocol = ClientProtocol(uri, subprotocols=[Subprotocol("rivet"), Subprotocol("rivet_target.runner")])
        gateway_end = End(protocol, lambda frame: self._hear(DOWN, frame), self.news)
        await asyncio.get_running_loop().create_connection(lambda: gateway_end, uri.host, uri.port)
        self.runner_end, self.gateway_end, self.up, self.stalled = runner_end, gateway_end, True, False
        runner_end.accept()
        self.news()

    def _hear(self, way: str, frame: Frame) -> None:
        if frame.opcode is not Opcode.BINARY:
            return
        data = bytes(frame.data)
        message = WIRE.decode_to_server(data) if way == UP else WIRE.decode_to_client(data)
        if isinstance(message, ToServerTunnelMessage | ToClientTunnelMessage):
            self._enter(way, data)
        else:
            end = self.gateway_end if way == UP else self.runner_end
            if end is not None and self.up:
                end.send(data, True)

    def _enter(self, way: str, data: bytes) -> None:
        if self.up:
            message = WIRE.decode_to_server(data) if way == UP else WIRE.decode_to_client(data)
            assert isinstance(message, ToServerTunnelMessage | ToClientTunnelMessage)
            self.queues[way].append(Held(data, message))
            self.note(way, data)


def encoded(message: ToClientTunnelMessage | ToServerTunnelMessage) -> bytes:
    """A tunnel message as bytes."""
    return (
        WIRE.encode_to_client(message) if isinstance(message, ToClientTunnelMessage) else WIRE.encode_to_server(message)
    )
