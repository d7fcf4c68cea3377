"""Child processes whose lines can be waited for: each in its own process group, ended by id."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

Record = dict[str, Any]
PATIENCE_S = 15.0


class CastError(RuntimeError):
    """A process died, or did not do in time what was waited for."""


class Player:
    """One process. Its standard output is JSON Lines, kept in ``records``; what it logs is JSON Lines on standard error."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, hear: Callable[[str, Record], None]) -> None:
        self.name = name
        self.process = process
        self.records: list[Record] = []
        self._hear = hear
        self._news = asyncio.Condition()
        self._readers = [
            asyncio.ensure_future(self._read(s)) for s in (process.stdout, process.stderr) if s is not None
        ]

    @classmethod
    async def start(cls, name: str, hear: Callable[[str, Record], None], *arguments: str) -> Player:
        """Start ``python -m`` with these arguments."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *arguments,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            start_new_session=True, limit=64 << 20,
        )  # fmt: skip
        return cls(name, process, hear)

    async def until(self, found: Callable[[Record], bool], times: int = 1) -> list[Record]:
        """Wait until so many records fit. Raises ``CastError``."""
        async with self._news:
            try:
                async with asyncio.timeout(PATIENCE_S):
                    while len(fitting := [r for r in self.records if found(r)]) < times:
                        if self.process.returncode is not None:
                            raise CastError(f"{self.name} ended with {self.process.returncode}: {self.records[-3:]}")
                        await self._news.wait()
            except TimeoutError:
                raise CastError(f"{self.name} did not do in {PATIENCE_S:.0f} s what was waited for") from None
            return fitting

    def say(self, line: str) -> None:
        """Give it a command."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")

    def signal(self, number: int) -> None:
        """Send a signal to the process and its children."""
        if self.process.returncode is None:
            os.killpg(self.process.pid, number)

    async def end(self) -> None:
        """Make sure that it is gone."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(3):
                await self.process.wait()
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self.process.wait()
        await asyncio.gather(*self._readers)

    async def _read(self, stream: asyncio.StreamReader) -> None:
        async for line in stream:
            try:
                record = json.loads(line)
            except ValueError:
                record = {"event": "output", "text": line.decode(errors="replace").rstrip()}
            self.records.append(record)
            self._hear(self.name, record)
            async with self._news:
                self._news.notify_all()
        await self.process.wait()
        async with self._news:
            self._news.notify_all()
