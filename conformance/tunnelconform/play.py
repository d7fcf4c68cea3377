"""Plays a conversation, whatever the role of the subject: step by step, waiting in between until an oracle is at rest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tunnelconform import conversation as talk
from tunnelconform.conversation import Conversation, Step
from tunnelconform.lag import Lag
from tunnelconform.oracle import Hypothesis, Told
from tunnelconform.played import Heard, Impossible, Line, Played
from tunnelconform.promises import Account, Broken, Fact
from tunnelconform.side import Side
from tunnelspec.limits import Limits

GRACE_MS = 2_000
"""What a subject was told is worked on, and what it must say is said, within this."""

CONNECTS_MS = 10_000
"""A socket is connected within this; nobody is judged by it."""

BEAT_S = 0.015
"""A pause between two steps of different peers, so that they arrive in this order more often than not."""

TAIL_S = 0.04
"""So long one listens after the last step for what should not come."""

LATE_MS = 25
"""So much later than the limit one looks whether it was kept."""

SHORT = 0.7
"""A wait that is not quite as long as a limit takes this part of it."""

LAG = Lag()
"""How late the loop is in which conversations are held."""

MUCH = talk.Flood | talk.Pour | talk.Press | talk.Heap
"""Steps with so many messages that each is not written down: what is promised of them, they watch themselves."""

LONGEST_LOG = 2_000
"""What passes beyond it is not written down, so that a flood leaves room."""


class Play:
    """One conversation. A role says what each step does (``do_…``), and what must happen by itself by a time (``due``)."""

    subject_lane = ""
    tail_s = TAIL_S
    collects_every_ms = 0
    """A subject may collect so much later than it must."""

    def __init__(
        self, conversation: Conversation, limits: Limits, side: Side, lenient: bool = False, grace_ms: int = GRACE_MS
    ) -> None:
        self.conversation, self.limits, self.side = conversation, limits, side
        self.lenient, self.grace_ms = lenient, grace_ms  # lenient: a step that is impossible is left out
        self.link_sides: dict[int, Side] = {}
        self.log: list[Line] = []
        self.begun = 0  # so many steps
        self.sent: dict[bytes, int] = {}
        self.heard: list[Heard] = []
        self.facts: list[Fact] = []
        self.watched = not any(isinstance(step, MUCH) for step in conversation)
        self.broken: Broken | None = None  # a promise
        self.news = asyncio.Event()
        self.lag = LAG
        self.began = 0.0

    # -- what a role adds --------------------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Before the first step."""

    async def end(self) -> None:
        """Leave nothing open."""

    async def between(self, before: Step) -> None:
        """See to it that a step is worked on before one of another peer's follows, as far as one can."""
        await asyncio.sleep(BEAT_S)

    def due(self, side: Side, h: Hypothesis, until_ms: int) -> list[tuple[Any, int]]:
        """What should happen by itself by that time: events, and their times."""
        return [(timer.event(timer.due_ms), timer.due_ms) for timer in h.timers if timer.due_ms <= until_ms]

    def account(self, now_ms: int, grace_ms: int) -> Account:
        """What the subject has kept of its promises by that time."""
        return Account()

    def until_ms(self, step: talk.Wait) -> int:
        """The time by which a limit has passed."""
        return self.now() + int(getattr(self.limits, step.limit)) + 1

    # -- time --------------------------------------------------------------------------------------------------------

    def now(self) -> int:
        """ms since the conversation began."""
        return int((asyncio.get_running_loop().time() - self.began) * 1000) + 1

    def sides(self) -> tuple[Side, ...]:
        """The socket, and each link that is judged."""
        return (self.side, *self.link_sides.values())

    def over(self) -> bool:
        """Whether something was not allowed."""
        return bool(self.side.over) or self.broken is not None or any(side.problem for side in self.link_sides.values())

    async def rest(self) -> None:
        """Wait until the subject may have done all that it must, or has failed to."""
        while not self.over() and not all(side.at_rest() for side in self.sides()):
            await self.next(0.25)
            self.check()
        await self.promises(self.over)

    async def promises(self, ended: Callable[[], bool]) -> None:
        """Wait until nothing is owed that was promised, or something was for too long."""
        while self.watched and self.broken is None:
            now = self.now()
            found = self.account(now, self.grace_ms + self._lag_ms(self.grace_ms))
            self.broken = found.broken
            if found.broken or not found.due_ms or ended():
                return
            await self.next(max(1, found.due_ms - now) / 1000)

    async def until(self, happened: Callable[[], bool], what: str) -> None:
        """Wait for something that the conversation needs. Raises ``Impossible`` if it does not come."""
        end = self.now() + self.grace_ms
        while not happened():
            self.check()  # if it should have come, that is said first
            if self.over() or self.now() > end + self._lag_ms(self.grace_ms):
                raise Impossible(what)
            await self.next(0.25)

    def check(self) -> None:
        """Look whether a side was silent where the tables are not."""
        self.feel()
        for side in self.sides():
            if not side.over:
                side.silent_until(self.now() - self.grace_ms - side.lag_ms)

    def feel(self) -> None:
        """Let the sides have the time that was not their own."""
        for side in self.sides():
            side.lag_ms = self._lag_ms(side.grace_ms)

    def _lag_ms(self, grace_ms: int) -> int:
        return self.lag.over(grace_ms, asyncio.get_running_loop().time() * 1000)

    async def next(self, patience_s: float) -> None:
        """Wait for something to be seen."""
        self.news.clear()
        try:
            async with asyncio.timeout(patience_s):
                await self.news.wait()
        except TimeoutError:
            pass

    async def do_wait(self, step: talk.Wait) -> None:
        value = int(getattr(self.limits, step.limit))
        lane = self.subject_lane
        self.note(lane, lane, f"{'not quite ' if step.short else ''}{step.limit} ({value} ms) pass")
        if step.short:
            await asyncio.sleep(value * SHORT / 1000)
            return
        target = self.until_ms(step)
        await self._pass(target + LATE_MS)
        if any(self._silent(side, h, target) for side in self.sides() if not side.over for h in side.hypotheses):
            await self._pass(target + LATE_MS + self.collects_every_ms)  # nobody sees when it is done
            for side in self.sides():
                side.suppose([after for h in side.hypotheses for after in self._silent(side, h, target)])
        while not self.over() and any(
            self._awaits(side, h, target) for side in self.sides() if not side.over for h in side.hypotheses
        ):
            await self.next(0.1)
            self.check()

    async def _pass(self, end_ms: int) -> None:
        """Let time pass until then, unless something is not allowed."""
        while self.now() < end_ms and not self.over():
            await self.next((end_ms - self.now()) / 1000)
            self.check()

    def _silent(self, side: Side, h: Hypothesis, until_ms: int) -> list[Hypothesis]:
        """What is so after each thing that is to happen by itself by that time, and that is not to be seen."""
        afters = [side.oracle.after(h, event, time) for event, time in self.due(side, h, until_ms)]
        return [after for after in afters if after.said == h.said and after.state != h.state]

    def _awaits(self, side: Side, h: Hypothesis, until_ms: int) -> bool:
        """Whether something is still to be seen that should happen by itself by that time."""
        return any(side.oracle.after(h, event, time).said != h.said for event, time in self.due(side, h, until_ms))

    # -- the whole ---------------------------------------------------------------------------------------------------

    async def run(self) -> Played:
        """Play it to its end, or to the first thing that is not allowed."""
        self.began = asyncio.get_running_loop().time()
        try:
            why = await self._steps()
            await self.promises(lambda: False)  # whatever else was wrong: these are judged by themselves
        finally:
            await self.end()
        others = tuple(self.link_sides.values())
        told = (self.sent, tuple(self.heard), self.broken)
        return Played(self.conversation, self.side, others, tuple(self.log), why, self.begun, self.now(), *told)

    async def _steps(self) -> str:
        """Step by step; why it could not go on, if so."""
        try:
            await self.prepare()
            before = None
            for self.begun, step in enumerate(self.conversation, 1):  # noqa: B020  # the handler below and the result tell it
                if before is not None and before.who != step.who and not before.at_once:
                    await self.between(before)
                await self._step(step)
                if not step.at_once:
                    await self.rest()
                if self.over():
                    break
                before = step
            if not self.over():
                await self.rest()
                await asyncio.sleep(self.tail_s)
        except Impossible as error:
            return (
                f"step {self.begun}, {talk.words(self.conversation[self.begun - 1])}: {error}"
                if self.begun
                else str(error)
            )
        return ""

    async def _step(self, step: Step) -> None:
        handler: Callable[[Any], Awaitable[None]] | None = getattr(self, "do_" + step.do.replace("-", "_"), None)
        try:
            if handler is None:  # a part of a conversation may be of another kind than the whole
                raise Impossible("this play knows no such step")
            await handler(step)
        except Impossible as error:
            if not self.lenient:
                raise
            self.note(self.subject_lane, self.subject_lane, f"left out: {talk.words(step)}: {error}")

    # -- what is told and seen ---------------------------------------------------------------------------------------

    def tell(self, channel: int, event: Any) -> None:
        """The subject is told something."""
        self.side.told(Told(channel, event, 0, self.now()))

    def see(self, channel: int, what: Any, message_id: bytes, who: str) -> None:
        """Something came from the subject."""
        self.feel()
        possible = self.side.says(channel, what, self.now(), message_id)
        self.note(self.subject_lane, who, what, possible)
        self.news.set()

    def fact(self, channel: int, to_subject: bool, what: Any, message_id: bytes = b"") -> None:
        """Keep what was said or heard, for its promises to be judged by."""
        if self.watched:
            self.facts.append(Fact(self.now(), channel, to_subject, what, message_id))

    def note(self, source: str, target: str, what: Any, possible: int = 0) -> None:
        """Write it down."""
        if len(self.log) < LONGEST_LOG:
            self.log.append(Line(self.now(), source, target, what, possible))
