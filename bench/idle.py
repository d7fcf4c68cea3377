"""Memory of an idle connection through the reference gateway, beyond the socket's own.

    python bench/idle.py [--json] [--connections 10000]

The same number of idle clients on a server that does nothing with them, and on the gateway, with their actors awake and
then with all of them asleep. What a connection costs is the growth of the process's resident memory; the socket's own is
what the first server grows by.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from relay import Sink, ping
from websockets.asyncio.client import ClientConnection, connect

from tunnelref.wire import codec
from tunnelspec.frames import (
    ToClientTunnelMessage,
    ToClientWebSocketOpen,
    ToServerTunnelMessage,
    ToServerWebSocketClose,
)

GOAL = 4_096
RELAY = Path(__file__).with_name("relay.py")


class SleepySink(Sink):
    """A runner whose actors can all be sent to sleep."""

    def __init__(self) -> None:
        super().__init__(tunnel_acks=True)
        self.requests: list[bytes] = []
        self.opened = asyncio.Event()

    def notice(self, frame: Any) -> None:
        if isinstance(frame, ToClientTunnelMessage) and isinstance(frame.messageKind, ToClientWebSocketOpen):
            self.requests.append(frame.requestId)
            self.opened.set()

    async def sleep(self, socket: ClientConnection) -> None:
        """Close every tunnel with retry."""
        for place, request in enumerate(self.requests):
            close = ToServerWebSocketClose(None, None, retry=True)
            message = ToServerTunnelMessage(request, b"\2" * 8 + place.to_bytes(8, "big"), close)
            await socket.send(codec(2).encode_to_server(message))


def resident(pid: int) -> int:
    """Bytes of resident memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def measure(server: str, port: int, pid: int, count: int) -> dict[str, float]:
    """Bytes a connection, awake and asleep."""
    options: dict[str, Any] = {"compression": None, "max_size": None, "ping_interval": None}
    path = "/sink" if server == "trivial" else "/runners/connect?protocol_version=2&runner_key=bench"
    sink = SleepySink()
    async with connect(f"ws://127.0.0.1:{port}{path}", **options) as behind:
        tasks = []
        if server == "gateway":
            tasks = [asyncio.ensure_future(sink.run(behind)), asyncio.ensure_future(ping(behind))]
        clients: list[ClientConnection] = []

        async def more(number: int) -> None:
            for first in range(0, number, 50):
                many = range(first, min(number, first + 50))
                clients.extend(
                    await asyncio.gather(*(connect(f"ws://127.0.0.1:{port}/ws/bench", **options) for _ in many))
                )
            while server == "gateway" and len(sink.requests) < len(clients):
                sink.opened.clear()
                await sink.opened.wait()

        await more(200)  # what is needed once is not counted
        before = resident(pid)
        await more(count)
        result = {"awake": (resident(pid) - before) / count}
        if server == "gateway":
            await sink.sleep(behind)
            pong = await behind.ping()
            await pong
            result["asleep"] = (resident(pid) - before) / count
            for client in (clients[0], clients[-1]):  # all are held: the first and the last still answer
                await (await client.ping())
        for task in tasks:
            task.cancel()
    return result


def run(server: str, count: int) -> dict[str, float]:
    """One server, as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, str(RELAY), "--serve", server], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stdout is not None
        return asyncio.run(measure(server, int(process.stdout.readline()), process.pid, count))
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    parser.add_argument("--connections", type=int, default=10_000, help="how many (default %(default)s)")
    args = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    socket = run("trivial", args.connections)["awake"]
    gateway = run("gateway", args.connections)
    result = {
        "connections": args.connections,
        "socket": round(socket),
        "awake": round(gateway["awake"] - socket),
        "asleep": round(gateway["asleep"] - socket),
    }
    if args.json:
        print(json.dumps(result))
    else:
        print(f"{args.connections:,} idle connections held; bytes for each:")
        print(f"  the socket's own    {result['socket']:>8,}")
        print(f"  beyond it, awake    {result['awake']:>8,}")
        print(f"  beyond it, asleep   {result['asleep']:>8,}   goal: at most {GOAL:,}")


if __name__ == "__main__":
    main()
