"""What is around a runner that was given a plain HTTP request: its link, and the test actor, who answers by its contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from tunnelconform.around_request import MARK, mark
from tunnelconform.around_runner import ACTOR, AroundRunner
from tunnelconform.oracle import Hypothesis, Told
from tunnelspec.endpoint import HTTP_RUNNER
from tunnelspec.events import (
    ActorFails,
    ActorResponds,
    ActorResponseBody,
    CallActor,
    CallBody,
    CancelCall,
    Collect,
)
from tunnelspec.frames import ToClientRequestStart, ToServerResponseStart

STREAMED, HELD = "/stream", "/hold"
"""Paths that begin so are answered in pieces, or with a head and nothing more."""


@dataclass(frozen=True)
class Answers:
    """What the actor does about a call; ``perhaps``: it may do so already, and surely will."""

    call: int
    event: Any
    perhaps: bool = False


class Called(NamedTuple):
    """The test actor: whether it lives, and what it was called with."""

    alive: bool = False
    next: bool = False  # another life is to begin once this one is over
    call: int = 0  # so many calls there were, and calls that were cancelled
    start: ToClientRequestStart | None = None
    body: bytes = b""
    whole: bool = False


class AroundCall(AroundRunner):
    """A runner's surroundings, for one request."""

    ages = False  # nothing of a request is durable

    def rests(self, h: Hypothesis) -> bool:
        return True

    def work(self, memory: Any, event: Any) -> tuple[Any, Any]:
        if isinstance(event, Answers):  # to a call that was cancelled, or whose life is over, nothing is answered
            lost = event.call != memory.call or (not memory.alive and not isinstance(event.event, ActorFails))
            return memory, None if lost else event.event
        return super().work(memory, event)

    def begun(self, memory: Any) -> Any:
        return memory._replace(alive=True, next=False)

    def may_be_void(self, memory: Any, event: Any) -> bool:
        return isinstance(event, Answers) and event.perhaps

    def react(self, memory: Any, output: Any, time_ms: int) -> tuple[Any, tuple[Told, ...], tuple[Any, ...]]:
        if isinstance(output, CallActor):
            whole = not output.frame.stream
            memory = memory._replace(
                call=memory.call + 1, start=output.frame, body=output.frame.body or b"", whole=whole
            )
            return memory, tuple(_told(memory, time_ms)), ()
        if isinstance(output, CallBody) and not memory.whole:
            memory = memory._replace(body=memory.body + output.data, whole=output.finish)
            return memory, tuple(_told(memory, time_ms)) if memory.whole else (), ()
        if isinstance(output, CancelCall):
            return memory._replace(call=memory.call + 1), (), ()
        return memory, (), ()

    def same(self, due: Any, seen: Any) -> bool:
        if isinstance(due, ToServerResponseStart) and isinstance(seen, ToServerResponseStart):
            mine, its = ((f.status, f.stream, f.body or b"", mark(f.headers)) for f in (due, seen))
            return mine == its
        return super().same(due, seen)

    def _collects(self, h: Hypothesis, now: int) -> bool:
        return HTTP_RUNNER.step(h.state, Collect(now), self.limits).state != h.state


def _told(memory: Called, time_ms: int) -> Iterator[Told]:
    """What the actor does once it is called, and, by its contract, once the whole body has come."""
    for event in answers(memory, time_ms):
        yield Told(ACTOR, Answers(memory.call, event, perhaps=not memory.whole), 0, time_ms)


def answers(memory: Called, now: int) -> Iterator[Any]:
    """The answer of the test actor to what it was called with, as far as it is due; that of a missing one may come early."""
    start = memory.start
    assert start is not None
    if not memory.alive:
        yield ActorFails(now)
    elif memory.whole:
        headers = ((MARK, mark(start.headers)),)
        said = f"{start.method} {start.path}\n".encode()
        in_pieces = start.path.startswith((STREAMED, HELD))
        yield ActorResponds(
            ToServerResponseStart(200, headers, None if in_pieces else said + memory.body, in_pieces), now
        )
        if start.path.startswith(STREAMED):
            yield from (ActorResponseBody(piece, False, now) for piece in (said, memory.body))
            yield ActorResponseBody(b"", True, now)
