"""The recording proxy: any runner on one side, any gateway on the other, and every frame on paper.

Bytes pass unchanged. What is written down is redacted: sub-protocols that carry a token are not written at all, and headers that
carry one are blanked in the frame and in its hex.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, TextIO
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as serve_websockets
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from tunnelconform.recording import (
    TO_CLIENT,
    TO_SERVER,
    Entry,
    Frame,
    LinkClosed,
    LinkOpened,
    decoded,
    header,
    to_line,
)
from tunnelref.wire import SUPPORTED, WireError, codec
from tunnelspec.frames import ToClientRequestStart, ToClientTunnelMessage, ToClientWebSocketOpen, canonical_map

SECRET = ("authorization", "cookie", "token", "sec-websocket-protocol", "secret", "api-key")
REDACTED = "[redacted]"


def redacted(entry: Frame, version: int) -> Frame:
    """The frame without what must not be written down."""
    if version not in SUPPORTED or entry.way != TO_CLIENT:
        return entry
    try:
        frame = decoded(entry, version)
    except WireError:
        return entry
    kind = getattr(frame, "messageKind", None)
    if not isinstance(frame, ToClientTunnelMessage) or not isinstance(
        kind, ToClientWebSocketOpen | ToClientRequestStart
    ):
        return entry
    headers = {
        name: REDACTED if any(word in name.lower() for word in SECRET) else value for name, value in kind.headers
    }
    if canonical_map(headers) == kind.headers:
        return entry
    clean = replace(frame, messageKind=replace(kind, headers=canonical_map(headers)))
    return replace(entry, data=codec(version).encode_to_client(clean))


def version_of(path: str) -> int:
    """The protocol version that a runner's path names; 0 if it names none."""
    said = parse_qs(urlsplit(path).query).get("protocol_version", ["0"])[0]
    return int(said) if said.isascii() and said.isdigit() and len(said) < 6 else 0


class Recorder:
    """Writes entries down as they come."""

    def __init__(self, out: TextIO, show: Callable[[str], None]) -> None:
        self._out, self._show = out, show
        self._began = time.monotonic()
        self._links = 0
        self._versions: dict[int, int] = {}
        self._write(header())

    def now_ms(self) -> int:
        return round((time.monotonic() - self._began) * 1000)

    def opened(self, path: str) -> int:
        """A runner connected: the number of its link."""
        self._links += 1
        query = parse_qs(urlsplit(path).query)
        self._versions[self._links] = version_of(path)
        namespace, key = (query.get(name, [""])[0] for name in ("namespace", "runner_key"))
        self.note(LinkOpened(self.now_ms(), self._links, version_of(path), namespace, key))
        return self._links

    def note(self, entry: Entry) -> None:
        """Write an entry, and show it."""
        version = self._versions[entry.link]
        line = to_line(redacted(entry, version) if isinstance(entry, Frame) else entry, version)
        self._write(line)
        self._show(_shown(entry, version))

    def _write(self, line: str) -> None:
        self._out.write(line + "\n")
        self._out.flush()


def _shown(entry: Entry, version: int) -> str:
    if isinstance(entry, LinkOpened):
        return f"{entry.time_ms:>8} ms  link {entry.link} opened, version {version}, {entry.runner_key}"
    if isinstance(entry, LinkClosed):
        return f"{entry.time_ms:>8} ms  link {entry.link} closed {entry.code or ''} {entry.reason}".rstrip()
    arrow = "runner -> gateway" if entry.way == TO_SERVER else "gateway -> runner"
    try:
        frame = decoded(entry, version)
        what = f"{len(entry.data)} bytes of version {version}" if frame is None else type(frame).__name__
        kind = getattr(frame, "messageKind", None)
        if kind is not None:
            what = f"{type(kind).__name__} {frame.requestId.hex()[:8]}"
    except WireError as error:
        what = f"no frame: {error}"
    return f"{entry.time_ms:>8} ms  link {entry.link}  {arrow}  {what}"


class Proxy:
    """One listening socket, and a connection to the gateway for each runner."""

    def __init__(self, to: str, recorder: Recorder) -> None:
        self._to, self._recorder = to.rstrip("/"), recorder

    async def handle(self, runner: ServerConnection) -> None:
        """Carry a runner's frames to the gateway and back, until one of them closes."""
        assert runner.request is not None
        path = runner.request.path
        protocols = [
            Subprotocol(p.strip())
            for value in runner.request.headers.get_all("Sec-WebSocket-Protocol")
            for p in value.split(",")
        ]
        try:
            async with connect(
                self._to + path, subprotocols=protocols or None, compression=None, max_size=None, ping_interval=None
            ) as gateway:
                await self._carry(runner, gateway, path)
        except (OSError, InvalidHandshake, TimeoutError) as error:
            print(f"tunnelspec record: {self._to}: {error}", file=sys.stderr)
            await runner.close(1013, "the gateway cannot be reached")

    async def _carry(self, runner: ServerConnection, gateway: ClientConnection, path: str) -> None:
        link = self._recorder.opened(path)

        async def pump(source: Any, sink: Any, way: str) -> Any:
            with suppress(ConnectionClosed):
                async for message in source:
                    text = isinstance(message, str)
                    data = message.encode() if isinstance(message, str) else message
                    self._recorder.note(Frame(self._recorder.now_ms(), link, way, data, text))
                    await sink.send(message)
            return source

        ways = [
            asyncio.create_task(pump(runner, gateway, TO_SERVER)),
            asyncio.create_task(pump(gateway, runner, TO_CLIENT)),
        ]
        done, pending = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        first = done.pop().result()
        other = gateway if first is runner else runner
        code, reason = first.close_code, first.close_reason or ""
        self._recorder.note(LinkClosed(self._recorder.now_ms(), link, code, reason))
        for task in pending:
            task.cancel()
        sendable = code is not None and (
            code == 1000 or 3000 <= code < 5000 or 1001 <= code < 1004 or 1007 <= code < 1015
        )
        await other.close(
            code if sendable and code is not None else 1001, reason if sendable else "the other side is gone"
        )


def pick_protocol(connection: ServerConnection, offered: Any) -> Subprotocol | None:
    """``rivet``, if it was offered, as a gateway would."""
    return Subprotocol("rivet") if "rivet" in offered else None


async def proxy(listen: str, to: str, recorder: Recorder, ready: Callable[[int], None]) -> None:
    """Serve until cancelled. ``ready`` is told the port. Raises ``OSError`` if it cannot listen."""
    host, _, port = listen.rpartition(":")
    handler = Proxy(to, recorder).handle
    async with serve_websockets(
        handler, host, int(port), select_subprotocol=pick_protocol, compression=None, max_size=None, ping_interval=None
    ) as server:
        ready(next(iter(server.sockets)).getsockname()[1])
        await server.serve_forever()


def serve(args: argparse.Namespace) -> int:
    """0 when interrupted, 2 for wrong use, 4 if it cannot listen or write."""
    if not args.to.startswith(("ws://", "wss://")) or not args.listen.rpartition(":")[2].isdigit():
        print("tunnelspec record: --to is a ws:// URL, --listen is HOST:PORT", file=sys.stderr)
        return 2

    def say(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    try:
        out = sys.stdout if args.output is None else args.output.open("w", encoding="utf-8")
        recorder = Recorder(out, (lambda line: None) if args.quiet else say)
        asyncio.run(proxy(args.listen, args.to, recorder, lambda port: say(f"recording on port {port}, to {args.to}")))
    except OSError as error:
        print(f"tunnelspec record: {error}", file=sys.stderr)
        return 4
    except KeyboardInterrupt:
        return 0
    return 0
