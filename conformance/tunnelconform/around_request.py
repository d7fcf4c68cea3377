"""What is around a gateway that carries a plain HTTP request: its client, its runners and its routes.

A client sees a response as a head, the lines of its body, and an end or a break: how a body is cut into pieces on the way is
nobody's promise, so the suite's bodies are lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tunnelconform.around_gateway import CLIENT, AroundGateway
from tunnelconform.oracle import Hypothesis, Told
from tunnelspec.events import ReadClient, RequestBegun, RequestBody, RequestDropped, Respond, RespondAbort, RespondBody
from tunnelspec.frames import Headers, ToClientRequestStart

MARK = "x-conform"
"""A header that must come through, both ways."""


@dataclass(frozen=True)
class Head:
    """The response begins: its status, and the value of the header ``MARK``, if it has one."""

    status: int
    mark: str = ""


@dataclass(frozen=True)
class Text:
    """A line of the response's body; its last may be none."""

    data: bytes


@dataclass(frozen=True)
class End:
    """The response is complete."""


@dataclass(frozen=True)
class Broken:
    """The connection is closed, and the response was not complete."""


Shown = Head | Text | End | Broken


def mark(headers: Headers) -> str:
    """The value of that header."""
    return next((value for name, value in headers if name.lower() == MARK), "")


def shown(output: Any) -> Iterator[Shown]:
    """What the client sees of an output."""
    if isinstance(output, Respond):
        yield Head(output.status, mark(output.headers))
        yield from _rest(output.body, not output.stream)
    elif isinstance(output, RespondBody):
        yield from _rest(output.data, output.finish)
    elif isinstance(output, RespondAbort):
        yield Broken()


def _rest(data: bytes, finish: bool) -> Iterator[Shown]:
    yield from map(Text, data.splitlines(keepends=True))
    if finish:
        yield End()


LEAVING = -1_000_000
"""The channel of the client's going: it may be noticed before what the client said is read."""


def left(hypotheses: Sequence[Hypothesis], now: int) -> tuple[Hypothesis, ...]:
    """What may be so once the client's connection is cut: any beginning of what it said has come, or may still be read."""
    found: dict[Hypothesis, None] = {}
    for h in hypotheses:
        said = tuple(s for s in h.said if s.channel != CLIENT)
        places = [place for place, told in enumerate(h.told) if told.channel == CLIENT]
        for lost in range(len(places) + 1):
            gone = places[len(places) - lost :]
            told = tuple(told for place, told in enumerate(h.told) if place not in gone)
            found[h._replace(told=(*told, Told(LEAVING, RequestDropped(now), 0, now)), said=said)] = None
    return tuple(found)


class AroundRequest(AroundGateway):
    """The surroundings of a gateway with these tables, for one request."""

    def may_work(self, h: Hypothesis, told: Told) -> bool:
        """The body waits with the client until it is read; and nobody leaves before he came."""
        if isinstance(told.event, RequestDropped):
            return not any(isinstance(other.event, RequestBegun) for other in h.told)
        return not isinstance(told.event, RequestBody) or h.memory.reads

    def react(self, memory: Any, output: Any, time_ms: int) -> tuple[Any, tuple[Told, ...], tuple[Any, ...]]:
        if isinstance(output, ReadClient):
            return memory._replace(reads=True), (), ()
        return memory, (), tuple(shown(output))

    def same(self, due: Any, seen: Any) -> bool:
        if isinstance(
            due, ToClientRequestStart
        ):  # whose actor it is, and what stands before the path, come from outside
            return (
                isinstance(seen, ToClientRequestStart)
                and (seen.method, seen.stream, seen.body or b"") == (due.method, due.stream, due.body or b"")
                and seen.path.endswith(due.path)
                and mark(seen.headers) == mark(due.headers)
            )
        if self.own_words and isinstance(due, Text):
            return isinstance(seen, Text)
        return super().same(due, seen)
