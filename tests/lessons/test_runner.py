"""The runner of fifty lines against the reference gateway, over real sockets, with the oracle reading along."""

from __future__ import annotations

import ast
import asyncio
import io
import runpy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tunnelconform.passive import judge
from tunnelconform.record import Recorder, proxy
from tunnelconform.recording import parse
from tunnelref.clock import LoopClock
from tunnelref.gateway.core import Gateway
from tunnelref.gateway.server import GatewayServer
from tunnelspec.limits import DEFAULT

RUNNER = Path(__file__).parents[2] / "spec" / "lessons" / "wire" / "runner.py"


@dataclass
class Stage:
    """A gateway, a proxy that records, and the learner's runner."""

    url: str
    paper: io.StringIO
    gateway: Gateway
    runner: dict[str, Any]
    proxied: str

    def dial(self) -> asyncio.Task[None]:
        """The runner connects."""
        return asyncio.create_task(self.runner["run"](self.proxied))

    async def joined(self, count: int = 1) -> None:
        """Until so many links are ready."""
        while sum(link.local("link").state == "ready" for link in self.gateway.links.values()) < count:
            await asyncio.sleep(0)

    async def hung_up(self) -> None:
        """Until no link is left."""
        while self.gateway.links:
            await asyncio.sleep(0)


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    gateway, paper = Gateway(LoopClock(), DEFAULT), io.StringIO()
    server = GatewayServer(gateway)
    port = await server.start("127.0.0.1", 0)
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    recorder = Recorder(paper, lambda line: None)
    between = asyncio.create_task(proxy("127.0.0.1:0", f"ws://127.0.0.1:{port}", recorder, ready.set_result))
    here = f"ws://127.0.0.1:{port}"
    try:
        yield Stage(here, paper, gateway, runpy.run_path(str(RUNNER)), f"ws://127.0.0.1:{await ready}")
    finally:
        between.cancel()
        with suppress(asyncio.CancelledError):
            await between
        await server.stop()


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError, ConnectionClosed):
        await task


def test_it_echoes_resumes_and_breaks_no_rule() -> None:
    """Messages come back; those sent while it is gone come back after it returned, once; every frame was allowed."""

    async def play() -> str:
        async with stage() as here:
            first = here.dial()
            await here.joined()
            async with connect(f"{here.url}/ws/echo.1") as client:
                for word in ("one", "two"):
                    await client.send(word)
                    assert await client.recv() == word
                await end(first)
                await here.hung_up()
                await client.send("three")
                second = here.dial()
                assert await client.recv() == "three"
                await client.send(b"four")
                assert await client.recv() == b"four"
            while here.gateway.entries:
                await asyncio.sleep(0)
            await end(second)
            return here.paper.getvalue()

    recording = tuple(parse(asyncio.run(asyncio.wait_for(play(), 20))))
    judgement = judge(recording)
    assert judgement.verdict == "pass", judgement.breaches
    assert judgement.judged > 20
    assert sum(link.link == 2 for link in recording) > 5  # it dialled twice


def test_it_needs_nothing_but_websockets_and_the_codec() -> None:
    tree = ast.parse(RUNNER.read_text(encoding="utf-8"))
    names = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    names |= {alias.name for n in ast.walk(tree) if isinstance(n, ast.Import) for alias in n.names}
    assert names - {"asyncio", "itertools", "os", "sys", "time"} == {"websockets.asyncio.client", "tunnelref.wire"}
