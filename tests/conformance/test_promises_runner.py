"""Promises to a client that a runner keeps or breaks: what its actor answers, counts and acks, whatever a profile says."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conformance.talked import GRACE_MS, OPEN, Talk, places
from tunnelconform import conversation as talk
from tunnelconform.conversation import Conversation
from tunnelconform.play_runner import RunnerPlay
from tunnelconform.played import Played
from tunnelconform.promises import Account, Gone
from tunnelconform.promises_runner import Begins, Stops, runner
from tunnelconform.shrink import signature
from tunnelconform.subject_within import RunnerWithin
from tunnelspec.deviations import DEVIATIONS, Deviation, depart
from tunnelspec.endpoint import TABLES
from tunnelspec.frames import (
    ToClientWebSocketClose,
    ToClientWebSocketMessage,
    ToServerWebSocketClose,
    ToServerWebSocketMessage,
    ToServerWebSocketMessageAck,
    ToServerWebSocketOpen,
    TunnelAck,
)

MAX_HIBERNATION_MS = 100_000


@dataclass
class Hosting(Talk):
    """A conversation with a runner; the newest link is the one that is up."""

    link: int = 1

    def begins(self, last: int = -1) -> None:
        self.add(0, True, Begins())
        self.reopens(last)

    def reopens(self, last: int = -1) -> None:
        self.add(self.link, False, TunnelAck(), self.opens_it())
        self.answers_open(last)

    def opens_it(self) -> bytes:
        return self.add(self.link, True, OPEN)

    def answers_open(self, last: int = -1) -> None:
        self.add(self.link, False, ToServerWebSocketOpen(self.hibernates, last))

    def shuts(self) -> None:
        self.add(self.link, True, ToClientWebSocketClose(1000, None))

    def stops(self) -> None:
        self.add(0, True, Stops())
        self.add(self.link, False, ToServerWebSocketClose(None, None, True))

    def breaks(self) -> None:
        self.add(self.link, False, Gone())
        self.link += 1

    def asks(self, index: int, text: str, answer: str = "") -> None:
        self.add(self.link, True, ToClientWebSocketMessage(index, text.encode(), False))
        if answer:
            self.answers(answer)

    def answers(self, text: str) -> None:
        self.add(self.link, False, ToServerWebSocketMessage(text.encode(), False))

    def commits(self, index: int) -> None:
        self.add(self.link, False, ToServerWebSocketMessageAck(index))

    hibernates: bool = True

    def judged(self, later_ms: int = GRACE_MS) -> Account:
        return runner(self.facts, len(self.facts) + later_ms, GRACE_MS, self.hibernates, MAX_HIBERNATION_MS)


@dataclass(frozen=True)
class Stay:
    """What is brought to an actor over one link; it is committed, the rest is brought again over the next."""

    texts: tuple[str, ...]
    committed: float
    stops: bool


stays = st.lists(
    st.builds(Stay, st.lists(st.sampled_from(["m", "send", "state"]), max_size=4).map(tuple), st.floats(0, 1), st.booleans()),
    min_size=1, max_size=4,
)  # fmt: skip


def hosted(stayed: Sequence[Stay]) -> Hosting:
    """What a faithful runner's conversation looks like."""
    talk, texts, committed, given_to = Hosting(), list[str](), 0, 0
    talk.begins()

    def bring(index: int) -> None:
        text = texts[index - 1]
        said = {"send": f"r{index}", "state": str(index)}.get(text, "") if index > given_to else ""
        talk.asks(index, f"send r{index}" if text == "send" else text, said)

    for number, stay in enumerate(stayed):
        for index in range(committed + 1, len(texts) + 1):
            bring(index)
        given_to = len(texts)
        for text in stay.texts:
            texts.append(text)
            bring(len(texts))
        given_to = len(texts)
        if (through := committed + round((given_to - committed) * stay.committed)) > committed:
            committed = through
            talk.commits(committed)
        if number + 1 == len(stayed):
            continue
        if stay.stops:
            talk.stops()
            given_to = committed
            talk.begins(committed or -1)
        else:
            talk.breaks()
            talk.reopens(committed or -1)
    return talk


@given(stays)
def test_a_faithful_runner_breaks_nothing(stayed: list[Stay]) -> None:
    talk = hosted(stayed)
    for length in range(len(talk.facts) + 1):
        assert runner(talk.facts[:length], length, GRACE_MS, True, MAX_HIBERNATION_MS).broken is None
    assert talk.judged() == Account()


@given(stays, st.data())
def test_what_a_runner_leaves_out_doubles_or_alters_is_noticed(stayed: list[Stay], data: st.DataObject) -> None:
    """Of what the actor says while the socket is open: P-DELIVER, and P-ASYM or P-NO-DUP for what comes too often."""
    talk = hosted(stayed)
    heard = places(talk, ToServerWebSocketMessage, False)
    if not heard:
        return
    place = data.draw(st.sampled_from(heard))
    fact, how = talk.facts[place], data.draw(st.sampled_from(["drop", "twice", "alter"]))
    said = [f.what for f in talk.facts if isinstance(f.what, ToServerWebSocketMessage)]
    if how == "drop":
        alive = not any(
            isinstance(f.what, Gone | Stops) for f in talk.facts[place:]
        )  # else it may have been on its way
        del talk.facts[place]
        assert talk.broken in (("P-DELIVER",) if alive else ("", "P-DELIVER"))
    elif how == "alter":
        talk.facts[place] = fact._replace(what=ToServerWebSocketMessage(b"x" + fact.what.data, False))
        assert talk.broken == "P-DELIVER"
    elif not fact.what.data.isdigit() and said.count(fact.what) == 1:
        brought = sum(
            f.what.data == b"send " + fact.what.data for f in talk.facts if isinstance(f.what, ToClientWebSocketMessage)
        )
        talk.facts.insert(place + 1, fact)
        assert talk.broken in (("P-ASYM",) if brought == 1 else ("P-ASYM", "P-NO-DUP"))


def test_a_message_counts_once_in_the_durable_state() -> None:
    """However often it was brought; and it counts."""
    for number, name in ((3, ""), (4, "P-NO-DUP"), (2, "P-LOSS-KNOWN")):
        talk = Hosting()
        talk.begins()
        talk.asks(1, "m")
        talk.asks(2, "m")
        talk.breaks()
        talk.reopens(1)
        talk.asks(2, "m")
        talk.asks(3, "state", str(number))
        assert talk.broken == name


def test_a_message_is_handled_once_in_a_life_and_again_in_the_next_only_if_it_was_lost() -> None:
    for stops, last, name in ((False, -1, "P-NO-DUP"), (True, -1, ""), (True, 1, "P-ASYM")):
        talk = Hosting()
        talk.begins()
        talk.asks(1, "send r", "r")
        if stops:
            talk.stops()
            talk.begins(last)
        else:
            talk.breaks()
            talk.reopens(last)
        talk.asks(1, "send r", "r")
        assert talk.broken == name


@pytest.mark.parametrize("hibernates", [True, False])
@pytest.mark.parametrize(("follows", "name"), [
    ("", "P-DELIVER"), ("shut", ""), ("shut, open", ""), ("shut, open, ack", ""), ("shut, open, ack, answer", "P-DELIVER"),
])  # fmt: skip
def test_an_answer_to_an_open_that_was_shut_opens_nothing(hibernates: bool, follows: str, name: str) -> None:
    """P-DELIVER: nothing is owed over a socket that the gateway has closed, though the answer to its open comes behind that, or
    behind the next open."""
    talk = Hosting(hibernates=hibernates)
    talk.add(0, True, Begins())
    opened = talk.opens_it()
    talk.add(talk.link, False, TunnelAck(), opened)
    if "shut" in follows:
        talk.shuts()
    again = talk.opens_it() if "open" in follows else b""
    talk.answers_open()
    if "ack" in follows:
        talk.add(talk.link, False, TunnelAck(), again)
    if "answer" in follows:
        talk.answers_open()
    talk.asks(1, "send r")
    assert talk.broken == name


def test_nothing_is_handled_acked_or_said_to_be_in_after_a_gap() -> None:
    def after_a_gap() -> Hosting:
        talk = Hosting()
        talk.begins()
        talk.asks(2, "send r")
        talk.asks(3, "state")
        return talk

    for text in ("r", "3"):
        talk = after_a_gap()
        talk.answers(text)
        assert talk.broken == "P-GAP-LOUD"
    talk = after_a_gap()
    talk.commits(3)
    assert talk.broken == "P-GAP-LOUD"
    talk = after_a_gap()
    talk.breaks()
    talk.reopens(2)
    assert talk.broken == "P-GAP-LOUD"
    talk = after_a_gap()
    talk.commits(4)
    assert talk.broken == "P-GAP-LOUD"
    talk = Hosting()
    talk.begins()
    talk.commits(1)
    assert talk.broken == "P-LOSS-KNOWN"


def test_what_was_acked_stays_in_until_the_socket_is_forgotten() -> None:
    for waits_ms, name in ((0, "P-ACK-KEPT"), (MAX_HIBERNATION_MS, "")):
        talk = Hosting()
        talk.begins()
        talk.asks(1, "m")
        talk.commits(1)
        talk.stops()
        talk.begins(-1)
        place = len(talk.facts) - 1
        talk.facts[place] = talk.facts[place]._replace(time_ms=place + waits_ms)
        assert talk.broken == name


def test_without_hibernation_each_message_that_is_brought_may_be_handled() -> None:
    for answers, name in (
        (("r", "r", "3"), ""),
        (("r", "r", "4"), "P-NO-DUP"),
        (("r", "r", "r"), "P-ASYM"),
        (("r",), "P-DELIVER"),
    ):
        talk = Hosting(hibernates=False)
        talk.begins()
        for text in ("send r", "send r", "state"):
            talk.asks(0, text)
        for text in answers:
            talk.answers(text)
        assert talk.broken == name


HOSTED = (talk.Start(), talk.Open(), talk.AckArrival(of="ToServerWebSocketOpen"))
RUNNERS: dict[str, tuple[Conversation, str]] = {
    "index-unvalidated": ((*HOSTED, talk.Bring(), talk.Bring(), talk.Bring(index=2, text="state")), "P-NO-DUP"),
    "gap-warned": ((*HOSTED, talk.Bring(), talk.Bring(index=3, text="state")), "P-GAP-LOUD"),
}


@pytest.mark.parametrize("name", RUNNERS)
def test_no_profile_excuses_what_a_runner_does_with_the_client_s_messages(name: str) -> None:
    """The oracle follows tables that give the actor a message twice, or after a gap."""

    async def held(deviations: tuple[Deviation, ...]) -> Played:
        subject = RunnerWithin(deviations)
        hub = await subject.start()
        try:
            tables = depart(TABLES, subject.limits, (DEVIATIONS[name],))[0].runner
            return await RunnerPlay(hub, subject.limits, RUNNERS[name][0], tables=tables, grace_ms=GRACE_MS).run()
        finally:
            await subject.stop()

    played = asyncio.run(held((DEVIATIONS[name],)))
    assert played.problem is None
    assert signature(played) == ("runner", "promise", (RUNNERS[name][1],))
