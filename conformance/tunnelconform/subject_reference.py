"""The reference as a subject: ``tunnelspec gateway`` in a process group of its own."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tunnelconform.process import Child
from tunnelconform.subject import Door, Nature, Place, SubjectError
from tunnelspec.limits import DEFAULT, Limits

SHORT: Mapping[str, int] = {
    "open_timeout_ms": 2_300,
    "response_timeout_ms": 2_300,
    "backoff_ms": 250,
    "gc_interval_ms": 150,
    "ack_timeout_ms": 2_600,
    "max_hibernation_ms": 2_600,
    "init_timeout_ms": 2_300,
    "lost_threshold_ms": 2_600,
    "ping_interval_ms": 300,
    "max_retries": 1,
    "max_pending_messages": 24,
    "max_pending_bytes": 8_192,
}
"""Limits that make every wait a short one, and longer than a gateway may take for anything: or that would explain a silence."""


TOKEN = "conform"
"""What it wants of runners."""


class ReferenceGateway:
    """The reference gateway. ``options``: further flags of ``tunnelspec gateway``."""

    def __init__(self, limits: Mapping[str, int] = SHORT, options: Sequence[str] = ()) -> None:
        self.name = "reference"
        self.limits: Limits = replace(DEFAULT, **limits)
        flags = [word for name, value in limits.items() for word in ("--" + name.replace("_", "-"), str(value))]
        self._child = Child([sys.executable, "-m", "tunnelcli.main", "gateway", "--token", TOKEN, *flags, *options])
        self._address = self._http = ""
        self._places = itertools.count(1)

    async def start(self) -> Nature:
        line = await self._child.start()
        try:
            said = json.loads(line)
            self._address, self._http = said["url"].removeprefix("ws://"), said["http"]
        except (ValueError, KeyError) as error:
            raise SubjectError(f"the reference said {line!r}, and not where it listens") from error
        return Nature(self.limits)

    async def stop(self) -> None:
        await self._child.stop()

    async def alive(self) -> bool:
        def ask() -> bool:
            try:
                with urllib.request.urlopen(f"http://{self._address}/health", timeout=5) as response:
                    return bool(response.status == 200)
            except OSError:
                return False

        return self._child.running and await asyncio.to_thread(ask)

    async def place(self) -> Place:
        """Each with room for its one actor. By turns the peers name what they want in the path, or in sub-protocols and in another
        namespace."""
        number = next(self._places)
        name = f"actor{number}"
        path, namespace = ("/runners/connect", "default") if number % 2 else ("/", "other")
        protocols = ("rivet", "rivet_target.runner", f"rivet_token.{TOKEN}")
        url = f"ws://{self._address}{path}"
        return Place(url, protocols, namespace, actor_names=(name,), slots=1, data={"actor": name})

    async def door(self, place: Place) -> Door:
        actor, headers = place.data["actor"], (("x-conform", place.namespace),)
        requests = f"{self._http}/request/{actor}"
        if place.namespace == "default":
            return Door(
                f"ws://{self._address}/ws/{actor}/conform", request_url=requests, path="/conform", headers=headers
            )
        query = f"namespace={place.namespace}"
        path = f"/conform?{query}"
        protocols = ("rivet", "rivet_target.actor", f"rivet_actor.{actor}")
        url = f"ws://{self._address}{path}"
        return Door(url, protocols, request_url=requests, request_query=query, path=path, headers=headers)
