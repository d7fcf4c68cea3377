"""Runners as subjects: a program that dials the suite's own gateway."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from tunnelconform.hub import Hub
from tunnelconform.process import Child
from tunnelconform.subject import SubjectError
from tunnelspec.limits import DEFAULT, Limits

PATIENCE_S = 20.0
DIES_S = 0.3
"""So long a program may take to end once it has hung up, its last words included."""

SHORT_RUNNER: Mapping[str, int] = {
    "runner_gc_interval_ms": 150,
    "runner_ack_timeout_ms": 2_600,
    "max_hibernation_ms": 2_600,
    "ping_interval_ms": 300,
    "reconnect_ms": 50,
}
"""Limits that make every wait a short one, and longer than a runner may take for anything: or that would explain a silence."""


class Seat:
    """One runner and its gateway. Without a command, somebody else starts the runner."""

    def __init__(self, name: str, command: Sequence[str], limits: Limits, listen: str) -> None:
        self.hub = Hub(limits)
        self._name, self._command, self._limits, self._listen = name, command, limits, listen
        self._child: Child | None = None

    async def start(self) -> None:
        """Listen, start the program, and wait until it has introduced itself. Raises ``SubjectError``, ``OSError``."""
        host, _, port = self._listen.rpartition(":")
        url = await self.hub.start(host, int(port))
        if self._command:
            command = [word.replace("{url}", url) for word in self._command]
            self._child = Child(command, {"TUNNELSPEC_GATEWAY": url}, quiet=True)
            await self._child.start()
        else:
            print(f"waiting for a runner on {url}", file=sys.stderr, flush=True)
        try:
            async with asyncio.timeout(PATIENCE_S if self._command else None):
                await self.hub.up.wait()
        except TimeoutError:
            assert self._child is not None
            raise SubjectError(
                f"{self._name} did not dial {url} in {PATIENCE_S:.0f} s. {self._child.errors()}"
            ) from None

    async def stop(self) -> None:
        if self._child is not None:
            if not self._child.running and (said := self._child.errors()):
                print(
                    f"{self._name} has ended by itself; the last that it printed:\n{said}", file=sys.stderr, flush=True
                )
            await self._child.stop()
        await self.hub.stop()

    async def alive(self) -> bool:
        """Whether it runs, and was heard of lately or is dialling. One that hangs up may be about to end: that takes a moment."""
        if self._child is not None and not self.hub.up.is_set() and await self._child.ends_within(DIES_S):
            return False
        if self._child is not None and not self._child.running:
            return False
        return not self.hub.up.is_set() or time.monotonic() - self.hub.last_ping < self._limits.lost_threshold_ms / 1000


class CommandRunner:
    """A runner that is started by a command, or, without one, by somebody else, and dials ``listen``. ``spares``: how many more are
    started by the command, for conversations that break the link of theirs."""

    def __init__(
        self,
        command: Sequence[str],
        limits: Limits = DEFAULT,
        listen: str = "127.0.0.1:0",
        name: str = "",
        spares: int = 0,
    ) -> None:
        self.name = name or (command[0] if command else listen)
        self.command, self.listen, self.limits = list(command), listen, limits
        self.spares = spares if command else 0
        self._seats = [Seat(self.name, self.command, limits, listen) for _ in range(1 + self.spares)]
        self._free: asyncio.Queue[Seat] = asyncio.Queue()

    async def start(self) -> Hub:
        """Listen, start the programs, and wait until they have introduced themselves. Raises ``SubjectError``, ``OSError``."""
        await asyncio.gather(*(seat.start() for seat in self._seats))
        for seat in self._seats[1:]:
            self._free.put_nowait(seat)
        return self._seats[0].hub

    async def another(self, url: str) -> Child:
        """Start the program once more, to dial that URL. Raises ``SubjectError``."""
        child = Child([word.replace("{url}", url) for word in self.command], {"TUNNELSPEC_GATEWAY": url}, quiet=True)
        await child.start()
        return child

    @property
    def unsupported(self) -> Mapping[str, str]:
        """What cannot be tested, and why."""
        return {} if self.command else {"LINK-R-*": "a runner that somebody else starts cannot be started anew"}

    @asynccontextmanager
    async def hub(self, alone: bool) -> AsyncIterator[Hub]:
        """The hub of the runner that all share; or ``alone``, if there are spares, of one that nobody else uses meanwhile."""
        if not (alone and self.spares):
            yield self._seats[0].hub
            return
        seat = await self._free.get()
        try:
            yield seat.hub
        finally:
            self._free.put_nowait(seat)

    async def stop(self) -> None:
        await asyncio.gather(*(seat.stop() for seat in self._seats))

    async def alive(self) -> bool:
        """Whether they all run, and were heard of lately or are dialling."""
        return all(await asyncio.gather(*(seat.alive() for seat in self._seats)))


def reference_runner(
    limits: Mapping[str, int] = SHORT_RUNNER, options: Sequence[str] = (), spares: int = 0
) -> CommandRunner:
    """The reference runner, which hosts the test actor."""
    flags = [word for name, value in limits.items() for word in ("--" + name.replace("_", "-"), str(value))]
    actors = ["--actor", "test=tunnelconform.actor:Test", "--actor", "plain=tunnelconform.actor:Plain"]
    command = [sys.executable, "-m", "tunnelcli.main", "runner", "--gateway", "{url}", "--slots", "100000"]
    return CommandRunner(
        [*command, *actors, *flags, *options], replace(DEFAULT, **limits), name="reference", spares=spares
    )
