"""What a runner promises to a client, judged from what its test actor does: see ``promises``, and the actor's contract in
``conformance/README.md``.

- P-NO-DUP, P-LOSS-KNOWN: ``state`` answers count each message once, however often it was brought, and over all lives of the actor;
  what is acked, or covered by lastMsgIndex, was brought;
- P-GAP-LOUD: what was brought after a gap is neither handled nor acked;
- P-ACK-KEPT: what was acked once stays in, so that it need not be brought again;
- P-DELIVER: what the actor says over an open socket comes, whole and in order;
- P-ASYM: it comes once at most.

A message that the actor handled, and that was not durable when its life ended, is rightly handled again in the next. A socket that
slept as long as one may is forgotten: from there on nothing is judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from tunnelconform.promises import Account, Broken, Fact, Gone
from tunnelspec.frames import (
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToClientWebSocketOpen,
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
    TunnelAck,
)

ACTOR = 0
"""The channel of the actor's lives."""

NEARLY_MS = 300
"""So much sooner than the limit, at most, a runner may think that a socket has slept too long."""

SENDS, STATE = "send ", "state"


class Begins(NamedTuple):
    """A life of the actor begins."""


class Stops(NamedTuple):
    """The actor is told to stop."""


class Brought(NamedTuple):
    """A message that was brought to the runner, in that life of the actor, and that it had not said to have."""

    number: int  # its index
    text: str
    life: int


class Owed(NamedTuple):
    """What the actor is sure to say: that text, or a number."""

    time_ms: int
    text: str


def runner(facts: Iterable[Fact], now_ms: int, grace_ms: int, hibernates: bool, max_hibernation_ms: int) -> Account:
    """What a runner has kept of its promises by now; it may take ``grace_ms`` for anything. ``hibernates``: its actor can."""
    ledger = _Runner(hibernates, max_hibernation_ms)
    for fact in facts:
        ledger.enter(fact)
        if ledger.broken:
            return Account(ledger.broken)
        if ledger.forgotten:
            return Account()
    if not ledger.owed:
        return Account()
    first = ledger.owed[0]
    if first.time_ms + grace_ms > now_ms:
        return Account(None, first.time_ms + grace_ms)
    return Account(Broken(first.time_ms, "P-DELIVER", f"the actor's answer {first.text!r} did not come"))


class _Runner:
    """Goes through the facts one by one."""

    def __init__(self, hibernates: bool, max_hibernation_ms: int) -> None:
        self.hibernates, self.max_hibernation_ms = hibernates, max_hibernation_ms
        self.broken: Broken | None = None
        self.forgotten = False
        self.time_ms = 0
        self.life = 0
        self.link = 0  # over which the socket was opened last; 0 once it was shut there
        self.opened = b""  # the id of that open, until it was acked
        self.last: int | None = (
            None  # of what was brought and is sure to be handled; None if the socket is not known to be open
        )
        self.lost_ms: int | None = None  # since then it may sleep
        self.covered = 0  # in this life, what the runner said it had
        self.brought: list[Brought] = []
        self.indices: set[int] = set()
        self.given: set[int] = set()  # in this life
        self.acked = 0
        self.said: list[str] = []
        self.counted = 0  # the last number that ``state`` gave
        self.owed: list[Owed] = []

    # -- the facts ---------------------------------------------------------------------------------------------------

    def enter(self, fact: Fact) -> None:
        self.time_ms = fact.time_ms
        what = fact.what
        if isinstance(what, Begins):
            if self.life:
                self._is_shut()  # also if nobody stopped the one before
            self.life, self.covered, self.given = self.life + 1, 0, set()
        elif isinstance(what, Stops | Gone | ToClientWebSocketClose | ToServerWebSocketClose):
            self._is_shut()
            if isinstance(what, ToClientWebSocketClose):
                self.link = 0  # an answer that is under way still, or not yet given, opens nothing
        elif isinstance(what, ToClientWebSocketOpen):
            self.link, self.opened = fact.channel, fact.message_id
        elif isinstance(what, TunnelAck) and fact.message_id == self.opened:
            self.opened = b""
        elif isinstance(what, ToClientWebSocketMessage):
            self._brings(what)
        elif isinstance(what, ToServerWebSocketOpen):
            self._answers(fact.channel, what)
        elif isinstance(what, ToServerWebSocketMessageAck):
            self._acks(what.index)
        elif isinstance(what, ToServerWebSocketMessage):
            self._says(what)

    def _is_shut(self) -> None:
        """What comes from now on is not owed; what was may have been lost."""
        self.last, self.owed = None, []
        self.lost_ms = self.time_ms if self.lost_ms is None else self.lost_ms

    def _brings(self, frame: ToClientWebSocketMessage) -> None:
        index, text = frame.index, frame.data.decode(errors="replace")
        fresh = not self.hibernates or index not in self.given
        if not self.hibernates or index > self.covered:
            self.brought.append(Brought(index, text, self.life))
        self.indices.add(index)
        self.given.add(index)
        if self.last is None or (self.hibernates and index != self.last + 1):
            return
        self.last = index
        if not fresh:  # brought before in this life: it may have been handled then
            return
        if text.startswith(SENDS):
            self.owed.append(Owed(self.time_ms, text.removeprefix(SENDS)))
        elif text == STATE and self.hibernates:
            self.owed.append(Owed(self.time_ms, str(index)))
        elif text.startswith(("close ", "sleep")):
            self.last = None

    def _answers(self, link: int, answer: ToServerWebSocketOpen) -> None:
        last = max(0, answer.lastMsgIndex)
        if self.hibernates:
            slept_ms = 0 if self.lost_ms is None else self.time_ms - self.lost_ms
            if slept_ms + NEARLY_MS >= self.max_hibernation_ms:
                self.forgotten = True
                return
            self._has(last, "said that lastMsgIndex is")
            if last < self.acked:
                self._break(
                    "P-ACK-KEPT",
                    f"it said that lastMsgIndex is {answer.lastMsgIndex}, though it had acked {self.acked}",
                )
            self.covered = max(self.covered, last)
        if link == self.link and not self.opened:  # before the ack, it may be the answer to an earlier open
            self.last, self.lost_ms = last, None

    def _acks(self, index: int) -> None:
        if self.hibernates:
            self._has(index, "acked")
            self.acked = max(self.acked, index)

    def _has(self, index: int, how: str) -> None:
        """It claims to have all messages up to that one: all were brought."""
        missing = next((n for n in range(1, index + 1) if n not in self.indices), None)
        if missing == index:
            self._break("P-LOSS-KNOWN", f"it {how} {index}, and that message was never brought")
        elif missing is not None:
            self._break("P-GAP-LOUD", f"it {how} {index}, and message {missing} was never brought")

    # -- what the actor says -----------------------------------------------------------------------------------------

    def _whole(self, index: int) -> bool:
        """Whether all messages up to that one were brought."""
        return not self.hibernates or all(n in self.indices for n in range(1, index + 1))

    def _says(self, frame: ToServerWebSocketMessage) -> None:
        text = frame.data.decode(errors="replace")
        asked = [b for b in self.brought if b.text == SENDS + text]
        if not asked and text.isdigit():
            self._counts(int(text))
        elif not asked:
            self._break("P-DELIVER", f"{text!r} came, which the actor did not say")
        elif not any(self._whole(b.number) for b in asked):
            self._break(
                "P-GAP-LOUD", f"{text!r} was said, for message {asked[0].number}: not all before it was brought"
            )
        else:
            self._repeats(text, asked)
        self.said.append(text)
        texts = [owed.text for owed in self.owed]
        if texts and texts[0] == text:
            self.owed.pop(0)
        elif text in texts and text not in self.said[:-1]:
            self._break("P-DELIVER", f"the actor's {text!r} came before {texts[0]!r}")

    def _repeats(self, text: str, asked: list[Brought]) -> None:
        """A message is handled once in each life at most, and one that is not numbered once for each time it was brought."""
        able = [b for b in asked if self._whole(b.number)]
        most = len({(b.number, b.life) for b in able}) if self.hibernates else len(able)
        if self.said.count(text) + 1 > most:
            again = self.hibernates and len(able) > most
            what = "a message was handled twice" if again else "it had come before"
            self._break("P-NO-DUP" if again else "P-ASYM", f"the actor's {text!r} came once too often: {what}")

    def _counts(self, number: int) -> None:
        """An answer to ``state``: the number of messages handled, which is the index, where there is one."""
        asked = sorted({b.number for b in self.brought if b.text == STATE})
        if not asked:
            self._break("P-DELIVER", f"{number} came, and nobody had asked for the state")
        elif not self.hibernates:
            if number > len(self.brought):
                self._break(
                    "P-NO-DUP", f"the actor has handled {number} messages, and {len(self.brought)} were brought"
                )
        elif number not in asked or not self._whole(number):
            due = next((index for index in asked if index > self.counted), asked[-1])
            if self._whole(due):
                name = "P-NO-DUP" if number > due else "P-LOSS-KNOWN"
                self._break(name, f"the actor's durable state counts {number} messages at message {due}")
            else:
                self._break("P-GAP-LOUD", f"message {due} was handled, and not all before it was brought")
        self.counted = max(self.counted, number)

    def _break(self, name: str, says: str) -> None:
        self.broken = self.broken or Broken(self.time_ms, name, says)
