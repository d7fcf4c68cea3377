"""A gateway, runners and clients in one process, on virtual time: the real cores, the real codec, no sockets.

Links are ordered queues of bytes that are pumped when the world is told to settle, and that can be broken with what is on them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Coroutine
from typing import Any

from tunnelref.clock import VirtualClock
from tunnelref.gateway.core import Gateway, SocketEntry
from tunnelref.gateway.links import Link
from tunnelref.runner.actor import Actor
from tunnelref.runner.core import Runner
from tunnelref.runner.store import Store
from tunnelref.wire import codec
from tunnelspec.endpoint import TABLES, Tables
from tunnelspec.frames import ToClientTunnelMessage, ToServerTunnelMessage
from tunnelspec.limits import DEFAULT, Limits


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("a handler in a virtual world may not wait")


class Pipe:
    """One runner's link: two ordered queues of bytes."""

    def __init__(self, world: World, runner: VirtualRunner) -> None:
        self.world = world
        self.runner = runner
        self.to_runner: deque[bytes] = deque()
        self.to_gateway: deque[bytes] = deque()
        self.up = True
        self.link: Link | None = None

    def break_(self) -> None:
        """The link breaks: what is on it is lost, and both ends notice."""
        if self.up:
            self.up = False
            self.to_runner.clear()
            self.to_gateway.clear()
            assert self.link is not None
            self.link.down()
            self.runner.pipe = None
            self.runner.core.down()

    def send_to_runner(self, data: bytes) -> None:
        if self.up:
            self.to_runner.append(data)

    def send_to_gateway(self, data: bytes) -> None:
        if self.up:
            self.to_gateway.append(data)

    def pump(self) -> bool:
        """Carry one frame each way; whether there was any."""
        moved = False
        if self.up and self.to_runner and not self.runner.frozen:
            self.world.seen.append(("runner", self.to_runner[0]))
            self.runner.core.receive(self.to_runner.popleft())
            moved = True
        if self.up and self.to_gateway:
            assert self.link is not None
            self.world.seen.append(("gateway", self.to_gateway[0]))
            self.link.receive(self.to_gateway.popleft())
            moved = True
        return moved


class _GatewayEnd:
    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    def send(self, data: bytes) -> None:
        self.pipe.send_to_runner(data)

    def close(self, code: int, reason: str) -> None:
        self.pipe.world.later.append(self.pipe.break_)


class _RunnerEnd:
    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    def send(self, data: bytes) -> None:
        self.pipe.send_to_gateway(data)

    def close(self, code: int, reason: str) -> None:
        self.pipe.world.later.append(self.pipe.break_)


class VirtualRunner:
    """A runner of the world; ``frozen``: alive, and deaf."""

    def __init__(self, world: World, key: str, classes: dict[str, type[Actor]], version: int, reachable: bool) -> None:
        self.world = world
        self.key = key
        self.pipe: Pipe | None = None
        self.frozen = False
        self.reachable = reachable
        self.version = version
        self.core = Runner(
            world.clock, world.limits, world.store, classes, self._dial, run, codec(version), log=world.note(key),
            tables=world.tables,
        )  # fmt: skip

    def _dial(self) -> None:
        self.world.later.append(self._connect)

    def _connect(self) -> None:
        if not self.reachable:
            self.core.down()
            return
        self.pipe = Pipe(self.world, self)
        self.world.pipes.append(self.pipe)
        self.pipe.link = self.world.gateway.join(_GatewayEnd(self.pipe), codec(self.version), "default", self.key)
        self.core.up(_RunnerEnd(self.pipe))

    def kill(self) -> None:
        """The process ends: its link breaks, and it never dials again."""
        self.reachable = False
        self.core.gone = True
        if self.pipe is not None:
            pipe, self.pipe = self.pipe, None
            pipe.up = False
            pipe.to_runner.clear()
            pipe.to_gateway.clear()
            assert pipe.link is not None
            pipe.link.down()


class VirtualClient:
    """A client's socket."""

    def __init__(self, world: World, actor: str) -> None:
        self.world = world
        self.reading = False
        self.unread: deque[tuple[bytes, bool]] = deque()
        self.received: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self.entry: SocketEntry = world.gateway.connect(self, "default", actor, "/", ())

    # as core.ClientSocket
    def read(self) -> None:
        self.reading = True
        self.world.later.append(self._drain)

    def pause(self) -> None:
        raise AssertionError("no link of this world is ever held up")

    resume = pause

    def send(self, data: bytes, binary: bool) -> None:
        self.received.append(data)

    def close(self, code: int, reason: str) -> None:
        assert self.closed is None, "the client's socket is closed twice"
        self.closed = (code, reason)

    # what a test does
    def says(self, *messages: bytes | str) -> None:
        for message in messages:
            data = message.encode() if isinstance(message, str) else message
            self.unread.append((data, isinstance(message, bytes)))
        self._drain()

    def leaves(self, code: int | None = 1000, reason: str | None = None) -> None:
        self.closed = (code or 1005, reason or "")
        self.entry.closed(code, reason)

    def _drain(self) -> None:
        while self.reading and self.unread and self.closed is None:
            self.entry.message(*self.unread.popleft())


class World:
    """Everything, and the time."""

    def __init__(self, limits: Limits = DEFAULT, store: Store | None = None, tables: Tables = TABLES) -> None:
        self.clock = VirtualClock()
        self.limits = limits
        self.tables = tables
        self.store = store or Store()
        self.logs: list[tuple[str, str, dict[str, Any]]] = []
        self.pipes: list[Pipe] = []
        self.later: deque[Any] = deque()
        self.seen: list[tuple[str, bytes]] = []
        self.traced: list[dict[str, Any]] = []
        self.gateway = Gateway(self.clock, limits, self.note("gateway"), self.traced.append, tables=tables)

    def note(self, who: str) -> Any:
        def log(event: str, **fields: Any) -> None:
            self.logs.append((who, event, fields))

        return log

    def runner(
        self, key: str, classes: dict[str, type[Actor]], version: int = 2, reachable: bool = True
    ) -> VirtualRunner:
        """A runner joins."""
        runner = VirtualRunner(self, key, classes, version, reachable)
        self.settle()
        return runner

    def client(self, actor: str) -> VirtualClient:
        """A client connects."""
        client = VirtualClient(self, actor)
        self.settle()
        return client

    def settle(self) -> None:
        """Let everything happen that takes no time."""
        for _ in range(1_000_000):
            while self.later:
                self.later.popleft()()
            if not sum(pipe.pump() for pipe in self.pipes) and not self.later:
                self.pipes = [pipe for pipe in self.pipes if pipe.up]
                return
        raise AssertionError("the world does not come to rest")

    def wait(self, ms: int) -> None:
        """Let time pass, a step at a time."""
        end = self.clock.now_ms() + ms
        while self.clock.now_ms() < end:
            self.clock.advance(min(10, end - self.clock.now_ms()))
            self.settle()

    def kinds(self, towards: str) -> list[str]:
        """The kinds of tunnel messages that reached one side so far."""
        two = codec(2)
        found = []
        for side, data in self.seen:
            if side == towards:
                frame = two.decode_to_client(data) if side == "runner" else two.decode_to_server(data)
                if isinstance(frame, ToClientTunnelMessage | ToServerTunnelMessage):
                    found.append(type(frame.messageKind).__name__)
        return found
