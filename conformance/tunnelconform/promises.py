"""What a gateway promises to a client and its actor, judged from the conversation alone.

Neither the tables nor the oracle have a part in this, so that no profile, which is a departure from the tables, can excuse a loss.
What is judged is what the peers of the gateway said and heard. The names are those of the properties:

- P-LOSS-KNOWN: what the client said reaches the actor over an open tunnel, or the client is told by a close;
- P-GAP-LOUD: nothing is passed over: no later message comes instead of an earlier one, no index is left out or used twice;
- P-NO-DUP: nothing comes a second time over one tunnel, nor after a lastMsgIndex that covers it;
- P-ACK-KEPT: nothing comes again once its ack is known to have been heard;
- P-REPLAY-EXACT: after a loss all that was not acked comes again, the same, in order, before anything newer;
- P-DELIVER: what the actor says over an open tunnel reaches the client, whole and in order;
- P-ASYM: it does so once at most.

Where the conversation does not say (a link that was cut may have swallowed anything; a client that has left cannot be told),
nothing is judged. What is owed counts as lost once there was time for it: until then ``Account.due_ms`` says how long to wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

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
from tunnelspec.serial import U16

CLIENT = 0
"""The client's channel; those of links are positive."""

APPLICATION = 3_000
"""From here on, close codes are nobody's but the application's (RFC 6455, section 7.4.2)."""

SHOWN = 16  # characters of a message are quoted


class Words(NamedTuple):
    """A message as the client says or hears it."""

    data: bytes
    binary: bool


class Left(NamedTuple):
    """The client has left: with a close frame, or without."""

    code: int | None = None
    reason: str = ""


class Closed(NamedTuple):
    """The client was told by a close, or cut off."""

    code: int


class Gone(NamedTuple):
    """A link is no more."""


class Fact(NamedTuple):
    """Something that was said to the subject, or heard from it: ``what`` is one of the above, or a frame."""

    time_ms: int
    channel: int
    to_subject: bool
    what: Any
    message_id: bytes = b""


class Broken(NamedTuple):
    """A promise that was not kept."""

    time_ms: int
    property: str
    says: str


class Account(NamedTuple):
    """What is broken, if anything; and until when one must wait to know more, in ms, if something is still owed."""

    broken: Broken | None = None
    due_ms: int = 0


@dataclass
class _Tunnel:
    """The socket over one link, since it was opened there."""

    opened: bytes = b""  # the open's id; a socket that goes on without one has none
    arrived: bool = False  # the open was acked
    answers: list[ToServerWebSocketOpen] = field(default_factory=list)
    agreed_ms: int = 0  # since then both know that it is open
    closed: bool = False  # what still comes was on its way, or goes on without an open
    final: int = 0  # the code with which the actor closed for good
    next: int | None = None  # the place of the message that must come next, once one came
    index: int = -1  # of the last that came

    @property
    def numbered(self) -> bool:
        return bool(self.answers or not self.opened) and all(answer.canHibernate for answer in self.answers)


@dataclass
class _Spoken:
    """A message of the actor's. ``owed``: the client is sure to get it."""

    time_ms: int
    link: int
    words: Words
    owed: bool
    heard: bool = False


def gateway(facts: Iterable[Fact], now_ms: int, grace_ms: int) -> Account:
    """What a gateway has kept of its promises by now; it may take ``grace_ms`` for anything."""
    ledger = _Gateway(now_ms, grace_ms)
    for fact in facts:
        ledger.enter(fact)
        if ledger.broken:
            return Account(ledger.broken)
    return ledger.close()


class _Gateway:
    """Goes through the facts one by one. Messages are known by their place in what the client said, from 0."""

    def __init__(self, now_ms: int, grace_ms: int) -> None:
        self.now_ms, self.grace_ms = now_ms, grace_ms
        self.broken: Broken | None = None
        self.time_ms = 0
        self.said: list[tuple[int, Words]] = []
        self.left: Left | None = None
        self.told = False
        self.silent: list[Broken] = []  # what is broken unless the client is told of it
        self.tunnels: dict[int, _Tunnel] = {}
        self.current = 0  # the link over which the gateway has opened last
        self.places: dict[int, int] = {}  # index -> place, of what came
        self.came = 0  # so many came at least once, but for those that were
        self.passed: set[int] = set()  # passed over
        self.acked = self.perhaps = 0  # so many are known to be acked; so many may be
        self.acks: dict[bytes, tuple[int, int]] = {}  # acks under way, by id: link, and how many they cover
        self.spoken: list[_Spoken] = []

    # -- the facts ---------------------------------------------------------------------------------------------------

    def enter(self, fact: Fact) -> None:
        self.time_ms = fact.time_ms
        what, link = fact.what, fact.channel
        if isinstance(what, Words) and fact.to_subject:
            self.said.append((fact.time_ms, what))
        elif isinstance(what, Words):
            self._hears(what)
        elif isinstance(what, Left):
            self.left = what
        elif isinstance(what, Closed):
            self._is_told(what)
        elif isinstance(what, Gone):
            self.tunnels.pop(link, None)
            self._owes_no_more(link)
        elif fact.to_subject:
            self._runner_says(link, what, fact.message_id)
        else:
            self._runner_hears(link, what, fact.message_id)

    def _runner_hears(self, link: int, what: Any, message_id: bytes) -> None:
        tunnel = self.tunnels.get(link)
        if isinstance(what, ToClientWebSocketOpen):
            for other in self.tunnels:
                self._owes_no_more(other)
            self.tunnels[link], self.current = _Tunnel(message_id), link
        elif isinstance(what, ToClientWebSocketMessage):
            if tunnel is None:
                tunnel = self.tunnels[link] = _Tunnel(agreed_ms=self.time_ms)
                self.current = link
            self._comes(tunnel, what)
        elif isinstance(what, ToClientWebSocketClose) and tunnel is not None:
            self._is_closed(tunnel, what)
            tunnel.closed = True
            self._owes_no_more(link)
        elif isinstance(what, TunnelAck) and message_id in self.acks:
            self.acked = max(self.acked, self.acks.pop(message_id)[1])

    def _runner_says(self, link: int, what: Any, message_id: bytes) -> None:
        tunnel = self.tunnels.get(link)
        live = tunnel is not None and bool(tunnel.agreed_ms) and not tunnel.closed and link == self.current
        if isinstance(what, ToServerWebSocketMessage):
            owed = live and self._listens()
            self.spoken.append(_Spoken(self.time_ms, link, Words(what.data, what.binary), owed))
        elif tunnel is None:
            return
        elif isinstance(what, TunnelAck):
            tunnel.arrived = tunnel.arrived or message_id == tunnel.opened
        elif isinstance(what, ToServerWebSocketOpen):
            tunnel.answers.append(what)
            if tunnel.arrived and not tunnel.closed:
                tunnel.agreed_ms = tunnel.agreed_ms or self.time_ms
            start = self._start(what.lastMsgIndex)
            self.perhaps = max(self.perhaps, start or 0)
        elif isinstance(what, ToServerWebSocketMessageAck):
            count = self.places.get(what.index, -1) + 1
            self.perhaps = max(self.perhaps, count)
            if live and tunnel.next is not None and count <= tunnel.next:
                self.acks[message_id] = link, count
        elif isinstance(what, ToServerWebSocketClose):
            if live and not what.retry:
                tunnel.final = what.code or 0
            tunnel.closed = True  # what the runner said before it is heard before it
            self.acked = max([self.acked, *(count for its, count in self.acks.values() if live and its == link)])

    def _listens(self) -> bool:
        return self.left is None and not self.told

    def _is_told(self, what: Closed) -> None:
        self.told = True
        for spoken in self.spoken:
            tunnel = self.tunnels.get(spoken.link)
            closes = tunnel is not None and what.code == tunnel.final >= APPLICATION
            if spoken.owed and not spoken.heard and closes and self.left is None:
                self._break(
                    "P-DELIVER", f"{self._quoted(spoken.words)}, which the actor said before it closed, did not come"
                )

    def _owes_no_more(self, link: int) -> None:
        """What the actor said over that link may be lost."""
        for spoken in self.spoken:
            spoken.owed = spoken.owed and spoken.link != link

    # -- what the client said ----------------------------------------------------------------------------------------

    def _start(self, last: int) -> int | None:
        """So many messages an answer with that lastMsgIndex says are in; None if it is not known which."""
        if last in self.places:
            return self.places[last] + 1
        return 0 if last in (-1, 0) and not self.acked else None

    def _starts(self, tunnel: _Tunnel) -> list[int] | None:
        """Where what comes over it may begin; None if anywhere."""
        if not tunnel.opened or not tunnel.answers:
            return list(range(self.acked, self.perhaps + 1))
        starts = {self._start(answer.lastMsgIndex) for answer in tunnel.answers}
        return None if None in starts else sorted(start for start in starts if start is not None)

    def _comes(self, tunnel: _Tunnel, frame: ToClientWebSocketMessage) -> None:
        """A message of the client's comes to a runner."""
        words, first = Words(frame.data, frame.binary), tunnel.next is None
        allowed = self._starts(tunnel) if tunnel.next is None else [tunnel.next]
        if tunnel.closed and allowed is not None:
            allowed += range(self.acked, self.perhaps + 1)
        here = [p for p in (range(len(self.said)) if allowed is None else allowed) if self._is(p, frame, tunnel)]
        if here:
            place = here[0]
        elif allowed is None:
            return
        else:
            place = self._wrong(allowed[0], words, frame.index, tunnel, first)
        if not first and tunnel.numbered and not tunnel.closed and (tunnel.index + 1) % U16 != frame.index:
            self._break("P-GAP-LOUD", f"index {frame.index} came after index {tunnel.index}")
        if place < self.acked and not tunnel.closed:
            self._break("P-ACK-KEPT", f"{self._named(place)} came again, though it was acked")
        if first and tunnel.opened and allowed and len(allowed) == 1:
            self.acked = max(self.acked, allowed[0])  # the answer was heard, then
        tunnel.next, tunnel.index = place + 1, frame.index
        self.places[frame.index] = place
        self.came = max(self.came, place + 1)

    def _is(self, place: int, frame: ToClientWebSocketMessage, tunnel: _Tunnel) -> bool:
        """Whether it is the message of that place, under the index that it had before, if it had one."""
        if place >= len(self.said) or self.said[place][1] != (frame.data, frame.binary):
            return False
        new = place >= self.came or place in self.passed
        return not tunnel.numbered or self.places.get(frame.index, place if new else -1) == place

    def _wrong(self, due: int, words: Words, index: int, tunnel: _Tunnel, first: bool) -> int:
        """Says what is wrong with a message that came instead of the one that was due; its place, as far as one can tell."""
        texts = [said for _, said in self.said]
        known = self.places.get(index) if tunnel.numbered else None
        again = due < self.came
        if due < len(texts) and texts[due] == words:
            if again:
                self._break("P-REPLAY-EXACT", f"{self._named(due)} came again with another index, {index}")
            else:
                self._break(
                    "P-GAP-LOUD", f"{self._named(due)} came with index {index}, as {self._named(known)} had before"
                )
            return due
        if known is not None and texts[known] != words:
            self._break("P-REPLAY-EXACT", f"{self._named(known)} came again, altered to {self._quoted(words)}")
            return known
        later = [p for p in range(due + 1, len(texts)) if texts[p] == words]
        before = [p for p in range(min(due, len(texts))) if texts[p] == words]
        place = known if known is not None else next(iter((*later, *reversed(before))), None)
        if place is None:
            self._altered(due, words, again)
        elif place in self.passed:
            self._break("P-GAP-LOUD", f"{self._named(place)} came after what the client said later")
        elif place < self.acked:
            self._break("P-ACK-KEPT", f"{self._named(place)} came again, though it was acked")
        elif place < due:
            why = "though lastMsgIndex said that it is in" if first else "over the same tunnel"
            self._break("P-NO-DUP", f"{self._named(place)} came a second time, {why}")
        elif again:
            self._break(
                "P-REPLAY-EXACT", f"{self._named(place)} came before {self._named(due)}, which is to come again first"
            )
        else:
            says = f"{self._named(place)} came, though {self._named(due)} had not, and the client was not told"
            self.silent.append(Broken(self.time_ms, "P-GAP-LOUD", says))
            self.passed.update(range(due, place))
        return due if place is None else place

    def _altered(self, due: int, words: Words, again: bool) -> None:
        if again:
            self._break("P-REPLAY-EXACT", f"{self._named(due)} came again, altered to {self._quoted(words)}")
        elif due < len(self.said):
            self._break("P-LOSS-KNOWN", f"{self._named(due)} came altered to {self._quoted(words)}")
        else:
            self._break("P-NO-DUP", f"{self._quoted(words)} came, though the client had said nothing more")

    def _is_closed(self, tunnel: _Tunnel, what: ToClientWebSocketClose) -> None:
        """The client's own close, known by its words, comes behind all that it said."""
        its_own = self.left is not None and self.left.reason and (what.code, what.reason) == self.left and not self.told
        place = self._next(tunnel)
        if its_own and not tunnel.closed and place is not None and place < len(self.said):
            self._break("P-LOSS-KNOWN", f"the client's close came, and {self._named(place)} had not come before it")

    def _next(self, tunnel: _Tunnel) -> int | None:
        """The place of what must come next over a tunnel that both know to be open, if that is known."""
        starts = self._starts(tunnel) if tunnel.next is None else [tunnel.next]
        return starts[0] if tunnel.agreed_ms and starts is not None and len(starts) == 1 else None

    # -- what the actor said -----------------------------------------------------------------------------------------

    def _hears(self, words: Words) -> None:
        """The client hears a message."""
        owed = [spoken for spoken in self.spoken if spoken.owed and not spoken.heard]
        at_liberty = [s for s in self.spoken if s.words == words and not (s.owed or s.heard)]
        if owed and owed[0].words == words:
            owed[0].heard = True
        elif at_liberty:
            at_liberty[0].heard = True
        elif any(spoken.words == words for spoken in owed):
            self._break("P-DELIVER", f"the actor's {self._quoted(words)} came before {self._quoted(owed[0].words)}")
        elif any(spoken.words == words for spoken in self.spoken):
            self._break("P-ASYM", f"the actor's {self._quoted(words)} came to the client a second time")
        else:
            self._break("P-DELIVER", f"{self._quoted(words)} came to the client, which no actor said")

    # -- the end -----------------------------------------------------------------------------------------------------

    def close(self) -> Account:
        """What is still owed, and what is broken since it did not come in time."""
        if not self._listens():
            return Account()
        debts = sorted((*self.silent, *self._unheard(), *self._lost()))
        if debts and debts[0].time_ms + self.grace_ms <= self.now_ms:
            return Account(debts[0])
        return Account(None, debts[0].time_ms + self.grace_ms if debts else 0)

    def _unheard(self) -> Iterable[Broken]:
        for spoken in self.spoken:
            if spoken.owed and not spoken.heard:
                yield Broken(
                    spoken.time_ms, "P-DELIVER", f"the actor's {self._quoted(spoken.words)} did not come to the client"
                )

    def _lost(self) -> Iterable[Broken]:
        tunnel = self.tunnels.get(self.current)
        if tunnel is None or tunnel.closed or (place := self._next(tunnel)) is None or place >= len(self.said):
            return
        since = max(self.said[place][0], tunnel.agreed_ms)
        if place < self.came:
            yield Broken(since, "P-REPLAY-EXACT", f"{self._named(place)}, which was not acked, did not come again")
        else:
            yield Broken(
                since, "P-LOSS-KNOWN", f"{self._named(place)} did not reach the actor, and the client was not told"
            )

    # -- words -------------------------------------------------------------------------------------------------------

    def _break(self, name: str, says: str) -> None:
        self.broken = self.broken or Broken(self.time_ms, name, says)

    def _named(self, place: int | None) -> str:
        if place is None:
            return "another message"
        return f"the client's message {place + 1} ({self._quoted(self.said[place][1])})"

    def _quoted(self, words: Words) -> str:
        text = words.data.hex() if words.binary else repr(words.data.decode(errors="replace"))
        return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
