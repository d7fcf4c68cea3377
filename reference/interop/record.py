"""What passed between the engine and our runner, judged by the tables as it passed."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tunnelref.driver import Driver
from tunnelref.runner.core import SocketEntry
from tunnelspec.compiled import Outcome
from tunnelspec.endpoint import State
from tunnelspec.machine import Received, Verdict

PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A frame from the engine, where the machines that know it stood, and what each made of it."""

    frame: Any
    request: str
    states: tuple[str, ...]
    rules: tuple[str, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def kind(self) -> str:
        return type(self.frame).__name__

    @property
    def allowed(self) -> bool:
        return Verdict.REFUSED not in self.verdicts and Verdict.IGNORED not in self.verdicts


@dataclass
class Record:
    """All of a run; what it holds can be waited for."""

    frames: list[Seen] = field(default_factory=list)
    logs: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def observe(self, driver: Driver, before: State, event: Any, outcome: Outcome) -> None:
        """As an observer of our runner."""
        steps = outcome[2].steps
        for passed in steps:
            if passed.machine.id.endswith("-R"):
                self.taken[passed.transition.id] += 1
        if isinstance(event, Received):
            here = [passed for passed in steps if passed.transition.on is type(event.frame)]
            request = driver.request_id.hex() if isinstance(driver, SocketEntry) else ""
            self.frames.append(
                Seen(
                    event.frame,
                    request,
                    tuple(f"{passed.machine.id} {passed.source}" for passed in here),
                    tuple(passed.transition.id for passed in here),
                    tuple(passed.transition.verdict for passed in here),
                )
            )
        self._news.set()

    def log(self, event: str, **fields: Any) -> None:
        """As our runner's log."""
        self.logs.append((event, fields))
        self._news.set()

    def of(self, kind: str) -> list[Seen]:
        """The frames of a kind so far."""
        return [seen for seen in self.frames if seen.kind == kind]

    async def until(self, kind: str, count: int) -> bool:
        """Wait for so many frames of a kind; whether they came."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while len(self.of(kind)) < count:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return False
        return True
