"""One side of one request, followed by an oracle until it breaks the tables, or can be followed no longer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tunnelconform.oracle import Hypothesis, Oracle, Refusal, Said, Seen, Tag, Told, TooMany
from tunnelspec.frames import TunnelAck
from tunnelspec.machine import Received

CHECKED_MS = 10
"""So often one looks for silences, while things are seen."""


@dataclass(frozen=True)
class Problem:
    """What the tables do not allow: something seen, or a silence where something was due."""

    time_ms: int
    what: Any  # what was seen; None for a silence
    refusal: Refusal | None
    before: tuple[Hypothesis, ...]  # what might have been so before it
    due: tuple[Said, ...] = ()  # for a silence: what should have been said
    last: Told | None = None  # what it was told last,
    then: tuple[Hypothesis, ...] = ()  # and what might have been so when it was


class Side:
    """Keeps what may be so of one side. Once ``over``, it judges no longer."""

    def __init__(self, name: str, oracle: Oracle, hypotheses: Sequence[Hypothesis], grace_ms: int) -> None:
        self.name = name
        self.oracle = oracle
        self.hypotheses = tuple(hypotheses)
        self.grace_ms = grace_ms
        self.lag_ms = 0  # so much of the time that it took was not its own
        self.over = ""  # why it is no longer judged
        self.undecided = False  # that it could not be followed
        self.problem: Problem | None = None
        self.judged = 0  # things seen that were allowed
        self._messages: dict[bytes, int] = {}  # its tunnel messages' ids, by the order they were seen in
        self._count = 0
        self._checked = -CHECKED_MS - 1
        self._last: Told | None = None
        self._then: tuple[Hypothesis, ...] = ()

    def says(self, channel: int, what: Any, time_ms: int, message_id: bytes = b"") -> int:
        """It was seen to say something: in how many states it may have been before; 0 if that is not known."""
        if channel and not isinstance(what, TunnelAck):
            self._count += 1
            self._messages[message_id] = self._count
        seen = Seen(channel, Tag(message_id) if isinstance(what, TunnelAck) else what, self._count, time_ms)
        if time_ms - self._checked > CHECKED_MS and not self.silent_until(time_ms - self.grace_ms - self.lag_ms):
            return 0
        if self.over:
            return 0
        before = self.hypotheses
        try:
            after = self.oracle.see(before, seen)
            if not after:
                refusal = self.oracle.refusal(before, seen)
                self._break(Problem(time_ms, seen.what, refusal, before, (), self._last, self._then))
                return len(before)
        except TooMany as error:
            self._lose_sight(error)
            return 0
        self.hypotheses = after
        self.judged += 1
        return len(before)

    def since(self, channel: int, what: Any, time_ms: int) -> int:
        """The earliest time at which it may have said what is seen now: one sees it later, and it acts on it at once."""
        if self.over:
            return time_ms
        try:
            return self.oracle.since(self.hypotheses, Seen(channel, what, self._count, time_ms))
        except TooMany:
            return time_ms

    def silent_until(self, before_ms: int) -> bool:
        """Whether all that it had to do before that time was done."""
        if self.over:
            return False
        try:
            settled = self.oracle.settle(self.hypotheses, before_ms, before_ms + self.grace_ms + self.lag_ms)
            if not settled:
                due = self.oracle.overdue(self.hypotheses, before_ms)
                self._break(Problem(before_ms, None, None, self.hypotheses, due, self._last, self._then))
                return False
        except TooMany as error:
            self._lose_sight(error)
            return False
        self.hypotheses = settled
        self._checked = before_ms + self.grace_ms + self.lag_ms
        return True

    def hears(self, channel: int, frame: Any, message_id: bytes, time_ms: int, at_once: bool = False) -> None:
        """It was sent a tunnel message. ``at_once``: when it works on it makes no difference."""
        named = self._messages.get(message_id, 0) if isinstance(frame, TunnelAck) else 0
        told = Told(channel, Received(frame, channel, message_id, now=time_ms), named, time_ms)
        if at_once and not self.over:
            self.hypotheses = self.oracle.tell_at_once(self.hypotheses, told)
        else:
            self.told(told)

    def told(self, told: Told) -> None:
        """It was told something."""
        if not self.over:
            self._last, self._then = told, self.hypotheses
            self.hypotheses = self.oracle.tell(self.hypotheses, told)

    def suppose(self, more: Sequence[Hypothesis]) -> None:
        """This may be so, too."""
        if not self.over:
            self.hypotheses = tuple(dict.fromkeys((*self.hypotheses, *more)))

    def closes(self, channel: int) -> None:
        """It has closed a channel, and says nothing more there."""
        if not self.over:
            self.hypotheses = self.oracle.unsaid(self.hypotheses, channel)

    def loses(self, channel: int, news: Sequence[Any], time_ms: int) -> None:
        """A channel is gone, and it is told so."""
        if self.over:
            return
        try:
            self.hypotheses = self.oracle.lose(self.hypotheses, channel, news, time_ms)
        except TooMany as error:
            self._lose_sight(error)

    def at_rest(self) -> bool:
        """Whether it may have done all that it had to."""
        if self.over:
            return True
        try:
            return any(True for _ in self.oracle.at_rest(self.hypotheses))
        except TooMany as error:
            self._lose_sight(error)
            return True

    def may_have_taken(self, transitions: frozenset[str], by_ms: int) -> bool:
        """Whether it may have taken all these transitions, which must be watched, by that time."""
        try:
            return self.oracle.may_have_taken(self.hypotheses, transitions, by_ms)
        except TooMany:
            return False

    def owes(self, what: Any, rules: tuple[str, ...], time_ms: int) -> None:
        """It was silent, though this was due by what these transitions pass on."""
        if not self.over:
            due = (Said(0, 0, what, time_ms, rules),)
            self._break(Problem(time_ms, None, None, self.hypotheses, due, self._last, self._then))

    def refuse(self, channel: int, what: Any, time_ms: int) -> None:
        """It was seen to say something that cannot be right, whatever it is in."""
        if not self.over:
            seen = Seen(channel, what, self._count, time_ms)
            refusal = Refusal(seen, self.hypotheses, ())
            self._break(Problem(time_ms, what, refusal, self.hypotheses, (), self._last, self._then))

    def _break(self, problem: Problem) -> None:
        self.over, self.problem = "it broke the tables", problem

    def _lose_sight(self, error: TooMany) -> None:
        self.over, self.undecided = str(error), True
