"""Runners as subjects: a program that dials the suite's own gateway."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tunnelconform.hub import Hub
from tunnelconform.process import Child
from tunnelconform.subject import SubjectError
from tunnelspec.limits import DEFAULT, Limits

PATIENCE_S = 20.0
SHORT_RUNNER: Mapping[str, int] = {
    "runner_gc_interval_ms": 150,
    "runner_ack_timeout_ms": 2_600,
    "max_hibernation_ms": 2_600,
    "ping_interval_ms": 300,
    "reconnect_ms": 50,
}
"""Limits that make every wait a short one, and longer than a runner may take for anything: or that would explain a silence."""


class CommandRunner:
    """A runner that is started by a command, or, without one, by somebody else, and dials ``listen``."""

    def __init__(
        self, command: Sequence[str], limits: Limits = DEFAULT, listen: str = "127.0.0.1:0", name: str = ""
    ) -> None:
        self.name = name or (command[0] if command else listen)
        self.limits = limits
        self._command, self._listen = list(command), listen
        self._hub: Hub | None = None
        self._child: Child | None = None

    async def start(self) -> Hub:
        """Listen, start the program, and wait until it has introduced itself. Raises ``SubjectError``, ``OSError``."""
        self._hub = Hub(self.limits)
        host, _, port = self._listen.rpartition(":")
        url = await self._hub.start(host, int(port))
        if self._command:
            command = [word.replace("{url}", url) for word in self._command]
            self._child = Child(command, {"TUNNELSPEC_GATEWAY": url}, quiet=True)
            await self._child.start()
        else:
            print(f"waiting for a runner on {url}", file=sys.stderr, flush=True)
        try:
            async with asyncio.timeout(PATIENCE_S if self._command else None):
                await self._hub.up.wait()
        except TimeoutError:
            assert self._child is not None
            raise SubjectError(
                f"{self.name} did not dial {url} in {PATIENCE_S:.0f} s. {self._child.errors()}"
            ) from None
        return self._hub

    async def stop(self) -> None:
        if self._child is not None:
            if not self._child.running and (said := self._child.errors()):
                print(
                    f"{self.name} has ended by itself; the last that it printed:\n{said}", file=sys.stderr, flush=True
                )
            await self._child.stop()
        if self._hub is not None:
            await self._hub.stop()

    async def alive(self) -> bool:
        """Whether it runs, and was heard of lately or is dialling."""
        if self._hub is None or (self._child is not None and not self._child.running):
            return False
        return (
            not self._hub.up.is_set() or time.monotonic() - self._hub.last_ping < self.limits.lost_threshold_ms / 1000
        )


def reference_runner(limits: Mapping[str, int] = SHORT_RUNNER, options: Sequence[str] = ()) -> CommandRunner:
    """The reference runner, which hosts the test actor."""
    flags = [word for name, value in limits.items() for word in ("--" + name.replace("_", "-"), str(value))]
    actors = ["--actor", "test=tunnelconform.actor:Test", "--actor", "plain=tunnelconform.actor:Plain"]
    command = [sys.executable, "-m", "tunnelcli.main", "runner", "--gateway", "{url}", "--slots", "100000"]
    return CommandRunner([*command, *actors, *flags, *options], replace(DEFAULT, **limits), name="reference")
