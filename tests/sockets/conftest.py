"""A real gateway and a real runner, each a process, on loopback ports picked free."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

EXAMPLES = "tunnelref.runner.examples"
ACTORS = ("Echo", "PlainEcho", "Counter", "Chat")


@dataclass(frozen=True)
class Running:
    """Where the gateway listens."""

    url: str
    http: str


def start(*arguments: str) -> subprocess.Popen[str]:
    """A ``tunnelspec`` command as a process in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tunnelcli.main", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def end(process: subprocess.Popen[str]) -> int:
    """Ask it to stop; its exit code."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
    try:
        process.communicate(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return process.returncode


def until(process: subprocess.Popen[str], event: str) -> dict[str, str]:
    """Read its log until something happened."""
    assert process.stderr is not None
    for line in process.stderr:
        record: dict[str, str] = json.loads(line)
        if record["event"] == event:
            return record
    raise AssertionError(f"the process ended before {event}")


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Gateway and runner; both must end with 0 when they are told to stop."""
    folder: Path = tmp_path_factory.mktemp("actors")
    gateway = start("gateway")
    runner = None
    try:
        assert gateway.stdout is not None
        told = json.loads(gateway.stdout.readline())
        actors = [word for name in ACTORS for word in ("--actor", f"{EXAMPLES}:{name}")]
        runner = start("runner", "--gateway", told["url"], "--db", str(folder / "db.sqlite"), *actors)
        until(gateway, "runner_joined")
        yield Running(told["url"], told["http"])
    finally:
        codes = [end(process) for process in (runner, gateway) if process is not None]
    assert codes == [0, 0]
