"""The demo's client, a process of its own: a plain WebSocket client that does what it is told on standard input.

Commands, one a line: ``say TEXT``, ``close CODE REASON``. Prints one JSON object for each thing that happens to it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed


def tell(**fields: Any) -> None:
    """One line for the demo to read."""
    print(json.dumps(fields), flush=True)


async def main(url: str) -> None:
    """Connect, then obey until standard input ends."""
    loop = asyncio.get_running_loop()
    async with connect(url, compression=None) as socket:
        tell(event="connected")
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

        async def listen() -> None:
            try:
                async for message in socket:
                    tell(event="received", text=message)
            except ConnectionClosed:
                pass
            tell(event="closed", code=socket.close_code, reason=socket.close_reason)

        listening = asyncio.ensure_future(listen())
        while line := (await reader.readline()).decode().rstrip("\n"):
            verb, _, rest = line.partition(" ")
            if verb == "say":
                await socket.send(rest)
            else:
                code, _, reason = rest.partition(" ")
                await socket.close(int(code), reason)
                break
        await listening


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
