"""Real clients over real sockets: Python's ``websockets``, Node's ``ws``, and headless Chromium.

All three do the same: text and binary, empty and 1 MiB messages, and closes with code and reason both ways.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import shutil
import socket
import subprocess
from collections.abc import Awaitable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.sockets.conftest import Running
from tunnelref.gateway.core import frame_size
from tunnelspec.limits import DEFAULT

NODE = Path(__file__).parents[1] / "node"
MIB = 1 << 20


async def _with(url: str, do: Any, **options: Any) -> Any:
    async with asyncio.timeout(30):
        async with connect(url, max_size=4 * MIB, **options) as socket:
            return await do(socket)


def talk(url: str, do: Any, **options: Any) -> Any:
    """Connect, and do something with the socket."""
    work: Awaitable[Any] = _with(url, do, **options)
    return asyncio.run(work)  # type: ignore[arg-type]


@pytest.mark.parametrize("actor", ["echo.py", "plainecho.py"])
def test_python_messages(running: Running, actor: str) -> None:
    """Text and binary, empty and large, in order."""

    async def do(socket: ClientConnection) -> list[Any]:
        messages = ["hello", b"\x00\x01", "", b"", "ü" * 1_000, os.urandom(100_000)]
        for message in messages:
            await socket.send(message)
        return [messages, [await socket.recv() for _ in messages]]

    sent, received = talk(f"{running.url}/ws/{actor}", do)
    assert received == sent


@pytest.mark.parametrize("message", ["", b""])
def test_an_empty_message_that_leaves_alone_ends_nothing(running: Running, message: str | bytes) -> None:
    """To the library, nothing to write is the end of the stream: an empty message with nothing behind it once closed the socket."""

    async def do(socket: ClientConnection) -> list[Any]:
        received = []
        for sent in (message, "more"):
            await socket.send(sent)
            received.append(await socket.recv())
        return received

    assert talk(f"{running.url}/ws/plainecho.alone", do) == [message, "more"]


def test_python_one_mebibyte(running: Running) -> None:
    """A plain socket carries 1 MiB; one that can hibernate carries what fits into the pending limit, to the byte."""

    async def do(socket: ClientConnection, size: int) -> int:
        await socket.send(b"x" * size)
        return len(await socket.recv())

    assert talk(f"{running.url}/ws/plainecho.big", lambda s: do(s, MIB)) == MIB
    fits = DEFAULT.max_pending_bytes - (frame_size(b"x" * MIB) - MIB)
    assert talk(f"{running.url}/ws/echo.big", lambda s: do(s, fits)) == fits
    with pytest.raises(ConnectionClosed) as closed:
        talk(f"{running.url}/ws/echo.big", lambda s: do(s, fits + 1))
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1011, "guard.websocket_pending_limit_reached")


@pytest.mark.parametrize("actor", ["echo.close", "plainecho.close"])
def test_python_closes(running: Running, actor: str) -> None:
    """CONN-G-16: the actor's code and reason reach the client."""

    async def do(socket: ClientConnection) -> tuple[int | None, str | None]:
        await socket.send("close 4321 so long")
        await socket.wait_closed()
        return socket.close_code, socket.close_reason

    assert talk(f"{running.url}/ws/{actor}", do) == (4321, "so long")


def test_python_sleep_and_wake(running: Running) -> None:
    """HIB-G-05, HIB-G-06: the socket stays open while the actor sleeps; the count goes on."""

    async def do(socket: ClientConnection) -> list[Any]:
        got = []
        for text in ("a", "b"):
            await socket.send(text)
            got.append(await socket.recv())
        await socket.send("sleep")
        await socket.send("c")
        got.append(await socket.recv())
        return got

    assert talk(f"{running.url}/ws/counter.sleeper", do) == ["1", "2", "3"]


def test_by_sub_protocol(running: Running) -> None:
    """A client that names its actor by sub-protocol; ``rivet`` is agreed on."""

    async def do(socket: ClientConnection) -> tuple[Any, Any]:
        await socket.send("hi")
        return socket.subprotocol, await socket.recv()

    protocols = [Subprotocol(p) for p in ("rivet", "rivet_target.actor", "rivet_actor.echo.sub")]
    assert talk(f"{running.url}/", do, subprotocols=protocols) == ("rivet", "hi")


def test_an_unnamed_actor_is_refused(running: Running) -> None:
    """A refusal is an open and a close that says why."""

    async def do(socket: ClientConnection) -> tuple[int | None, str | None]:
        await socket.wait_closed()
        return socket.close_code, socket.close_reason

    code, reason = talk(f"{running.url}/nothing", do)
    assert code == 1008
    assert "name an actor" in reason


def test_an_unknown_version_is_refused(running: Running) -> None:
    """A runner that speaks another version is told which ones there are."""

    async def do(socket: ClientConnection) -> tuple[int | None, str | None]:
        await socket.wait_closed()
        return socket.close_code, socket.close_reason

    code, reason = talk(f"{running.url}/runners/connect?protocol_version=9&runner_key=x", do)
    assert code == 1008
    assert "9" in reason
    assert "1, 2" in reason


def test_http_through_the_tunnel(running: Running) -> None:
    """REQ-G-44: a request with and without a body; REQ-G-04: 503 where nobody has the actor."""
    with urlopen(f"{running.http}/request/echo.http/some/path?q=1", timeout=20) as response:
        assert (response.status, response.read()) == (200, b"/some/path?q=1")
    request = Request(f"{running.http}/request/echo.http/", data=b"x" * 200_000, method="POST")
    with urlopen(request, timeout=20) as response:
        assert response.read() == b"x" * 200_000
    with pytest.raises(Exception, match="503"):
        urlopen(f"{running.http}/request/nobody/", timeout=20)


def test_an_answer_reaches_a_client_that_still_sends(running: Running) -> None:
    """REQ-G-04: what comes after the answer is read away, or a reset would take the answer with it."""
    port = urlsplit(running.http).port
    assert port is not None
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(b"POST /request/nobody/ HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n" + bytes(1_000))
        select.select([client], [], [], 20)
        client.sendall(bytes(100_000))
        client.sendall(bytes(100_000))
        answer = b"".join(iter(lambda: client.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 503 ")


def test_health_and_metrics(running: Running) -> None:
    """What an operator looks at."""
    base = running.url.replace("ws://", "http://")
    with urlopen(f"{base}/health", timeout=20) as response:
        assert response.read() == b"ok\n"
    with urlopen(f"{base}/metrics", timeout=20) as response:
        text = response.read().decode()
    for name in ("pending_messages", "pending_bytes", "ack_latency_ms_count", "ack_timeouts_total", "limits_hit_total"):
        assert f"\ntunnel_{name} " in text
    assert "tunnel_hibernation_ms_bucket" in text


def _node(script: str, running: Running, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        ["node", str(NODE / script), running.url, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


EXPECTED = {
    "echoed": True,
    "closedByActor": [4321, "so long"],
    "countsAcrossSleep": ["1", "2", "3"],
}


def test_node(running: Running) -> None:
    """Node's ``ws`` does what the Python client does."""
    assert _node("ws_client.mjs", running) == EXPECTED


def test_chromium(running: Running) -> None:
    """A page in headless Chromium does what the Python client does."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert chromium, "install Debian's chromium: the tests talk to a real browser"
    assert _node("browser_client.mjs", running, chromium) == EXPECTED
