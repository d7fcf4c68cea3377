"""Judges a recording: is what each side said, in each request, something that the tables allow?

Gateway and runner are judged apart, request by request, by an oracle each. A request is judged up to its first frame that is not
allowed; what follows it proves nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tunnelconform import roles
from tunnelconform.oracle import Refusal, Said
from tunnelconform.recording import TO_SERVER, Entry, Frame, LinkClosed, LinkOpened, decoded
from tunnelconform.side import Side
from tunnelref.wire import SUPPORTED, WireError
from tunnelspec.endpoint import RUNNER
from tunnelspec.events import LinkLost
from tunnelspec.frames import (
    ToClientTunnelMessage,
    ToClientWebSocketOpen,
    ToServerTunnelMessage,
)
from tunnelspec.limits import DEFAULT, Limits

GRACE_MS = 2_000
"""What a subject was told is worked on, and what it must say is said, within this."""


@dataclass(frozen=True)
class Breach:
    """A side broke the tables: at which entry of the recording, in which request, and why."""

    side: str  # gateway or runner
    place: int  # of the entry, from 0
    line: int  # of the file, from 1; 0 if the recording is not from one
    frame: int  # which of the recording's frames it is, from 1
    time_ms: int
    request: bytes
    what: Any  # the frame; None for a silence, a ``WireError`` for what is no frame
    refusal: Refusal | None
    due: tuple[Said, ...] = ()  # for a silence: what should have been said


@dataclass(frozen=True)
class Judgement:
    """What a recording shows."""

    frames: int
    judged: int  # frames that an oracle explained
    requests: int
    breaches: tuple[Breach, ...]
    undecided: tuple[tuple[str, bytes, str], ...]  # side, request, why
    opaque: Counter[str]  # frames that nobody judges, by why
    possible: tuple[int, ...] = ()  # for each entry, in how many states the side that spoke might have been before it

    @property
    def verdict(self) -> str:
        """fail, inconclusive or pass."""
        if self.breaches:
            return "fail"
        return "inconclusive" if self.undecided or not self.judged else "pass"


@dataclass
class _Request:
    id: bytes
    gateway: Side
    runners: dict[str, Side] = field(default_factory=dict)  # by runner key


class Judge:
    """Reads entries one by one; ``judgement`` says what they show."""

    def __init__(self, limits: Limits = DEFAULT, grace_ms: int = GRACE_MS) -> None:
        self._limits, self._grace = limits, grace_ms
        self._links: dict[int, LinkOpened] = {}
        self._gone: set[int] = set()
        self._requests: dict[bytes, _Request] = {}
        self._frames = self._place = self._line = 0
        self._breaches: list[Breach] = []
        self._undecided: list[tuple[str, bytes, str]] = []
        self._opaque: Counter[str] = Counter()
        self._possible: list[int] = []

    def read(self, entry: Entry) -> None:
        """One more entry."""
        self._possible.append(0)
        self._line = entry.line
        if isinstance(entry, LinkOpened):
            self._links[entry.link] = entry
        elif isinstance(entry, LinkClosed):
            self._gone.add(entry.link)
            for request in self._requests.values():
                self._lose(request, entry)
        else:
            self._frames += 1
            self._frame(entry)
        self._place += 1

    @property
    def _where(self) -> tuple[int, int, int]:
        """Which entry is being read, its line and which frame it is."""
        return self._place, self._line, self._frames

    def judgement(self) -> Judgement:
        """What was read so far shows."""
        return Judgement(
            self._frames,
            sum(side.judged for r in self._requests.values() for side in (r.gateway, *r.runners.values())),
            len(self._requests),
            tuple(self._breaches),
            tuple(self._undecided),
            self._opaque,
            tuple(self._possible),
        )

    def _frame(self, entry: Frame) -> None:
        link = self._links[entry.link]
        if link.protocol_version not in SUPPORTED:
            self._opaque[f"protocol version {link.protocol_version}"] += 1
            return
        try:
            frame = decoded(entry, link.protocol_version)
        except WireError as error:
            side = "runner" if entry.way == TO_SERVER else "gateway"
            self._breaches.append(Breach(side, *self._where, entry.time_ms, b"", error, None))
            return
        if not isinstance(frame, ToServerTunnelMessage | ToClientTunnelMessage):
            self._opaque[type(frame).__name__] += 1
            return
        request = self._requests.get(frame.requestId)
        if request is None:
            if not isinstance(frame.messageKind, ToClientWebSocketOpen):
                self._opaque["of a request whose beginning was not recorded, or of HTTP"] += 1
                return
            request = self._begin(frame.requestId)
        self._tunnel(request, entry, frame, link.runner_key or f"link {entry.link}")

    def _begin(self, id_: bytes) -> _Request:
        oracle = roles.gateway(self._limits, self._gone)
        made = _Request(id_, Side("gateway", oracle, oracle.start(memory=()), self._grace))
        self._requests[id_] = made
        return made

    def _runner(self, request: _Request, key: str) -> Side:
        if key not in request.runners:
            oracle = roles.runner(self._limits, self._gone)
            request.runners[key] = Side("runner", oracle, oracle.start(RUNNER.start()), self._grace)
        return request.runners[key]

    def _tunnel(self, request: _Request, entry: Frame, message: Any, key: str) -> None:
        kind = message.messageKind
        speaker, hearer = request.gateway, self._runner(request, key)
        if entry.way == TO_SERVER:
            speaker, hearer = hearer, speaker
        if not speaker.over:
            self._possible[-1] = speaker.says(entry.link, kind, entry.time_ms, message.messageId)
            self._note(request, speaker)
        hearer.hears(entry.link, kind, message.messageId, entry.time_ms)

    def _note(self, request: _Request, side: Side) -> None:
        """Write down why a side is no longer judged, if it is so from now."""
        if side.problem:
            p = side.problem
            self._breaches.append(Breach(side.name, *self._where, p.time_ms, request.id, p.what, p.refusal, p.due))
        elif side.over:
            self._undecided.append((side.name, request.id, side.over))

    def _lose(self, request: _Request, entry: LinkClosed) -> None:
        self._told_of_loss(request, request.gateway, entry)
        key = self._links[entry.link].runner_key or f"link {entry.link}"
        if key in request.runners:
            side = request.runners[key]
            self._told_of_loss(request, side, entry)
            if not side.over:  # the process may have ended with its link, and another begun
                side.hypotheses = (*side.hypotheses, *side.oracle.start(RUNNER.start()))

    def _told_of_loss(self, request: _Request, side: Side, entry: LinkClosed) -> None:
        if not side.over:
            side.loses(entry.link, [LinkLost(entry.link, entry.time_ms)], entry.time_ms)
            self._note(request, side)


def judge(entries: Iterable[Entry], limits: Limits = DEFAULT) -> Judgement:
    """What a recording shows."""
    judge = Judge(limits)
    for entry in entries:
        judge.read(entry)
    return judge.judgement()
