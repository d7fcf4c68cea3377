"""A gateway that somebody else runs, named by its URLs."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from urllib.parse import urlsplit

from tunnelconform.subject import Door, Nature, Place
from tunnelspec.limits import Limits

ABOUT_REQUESTS = ("REQ-G-*", "RELAY-G-10/*", "*-http-at-*", "walk/request-*")
"""The cases about plain requests."""


class UrlGateway:
    """``{actor}`` in the clients' URLs stands for an actor's name; without it, all clients have the same actor. Without a URL for
    plain requests, there are none."""

    def __init__(self, client_url: str, runner_url: str, limits: Limits, request_url: str = "") -> None:
        self.name = urlsplit(client_url).netloc
        self._client, self._runner, self._limits, self._requests = client_url, runner_url, limits, request_url
        self._places = itertools.count(1)

    async def start(self) -> Nature:
        return Nature(self._limits, {} if self._requests else dict.fromkeys(ABOUT_REQUESTS, "no --http URL was given"))

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
        client_url, request_url = (
            url.replace("{actor}", place.data["actor"]) for url in (self._client, self._requests)
        )
        return Door(client_url, request_url=request_url)
