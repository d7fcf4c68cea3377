"""The test actor, for ``tunnelspec runner``: what a runner under test hosts. Its contract is in ``conformance/README.md``.

tunnelspec runner --gateway URL --actor test=tunnelconform.actor:Test --actor plain=tunnelconform.actor:Plain
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tunnelconform.around_request import MARK
from tunnelref.runner.actor import Actor, Request, Response, Socket


class Test(Actor):
    """Does what it is told, a word at a time; each message is committed once it was handled."""

    __test__ = False  # nothing for pytest

    def on_message(self, socket: Socket, data: str | bytes) -> None:
        text = data if isinstance(data, str) else data.decode(errors="replace")
        self.state["count"] = self.state.get("count", 0) + 1
        if text.startswith("send "):
            said = text.removeprefix("send ")
            socket.send(said if isinstance(data, str) else said.encode())
        elif text == "state":
            socket.send(str(self.state["count"]))
        elif text == "sleep":
            self.sleep()
        elif text.startswith("close "):
            code, _, reason = text.removeprefix("close ").partition(" ")
            socket.close(int(code), reason)

    def on_request(self, request: Request) -> Response:
        headers = tuple(header for header in request.headers if header[0] == MARK)
        said = f"{request.method} {request.path}\n".encode()
        if request.path.startswith("/stream"):
            return Response(200, headers, pieces(said, request.body))
        if request.path.startswith("/hold"):
            return Response(200, headers, nothing())
        return Response(200, headers, said + request.body)


async def pieces(*some: bytes) -> AsyncIterator[bytes]:
    """These, one after the other."""
    for piece in some:
        yield piece


async def nothing() -> AsyncIterator[bytes]:
    """Nothing, and no end."""
    await asyncio.Event().wait()
    yield b""


class Plain(Test):
    """The same, for sockets that cannot hibernate."""

    hibernates = False
