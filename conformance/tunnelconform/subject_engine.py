"""The production engine as a subject: `@rivetkit/engine-cli` from npm, telemetry off, on loopback, in a temporary folder."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tunnelconform.process import Child
from tunnelconform.subject import Door, Nature, Place, SubjectError
from tunnelspec.limits import DEFAULT

PATIENCE_S = 30.0
GRACE_MS = 10_000
"""It welcomes a runner and makes an actor through a data base, which takes its time on a busy machine."""

SIDE_BY_SIDE = 6
"""With many more the engine takes the machine, and the suite's own steps come so late that a wait of the engine's may always have
ended before: then nearly everything is allowed."""

MADE_AT_ONCE = 8
"""It takes its time to make an actor: with many more at once, clients wait longer than the suite does."""

MANY = 40
"""So many actors it makes in the time that the suite waits for one, while they all run."""

FOLDER = "TUNNELSPEC_ENGINE"
"""The environment variable that names the folder with ``node_modules`` in which the engine is installed."""

SHORT_ENGINE: Mapping[str, int] = {
    "runner_lost_threshold": 2_000,
    "runner_eligible_threshold": 1_500,
    "gateway_hws_message_ack_timeout_ms": 8_000,
    "gateway_gc_interval_ms": 500,
    "runner_update_ping_interval_ms": 500,
    "base_retry_timeout": 200,
    "gateway_tunnel_ping_timeout_ms": 15_000,
    "gateway_websocket_open_timeout_ms": 1_500,
    "gateway_response_start_timeout_ms": 1_500,
    "gateway_hws_max_pending_size": 65_536,
}
"""Its own names for its waits, and what shortens them."""

USUAL_ENGINE: Mapping[str, int] = {
    "runner_lost_threshold": 15_000,
    "gateway_hws_message_ack_timeout_ms": 30_000,
    "gateway_gc_interval_ms": 15_000,
    "gateway_websocket_open_timeout_ms": 15_000,
    "gateway_response_start_timeout_ms": 300_000,
    "gateway_hws_max_pending_size": 128 << 20,
}
"""What it takes if it is told nothing (seen; the last one is documented; of the wait for a response only that it is longer than any
conversation waits)."""

EVERY_WORKFLOW = ((0, 1_000), (1_000, 999))
"""From (so much of the machine's time taken, this share of workflows is begun) to the same, in thousandths. By default the engine
begins a twentieth of them where the machine is nine tenths busy, whoever it is busy with: then no runner is welcomed and no
actor made, and nothing is learnt about the protocol."""

FIXED: Mapping[str, int] = {"max_retries": 7, "backoff_ms": 150}
"""What its guard does, and no setting changes: eight tries, 150 ms apart and then twice as long each time (seen)."""

OURS: Mapping[str, str] = {
    "runner_lost_threshold": "lost_threshold_ms",
    "gateway_hws_message_ack_timeout_ms": "ack_timeout_ms",
    "gateway_gc_interval_ms": "gc_interval_ms",
    "gateway_websocket_open_timeout_ms": "open_timeout_ms",
    "gateway_response_start_timeout_ms": "response_timeout_ms",
    "gateway_hws_max_pending_size": "max_pending_bytes",
}
"""Its names, and those of the tables."""


class BusyError(SubjectError):
    """It is not ready yet: it answered 500, or that its own default namespace does not exist."""


def binary() -> str:
    """Where npm put it. Raises ``SubjectError``."""
    folder = os.environ.get(FOLDER, "reference/interop")
    node = shutil.which("node")
    if node is None:
        raise SubjectError("node is needed to find the engine")
    command = [node, "-e", "console.log(require('@rivetkit/engine-cli').getEnginePath())"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except OSError as error:
        raise SubjectError(f"{FOLDER}: {error}") from error
    if done.returncode:
        raise SubjectError(
            f"the engine is not installed in {folder} (name another with {FOLDER}): {done.stderr.strip()[-300:]}"
        )
    return done.stdout.strip()


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody has."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for one in sockets:
        one.close()
    return ports


class EngineGateway:
    """One engine. Each place has a runner name of its own, each door an actor of its own."""

    def __init__(self, waits: Mapping[str, int] = SHORT_ENGINE) -> None:
        self.name = "engine"
        self._waits = dict(waits)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._child: Child | None = None
        self._port = 0
        self._places = itertools.count(1)
        self._tasks: set[asyncio.Future[None]] = set()
        self._room = asyncio.Semaphore(MADE_AT_ONCE)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    async def start(self) -> Nature:
        path = await asyncio.to_thread(binary)
        self._folder = tempfile.TemporaryDirectory(prefix="tunnelspec-engine-")
        folder = Path(self._folder.name)
        self._port, api, metrics = free_ports(3)
        config: dict[str, Any] = {
            "telemetry": {"enabled": False},
            "guard": {"host": "127.0.0.1", "port": self._port},
            "api_peer": {"host": "127.0.0.1", "port": api},
            "metrics": {"host": "127.0.0.1", "port": metrics},
            "file_system": {"path": str(folder / "data")},
            "runtime": {"worker_load_shedding_curve": EVERY_WORKFLOW},
        }
        if self._waits:
            config["pegboard"] = self._waits
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "home").mkdir()
        self._child = Child(
            [path, "--config", str(folder / "config.json"), "start"], {"HOME": str(folder / "home")}, quiet=True
        )
        await self._child.start()
        end = asyncio.get_running_loop().time() + PATIENCE_S
        while not await self.alive():
            if not self._child.running or asyncio.get_running_loop().time() > end:
                raise SubjectError(f"the engine did not start: {self._child.errors()}")
            await asyncio.sleep(0.05)  # it tells nobody when it is ready
        waits = {**USUAL_ENGINE, **self._waits}
        ours = {OURS[name]: value for name, value in waits.items() if name in OURS}
        limits = replace(DEFAULT, **ours, **FIXED)
        return Nature(limits, {}, runner_first=True, grace_ms=GRACE_MS, side_by_side=SIDE_BY_SIDE, many=MANY)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._child is not None:
            await self._child.stop()
        if self._folder is not None:
            self._folder.cleanup()

    async def alive(self) -> bool:
        def ask() -> bool:
            try:
                with urllib.request.urlopen(f"http://{self.address}/health", timeout=5) as response:
                    return bool(response.status == 200)
            except OSError:
                return False

        return self._child is not None and self._child.running and await asyncio.to_thread(ask)

    async def place(self) -> Place:
        name = f"conform{next(self._places)}"
        await self.call(
            "PUT", f"/runner-configs/{name}?namespace=default", {"datacenters": {"default": {"normal": {}}}}
        )
        return Place(f"ws://{self.address}/runners/connect", ("rivet",), "default", name, ("t",), {"name": name})

    async def door(self, place: Place) -> Door:
        actor = {
            "name": "t",
            "key": None,
            "input": None,
            "runner_name_selector": place.data["name"],
            "crash_policy": "sleep",
        }
        made = await self.call("POST", "/actors?namespace=default", actor)
        id_ = made["actor"]["actor_id"]
        protocols = ("rivet", "rivet_target.actor", f"rivet_actor.{id_}")
        return Door(
            f"ws://{self.address}/ws",
            protocols,
            lambda: self._destroy(id_),
            f"http://{self.address}/request",
            (("x-rivet-target", "actor"), ("x-rivet-actor", id_)),
        )

    def _destroy(self, actor: str) -> None:
        """An actor without a runner is looked after for ever: hundreds of them would keep it busy."""

        async def destroy() -> None:
            with suppress(SubjectError, OSError):
                await self.call("DELETE", f"/actors/{actor}?namespace=default", None)

        task = asyncio.ensure_future(destroy())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def call(self, method: str, path: str, body: Any) -> Any:
        """One request to its HTTP API; others wait while it has enough to do. Raises ``SubjectError``.

        Just after it says that it is healthy it is not: then it is asked again.
        """
        try:
            async with self._room, asyncio.timeout(PATIENCE_S):
                while True:
                    try:
                        return await asyncio.to_thread(self._request, method, path, body)
                    except BusyError:
                        await asyncio.sleep(0.1)  # it tells nobody when it is ready
        except TimeoutError:
            raise SubjectError(f"{method} {path}: no answer in {PATIENCE_S:.0f} s") from None

    def _request(self, method: str, path: str, body: Any) -> Any:
        request = urllib.request.Request(
            f"http://{self.address}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            said = error.read().decode(errors="replace")[:300]
            early = error.code >= 500 or '"group":"namespace","code":"not_found"' in said
            raise (BusyError if early else SubjectError)(f"{method} {path}: {error.code} {said}") from None
