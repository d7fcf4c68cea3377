"""A virtual world whose links are recorded, as a proxy between runners and gateway would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.reference.world import Pipe, VirtualRunner, World
from tunnelconform.recording import TO_CLIENT, TO_SERVER, Entry, Frame, LinkClosed, LinkOpened


class Recorder:
    """What passed over the links of a world."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.numbers: dict[int, int] = {}

    def _link(self, pipe: Pipe) -> int:
        if id(pipe) not in self.numbers:
            self.numbers[id(pipe)] = len(self.numbers) + 1
            runner = pipe.runner
            opened = LinkOpened(self._now(pipe), self.numbers[id(pipe)], runner.version, "default", runner.key)
            self.entries.append(opened)
        return self.numbers[id(pipe)]

    @staticmethod
    def _now(pipe: Pipe) -> int:
        return pipe.world.clock.now_ms()

    def frame(self, pipe: Pipe, way: str, data: bytes) -> None:
        link = self._link(pipe)
        self.entries.append(Frame(self._now(pipe), link, way, data))

    def closed(self, pipe: Pipe) -> None:
        link = self._link(pipe)
        self.entries.append(LinkClosed(self._now(pipe), link))


@contextmanager
def recording() -> Iterator[Recorder]:
    """Worlds that are made inside are recorded."""
    recorder, kept = Recorder(), []
    patch = pytest.MonkeyPatch()

    def before(cls: type[Any], name: str, tap: Any) -> None:
        original = getattr(cls, name)

        def tapped(self: Any, *args: Any) -> Any:
            tap(self, *args)
            return original(self, *args)

        patch.setattr(cls, name, tapped)

    def sent(way: str) -> Any:
        def tap(pipe: Pipe, data: bytes) -> None:
            kept.append(pipe)  # its id stays its own
            if pipe.up:
                recorder.frame(pipe, way, data)

        return tap

    def broken(pipe: Pipe) -> None:
        if pipe.up:
            recorder.closed(pipe)

    def killed(runner: VirtualRunner) -> None:
        if runner.pipe is not None and runner.pipe.up:
            recorder.closed(runner.pipe)

    before(Pipe, "send_to_runner", sent(TO_CLIENT))
    before(Pipe, "send_to_gateway", sent(TO_SERVER))
    before(Pipe, "break_", broken)
    before(VirtualRunner, "kill", killed)
    try:
        yield recorder
    finally:
        patch.undo()


__all__ = ["Recorder", "World", "recording"]
