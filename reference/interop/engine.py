"""The production engine as a child process: telemetry off, loopback only, everything it writes in a temporary folder."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PATIENCE_S = 30.0


class EngineError(RuntimeError):
    """The engine is not installed, did not start, or refused what it was asked."""


def binary() -> str:
    """Where npm put it. Raises ``EngineError``."""
    script = "console.log(require('@rivetkit/engine-cli').getEnginePath())"
    done = subprocess.run(["node", "-e", script], cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EngineError(f"the engine is not installed (make interop does that): {done.stderr.strip()[-300:]}")
    return done.stdout.strip()


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody has."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class EngineBusyError(EngineError):
    """The engine is not ready yet: it answered 500, or that its own default namespace does not exist."""


class Engine:
    """One engine, in a process group of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port, api_port, metrics_port = free_ports(3)
        self.config = {
            "telemetry": {"enabled": False},
            "guard": {"host": "127.0.0.1", "port": self.port},
            "api_peer": {"host": "127.0.0.1", "port": api_port},
            "metrics": {"host": "127.0.0.1", "port": metrics_port},
            "file_system": {"path": str(folder / "data")},
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it, and wait until it answers. Raises ``EngineError``."""
        path = self.folder / "config.json"
        path.write_text(json.dumps(self.config))
        home = self.folder / "home"
        home.mkdir()
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [binary(), "--config", str(path), "start"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "HOME": str(home)},
            )  # fmt: skip
        async with asyncio.timeout(PATIENCE_S):
            while not await self._answers():
                if self.process.poll() is not None:
                    raise EngineError(f"the engine ended with {self.process.returncode}: {self.log()}")
                await asyncio.sleep(0.05)  # it tells nobody when it is ready

    def stop(self) -> None:
        """End it by its process group."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()

    def log(self) -> str:
        """The end of what it printed."""
        return (self.folder / "log").read_text(errors="replace")[-800:]

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request to its HTTP API. Raises ``EngineError``.

        For a moment after it says that it is healthy, the engine still answers 500, or does not know the namespace that it
        makes for itself: it is asked again.
        """
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    return await asyncio.to_thread(self._call, method, path, body)
                except EngineBusyError:
                    await asyncio.sleep(0.1)  # it tells nobody when it is ready

    def _call(self, method: str, path: str, body: Any) -> Any:
        request = urllib.request.Request(
            f"http://{self.url}{path}",
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
            raise (EngineBusyError if early else EngineError)(f"{method} {path}: {error.code} {said}") from None

    async def _answers(self) -> bool:
        def ask() -> bool:
            try:
                with urllib.request.urlopen(f"http://{self.url}/health", timeout=1) as response:
                    return bool(response.status == 200)
            except OSError:
                return False

        return await asyncio.to_thread(ask)
