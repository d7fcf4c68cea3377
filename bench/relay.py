"""CPU per message through the reference gateway, as a ratio to a trivial relay on the same library.

    python bench/relay.py [--json] [--rounds N] [--only 100x16384]

Six servers take turns with the same clients and the same sink behind them, each a process of its own whose CPU time the kernel
counts (in nanoseconds; the ticks of ``/proc/PID/stat`` are a tenth of a run). Each connection has sent one message before the
measuring begins, so that it is open, and no server still warms up. All have the same options and the same garbage collector.

- *trivial*: what a client sends goes on over one socket to the sink, behind its connection's 16-byte id: no protocol at all,
  written as the library's manual has it, ``async for message in client: await sink.send(id + message)``. The goal is a ratio to it;
- *call each*: the same without ``send``'s own bookkeeping, still with a system call for each message;
- *joined*: the same, but what one turn of the event loop sends leaves in one system call, as the gateway's does;
- *our sockets*: the same relay on the gateway's own connections, which read without a task and write frames without copying: what
  is left of the ratio to it is the protocol alone;
- *gateway*: the reference gateway; the sink speaks the runner's protocol, opens sockets that can hibernate and sends
  cumulative message acks, but no tunnel acks;
- *gateway + tunnel acks*: the same, and the sink acks every tunnel message.

Clients send; nothing comes back. A run is over when the sink has seen every message. CPU is the server's own, user and system.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from tunnelref.clock import LoopClock
from tunnelref.collector import relax
from tunnelref.connection import HeardServer, JoinedServer
from tunnelref.gateway.core import Gateway
from tunnelref.gateway.server import GatewayServer
from tunnelref.outbox import Outbox
from tunnelref.wire import codec
from tunnelspec.frames import (
    ActorStateRunning,
    CommandStartActor,
    EventActorStateUpdate,
    EventWrapper,
    ToClientCommands,
    ToClientTunnelMessage,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerEvents,
    ToServerInit,
    ToServerPing,
    ToServerTunnelMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
    TunnelAck,
)
from tunnelspec.limits import DEFAULT, Limits

SERVERS = ("trivial", "call each", "joined", "our sockets", "gateway", "gateway + tunnel acks")
RELAYS = SERVERS[:4]
GOAL = 1.4
ACK_EVERY = 32


@dataclass(frozen=True, slots=True)
class Load:
    """So many connections, each sending so many messages of so many bytes. A connection's must stay within the window of unacked
    messages (32 767): a client that sends without waiting is ahead of the acks."""

    connections: int
    each: int
    size: int

    @property
    def messages(self) -> int:
        return self.connections * self.each


LOADS = (
    Load(1, 20_000, 100), Load(100, 400, 100), Load(1_000, 40, 100),
    Load(1, 4_000, 16_384), Load(100, 40, 16_384), Load(1_000, 4, 16_384),
)  # fmt: skip

# == the servers, as processes ===========================================================================================


async def relay_server(kind: str) -> None:
    """The trivial relay: one backend socket, every client's messages on it, behind 16 bytes."""
    backend: list[ServerConnection] = []
    outboxes: list[Outbox] = []
    waiting = False

    def flush() -> None:
        nonlocal waiting
        waiting = False
        backend[0].send_data()

    async def send(data: bytes) -> None:
        nonlocal waiting
        if kind == "trivial":
            await backend[0].send(data)
            return
        backend[0].protocol.send_binary(data)
        if kind == "call each":
            backend[0].send_data()
        elif not waiting:
            waiting = True
            asyncio.get_running_loop().call_soon(flush)

    async def handle(connection: ServerConnection) -> None:
        assert connection.request is not None
        if connection.request.path == "/sink":
            backend.append(connection)
            outboxes.append(Outbox(connection))
            await connection.wait_closed()
            return
        id_ = os.urandom(16)
        if kind == "our sockets":
            assert isinstance(connection, HeardServer)
            sink = outboxes[0]
            await connection.listen(lambda message, binary: sink.write(id_ + message))
            return
        async for message in connection:
            assert isinstance(message, bytes)
            await send(id_ + message)

    relax()
    cls = {"joined": JoinedServer, "our sockets": HeardServer}.get(kind, ServerConnection)
    async with serve(
        handle, "127.0.0.1", 0, compression=None, max_size=64 << 20, max_queue=64, create_connection=cls
    ) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


async def gateway_server() -> None:
    """The reference gateway, with room for what a fast client has in flight."""
    relax()
    limits = Limits(max_pending_bytes=1 << 30, max_total_pending_bytes=1 << 32)
    server = GatewayServer(Gateway(LoopClock(), limits))
    print(await server.start("127.0.0.1", 0), flush=True)
    await asyncio.get_running_loop().create_future()


# == what is behind and before them ======================================================================================


class Sink:
    """Counts messages; towards a gateway it is a runner that does no more than it must."""

    def __init__(self, tunnel_acks: bool) -> None:
        self.tunnel_acks = tunnel_acks
        self.seen = 0
        self.wanted = 0
        self.enough = asyncio.Event()
        self._numbers = iter(range(1, 1 << 62))

    async def count(self, socket: ClientConnection) -> None:
        """Behind the relay."""
        async for _ in socket:
            self._another()

    async def run(self, socket: ClientConnection) -> None:
        """Behind the gateway."""
        two = codec(2)

        def send(frame: Any) -> None:
            socket.protocol.send_binary(two.encode_to_server(frame))
            socket.send_data()

        def tunnel(request: bytes, kind: Any) -> None:
            send(ToServerTunnelMessage(request, b"\1" * 8 + struct.pack(">Q", next(self._numbers)), kind))

        send(ToServerInit("bench", 1, 1 << 20, None, None, None))
        async for data in socket:
            frame = two.decode_to_client(data)  # type: ignore[arg-type]
            self.notice(frame)
            if isinstance(frame, ToClientCommands):
                for wrapper in frame.commands:
                    if isinstance(wrapper.inner, CommandStartActor):
                        start = wrapper.inner
                        running = EventActorStateUpdate(start.actorId, start.generation, ActorStateRunning())
                        send(ToServerEvents((EventWrapper(0, running),)))
            if not isinstance(frame, ToClientTunnelMessage):
                continue
            kind = frame.messageKind
            if (self.tunnel_acks or isinstance(kind, ToClientWebSocketOpen)) and not isinstance(kind, TunnelAck):
                send(ToServerTunnelMessage(frame.requestId, frame.messageId, TunnelAck()))
            if isinstance(kind, ToClientWebSocketOpen):
                tunnel(frame.requestId, ToServerWebSocketOpen(True, -1))
            elif isinstance(kind, ToClientWebSocketMessage):
                if kind.index % ACK_EVERY == 0:
                    tunnel(frame.requestId, ToServerWebSocketMessageAck(kind.index))
                self._another()

    def notice(self, frame: Any) -> None:
        """For those who want to see every frame."""

    def _another(self) -> None:
        self.seen += 1
        if self.seen == self.wanted:
            self.enough.set()

    async def until(self, wanted: int) -> None:
        """Wait until so many messages have come in all. Raises ``TimeoutError``."""
        self.wanted = wanted
        self.enough.clear()
        if self.seen < wanted:
            async with asyncio.timeout(120):
                await self.enough.wait()


async def ping(socket: ClientConnection) -> None:
    """Keep the link alive, as a runner does: whoever is silent for longer is lost (LINK-G-09)."""
    while True:
        socket.protocol.send_binary(codec(2).encode_to_server(ToServerPing(0)))
        socket.send_data()
        await asyncio.sleep(DEFAULT.ping_interval_ms / 1000)


async def drive(server: str, port: int, load: Load, pid: int) -> tuple[float, float]:
    """One run; the server's CPU seconds and the wall seconds."""
    base, plain = f"ws://127.0.0.1:{port}", server in RELAYS
    path = "/sink" if plain else "/runners/connect?protocol_version=2&runner_key=bench"
    sink = Sink(tunnel_acks=server.endswith("acks"))
    options: dict[str, Any] = {"compression": None, "max_size": None, "ping_interval": None}
    async with connect(base + path, **options) as behind:
        tasks = [asyncio.ensure_future(sink.count(behind) if plain else sink.run(behind))]
        if not plain:
            tasks.append(asyncio.ensure_future(ping(behind)))
        await asyncio.sleep(0)  # let the sink introduce itself
        clients: list[ClientConnection] = []
        for first in range(0, load.connections, 50):
            batch = range(first, min(first + 50, load.connections))
            clients += await asyncio.gather(*(connect(f"{base}/ws/bench.{n}", **options) for n in batch))
        payload = b"x" * load.size
        await asyncio.gather(*(client.send(payload) for client in clients))
        await sink.until(load.connections)  # every connection is open, and every path was taken once
        began, cpu = time.monotonic(), cpu_seconds(pid)

        async def send(client: ClientConnection) -> None:
            for _ in range(load.each):
                await client.send(payload)

        await asyncio.gather(*(send(client) for client in clients))
        await sink.until(load.connections + load.messages)
        spent, took = cpu_seconds(pid) - cpu, time.monotonic() - began
        for task in tasks:
            task.cancel()
        await asyncio.gather(*(client.close() for client in clients))
    return spent, took


def cpu_seconds(pid: int) -> float:
    """Time that a process's threads ran, user and system, as the scheduler counts it (in nanoseconds)."""
    tasks = Path(f"/proc/{pid}/task")
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir()) / 1e9


def run(server: str, load: Load) -> tuple[float, float]:
    """One run against a fresh server."""
    command = [sys.executable, __file__, "--serve", server]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        return asyncio.run(drive(server, port, load, process.pid))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def measure(load: Load, rounds: int) -> dict[str, Any]:
    """All servers in turns; medians."""
    spent: dict[str, list[float]] = {server: [] for server in SERVERS}
    took: dict[str, list[float]] = {server: [] for server in SERVERS}
    for _ in range(rounds):
        for server in SERVERS:
            cpu, wall = run(server, load)
            spent[server].append(cpu / load.messages * 1e6)
            took[server].append(load.messages / wall)
    cpu_us = {server: statistics.median(values) for server, values in spent.items()}
    return {
        "connections": load.connections,
        "size": load.size,
        "cpu_us": {server: round(value, 1) for server, value in cpu_us.items()},
        "per_second": {server: round(statistics.median(values)) for server, values in took.items()},
        "ratio": {
            server: {relay: round(cpu_us[server] / cpu_us[relay], 2) for relay in RELAYS}
            for server in SERVERS[len(RELAYS) :]
        },
    }


def headings(*columns: object) -> str:
    """Columns, each 12 wide."""
    return "".join(f"{column!s:>12}" for column in columns)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the results as one JSON array")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each server and load (default %(default)s)")
    parser.add_argument("--only", metavar="CONNECTIONSxSIZE", help="one load, e.g. 100x100")
    parser.add_argument("--messages", type=int, metavar="N", help="of each connection (default: 4 to 20 000)")
    parser.add_argument("--serve", choices=SERVERS, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.serve:
        asyncio.run(relay_server(args.serve) if args.serve in RELAYS else gateway_server())
        return
    loads = [load for load in LOADS if args.only in (None, f"{load.connections}x{load.size}")]
    if args.messages:
        loads = [replace(load, each=args.messages) for load in loads]
    results = []
    if not args.json:
        print(f"{'':14}{'CPU us a message':^72}{'gateway to':^44}{'+ acks to':^10}")
        print(f"{'conns':>5} {'bytes':>6}  {headings(*RELAYS, 'gateway', '+ acks', *RELAYS)}{headings('trivial')}")
    for load in loads:
        results.append(result := measure(load, args.rounds))
        if not args.json:
            cpu, ratio = result["cpu_us"], result["ratio"]
            numbers = [*cpu.values(), *ratio["gateway"].values(), ratio[SERVERS[-1]]["trivial"]]
            print(f"{load.connections:>5} {load.size:>6}  {headings(*numbers)}", flush=True)
    if args.json:
        print(json.dumps(results))
    else:
        print(f"goal: at most {GOAL} x the trivial relay's CPU a message, tunnel acks apart")


if __name__ == "__main__":
    main()
