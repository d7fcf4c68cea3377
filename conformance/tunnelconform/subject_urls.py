"""A gateway that somebody else runs, named by its URLs."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from urllib.parse import urlsplit

from tunnelconform.subject import Door, Nature, Place
from tunnelspec.limits import Limits


class UrlGateway:
    """``{actor}`` in the client's URL stands for an actor's name; without it, all clients have the same actor."""

    def __init__(self, client_url: str, runner_url: str, limits: Limits) -> None:
        self.name = urlsplit(client_url).netloc
        self._client, self._runner, self._limits = client_url, runner_url, limits
        self._places = itertools.count(1)

    async def start(self) -> Nature:
        return Nature(self._limits)

    async def stop(self) -> None:
        """It is not ours to stop."""

    async def alive(self) -> bool:
        parts = urlsplit(self._client)
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(5):
                _, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
                writer.close()
                return True
        return False

    async def place(self) -> Place:
        name = f"actor{next(self._places)}"
        return Place(self._runner, actor_names=(name,), data={"actor": name})

    async def door(self, place: Place) -> Door:
        return Door(self._client.replace("{actor}", place.data["actor"]))
