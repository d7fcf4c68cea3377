"""The runner on a socket: dials the gateway, and dials again when the link breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from tunnelref.clock import Clock, LoopClock
from tunnelref.connection import JoinedClient
from tunnelref.driver import Observer, ignore
from tunnelref.outbox import Outbox
from tunnelref.runner.actor import Actor
from tunnelref.runner.core import Log, Runner
from tunnelref.runner.store import Store
from tunnelref.wire import codec
from tunnelspec.endpoint import TABLES, Tables
from tunnelspec.limits import Limits


class GatewayPeer(Outbox):
    """The link's socket."""

    __slots__ = ("tasks",)

    def __init__(self, connection: ClientConnection, tasks: set[asyncio.Task[None]]) -> None:
        super().__init__(connection)
        self.tasks = tasks

    send = Outbox.write

    def close(self, code: int, reason: str) -> None:
        task = asyncio.ensure_future(self.connection.close(code, reason))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


def runner_url(gateway: str, version: int, namespace: str, key: str) -> str:
    """The URL a runner dials: the gateway's, with the query that names the version, the namespace and the runner."""
    parts = urlsplit(gateway)
    query = urlencode({"protocol_version": version, "namespace": namespace, "runner_key": key})
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + "/runners/connect", query, ""))


class RunnerClient:
    """A ``Runner`` that dials a gateway."""

    def __init__(
        self,
        gateway: str,
        classes: Mapping[str, type[Actor]],
        store: Store,
        limits: Limits,
        log: Log,
        key: str,
        namespace: str = "default",
        token: str | None = None,
        name: str = "tunnelspec",
        version: int = 2,
        slots: int = 1_000,
        observer: Observer = ignore,
        tables: Tables = TABLES,
        clock: Clock | None = None,
        make: Callable[..., Runner] = Runner,
    ) -> None:
        self.url = runner_url(gateway, version, namespace, key)
        self.protocols = [Subprotocol(p) for p in ("rivet", "rivet_target.runner")]
        if token is not None:
            self.protocols.append(Subprotocol(f"rivet_token.{token}"))
        self.log = log
        self.tasks: set[asyncio.Task[None]] = set()
        self.gone = asyncio.Event()
        self.runner = make(
            clock or LoopClock(), limits, store, classes, self._dial, self._spawn, codec(version), name, slots, log, observer,
            tables,
        )  # fmt: skip

    def stop(self) -> None:
        """Stop the actors, then the link; ``gone`` is set when both have ended."""
        self.runner.stop()
        if self.runner.gone:
            self.gone.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _dial(self) -> None:
        self._spawn(self._carry())

    async def _carry(self) -> None:
        try:
            async with connect(
                self.url,
                subprotocols=self.protocols,
                compression=None,
                max_size=64 << 20,
                create_connection=JoinedClient,
            ) as connection:
                self.runner.up(GatewayPeer(connection, self.tasks))
                async for frame in connection:
                    self.runner.receive(frame)
        except (OSError, ConnectionClosed, InvalidHandshake, TimeoutError) as error:
            self.log("link_failed", error=str(error))
        finally:
            self.runner.down()
            if self.runner.gone:
                self.gone.set()
