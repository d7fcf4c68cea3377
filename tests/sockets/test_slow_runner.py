"""A runner that takes nothing: what its clients send waits with them, not in the gateway's memory."""

from __future__ import annotations

import asyncio
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tunnelref.clock import LoopClock
from tunnelref.gateway.core import Gateway
from tunnelref.gateway.links import Link
from tunnelref.gateway.server import LINK_BACKLOG_BYTES, GatewayServer, RunnerPeer
from tunnelref.wire import codec
from tunnelspec.frames import (
    ActorStateRunning,
    EventActorStateUpdate,
    EventWrapper,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerEvents,
    ToServerInit,
    ToServerTunnelMessage,
    ToServerWebSocketOpen,
    TunnelAck,
)
from tunnelspec.limits import Limits

MESSAGES, SIZE = 256, 1 << 16
READ_BYTES = 1 << 18  # what the event loop takes from a socket at once
TWO = codec(2)


async def opened(runner: ClientConnection) -> bytes:
    """The actor runs and its socket is open; the request's id."""
    await runner.send(TWO.encode_to_server(ToServerInit("slow", 1, 1, None, None, None)))
    running = EventActorStateUpdate("actor", 1, ActorStateRunning())
    await runner.send(TWO.encode_to_server(ToServerEvents((EventWrapper(0, running),))))
    async for data in runner:
        frame: Any = TWO.decode_to_client(data)  # type: ignore[arg-type]
        if isinstance(getattr(frame, "messageKind", None), ToClientWebSocketOpen):
            for id_, kind in ((frame.messageId, TunnelAck()), (b"\1" * 16, ToServerWebSocketOpen(True, -1))):
                await runner.send(TWO.encode_to_server(ToServerTunnelMessage(frame.requestId, id_, kind)))
            return bytes(frame.requestId)
    raise AssertionError("the runner's socket was closed")


def test_clients_of_a_slow_runner_wait_and_nothing_is_lost() -> None:
    """ACK-G-06 goes on once the runner reads; until then the backlog stays within its bound, and so the clients are not read."""

    async def play() -> tuple[int, bool, list[int]]:
        gateway = Gateway(LoopClock(), Limits(max_pending_bytes=1 << 30, max_total_pending_bytes=1 << 30))
        server, held_up = GatewayServer(gateway), asyncio.Event()
        here = f"ws://127.0.0.1:{await server.start('127.0.0.1', 0)}"
        url = f"{here}/runners/connect?protocol_version=2&runner_key=slow"
        async with connect(url, compression=None, max_queue=1) as runner:
            async with connect(f"{here}/ws/actor", compression=None) as client:
                await opened(runner)
                (link,) = gateway.links.values()
                assert isinstance(link.socket, RunnerPeer)
                told = link.socket.connection.held_up
                assert told is not None

                def see(yes: bool) -> None:
                    told(yes)
                    held_up.set()

                link.socket.connection.held_up = see

                async def send() -> None:
                    for number in range(MESSAGES):
                        await client.send(number.to_bytes(2, "big") * (SIZE // 2))

                sending = asyncio.create_task(send())
                await held_up.wait()
                await asyncio.wait((sending,), timeout=0)
                backlog, waits = backlog_of(link), not sending.done()
                seen = [await message(runner) for _ in range(MESSAGES)]
                await sending
            return backlog, waits, seen

    backlog, waits, seen = asyncio.run(play())
    assert waits
    assert LINK_BACKLOG_BYTES < backlog < LINK_BACKLOG_BYTES + 2 * READ_BYTES
    assert seen == list(range(MESSAGES))


def backlog_of(link: Link) -> int:
    assert isinstance(link.socket, RunnerPeer)
    return int(link.socket.connection.transport.get_write_buffer_size())


async def message(runner: ClientConnection) -> int:
    """The number that the next message of the client's carries."""
    async for data in runner:
        frame: Any = TWO.decode_to_client(data)  # type: ignore[arg-type]
        kind = getattr(frame, "messageKind", None)
        if isinstance(kind, ToClientWebSocketMessage):
            return int.from_bytes(kind.data[:2], "big")
    raise AssertionError("the runner's socket was closed")
