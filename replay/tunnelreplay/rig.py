"""The reference on real sockets, as a trace needs it: a gateway, runners, links in hand, a client, one SQLite file, no clock."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from tunnelref.driver import Driver
from tunnelref.gateway.core import Gateway, SocketEntry, frame_size
from tunnelref.gateway.server import GatewayServer
from tunnelref.runner.client import RunnerClient
from tunnelref.runner.core import SocketEntry as Adapter
from tunnelref.runner.store import Store
from tunnelreplay.actors import ACTOR, Ledger, PacedRunner
from tunnelreplay.client import Client
from tunnelreplay.clock import ScriptedClock, fire
from tunnelreplay.link import HeldLink
from tunnelreplay.router import Router
from tunnelreplay.wire import PATIENCE_S
from tunnelspec.compiled import Outcome, Passed
from tunnelspec.endpoint import State, Tables
from tunnelspec.events import RedialDue
from tunnelspec.frames import ActorConfig, CommandStartActor
from tunnelspec.limits import DEFAULT, Limits
from tunnelspec.system import SIDES

UNIT = frame_size(b"\0")
"""What a model's message of size 1 takes on the wire, in bytes."""

GATEWAY = "gateway"


class Stuck(Exception):
    """The reference did not do what was waited for: the message says what that was."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One step of one of the reference's endpoints for the client's socket. ``where``: ``gateway``, or the runner's side."""

    where: str
    driver: Driver
    before: State
    event: Any
    after: State
    outputs: tuple[Any, ...]
    steps: tuple[Passed, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A tunnel message that entered a link."""

    side: str
    way: str
    data: bytes


def scaled(limits: Limits) -> Limits:
    """A bounded world's limits for real frames: message ids as wide as on the wire, sizes in real bytes."""
    return replace(
        limits,
        number_modulus=DEFAULT.number_modulus,
        max_pending_bytes=limits.max_pending_bytes * UNIT,
        max_total_pending_bytes=limits.max_total_pending_bytes * UNIT,
    )


class TracedGateway(Gateway):
    """The reference's gateway; its one client's request id is known beforehand, so that a frame may name it too early."""

    request_id = os.urandom(16)

    def new_request_id(self) -> bytes:
        return self.request_id


class Rig:
    """All parties, in one event loop. Use it as an asynchronous context manager."""

    def __init__(self, sides: tuple[str, ...], tables: Tables, limits: Limits, hibernates: bool) -> None:
        self.sides = sides
        self.tables = tables
        self.limits = scaled(limits)
        self.clock = ScriptedClock()
        self.actor = type("Traced", (Ledger,), {"hibernates": hibernates})
        self.heard: list[Heard] = []
        self.sent: list[Sent] = []
        self.failures: list[str] = []  # what no trace should do
        self.unknown = 0  # frames for a request that the gateway has forgotten
        self.client = Client(self.news)
        self.links: dict[str, HeldLink] = {}
        self.runners: dict[str, RunnerClient] = {}
        self.entry: SocketEntry | None = None
        self.generations: dict[int, str] = {}  # of the actor, and on which side each began
        self._generation = 0
        self._changed = asyncio.Event()
        self._folder = tempfile.TemporaryDirectory(prefix="tunnelreplay-")
        self._store_path = Path(self._folder.name) / "actors.sqlite"
        self.store = Store(self._store_path)
        self._stores = [self.store]
        self._reader = sqlite3.connect(self._store_path)
        self.gateway = TracedGateway(
            self.clock, self.limits, self._log, observer=partial(self._observe, GATEWAY), tables=tables
        )
        self.router = Router(lambda: self.gateway.links.values(), self.gateway.actor_started)
        self.gateway.directory = self.router
        self._server = GatewayServer(self.gateway)
        self._url = ""

    async def __aenter__(self) -> Rig:
        self._url = f"ws://127.0.0.1:{await self._server.start('127.0.0.1', 0)}"
        for side in self.sides:
            link = self.links[side] = HeldLink(self._url, self.news, partial(self._note, side))
            await link.listen()
            await self.launch(side)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.break_()
        for link in self.links.values():
            await link.close()
        for runner in self.runners.values():
            await self._bury(runner)
        await self._server.stop()
        self._reader.close()
        for store in self._stores:
            store.close()
        self._folder.cleanup()

    def depart(self, tables: Tables, limits: Limits) -> None:
        """From now on, run these."""
        self.tables, self.limits = tables, scaled(limits)
        self.gateway.tables, self.gateway.limits = tables, self.limits
        for runner in self.runners.values():
            runner.runner.tables, runner.runner.limits = tables, self.limits
        if self.entry is not None:
            self.entry.run_on(tables.gateway, self.limits)

    @property
    def freed(self) -> bool:
        """Whether the gateway has done with the client's socket."""
        return self.entry is not None and self.gateway.request_id not in self.gateway.entries

    # -- waiting -----------------------------------------------------------------------------------------------------

    def news(self) -> None:
        """Something happened: whoever waits is to look again."""
        self._changed.set()

    async def until(self, done: Callable[[], bool], what: str) -> None:
        """Wait until it is so. Raises ``Stuck``."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not done():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise Stuck(f"in {PATIENCE_S:.0f} s the reference did not do this: {what}") from None

    async def settle(self) -> None:
        """Wait until all that anybody wrote has come to where it is held."""
        await asyncio.gather(self.client.barrier(), *(link.barrier() for link in self.links.values()))

    # -- the parties -------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        """The client connects."""
        await self.client.connect(self._url, ACTOR)

    def runner(self, side: str) -> PacedRunner:
        """The runner that lives on this side now."""
        core = self.runners[side].runner
        assert isinstance(core, PacedRunner)
        return core

    def adapter(self, side: str) -> Adapter | None:
        """What the runner keeps for the client's socket."""
        found = self.runner(side).entries.get(self.gateway.request_id)
        assert found is None or isinstance(found, Adapter)
        return found

    def link_number(self, side: str) -> int:
        """The gateway's number for the side's link, or 0 if it has none."""
        return max((n for n, link in self.gateway.links.items() if link.runner_key == side), default=0)

    async def launch(self, side: str) -> None:
        """A runner's process begins, and joins."""
        store = Store(self._store_path)
        self._stores.append(store)
        self.runners[side] = RunnerClient(
            f"ws://127.0.0.1:{self.links[side].port}", {ACTOR: self.actor}, store, self.limits, self._log, side,
            observer=partial(self._observe, side), tables=self.tables, clock=self.clock, make=PacedRunner,
        )  # fmt: skip
        await self._joined(side)

    async def kill(self, side: str) -> None:
        """A runner's process dies; the gateway has yet to notice."""
        self.runner(side).gone = True
        self.links[side].cut_runner()
        await self._bury(self.runners[side])

    async def rejoin(self, side: str) -> None:
        """A runner that lost its link dials again; one that died begins anew."""
        core = self.runner(side)
        if core.gone:
            await self.launch(side)
        else:
            fire(core, RedialDue)
            await self._joined(side)

    def durable(self) -> tuple[int, dict[str, int]]:
        """The actor's generation, and what it wrote."""
        row = self._reader.execute("SELECT generation, state FROM actors WHERE id = ?", (ACTOR,)).fetchone()
        return (0, {}) if row is None else (row[0], json.loads(row[1]) or {})

    def start_actor(self, side: str) -> None:
        """The actor's next life begins on this side."""
        self._generation += 1
        self.generations[self._generation] = side
        runner = self.runner(side)
        runner.asked = None
        runner.command(CommandStartActor(ACTOR, self._generation, ActorConfig(ACTOR, None, self.clock.unix_ms(), None)))

    async def _joined(self, side: str) -> None:
        def ready() -> bool:
            number = self.link_number(side)
            return number > 0 and self.gateway.links[number].admitted and core.local("link").state == "ready"

        core = self.runner(side)
        await self.until(ready, f"runner {side} joins")

    async def _bury(self, runner: RunnerClient) -> None:
        runner.runner.gone = True
        tasks = list(runner.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- what happens ------------------------------------------------------------------------------------------------

    def _observe(self, where: str, driver: Driver, before: State, event: Any, outcome: Outcome) -> None:
        after, outputs, path = outcome
        if where == GATEWAY:
            if isinstance(driver, SocketEntry):
                self.entry = driver
                self.heard.append(Heard(where, driver, before, event, after, outputs, path.steps))
        elif isinstance(driver, Adapter) and not driver.runner.gone:
            self.heard.append(Heard(where, driver, before, event, after, outputs, path.steps))
        self.news()

    def _note(self, side: str, way: str, data: bytes) -> None:
        self.sent.append(Sent(side, way, data))

    def _log(self, event: str, **fields: Any) -> None:
        self.unknown += event == "unknown_request"
        if event in ("actor_failed", "bad_frame", "wrong_kind"):
            self.failures.append(f"{event}: {fields}")
        self.news()


def other(side: str) -> str:
    """The other side."""
    return SIDES[1 - SIDES.index(side)]
