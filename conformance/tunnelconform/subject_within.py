"""The reference on real sockets, in this process: many of it at once, each with tables of its own. To test the suite itself."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tunnelconform.actor import Plain, Test
from tunnelconform.around_runner import HIBERNATING, PLAIN
from tunnelconform.hub import Hub
from tunnelconform.subject import Door, Nature, Place
from tunnelconform.subject_reference import SHORT
from tunnelconform.subject_runner import SHORT_RUNNER
from tunnelref.clock import LoopClock
from tunnelref.driver import Driver
from tunnelref.gateway.core import Gateway
from tunnelref.gateway.http import HttpServer
from tunnelref.gateway.server import GatewayServer
from tunnelref.runner.client import RunnerClient
from tunnelref.runner.store import Store
from tunnelspec.compiled import Outcome
from tunnelspec.deviations import Deviation, depart
from tunnelspec.endpoint import TABLES, State, Tables
from tunnelspec.limits import DEFAULT, Limits

SLOTS = 10_000
STOPS_S = 1.0
_keys = itertools.count(1)


class GatewayWithin:
    """A reference gateway that departs from the tables."""

    def __init__(self, deviations: Sequence[Deviation] = (), limits: Mapping[str, int] = SHORT) -> None:
        self.name = "reference within"
        self.limits: Limits = replace(DEFAULT, **limits)
        self._tables, self._lives_by = depart(TABLES, self.limits, deviations)
        self._server: GatewayServer | None = None
        self._requests: HttpServer | None = None
        self._address = self._http = ""
        self._places = itertools.count(1)

    async def start(self) -> Nature:
        gateway = Gateway(LoopClock(), self._lives_by, tables=self._tables)
        self._server, self._requests = GatewayServer(gateway), HttpServer(gateway)
        self._address = f"127.0.0.1:{await self._server.start('127.0.0.1', 0)}"
        self._http = f"http://127.0.0.1:{await self._requests.start('127.0.0.1', 0)}"
        return Nature(self.limits)

    async def stop(self) -> None:
        if self._requests is not None:
            await self._requests.stop()
        if self._server is not None:
            await self._server.stop()

    async def alive(self) -> bool:
        return self._server is not None

    async def place(self) -> Place:
        name = f"actor{next(self._places)}"
        return Place(f"ws://{self._address}/runners/connect", actor_names=(name,), data={"actor": name})

    async def door(self, place: Place) -> Door:
        actor = place.data["actor"]
        return Door(f"ws://{self._address}/ws/{actor}/conform", request_url=f"{self._http}/request/{actor}")


class Within:
    """A reference runner that departs from the tables; from those of its link once it is welcomed, or nobody would ever see it."""

    def __init__(self, url: str, tables: Tables, limits: Limits) -> None:
        self._tables, self._limits = tables, limits
        self._departs = tables.link_runner is not TABLES.link_runner
        self._store = Store()
        self._client: RunnerClient | None = None
        self._client = RunnerClient(
            url, {HIBERNATING: Test, PLAIN: Plain}, self._store, limits, lambda event, **fields: None, f"within-{next(_keys)}",
            slots=SLOTS, tables=replace(tables, link_runner=TABLES.link_runner), observer=self._see,
        )  # fmt: skip

    def _see(self, driver: Driver, before: State, event: Any, outcome: Outcome) -> None:
        mine = self._departs and self._client is not None and driver is self._client.runner
        if mine and driver.local("link").state == "ready":
            self._departs = False
            asyncio.get_running_loop().call_soon(driver.run_on, self._tables.link_runner, self._limits)

    @property
    def running(self) -> bool:
        return self._client is not None and not self._client.gone.is_set()

    def terminate(self) -> None:
        if self._client is not None:
            self._client.stop()

    async def stop(self) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        client.runner.run_on(TABLES.link_runner, self._limits)
        client.stop()
        try:
            async with asyncio.timeout(STOPS_S):
                await client.gone.wait()
        except TimeoutError:  # by tables that depart it may have come to where no stop is heard
            for task in list(client.tasks):
                task.cancel()
        self._store.close()


class RunnerWithin:
    """Such a runner, with a gateway of the suite's for it alone."""

    def __init__(self, deviations: Sequence[Deviation] = ()) -> None:
        self.limits: Limits = replace(DEFAULT, **SHORT_RUNNER)
        self._tables, self._lives_by = depart(TABLES, self.limits, deviations)
        self._runner: Within | None = None
        self._hub: Hub | None = None

    async def start(self) -> Hub:
        """Listen, and let the runner dial."""
        self._hub = Hub(self.limits)
        self._runner = await self.another(await self._hub.start())
        await self._hub.up.wait()
        return self._hub

    async def another(self, url: str) -> Within:
        """A further one, which dials that URL."""
        return Within(url, self._tables, self._lives_by)

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.stop()
        if self._hub is not None:
            await self._hub.stop()
