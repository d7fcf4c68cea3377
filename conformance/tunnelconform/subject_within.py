"""The reference on real sockets, in this process: many of it at once, each with tables of its own. To test the suite itself."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tunnelconform.actor import Plain, Test
from tunnelconform.around_runner import HIBERNATING, PLAIN
from tunnelconform.hub import Hub
from tunnelconform.subject import Door, Nature, Place
from tunnelconform.subject_reference import SHORT
from tunnelconform.subject_runner import SHORT_RUNNER
from tunnelref.clock import LoopClock
from tunnelref.gateway.core import Gateway
from tunnelref.gateway.http import HttpServer
from tunnelref.gateway.server import GatewayServer
from tunnelref.runner.client import RunnerClient
from tunnelref.runner.store import Store
from tunnelspec.deviations import Deviation, depart
from tunnelspec.endpoint import TABLES
from tunnelspec.limits import DEFAULT, Limits

SLOTS = 10_000
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


class RunnerWithin:
    """A reference runner that departs from the tables, with a gateway of the suite's for it alone."""

    def __init__(self, deviations: Sequence[Deviation] = ()) -> None:
        self.limits: Limits = replace(DEFAULT, **SHORT_RUNNER)
        self._tables, self._lives_by = depart(TABLES, self.limits, deviations)
        self._store: Store | None = None
        self._client: RunnerClient | None = None
        self._hub: Hub | None = None

    async def start(self) -> Hub:
        """Listen, and let the runner dial."""
        self._hub, self._store = Hub(self.limits), Store()
        url = await self._hub.start()
        classes = {HIBERNATING: Test, PLAIN: Plain}
        self._client = RunnerClient(
            url, classes, self._store, self._lives_by, lambda event, **fields: None, f"within-{next(_keys)}", slots=SLOTS,
            tables=self._tables,
        )  # fmt: skip
        await self._hub.up.wait()
        return self._hub

    async def stop(self) -> None:
        if self._client is not None:
            self._client.stop()
            await self._client.gone.wait()
        if self._store is not None:
            self._store.close()
        if self._hub is not None:
            await self._hub.stop()
