"""What came of a conversation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from tunnelconform.conversation import Conversation
from tunnelconform.promises import Broken
from tunnelconform.side import Problem, Side


class Impossible(Exception):
    """A step cannot be done, for the subject did not do what it needs; that need not be wrong."""


class Verdict(StrEnum):
    """What a case shows."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    UNSUPPORTED = "unsupported"
    ERROR = "error"


@dataclass(frozen=True)
class Line:
    """Something that passed, for the report: ``what`` is a frame, an output, or words."""

    time_ms: int
    source: str
    target: str
    what: Any
    possible: int = 0  # in how many states the subject may have been before it spoke


class Heard(NamedTuple):
    """What a runner said: on which side, and a frame, or a ``Tag`` for a TunnelAck."""

    side: str
    what: Any


@dataclass(frozen=True)
class Played:
    """A conversation that was played."""

    conversation: Conversation
    side: Side
    others: tuple[Side, ...]
    log: tuple[Line, ...]
    impossible: str
    steps: int  # so many steps were begun
    time_ms: int
    sent: Mapping[bytes, int] = field(default_factory=dict)  # message ids, to a runner -> the step, from 1
    heard: tuple[Heard, ...] = ()  # from a runner
    broken: Broken | None = None  # a promise that was not kept, whatever the tables allow

    @property
    def failed(self) -> bool:
        """Whether anything was wrong."""
        return self.broken is not None or self.problem is not None

    @property
    def problem(self) -> Problem | None:
        """What the tables do not allow, if anything."""
        return self.side.problem or next((side.problem for side in self.others if side.problem), None)

    @property
    def at_fault(self) -> Side:
        """The side whose problem it is."""
        return next((side for side in (self.side, *self.others) if side.problem), self.side)

    def may_have_taken(self, transitions: frozenset[str]) -> bool:
        """Whether the subject may have taken all these transitions."""
        return any(side.may_have_taken(transitions, self.time_ms) for side in (self.side, *self.others))
