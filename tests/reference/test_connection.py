"""The reference's connections: the library's, but for how messages are read and how frames are written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from tunnelref.connection import HeardServer
from tunnelref.outbox import Outbox, head


@settings(deadline=None)
@given(st.binary(max_size=700) | st.sampled_from([65_535, 65_536, 70_000]).map(bytes), st.booleans())
def test_a_frames_head_is_the_librarys(data: bytes, binary: bool) -> None:
    """RFC 6455, section 5.2: our head and the data are what the library would send."""
    frame = Frame(Opcode.BINARY if binary else Opcode.TEXT, data).serialize(mask=False)
    assert head(len(data), binary) + data == frame


@asynccontextmanager
async def heard(
    hear: Callable[[bytes, bool], None], wait: asyncio.Event | None = None
) -> AsyncIterator[ClientConnection]:
    """A client of a server that echoes with an ``Outbox``, and tells ``hear`` of each message first."""

    async def handle(connection: Any) -> None:
        out = Outbox(connection)

        def echo(data: bytes, binary: bool) -> None:
            hear(data, binary)
            out.write(data, binary)

        if wait is not None:
            await wait.wait()
        await connection.listen(echo)

    async with serve(handle, "127.0.0.1", 0, compression=None, create_connection=HeardServer) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}", compression=None) as client:
            yield client


def test_messages_are_heard_in_order_however_they_come() -> None:
    """Those that wait before ``listen``, whole ones, fragments, text and binary, empty and large."""
    sent: list[Any] = ["early", b"", "", b"x" * 100_000, ["a", "é", ""], [b"1", b"2"], b"last"]
    heard_: list[tuple[bytes, bool]] = []

    async def run() -> list[Any]:
        wait = asyncio.Event()
        async with heard(lambda data, binary: heard_.append((data, binary)), wait) as client:
            await client.send(sent[0])
            wait.set()
            for message in sent[1:]:
                await client.send(message)
            return [await client.recv() for _ in sent]

    whole = [type(m[0])().join(m) if isinstance(m, list) else m for m in sent]
    assert asyncio.run(run()) == whole
    assert heard_ == [(m.encode(), False) if isinstance(m, str) else (m, True) for m in whole]


@pytest.mark.parametrize("fragmented", [False, True])
def test_text_that_is_not_utf_8_closes_with_1007(fragmented: bool) -> None:
    """RFC 6455, section 8.1; what follows is not heard."""
    heard_: list[bytes] = []

    async def run() -> int | None:
        async with heard(lambda data, binary: heard_.append(data)) as client:
            client.protocol.send_text(b"\xff", fin=not fragmented)
            if fragmented:
                client.protocol.send_continuation(b"\xfe", fin=True)
            client.protocol.send_binary(b"more")
            client.send_data()
            with pytest.raises(ConnectionClosed):
                await client.recv()
            return client.close_code

    assert asyncio.run(run()) == 1007
    assert heard_ == []


def test_a_message_that_cannot_be_handled_closes_with_1011() -> None:
    """P-ISOLATE: this connection alone, as the library does when a handler fails; what follows is not heard."""
    heard_: list[bytes] = []

    def fail(data: bytes, binary: bool) -> None:
        heard_.append(data)
        raise RuntimeError("cannot")

    async def run() -> int | None:
        async with heard(fail) as client:
            client.protocol.send_binary(b"1")
            client.protocol.send_binary(b"2")
            client.send_data()
            with pytest.raises(ConnectionClosed):
                await client.recv()
            return client.close_code

    assert asyncio.run(run()) == 1011
    assert heard_ == [b"1"]
