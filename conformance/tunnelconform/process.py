"""A child program in a process group of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

from tunnelconform.subject import SubjectError

PATIENCE_S = 20.0


class Child:
    """A program that prints a line when it is ready, and is ended by its process group. What it prints as errors is kept."""

    def __init__(
        self, command: Sequence[str], env: Mapping[str, str] | None = None, talks: bool = False, quiet: bool = False
    ) -> None:
        self.command = list(command)
        self._env = {**os.environ, **(env or {})}
        self._talks, self._quiet = talks, quiet  # talks: it is spoken to; quiet: what it prints is not read
        self._process: Process | None = None
        self._errors: IO[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> str:
        """Start it; its first line, unless it is quiet or to be spoken to. Raises ``SubjectError``."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed in stop
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.command, stdin=PIPE if self._talks else DEVNULL, stdout=DEVNULL if self._quiet else PIPE, stderr=self._errors,
                start_new_session=True, env=self._env, limit=1 << 24,
            )  # fmt: skip
        except OSError as error:
            raise SubjectError(f"{self.command[0]}: {error.strerror or error}") from error
        return "" if self._talks or self._quiet else await self.line()

    async def line(self, patience_s: float = PATIENCE_S) -> str:
        """Its next line. Raises ``SubjectError``."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(patience_s):
                line = await self._process.stdout.readline()
        except TimeoutError:
            raise SubjectError(f"{self.command[0]} said nothing for {patience_s:.0f} s. {self.errors()}") from None
        if not line:
            await self._process.wait()
            raise SubjectError(f"{self.command[0]} ended with {self._process.returncode}. {self.errors()}")
        return line.decode(errors="replace").rstrip("\n")

    async def say(self, line: str) -> None:
        """Write a line to it. Raises ``SubjectError``."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
            await self._process.stdin.drain()
        except (ConnectionError, RuntimeError) as error:
            raise SubjectError(f"{self.command[0]} reads no longer: {self.errors()}") from error

    def errors(self) -> str:
        """The end of what it printed as errors."""
        if self._errors is None:
            return ""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace")[-800:].strip()

    async def ends_within(self, seconds: float) -> bool:
        """Whether it has ended by then."""
        if self._process is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._process.wait()
        return not self.running

    def terminate(self) -> None:
        """Tell it to stop, and do not wait for it."""
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGTERM)

    async def stop(self) -> None:
        """End it, by force if it does not go."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            try:
                async with asyncio.timeout(5):
                    await process.wait()
            except TimeoutError:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if self._errors is not None:
            self._errors.close()
            self._errors = None
