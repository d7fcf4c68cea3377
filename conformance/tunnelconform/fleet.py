"""Runners for conversations that need one to themselves: each is started when it is needed, and again when it has stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from tunnelconform.landing import Landing
from tunnelconform.subject import SubjectError

SIZE = 6
"""So many run at once."""

COMES_S = 20.0
"""A runner that was started is welcomed within this."""

COMES_AGAIN_S = 2.0
"""One that was left by the conversation before dials again within this, or is taken for stopped."""


class Instance(Protocol):
    """A runner that was started."""

    @property
    def running(self) -> bool: ...

    def terminate(self) -> None:
        """Tell it to stop."""

    async def stop(self) -> None:
        """End it, by force if it does not go."""


class Ship:
    """A runner, and where it dials."""

    def __init__(self) -> None:
        self.landing = Landing()
        self.url = ""
        self.instance: Instance | None = None


class Fleet:
    """``start`` starts a runner that dials a URL."""

    def __init__(self, start: Callable[[str], Awaitable[Instance]], size: int = SIZE) -> None:
        self._start = start
        self._ships = [Ship() for _ in range(size)]
        self._free: asyncio.LifoQueue[Ship] = asyncio.LifoQueue()
        for ship in self._ships:
            self._free.put_nowait(ship)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Ship]:
        """A runner whose link is up and welcomed; nobody else has it meanwhile. Raises ``SubjectError``, ``OSError``."""
        ship = await self._free.get()
        try:
            await self._ready(ship)
            yield ship
        finally:
            self._free.put_nowait(ship)

    async def _ready(self, ship: Ship) -> None:
        if not ship.url:
            ship.url = await ship.landing.start()
        if ship.instance is not None and await _comes(ship, COMES_AGAIN_S):
            return
        if ship.instance is not None:
            await ship.instance.stop()
        ship.instance = await self._start(ship.url)
        if not await _comes(ship, COMES_S):
            raise SubjectError(f"a further runner did not dial {ship.url} in {COMES_S:.0f} s")

    async def stop(self) -> None:
        for ship in self._ships:
            if ship.instance is not None:
                await ship.instance.stop()
            await ship.landing.stop()


async def _comes(ship: Ship, patience_s: float) -> bool:
    """Whether its link is up in time; one that has ended does not come."""
    end = asyncio.get_running_loop().time() + patience_s
    while ship.instance is not None and ship.instance.running and asyncio.get_running_loop().time() < end:
        try:
            async with asyncio.timeout(0.1):  # so often one looks whether it still runs
                await ship.landing.up.wait()
            return True
        except TimeoutError:
            pass
    return False
